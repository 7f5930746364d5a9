"""Writing a scenario in a real browser, from its first step to its verdict."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.serving import Served


@pytest.fixture(scope="module")
def first_path() -> str:
    """None: each test goes to its own."""
    return ""


def test_a_scenario_is_written_run_and_mended_without_leaving_its_page(scripted: Page, served: Served):
    page = scripted
    page.goto("/scenarios")
    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_label("What must stay true").fill("Two cancels")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Two cancels")).to_be_visible()
    file = served.workspace / "scenarios" / "two-cancels.scenario.json"

    # Only the fields of what is chosen are seen.
    page.get_by_role("button", name="Add case").click()
    expect(page.get_by_label("Case", exact=True)).to_be_visible()
    expect(page.get_by_label("Payload", exact=True)).to_be_hidden()
    expect(page.get_by_label("Status", exact=True)).to_be_hidden()
    page.get_by_label("what is written here").check()
    page.get_by_label("Status", exact=True).fill("418")
    expect(page.get_by_label("Method", exact=True)).to_be_hidden()
    page.get_by_text("In the usual way").click()
    page.get_by_label("Header lines").fill("accept: text/plain")
    page.get_by_role("button", name="Move default 2 up").click()
    expect(page.get_by_role("status").filter(has_text="Saved. Moved default 2 up.")).to_be_visible()
    expect(page.locator(".edit-steps > li").first).to_contain_text("expects status 418")

    # What is typed is there again after Back.
    expect(page.locator(".edit-steps > li").first).to_contain_text("with a header line as written")
    page.get_by_label("Name", exact=True).fill("second")
    page.get_by_label("Chunks of so many bytes").fill("64")
    page.get_by_role("link", name="Runs").click()
    page.go_back()
    expect(page.get_by_label("Name", exact=True)).to_have_value("second")
    expect(page.get_by_label("Chunks of so many bytes")).to_have_value("64")
    page.get_by_label("Chunks of so many bytes").fill("many")
    page.get_by_role("button", name="Save step").click()
    expect(page.get_by_label("Chunks of so many bytes")).to_be_focused()
    expect(page.locator("#wire-chunked-error")).to_contain_text("write a number of bytes")
    page.get_by_label("Chunks of so many bytes").fill("")

    # Mistakes are marked in the editor where they are.
    page.get_by_role("button", name="File as JSON").click()
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Space")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("description")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+F")
    page.keyboard.type("418")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.type("true")
    expect(page.locator("#findings")).to_contain_text("No scenario yet")
    expect(page.locator(".cm-lintRange-error")).to_be_visible()
    page.get_by_role("button", name="Save file").click()
    expect(page.locator("#findings")).to_contain_text("/steps/0/expect/status")
    assert "418" in file.read_text()
    # What was refused is still there after another page.
    page.get_by_role("link", name="Log", exact=True).click()
    page.wait_for_url("**/deliveries")
    page.go_back()
    expect(page.locator("#findings")).to_contain_text("/steps/0/expect/status")
    page.locator("#findings button.place").click()
    expect(editor).to_be_focused()
    page.keyboard.press("Control+F")
    page.keyboard.type("true")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.type("200")
    expect(page.locator("#findings")).to_contain_text("can be run")
    page.get_by_role("button", name="Save file").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert "200" in file.read_text()

    # One click in the list runs it, and the row says how it came out.
    page.goto("/scenarios?q=two-cancels")
    row = page.get_by_role("row", name="Two cancels")
    row.get_by_role("button", name="Run").click()
    expect(row.locator("td.outcome .verdict.passed")).to_be_visible()
    expect(row.get_by_role("button", name="Run")).to_be_focused()


def test_the_page_of_a_watched_run_follows_to_the_next(scripted: Page, served: Served):
    page = scripted
    file = served.workspace / "scenarios" / "watched.scenario.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"steps": [{"fixture": "default", "expect": {"status": 418}}]}')
    page.goto("/scenarios/show?id=scenarios/watched.scenario.json")
    page.get_by_role("button", name="Watch").click()
    expect(page.get_by_role("heading", name="1 of 1 did not pass")).to_be_visible()
    expect(page.get_by_text("Watching 1 scenario.")).to_be_visible()
    icon = page.locator("link[rel=icon]")
    failed, first = icon.get_attribute("href"), page.url
    assert page.evaluate("window.stayed = true")
    file.write_text('{"steps": [{"fixture": "default", "expect": {"status": 200}}]}')
    expect(page.get_by_role("heading", name="1 passed")).to_be_visible()
    expect(page.get_by_text("This run: scenarios/watched.scenario.json changed.")).to_be_visible()
    expect(page).to_have_title("1 passed · RetailOPS sandbox")
    assert icon.get_attribute("href") != failed
    assert page.url != first
    assert page.evaluate("window.stayed")
    page.get_by_role("button", name="Stop watching").click()
    expect(page.get_by_role("button", name="Watch", exact=True)).to_be_visible()
