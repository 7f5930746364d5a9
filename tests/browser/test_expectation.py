"""The expected response edited as cards in a real browser, with JavaScript and without."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.composing_page import press_send
from tests.support.watching import NARROW, press, with_script, write_expectation


def cards(page: Page, expectation: Any) -> None:
    """Write an expectation, and see it as cards."""
    text = expectation if isinstance(expectation, str) else json.dumps(expectation, indent=2)
    write_expectation(page, text)
    press(page, "Cards")
    expect(page.locator("#expected-cards")).to_be_visible()


def written(page: Page) -> Any:
    """The expectation after a look at its JSON."""
    press(page.locator("#expectation-field"), "JSON")
    expect(page.get_by_role("textbox", name="Expected response")).to_be_visible()
    text = page.locator("#expectation").input_value()
    press(page, "Cards")
    expect(page.locator("#expected-cards")).to_be_visible()
    return json.loads(text)


def choose(page: Page, label: str, option: str) -> None:
    """Choose in the rule that is being made; without a script, a button shows what it needs."""
    page.locator("#rule-editor").get_by_label(label, exact=True).select_option(option)
    if (button := page.locator("#rule-editor").get_by_role("button", name="Choose")).is_visible():
        button.click()


@with_script
def test_an_event_is_expected_field_by_field(page: Page):
    cards(page, {"status": 200})
    press(page, "Expect no events")
    press(page, "Add event to events")
    expect(page.get_by_role("group", name="0 ERR1234")).to_be_visible()
    # Its name follows what is typed.
    event = page.locator(".expected-item").first
    event.get_by_label("error_code", exact=True).fill("ERR9")
    press(event, "Remove error_message")
    expect(event.get_by_label("error_message", exact=True)).to_have_count(0)
    named = page.get_by_role("group", name="0 ERR9")
    named.get_by_label("Name of a new field of 0 ERR9").fill("count")
    press(named, "Add field to 0 ERR9")
    named.get_by_label("count", exact=True).fill("5")
    press(page, "Add association to associations")
    expect(page.get_by_role("group", name="1 sku S1234")).to_be_visible()
    page.get_by_label("within ms").fill("900")
    expected = written(page)
    assert (expected["status"], expected["max_ms"]) == (200, 900)
    [event_made] = expected["body"]["events"]
    assert (event_made["error_code"], event_made["count"]) == ("ERR9", "5")
    assert "error_message" not in event_made
    assert len(event_made["associations"]) == 2


def test_what_is_taken_out_comes_back(page: Page):
    cards(page, {"body": {"events": [{"error_code": "A"}, {"error_code": "B"}]}})
    press(page, "Remove 0 A")
    expect(page.get_by_role("group", name="0 B")).to_be_visible()
    expect(page.get_by_role("group", name="0 A")).to_have_count(0)
    press(page, "Undo")
    expect(page.get_by_role("group", name="0 A")).to_be_visible()
    expect(page.get_by_role("group", name="1 B")).to_be_visible()


@with_script
def test_a_value_is_clicked_and_made_a_rule(page: Page):
    cards(page, {"body": {"events": [{"error_code": "ERR12", "n": 5}]}})
    press(page, "Make a rule of error_code")
    choose(page, "Accept", "regex")
    pattern = page.get_by_label("Pattern")
    expect(pattern).to_have_value("^ERR[0-9]{2}$")
    expect(page.locator("#rule-preview")).to_contain_text("✓ accepts what is expected")
    choose(page, "For", "/events/*/error_code")
    pattern.fill("^ERR[0-9]+$")
    press(page, "Set the rule")
    expect(page.locator("#rule-editor")).to_have_count(0)
    chip = page.get_by_role("button", name="Rule of error_code: regex ^ERR[0-9]+$, for /events/*/error_code")
    expect(chip).to_be_visible()
    press(page, "Make a rule of n")
    choose(page, "Accept", "range")
    page.get_by_label("From", exact=True).fill("9")
    page.get_by_label("to", exact=True).fill("1")
    press(page, "Set the rule")
    expect(page.locator("#rule-error")).to_contain_text("nothing is in between")
    page.get_by_label("From", exact=True).fill("1")
    page.get_by_label("to", exact=True).fill("")
    press(page, "Set the rule")
    expect(page.get_by_role("button", name="Rule of n: range")).to_be_visible()
    assert written(page)["rules"] == {
        "/events/*/error_code": {"regex": "^ERR[0-9]+$"},
        "/events/0/n": {"range": [1, None]},
    }
    chip.click()
    press(page, "Take the rule off")
    expect(chip).to_have_count(0)
    assert written(page)["rules"] == {"/events/0/n": {"range": [1, None]}}


def test_a_mistake_stands_at_its_field_and_what_is_typed_stays(page: Page):
    cards(page, {"status": 200, "body": {"events": []}})
    page.get_by_label("status", exact=True).fill("soon")
    page.get_by_label("within ms").fill("900")
    page.locator("#send").click()
    status = page.get_by_label("status", exact=True)
    expect(status).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#expectation-error")).to_contain_text("is no class of statuses")
    expect(status).to_have_value("soon")
    expect(page.get_by_label("within ms")).to_have_value("900")
    status.fill("200")
    press_send(page)


def test_the_last_answer_is_expected_in_one_click(page: Page):
    page.goto("/?fixture=unknown-order")
    press_send(page)
    expect(page.locator("#delivery h1")).to_contain_text("passed")
    page.goto("/?fixture=unknown-order")
    press(page, "Cards")
    press(page, "From the last answer")
    expect(page.locator(".expected-item").first).to_be_visible()
    press_send(page)
    expect(page.locator("#delivery h1")).to_contain_text("passed")
    expect(page.locator(".comparison")).to_contain_text("error_code")


def test_picking_is_undone(page: Page):
    cards(page, {"status": 202})
    page.get_by_label("Pick").select_option("example")
    if (use := page.get_by_role("button", name="Use")).is_visible():
        use.click()
    expect(page.get_by_role("group", name="0 ERR1234")).to_be_visible()
    press(page, "Undo")
    expect(page.get_by_role("group", name="0 ERR1234")).to_have_count(0)
    expect(page.get_by_label("status", exact=True)).to_have_value("202")


# --- What only a script does -----------------------------------------------------------------------------


def test_a_regex_is_tested_while_it_is_typed(scripted: Page):
    cards(scripted, {"body": {"a": "ERR12"}})
    press(scripted, "Make a rule of a")
    expect(scripted.get_by_label("Accept")).to_be_focused()
    choose(scripted, "Accept", "regex")
    pattern = scripted.get_by_label("Pattern")
    pattern.fill("(")
    expect(scripted.locator("#rule-preview")).to_contain_text("not a regular expression")
    pattern.fill("^OK")
    expect(scripted.locator("#rule-preview")).to_contain_text("does not accept what is expected")
    pattern.fill("^ERR")
    expect(scripted.locator("#rule-preview")).to_contain_text("✓ accepts what is expected")
    expect(pattern).to_be_focused()


def test_a_mistake_is_told_while_it_is_typed_and_the_caret_stays(scripted: Page):
    cards(scripted, {"status": 200})
    status = scripted.get_by_label("status", exact=True)
    status.fill("")
    status.press_sequentially("20x")
    expect(status).to_have_attribute("aria-invalid", "true")
    status.press("Backspace")
    status.press_sequentially("1")
    expect(status).not_to_have_attribute("aria-invalid", "true")
    expect(status).to_have_value("201")
    expect(status).to_be_focused()


def test_what_is_typed_while_a_button_works_stays(scripted: Page):
    cards(scripted, {"body": {"events": [{"error_code": "A"}]}})
    held: list[Any] = []
    is_held = True
    scripted.route("**/compose", lambda route: held.append(route) if is_held else route.continue_())
    press(scripted, "Add event to events")
    expect(scripted.locator(".expected-item")).to_have_count(1)
    scripted.get_by_label("error_code", exact=True).fill("typed meanwhile")
    is_held = False
    for each in held:
        each.continue_()
    expect(scripted.get_by_role("group", name="1 ERR1234")).to_be_visible()
    expect(scripted.get_by_label("error_code", exact=True).first).to_have_value("typed meanwhile")
    codes = [event["error_code"] for event in written(scripted)["body"]["events"]]
    assert codes == ["typed meanwhile", "ERR1234"]


def test_back_brings_what_was_expected_as_cards(scripted: Page):
    cards(scripted, {"status": 200})
    scripted.goto("/")
    scripted.get_by_label("Pick").select_option("example")
    scripted.get_by_label("error_code", exact=True).fill("MINE")
    expect(scripted.locator("#expectation")).to_have_value(re.compile("MINE"))
    scripted.goto("/receivers")
    scripted.go_back()
    expect(scripted.get_by_role("group", name="0 MINE")).to_be_visible()
    assert written(scripted)["body"]["events"][0]["error_code"] == "MINE"


def test_the_cards_say_when_the_sandbox_does_not_answer(scripted: Page):
    cards(scripted, {"status": 200})
    scripted.route("**/compose", lambda route: route.abort())
    scripted.get_by_label("status", exact=True).fill("201")
    expect(scripted.locator("#expectation-notice")).to_contain_text("does not answer")
    expect(scripted.get_by_label("status", exact=True)).to_have_value("201")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_narrow_window(scripted: Page, scheme: Any):
    scripted.emulate_media(color_scheme=scheme)
    long = {"k" * 90: "v" * 400, "text": "word " * 100, "deep": [[{"n": 1}]]}
    cards(
        scripted,
        {"headers": {"X" * 90: "y" * 300}, "body": {"events": [long]}, "rules": {"/" + "r" * 300: "any"}},
    )
    scripted.set_viewport_size(NARROW)
    press(scripted, "Make a rule of text")
    choose(scripted, "Accept", "regex")
    expect(scripted.get_by_label("Pattern")).to_be_visible()
    assert scripted.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    inner = scripted.locator("#expected-cards").evaluate("(box) => box.scrollWidth - box.clientWidth")
    assert inner <= 0
