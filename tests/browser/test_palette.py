"""The palette and the list of keys, on any page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.published import axe
from tests.support.serving import Served
from tests.support.watching import opened


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    yield from opened(browser, served.url, scripted=True)


@pytest.fixture(scope="module", autouse=True)
def till(served: Served) -> None:
    Workspace(served.workspace).save_receiver(Receiver("till", f"{served.stand_in}/"))


def choices(page: Page) -> Locator:
    return page.locator("#palette .choice")


def test_ctrl_k_finds_what_there_is_and_goes_there(page: Page):
    # From within the editor, which has a meaning of its own for many keys.
    page.locator("#payload-view .cm-content").first.click()
    page.keyboard.press("Control+k")
    expect(choices(page).first).to_contain_text("Workbench")
    assert axe.violations(page) == []
    page.keyboard.type("already-shipped v1")
    expect(choices(page)).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/?action=order_cancel&edition=v1&fixture=already-shipped")
    # By arrows, and back to the field by the first letter.
    page.goto("/runs")
    page.keyboard.press("Control+k")
    expect(choices(page).nth(2)).to_be_visible()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator("#palette-q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(choices(page).first).to_be_focused()
    page.keyboard.type("till")
    expect(page.locator("#palette-q")).to_have_value("till")
    expect(choices(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#header-target")).to_contain_text("till")
    assert page.url.endswith("/runs")
    # A click opens it, Escape and a click beside it close it.
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(5, 700)):
        page.get_by_role("link", name="Find or do").click()
        expect(page.locator("#palette")).to_be_visible()
        close()
        expect(page.locator("#palette")).to_be_hidden()


def test_arrows_go_through_the_cases_and_the_receivers(page: Page):
    page.locator("#q").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#fixture-list a").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**fixture=alphanumeric-order-id**")
    page.locator("#fixture-list a[aria-current]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    expect(page.locator("#q")).to_be_focused()
    menu = page.locator(".receiver-menu")
    menu.locator("summary").press("Enter")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(menu.get_by_role("button", name="till")).to_be_focused()
    page.goto("/scenarios")
    first, second = page.locator("td.title a").all()[:2]
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()


def test_the_keys_are_told_on_any_page_and_letters_do_nothing_there(page: Page):
    for path in ("/scenarios", "/deliveries"):
        page.goto(path)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.goto("/scenarios")
    page.keyboard.press("/")
    page.keyboard.press("j")
    assert page.url.endswith("/scenarios")
    page.get_by_label("Find", exact=True).press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    expect(page.get_by_label("Find", exact=True)).to_have_value("?")


def test_without_a_script_it_is_a_page(browser: Browser, served: Served):
    for page in opened(browser, served.url, scripted=False):
        page.get_by_role("link", name="Find or do").click()
        page.get_by_role("main").get_by_role("searchbox").fill("partly order_cancel v1")
        page.get_by_role("button", name="Find", exact=True).click()
        page.get_by_role("link", name="case partly-shipped").click()
        page.wait_for_url("**/?action=order_cancel&edition=v1&fixture=partly-shipped")
