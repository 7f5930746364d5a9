"""What is typed is never lost: two tabs, another fixture, the log and back, and a restart of the sandbox."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support import contexts
from tests.support.serving import serving
from tests.support.watching import WIDE, Watched, payload_of, press, write_expectation, write_payload

BROKEN = '{"half": "typ'


def typed(page: Page, text: str) -> None:
    """Type a payload, and wait until it is kept."""
    with page.expect_response(lambda answer: answer.request.post_data is not None):
        write_payload(page, text)
    expect(page.locator("#unsaved")).to_have_attribute("data-edited", "")


def test_nothing_that_is_typed_is_lost(browser: Browser, tmp_path: Path) -> None:
    with contexts.fresh(browser, viewport=WIDE, locale="en-GB") as context:
        first = Watched(context)
        page = first.page
        with serving(tmp_path) as served:
            url, port = served.url, served.url.rpartition(":")[2]
            page.goto(f"{url}/?fixture=default")
            dot = page.locator("#fixture-list li", has_text="default").locator(".edit-dot").first
            expect(dot).to_be_hidden()
            typed(page, BROKEN)
            expect(dot).to_be_visible()
            expect(page.locator("#findings")).to_contain_text("This is not JSON")
            # The expectation, without a pause before the page goes.
            write_expectation(page, '{"status": 20')
            page.get_by_role("link", name="already-shipped").click()
            expect(page.locator("input[name=fixture]")).to_have_value("already-shipped")
            expect(payload_of(page)).not_to_have_value(BROKEN)
            page.get_by_role("link", name="Log", exact=True).click()
            page.get_by_role("link", name="Workbench", exact=True).first.click()
            expect(page.locator("input[name=fixture]")).to_have_value("already-shipped")
            page.locator("#fixture-list li", has_text="default").first.get_by_role("link").click()
            expect(payload_of(page)).to_have_value(BROKEN)
            expect(page.locator("#expectation")).to_have_value('{"status": 20')
            page.get_by_role("link", name="Log", exact=True).click()
            page.go_back()
            expect(payload_of(page)).to_have_value(BROKEN)

            # Another tab goes on with it; the first has not seen that.
            second = Watched(context)
            other = second.page
            other.goto(f"{url}/?fixture=default")
            expect(payload_of(other)).to_have_value(BROKEN)
            typed(other, '{"second": 1}')
            typed(page, '{"first": 1}')
            shown = page.locator("#unsaved")
            expect(shown).to_contain_text("Other text was typed in another page.")
            expect(shown.locator(".diff")).to_contain_text('-{"second": 1}')
            press(page, "Take the other")
            expect(payload_of(page)).to_have_value('{"second": 1}')
            page.locator("#unsaved").get_by_role("button", name="Undo").click()
            expect(payload_of(page)).to_have_value('{"first": 1}')
            other.close()
        with serving(tmp_path, ["--port", port]) as served:
            page.goto(f"{url}/?fixture=default")
            expect(payload_of(page)).to_have_value('{"first": 1}')
            press(page, "Revert")
            expect(payload_of(page)).not_to_have_value('{"first": 1}')
            expect(page.locator("#fixture-list [aria-current] .edit-dot")).to_be_hidden()
            page.locator("#unsaved").get_by_role("button", name="Undo").click()
            expect(payload_of(page)).to_have_value('{"first": 1}')
        assert [*first.complaints, *second.complaints] == []
