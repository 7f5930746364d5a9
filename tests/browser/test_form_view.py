"""The payload as a form, in a real browser: always in step with the raw text, with a script and without."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import follow, press_send
from tests.support.logged import newest_deliveries, open_log
from tests.support.serving import Served
from tests.support.watching import NARROW, payload_of, press, with_script, write_payload

BIG = str(10**40)


def show(page: Page, view: str) -> None:
    views = page.locator("#payload-views")
    press(views, view)
    expect(views.get_by_role("button", name=view, exact=True)).to_have_attribute("aria-pressed", "true")


def at(page: Page, pointer: str) -> Locator:
    """The input of a value."""
    return page.locator(f'#form-view [data-pointer="{pointer}"]')


def row(page: Page, pointer: str) -> Locator:
    """All that the form has of a value."""
    rows = page.locator(".form-field, .form-entries > li")
    return rows.filter(has=page.locator(f'[data-pointer="{pointer}"]'))


def unfold(page: Page, pointer: str) -> None:
    """Open the groups that a value is in."""
    inside = page.locator(f'[data-pointer="{pointer}"]')
    folded = page.locator("#form-view details:not([open])").filter(has=inside)
    while folded.count():
        folded.first.locator("> summary").click()


def type_over(page: Page, pointer: str, text: str) -> None:
    """Write into an input and leave it."""
    at(page, pointer).fill(text)
    at(page, pointer).press("Tab")


def press_in_form(page: Page, name: str) -> None:
    press(page.locator("#form-view"), name)


# --- in step ---


def test_both_views_are_one_payload(page: Page):
    before = payload_of(page).input_value()
    write_payload(page, before.replace("35,", "35.00,").replace("2572", BIG))
    show(page, "Form")
    expect(at(page, "/data/order/grand_total")).to_have_value("35.00")
    expect(at(page, "/data/order/payment_series_id")).to_have_value(BIG)
    type_over(page, "/data/order/channel_refnum", f"{BIG}7")
    type_over(page, "/data/order/id", "5000")
    show(page, "JSON")
    expected = before.replace("35,", "35.00,").replace("2572", BIG)
    expected = expected.replace('"channel_refnum": 496', f'"channel_refnum": {BIG}7').replace("4897", "5000")
    expect(payload_of(page)).to_have_value(expected)


def test_what_is_typed_is_sent_without_another_step(page: Page, served: Served):
    show(page, "Form")
    at(page, "/data/order/grand_total").fill("1e2")
    press_send(page)
    expect(page.locator("#delivery h1")).not_to_contain_text("in flight")
    (newest,) = newest_deliveries(open_log(Workspace(served.workspace).runs_dir), 1)
    assert '"grand_total":1e2,' in newest.delivery.request.body


def test_a_field_says_what_it_is(page: Page):
    show(page, "Form")
    total = row(page, "/data/order/grand_total")
    expect(total).to_contain_text("draft")
    expect(total).to_contain_text("number, required")
    expect(total).to_contain_text("The order's grand total")
    expect(total).to_contain_text("Example: 35")
    expect(page.get_by_label("grand_total", exact=True)).to_have_value("35")


def test_an_invalid_value_is_kept_and_marked_on_its_own_input(page: Page):
    show(page, "Form")
    unfold(page, "/data/order/channel_payment/charged")
    type_over(page, "/data/order/channel_payment/charged", "thirty five")
    show(page, "Form")
    charged = at(page, "/data/order/channel_payment/charged")
    expect(charged).to_have_value("thirty five")
    expect(charged).to_have_attribute("aria-invalid", "true")
    expect(charged).to_have_accessible_description(re.compile("must be an integer, not a string"))
    expect(page.locator("#form-view [aria-invalid]")).to_have_count(1)
    expect(payload_of(page)).to_have_value(re.compile('"charged": "thirty five"'))


@with_script
def test_a_missing_field_is_marked_and_added_when_typed(page: Page):
    show(page, "Form")
    press_in_form(page, "Remove grand_total")
    total = at(page, "/data/order/grand_total")
    expect(total).to_have_value("")
    expect(total).to_have_attribute("aria-invalid", "true")
    expect(row(page, "/data/order/grand_total")).to_contain_text("is missing")
    expect(payload_of(page)).not_to_have_value(re.compile("grand_total"))
    type_over(page, "/data/order/grand_total", "7.10")
    show(page, "Form")
    expect(total).not_to_have_attribute("aria-invalid", "true")
    expect(payload_of(page)).to_have_value(re.compile('"grand_total": 7.10'))


def test_entries_are_added_and_removed(page: Page):
    items = "/data/order/unshipped_items_ref"
    show(page, "Form")
    unfold(page, f"{items}/0")
    press_in_form(page, "Add an entry to unshipped_items_ref")
    expect(at(page, f"{items}/1")).to_have_value("496")
    type_over(page, f"{items}/1", "497")
    press_in_form(page, "Remove unshipped_items_ref 0")
    expect(at(page, f"{items}/1")).to_have_count(0)
    expect(at(page, f"{items}/0")).to_have_value("497")
    unfold(page, "/data/order/payment_status/by_account/0/method")
    press_in_form(page, "Add an entry to by_account")
    expect(at(page, "/data/order/payment_status/by_account/1/method")).to_have_value("channel")
    press_in_form(page, "Remove 0")
    expect(at(page, "/data/order/payment_status/by_account/1/method")).to_have_count(0)


@with_script
def test_changes_are_marked_and_reset_one_by_one(page: Page):
    show(page, "Form")
    expect(page.locator(".form-note")).to_have_text("As in default")
    before = payload_of(page).input_value()
    type_over(page, "/data/order/grand_total", "36")
    type_over(page, "/data/order/id", "5000")
    show(page, "Form")
    expect(page.locator(".form-note")).to_contain_text("2 values differ from default")
    expect(row(page, "/data/order/id")).to_contain_text("changed")
    expect(row(page, "/version")).not_to_contain_text("changed")
    press_in_form(page, "Reset id to default")
    expect(at(page, "/data/order/id")).to_have_value("4897")
    expect(page.locator(".form-note")).to_contain_text("1 value differs from default")
    press_in_form(page, "Reset all")
    expect(at(page, "/data/order/grand_total")).to_have_value("35")
    expect(payload_of(page)).to_have_value(before)


def test_broken_json_greys_the_form_and_says_why(page: Page):
    write_payload(page, '{\n  "version": 1,\n')
    show(page, "Form")
    expect(page.locator(".form-off")).to_contain_text("The raw text is not JSON: line 3, column 1")
    expect(at(page, "/version")).to_be_disabled()
    expect(payload_of(page)).to_have_value('{\n  "version": 1,\n')
    show(page, "JSON")
    write_payload(page, '{"version": 2}')
    show(page, "Form")
    expect(page.locator(".form-off")).to_have_count(0)
    expect(at(page, "/version")).to_be_enabled()
    expect(at(page, "/version")).to_have_value("2")


def test_text_of_several_lines_is_kept(page: Page):
    text = payload_of(page).input_value()
    write_payload(page, text.replace("4897", r"\none\ntwo\n"))
    show(page, "Form")
    expect(at(page, "/data/order/id")).to_have_value("\none\ntwo\n")
    type_over(page, "/data/order/id", "\none\ntwo\nthree")
    show(page, "Form")
    expect(at(page, "/data/order/id")).to_have_value("\none\ntwo\nthree")
    show(page, "JSON")
    expect(payload_of(page)).to_have_value(re.compile(re.escape(r'"id": "\none\ntwo\nthree"')))


def test_the_view_is_remembered(page: Page):
    show(page, "Form")
    page.goto("/?fixture=zero-total")
    expect(at(page, "/data/order/grand_total")).to_have_value("0")
    show(page, "As sent")
    page.goto("/")
    expect(page.locator("#as-sent")).to_contain_text("POST /order_cancel HTTP/1.1")
    show(page, "JSON")
    page.goto("/")
    expect(page.get_by_role("textbox", name="Payload", exact=True)).to_be_visible()


def test_as_sent_shows_the_exact_request(page: Page):
    write_payload(
        page, payload_of(page).input_value().replace('"4897"', '"${order}"').replace("35,", "35.00,")
    )
    page.locator("details").filter(has_text="Variables").locator("summary").click()
    page.get_by_label("Variables, a JSON object").fill('{"order": "A-1"}')
    show(page, "As sent")
    expect(page.get_by_label("Body, as its bytes are")).to_contain_text('"grand_total":35.00,')
    expect(page.get_by_label("Body, as its bytes are")).to_contain_text('"id":"A-1"')
    expect(page.get_by_label("Request line and headers")).to_contain_text("Content-Type: application/json")


# --- what only a script does ---


def test_marks_follow_what_is_typed_and_the_caret_stays(scripted: Page):
    show(scripted, "Form")
    total = at(scripted, "/data/order/grand_total")
    total.focus()
    scripted.keyboard.press("End")
    scripted.keyboard.type("x")
    expect(total).to_have_attribute("aria-invalid", "true")
    expect(total).to_be_focused()
    scripted.keyboard.press("Backspace")
    scripted.keyboard.type(".50")
    expect(total).not_to_have_attribute("aria-invalid", "true")
    expect(payload_of(scripted)).to_have_value(re.compile('"grand_total": 35.50,'))
    expect(total).to_have_value("35.50")
    assert total.evaluate("each => each.selectionStart") == 5


def test_nothing_typed_while_the_server_works_is_lost(scripted: Page):
    show(scripted, "Form")
    waiting = []
    scripted.route("**/compose", lambda route: waiting.append(route))
    at(scripted, "/data/order/grand_total").fill("36")
    at(scripted, "/data/order/id").focus()
    for _ in range(100):
        if waiting:
            break
        scripted.wait_for_timeout(20)
    scripted.keyboard.press("ControlOrMeta+a")
    scripted.keyboard.type("typed meanwhile")
    at(scripted, "/data/order/ship_service_name").fill("and this")
    for route in waiting:
        route.continue_()
    scripted.unroute("**/compose")
    expect(payload_of(scripted)).to_have_value(re.compile('"grand_total": 36,'))
    expect(payload_of(scripted)).to_have_value(re.compile('"id": "typed meanwhile"'))
    expect(payload_of(scripted)).to_have_value(re.compile('"ship_service_name": "and this"'))
    expect(at(scripted, "/data/order/id")).to_have_value("typed meanwhile")


def test_what_is_typed_stays_while_the_sandbox_does_not_answer(scripted: Page):
    show(scripted, "Form")
    scripted.route("**/compose", lambda route: route.abort())
    at(scripted, "/data/order/grand_total").fill("36")
    expect(scripted.locator("#payload-problem")).to_contain_text("does not answer")
    expect(at(scripted, "/data/order/grand_total")).to_have_value("36")
    scripted.unroute("**/compose")
    show(scripted, "JSON")
    expect(payload_of(scripted)).to_have_value(re.compile('"grand_total": 36,'))
    expect(scripted.locator("#payload-problem")).to_be_empty()


def test_a_wrong_kind_is_mended_key_by_key(scripted: Page):
    write_payload(scripted, payload_of(scripted).input_value().replace('"4897"', "4897"))
    show(scripted, "Form")
    expect(row(scripted, "/data/order/id")).to_contain_text("a string has quotes")
    id = at(scripted, "/data/order/id")
    id.focus()
    scripted.keyboard.press("Home")
    for text in ('"', '"'):
        with scripted.expect_response("**/compose"):
            scripted.keyboard.type(text)
        scripted.keyboard.press("End")
    expect(payload_of(scripted)).to_have_value(re.compile('"id": "4897"'))
    id.blur()
    expect(id).to_have_value("4897")


def test_f8_goes_from_problem_to_problem(scripted: Page):
    text = payload_of(scripted).input_value()
    write_payload(scripted, text.replace('"version": 1', '"version": "1"').replace('"id": 21', '"id": null'))
    show(scripted, "Form")
    for pointer in ("/version", "/data/channel/id", "/version"):
        scripted.keyboard.press("F8")
        expect(at(scripted, pointer)).to_be_focused()
    scripted.locator("#findings > ol").get_by_role("button").last.click()
    expect(at(scripted, "/data/channel/id")).to_be_focused()


def test_ctrl_enter_sends_from_an_input(scripted: Page, served: Served):
    show(scripted, "Form")
    at(scripted, "/data/order/grand_total").fill("38.00")
    scripted.keyboard.press("Control+Enter")
    follow(scripted)
    expect(scripted.locator("#delivery h1")).not_to_contain_text("in flight")
    (newest,) = newest_deliveries(open_log(Workspace(served.workspace).runs_dir), 1)
    assert '"grand_total":38.00,' in newest.delivery.request.body


def test_what_the_form_did_can_be_undone_in_the_raw_text(scripted: Page):
    before = payload_of(scripted).input_value()
    show(scripted, "Form")
    unfold(scripted, "/data/order/payment_status/settled")
    press_in_form(scripted, "Remove payment_status")
    expect(payload_of(scripted)).not_to_have_value(re.compile("payment_status"))
    show(scripted, "JSON")
    scripted.get_by_role("textbox", name="Payload", exact=True).focus()
    scripted.keyboard.press("ControlOrMeta+z")
    expect(payload_of(scripted)).to_have_value(before)


def test_an_added_entry_has_the_focus_and_a_removed_one_leaves_it_near(scripted: Page):
    show(scripted, "Form")
    unfold(scripted, "/data/order/unshipped_items_ref/0")
    press_in_form(scripted, "Add an entry to unshipped_items_ref")
    expect(at(scripted, "/data/order/unshipped_items_ref/1")).to_be_focused()


@with_script
def test_groups_are_summarised_and_a_filter_leads_to_what_is_looked_for(page: Page):
    show(page, "Form")
    folded = page.locator("#form-view details", has_text="channel_payment").last
    expect(folded.locator("> summary")).to_contain_text("success 1")
    type_over(page, "/data/order/grand_total", "36")
    page.get_by_label("Filter the members").fill("charged")
    look = page.locator(".form-filter").get_by_role("button", name="Filter")
    if look.is_visible():
        look.click()
    expect(at(page, "/data/order/grand_total")).to_have_count(0)
    expect(at(page, "/data/order/channel_payment/charged")).to_be_visible()
    page.get_by_label("Filter the members").fill("")
    page.get_by_label("Changed only").check()
    if look.is_visible():
        look.click()
    expect(at(page, "/data/order/channel_payment/charged")).to_have_count(0)
    expect(at(page, "/data/order/grand_total")).to_have_value("36")
    expect(payload_of(page)).to_have_value(re.compile('"charged": 35'))


def test_as_sent_follows_receiver_and_variables(scripted: Page, served: Served):
    write_payload(scripted, '{"version": "${number}"}')
    show(scripted, "As sent")
    expect(scripted.locator("#as-sent")).to_contain_text("unknown placeholder ${number}")
    scripted.locator("details").filter(has_text="Variables").locator("summary").click()
    scripted.get_by_label("Variables, a JSON object").fill('{"number": 35.00}')
    expect(scripted.locator("#as-sent")).to_contain_text('{"version":35.00}')
    expect(scripted.locator("#as-sent")).to_contain_text("nothing is sent unless that is selected")
    scripted.get_by_label("Send although it breaks the contract").check()
    expect(scripted.locator("#as-sent")).not_to_contain_text("nothing is sent unless")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_is_wider_than_a_narrow_window(scripted: Page, scheme: str):
    scripted.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    scripted.set_viewport_size(NARROW)
    long = {"k" * 80: "v" * 900, "data": {"x" * 90: [1, {"a": 2}]}}
    write_payload(scripted, json.dumps(long))
    for view in ("Form", "As sent", "JSON"):
        show(scripted, view)
        assert scripted.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], view
