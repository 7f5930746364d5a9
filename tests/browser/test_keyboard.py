"""The main job without a mouse, and where the focus and the words go when something arrives by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import choose, follow
from tests.support.receivers import answering, receiver, response
from tests.support.serving import Served, serving
from tests.support.watching import NARROW, opened, payload_of, write_expectation

ANSWER = b'{"events": [{"error_code": "ERR1409", "error_message": "It was shipped", "status": "error"}]}'
STOPS = 150
"""More than any page has: who tabs so often and does not arrive is caught somewhere."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    answer = response(ANSWER, "Content-Type: application/json")
    with serving(tmp_path_factory.mktemp("workspace")) as served, receiver(answering(answer)) as shop:
        workspace = Workspace(served.workspace)
        workspace.save_receiver(Receiver("till", shop.url))
        workspace.save_receiver(
            Receiver("hanging", f"{served.stand_in}/misbehave/hang", timeout_ms=86_400_000)
        )
        yield served


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    yield from opened(browser, served.url, scripted=True)


@pytest.fixture
def unscripted(browser: Browser, served: Served) -> Iterator[Page]:
    yield from opened(browser, served.url, scripted=False)


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until the focus is there."""
    expect(wanted).to_be_visible()
    for _ in range(STOPS):
        page.keyboard.press(key)
        if wanted.evaluate("(element) => element === document.activeElement"):
            expect(wanted).to_be_in_viewport()
            return
    raise AssertionError(f"{wanted} is not reached by the keyboard")


def landed(page: Page, verdict: str) -> None:
    follow(page)
    expect(page.locator("#delivery h1")).to_contain_text(verdict)


def test_the_main_job_needs_no_mouse(page: Page):
    tab_to(page, page.get_by_role("link", name="already-shipped", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("fixture=already-shipped"))
    menu = page.locator(".receiver-menu summary")
    tab_to(page, menu, "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.locator('button[value="receiver:till"]'))
    page.keyboard.press("Enter")
    expect(page.locator("#target")).to_have_attribute("data-receiver", "till")
    expect(page.locator("#header-target")).to_contain_text("till")
    expect(menu).to_be_focused()
    tab_to(page, page.get_by_role("textbox", name="Payload", exact=True))
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.type(" ")
    expect(payload_of(page)).to_have_value(re.compile(r"^\{ "))
    # Out of the editor again: it is no trap.
    tab_to(page, page.get_by_role("textbox", name="Expected response"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text('{"status": 200, "body": {"events": []}}')
    tab_to(page, page.locator("#send"), "Shift+Tab")
    page.keyboard.press("Enter")
    banner = page.locator("#answer .banner")
    expect(banner).to_contain_text("failed")
    tab_to(page, banner.get_by_role("button", name="Accept"))
    page.keyboard.press("Enter")
    expect(page.locator("#expectation")).to_have_value(re.compile("ERR1409"))
    page.keyboard.press("Control+Enter")
    expect(banner).to_contain_text("passed")


def test_an_action_is_chosen_by_keys_and_what_was_typed_for_another_stays(page: Page):
    page.locator("#payload-view .cm-content").first.click()
    page.keyboard.type(" ")
    expect(page.locator("#unsaved[data-edited]")).to_be_visible()
    menu = page.locator(".action-menu")
    menu.locator("summary").press("Enter")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(menu.locator(".choice").nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").press("Enter")
    menu.get_by_role("link", name="inventory_push").press("Enter")
    page.wait_for_url("**action=inventory_push**")
    # The browser remembers it, and the dot says where something is typed and not saved.
    page.goto("/")
    expect(menu.locator("summary")).to_contain_text("inventory_push")
    menu.locator("summary").click()
    expect(menu.get_by_role("link", name="order_cancel")).to_contain_text("unsaved edits")
    menu.get_by_role("link", name="order_cancel").press("Enter")
    page.wait_for_url("**action=order_cancel**")
    expect(page.locator("#unsaved[data-edited]")).to_be_visible()


def test_send_is_six_tabs_away(page: Page):
    page.goto("/?fixture=already-shipped")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to Send")
    page.keyboard.press("Enter")
    expect(page.locator("#send")).to_be_focused()


@pytest.mark.parametrize(
    "field",
    ["Payload", "Expected response", "Pick", "Search cases"],
)
def test_ctrl_enter_sends_from_every_field(page: Page, field: str):
    page.get_by_label(field).first.focus()
    page.keyboard.press("Control+Enter")
    landed(page, "passed")


def test_what_ctrl_enter_does_is_written_at_send(page: Page):
    send = page.get_by_role("button", name="Send", exact=True)
    expect(send).to_contain_text("Ctrl")
    expect(send).to_have_attribute("aria-keyshortcuts", "Control+Enter")


def test_a_result_is_told_in_the_region_that_was_there(page: Page):
    choose(page, "hanging")
    page.keyboard.press("Control+Enter")
    landed(page, "in flight")
    told = page.locator("#announcement")
    # A region that is replaced is not read aloud: it has to be the same one, with other words.
    told.evaluate("(region) => { region.isTheSame = true }")
    path = page.url
    page.context.request.post(f"{path}/cancel", headers={"Origin": path.partition("/deliveries")[0]})
    expect(page.locator("#delivery h1")).to_contain_text("errored")
    expect(told).to_contain_text("errored")
    assert told.evaluate("(region) => region.isTheSame")
    assert told.get_attribute("role") == "status"


def test_what_is_pressed_and_replaced_keeps_the_focus(page: Page):
    record = page.locator("#record-button")
    record.focus()
    page.keyboard.press("Enter")
    expect(record).to_have_attribute("aria-pressed", "true")
    expect(record).to_be_focused()
    page.keyboard.press("Enter")
    expect(record).to_have_attribute("aria-pressed", "false")
    page.goto("/")
    page.locator("#send").click()
    reset = page.get_by_role("button", name="Reset stand-in")
    reset.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#target")).to_contain_text("forgotten")
    expect(reset).to_be_focused()


def test_the_main_job_on_a_phone_without_javascript(unscripted: Page):
    page = unscripted
    page.set_viewport_size(NARROW)
    page.get_by_role("link", name="unknown-order", exact=True).click()
    choose(page, "till")
    payload = page.get_by_role("textbox", name="Payload", exact=True)
    typed = payload.input_value().replace("{", "{ ", 1)
    payload.fill(typed)
    write_expectation(page, '{"body": {"events": []}}')
    page.locator("#send").click()
    landed(page, "failed")
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Log").click()
    expect(page.get_by_role("row").filter(has_text="unknown-order").first).to_contain_text("failed")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"]
