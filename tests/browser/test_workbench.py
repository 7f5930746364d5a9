"""The loop in the workbench: edit, send and compare without leaving the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import choose
from tests.support.receivers import answering, receiver, response
from tests.support.serving import Served, serving
from tests.support.watching import opened, press, write_expectation

REFUSED = {"events": [{"error_code": "ERR1409", "error_message": "It was shipped", "status": "error"}]}


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    answer = response(json.dumps(REFUSED).encode(), "Content-Type: application/json")
    with receiver(answering(answer)) as shop:
        yield shop.url


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, shop: str) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        workspace = Workspace(served.workspace)
        workspace.save_receiver(Receiver("shop", shop))
        workspace.save_receiver(
            Receiver("hanging", f"{served.stand_in}/misbehave/hang", timeout_ms=86_400_000)
        )
        yield served


@pytest.fixture(scope="module")
def first_path() -> str:
    """None: each test goes to its own."""
    return ""


def test_the_first_true_verdict_takes_three_clicks_and_one_field(browser: Browser, tmp_path: Path, shop: str):
    """At most five clicks and one field, from an empty workspace, about a receiver of one's own."""
    with serving(tmp_path) as empty:
        for page in opened(browser, empty.url, scripted=True):
            page.locator(".receiver-menu summary").click()
            url = page.get_by_label("URL of your receiver")
            url.fill(shop.removeprefix("http://"))
            expect(page.locator("#receiver-url-check")).to_contain_text("no scheme")
            url.fill(shop)
            expect(page.locator("#receiver-url-check")).to_contain_text(f"{shop}/order_cancel")
            press(page, "Use")
            expect(page.locator("#header-target")).to_contain_text(f"{shop}/order_cancel")
            page.locator("#send").click()
            # The receiver refuses what the case `default` says is cancelled.
            expect(page.locator("#answer .banner")).to_contain_text("failed")
            expect(page.locator("#answer .comparison")).to_contain_text("ERR1409")


def test_the_loop_never_leaves_the_page(scripted: Page):
    page = scripted
    page.goto("/?fixture=already-shipped")
    choose(page, "shop")
    page.evaluate("window.isTheSame = true")
    write_expectation(page, "")
    page.locator("#send").click()
    banner, dots = page.locator("#answer .banner"), page.locator("#history .dot")
    expect(banner).to_contain_text("recorded")
    checks = ["✓ status 200, as the contract wants", "✓ contract kept"]
    checks.append("○ events not compared: nothing was expected")
    expect(banner.locator(".checks li")).to_have_text(checks)
    glyph = page.locator("#fixture-list [aria-current] .case-verdict")
    expect(glyph).to_contain_text("recorded")
    press(page, "Expect exactly this")
    expect(page.locator("#expectation")).to_have_value(re.compile("ERR1409"))
    page.locator("#send").click()
    expect(banner).to_contain_text("passed")
    expect(glyph).to_contain_text("passed")
    expect(dots).to_have_count(2)
    expect(page.locator("#announcement")).to_contain_text("passed")
    # Each answer has its address: back and forward lead through them, and a dot opens its own.
    page.go_back()
    expect(banner).to_contain_text("recorded")
    page.go_forward()
    expect(banner).to_contain_text("passed")
    dots.first.click()
    expect(banner).to_contain_text("recorded")
    assert page.evaluate("window.isTheSame")
    page.reload()
    expect(banner).to_contain_text("recorded")
    page.locator("#history summary").click()
    page.locator("#history .choice").get_by_text("passed").click()
    expect(page.locator("h1")).to_contain_text("Two")


def test_back_leads_to_the_case_whose_button_was_refused(scripted: Page):
    page = scripted
    page.goto("/?fixture=zero-total")
    page.get_by_text("Import …").click()
    page.locator("textarea[name=import_text]").fill("no payload")
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".field-error")).to_contain_text("no payload of a known contract")
    page.get_by_role("link", name="Log", exact=True).click()
    page.wait_for_url("**/deliveries")
    page.go_back()
    expect(page.locator("input[name=fixture]")).to_have_value("zero-total")


def test_a_send_that_is_refused_says_why_at_its_field(scripted: Page):
    page = scripted
    page.goto("/?fixture=default")
    choose(page, "shop")
    write_expectation(page, '{"stauts": 200}')
    page.locator("#send").click()
    expect(page.locator("#expectation-problem")).to_contain_text("stauts")
    write_expectation(page, '{"body": {"events": []}}')
    page.locator("#send").click()
    expect(page.locator("#answer .banner")).to_contain_text("failed")
    expect(page.locator("#expectation-problem")).to_have_text("")


def test_a_slow_answer_is_waited_for_in_place_and_can_be_cancelled(scripted: Page):
    page = scripted
    page.goto("/")
    choose(page, "hanging")
    page.locator("#send").click()
    banner = page.locator("#answer .banner")
    expect(banner).to_contain_text("in flight")
    press(page, "Cancel")
    expect(banner).to_contain_text("errored")
    # What is wrong with the address leads to where another is typed.
    page.get_by_role("link", name="Other address").click()
    expect(page.get_by_label("URL of your receiver")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_send_is_always_in_sight(scripted: Page, width: int):
    scripted.set_viewport_size({"width": width, "height": 800})
    scripted.goto("/?fixture=many-unshipped-items")
    scripted.mouse.wheel(0, 3000)
    expect(scripted.get_by_role("button", name="Send", exact=True).last).to_be_in_viewport()
    assert scripted.evaluate("document.documentElement.scrollWidth") <= width
