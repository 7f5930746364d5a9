"""Advice on the payload in a real browser, with JavaScript and without."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.support.serving import Served
from tests.support.watching import opened, payload_of, press, write_payload


def make_odd(page: Page) -> None:
    """Type a total with three decimals, and let it be checked."""
    text = payload_of(page).input_value()
    write_payload(page, text.replace('"grand_total": 35', '"grand_total": 35.005'))
    if not page.evaluate("document.documentElement.classList.contains('scripted')"):
        press(page.locator("#payload-views"), "JSON")


def test_advice_is_given_turned_off_and_on_again(page: Page):
    advice = page.get_by_role("region", name="Advice")
    expect(advice).to_contain_text("No advice.")
    make_odd(page)
    expect(advice.get_by_role("listitem")).to_have_count(1)
    expect(advice).to_contain_text("/data/order/grand_total")
    expect(advice).to_contain_text("ISO 4217")
    advice.get_by_role("button", name="Turn advice off").click()
    expect(advice).to_contain_text("Advice is off.")
    expect(advice.get_by_role("listitem")).to_have_count(0)
    assert "35.005" in payload_of(page).input_value()
    page.goto("/")
    expect(advice).to_contain_text("Advice is off.")
    advice.get_by_role("button", name="Turn advice on").click()
    # What was typed is kept, and so is what there is to say of it.
    expect(advice).to_contain_text("ISO 4217")


def test_the_switch_keeps_the_focus_and_a_note_leads_to_its_place(browser: Browser, served: Served):
    for page in opened(browser, served.url, scripted=True):
        make_odd(page)
        note = page.get_by_role("region", name="Advice").get_by_role("listitem")
        expect(note).to_contain_text("advice")
        switch = page.locator("#advice-switch")
        switch.press("Enter")
        expect(switch).to_have_text("Turn advice on")
        expect(switch).to_be_focused()
        switch.press("Enter")
        note.get_by_role("button").click()
        line = page.locator("#payload-view .cm-activeLine")
        expect(line).to_have_text('"grand_total": 35.005,', use_inner_text=True)
        expect(page.locator("#payload-view .cm-lint-marker-info")).to_have_count(1)
        expect(page.locator("#payload-view .cm-lint-marker-error")).to_have_count(0)
