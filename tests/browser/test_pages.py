"""The pages in a real browser: compose, send, result, log and receivers, with JavaScript and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import choose, follow, headline, press_send, send
from tests.support.logged import newest_deliveries, open_log
from tests.support.serving import Served, serving
from tests.support.watching import (
    NARROW,
    WIDE,
    expectation_of,
    payload_of,
    with_script,
    write_expectation,
    write_payload,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        workspace = Workspace(served.workspace)
        for name, path in {"hanging": "/misbehave/hang", "broken": "/misbehave/html-500"}.items():
            workspace.save_receiver(Receiver(name, served.stand_in + path))
        workspace.save_receiver(Receiver("live", served.stand_in, protected=True))
        yield served


def test_a_fixture_is_picked_edited_sent_and_found_in_the_log(page: Page):
    page.get_by_role("link", name="already-shipped").click()
    write_expectation(page, '{"status": 200, "body": {"events": []}}')
    send(page)
    assert headline(page) == "failed"
    comparison = page.get_by_role("region", name="Compared with what was expected")
    expect(comparison.locator(".item.unexpected")).to_contain_text("ERR1409")
    expect(page.get_by_role("region", name="Request")).to_contain_text("Content-Type")
    expect(page.get_by_role("region", name="As a curl command")).to_contain_text("curl")
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Log").click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("failed")
    expect(row).to_contain_text("already-shipped")
    page.goto(row.get_by_role("link").first.get_attribute("href") or "")
    assert headline(page) == "failed"


def test_a_mistake_leaves_what_was_typed(page: Page):
    write_payload(page, '{"version": 1')
    write_expectation(page, '{"stauts": 200}')
    page.get_by_role("button", name="Send", exact=True).click()
    expect(payload_of(page)).to_have_value('{"version": 1')
    expect(expectation_of(page)).to_have_value('{"stauts": 200}')
    expect(page.locator("#expectation-error")).to_contain_text("stauts")
    expect(page.locator("#findings")).to_contain_text("This is not JSON")


def test_a_delivery_in_flight_is_cancelled(page: Page):
    send(page, "hanging")
    expect(page.locator("#delivery h1")).to_contain_text("in flight")
    page.get_by_role("button", name="Cancel").click()
    assert headline(page) == "errored"
    expect(page.locator(".answer")).to_contain_text("cancelled")


def test_a_protected_receiver_asks_each_time(page: Page):
    choose(page, "live")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#confirmed-error")).to_contain_text("protected")
    page.get_by_label("Yes, send this to").check()
    press_send(page)
    assert headline(page) == "passed"
    expect(page.locator("#header-target")).to_contain_text("protected")


@with_script
def test_a_receiver_is_added_and_deleted_and_the_deleting_undone(page: Page, served: Served):
    page.goto("/receivers")
    page.get_by_role("link", name="Add a receiver").click()
    page.get_by_label("Name", exact=True).fill("till")
    page.get_by_label("Base URL", exact=True).fill("till.example")
    page.get_by_role("button", name="Save receiver").click()
    expect(page.locator("#base_url-error")).to_contain_text("http")
    page.get_by_label("Base URL", exact=True).fill("http://till.example/api")
    page.get_by_role("button", name="Save receiver").click()
    row = page.get_by_role("row").filter(has_text="till")
    expect(row).to_contain_text("http://till.example/api/order_cancel")
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Delete").click()


def test_the_theme_is_chosen_and_kept(page: Page):
    menu = page.locator("header summary", has_text="Theme")
    menu.click()
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/deliveries")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    menu.click()
    page.get_by_role("button", name="As the system").click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")


# --- What only a script does -----------------------------------------------------------------------------


def test_violations_appear_while_typing_and_lead_to_their_place(scripted: Page):
    editor = scripted.locator("#payload-view .cm-editor")
    before = editor.bounding_box()
    text = payload_of(scripted).input_value()
    write_payload(scripted, text.replace('"grand_total": 35', '"grand_total": "35"'))
    findings = scripted.locator("#findings")
    expect(findings).to_contain_text("/data/order/grand_total")
    assert editor.bounding_box() == before
    findings.get_by_role("button", name="line").click()
    expect(editor.locator(".cm-activeLine")).to_have_text('"grand_total": "35",', use_inner_text=True)
    write_payload(scripted, text)
    expect(findings).to_contain_text("Fits the contract")


def test_a_menu_of_the_header_closes_on_escape_and_outside(scripted: Page):
    menu = scripted.locator("header .receiver-menu")
    manage = menu.get_by_role("link", name="Manage receivers")
    menu.locator("summary").press("Enter")
    expect(manage).to_be_visible()
    scripted.keyboard.press("Escape")
    expect(manage).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    scripted.get_by_role("main").click(position={"x": 2, "y": 2})
    expect(manage).to_be_hidden()


def test_silence_is_not_taken_for_a_tick(scripted: Page):
    scripted.route("**/compose", lambda route: route.abort())
    write_payload(scripted, "{")
    expect(scripted.locator("#findings")).to_have_text("! not checked: the sandbox does not answer")


def test_the_target_follows_the_receiver(scripted: Page, served: Served):
    choose(scripted, "hanging")
    wanted = f"{served.stand_in}/misbehave/hang/order_cancel"
    expect(scripted.locator("#header-target .address")).to_have_text(wanted)
    expect(scripted.locator("#target [name=shown]")).to_have_value(wanted)


def test_an_expectation_is_picked_in_place(scripted: Page):
    write_payload(scripted, "{}")
    scripted.get_by_label("Pick").select_option("The documented example")
    expect(expectation_of(scripted)).to_have_value(re.compile("ERR1234"))
    expect(payload_of(scripted)).to_have_value("{}")


def test_a_double_click_sends_once(scripted: Page, served: Served):
    log = open_log(Workspace(served.workspace).runs_dir)
    before = len(newest_deliveries(log, 1000))
    choose(scripted, "stand-in")
    scripted.locator("#send").dblclick()
    follow(scripted)
    headline(scripted)
    assert len(newest_deliveries(log, 1000)) == before + 1


def test_back_and_send_again_is_a_new_delivery(scripted: Page):
    send(scripted)
    first = scripted.url
    headline(scripted)
    scripted.go_back()
    send(scripted)
    headline(scripted)
    assert scripted.url != first
    assert "sent=before" not in scripted.url


def test_a_yes_is_not_kept_for_the_page_that_comes_back(scripted: Page):
    choose(scripted, "live")
    yes = scripted.get_by_label("Yes, send this to")
    yes.check()
    # What a browser tells a page that it had kept whole, and shows again.
    scripted.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(yes).not_to_be_checked()


def test_a_page_that_comes_back_catches_up(scripted: Page):
    send(scripted, "hanging")
    expect(scripted.locator("#delivery h1")).to_contain_text("in flight")
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
    hide += "document.dispatchEvent(new Event('visibilitychange')) }"
    scripted.wait_for_function("() => performance.getEntriesByType('resource').length > 0")
    scripted.evaluate(hide, True)
    other = scripted.context.request
    other.post(f"{scripted.url}/cancel", headers={"Origin": scripted.url.partition("/deliveries")[0]})
    expect(scripted.locator("#delivery h1")).to_contain_text("in flight")
    scripted.evaluate(hide, False)
    assert headline(scripted) == "errored"


# --- How it looks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_page_is_wider_than_the_window(scripted: Page, size: dict[str, int]):
    write_expectation(
        scripted,
        json.dumps({"body": {"events": [{"error_message": "long " * 200, "error_code": "E" * 300}]}}),
    )
    send(scripted, "broken")
    headline(scripted)
    scripted.set_viewport_size(size)
    for path in (scripted.url, "/", "/deliveries", "/receivers", "/receivers/new"):
        scripted.goto(path)
        width = scripted.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], path


def test_every_control_has_a_name_and_the_page_its_landmarks(scripted: Page):
    for path in ("/", "/deliveries", "/receivers", "/receivers/new"):
        scripted.goto(path)
        unnamed = scripted.evaluate(
            """() => [...document.querySelectorAll("input, select, textarea, button")]
                 .filter((each) => each.type !== "hidden" && !each.hidden)
                 .filter((each) => !each.labels?.length && !each.textContent.trim())
                 .map((each) => each.outerHTML)"""
        )
        assert unnamed == []
        expect(scripted.get_by_role("main")).to_have_count(1)
        expect(scripted.get_by_role("banner")).to_have_count(1)
        expect(scripted.get_by_role("heading", level=1)).to_have_count(1)
        scripted.keyboard.press("Tab")
        expect(scripted.locator(":focus")).to_have_text("Skip to the content")
