"""The payload's editor in a real browser: typing, completing, what is wrong, folding, searching, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import follow, press_send
from tests.support.logged import newest_deliveries, open_log
from tests.support.serving import Served
from tests.support.watching import expectation_of, opened, payload_of, press, write_expectation, write_payload

DELIVERY = re.compile("/deliveries/")


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    yield from opened(browser, served.url, scripted=True)


@pytest.fixture
def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Payload", exact=True)


def edit(page: Page, old: str, new: str) -> None:
    """Replace one text of the payload by another."""
    text = payload_of(page).input_value()
    assert text.count(old) >= 1
    write_payload(page, text.replace(old, new, 1))


def put_caret(page: Page, before: str) -> None:
    """Put the caret behind some text of the payload, by its search panel."""
    page.keyboard.press("ControlOrMeta+f")
    expect(page.get_by_role("textbox", name="Find")).to_be_focused()
    page.keyboard.type(before)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")


def accept(page: Page) -> None:
    """Take what is offered first. An editor does not take Enter for that in the list's first moment."""
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
    page.wait_for_timeout(100)
    page.keyboard.press("Enter")


def sent_body(served: Served) -> str:
    (newest,) = newest_deliveries(open_log(Workspace(served.workspace).runs_dir), 1)
    return newest.delivery.request.body


def test_what_is_typed_is_what_is_sent(page: Page, served: Served):
    edit(page, '"grand_total": 35', '"grand_total": 35.00')
    edit(page, "2572", str(10**40))
    press_send(page)
    expect(page.locator("#delivery h1")).to_contain_text("passed")
    assert '"grand_total":35.00,' in sent_body(served)
    assert f'"payment_series_id":{10**40},' in sent_body(served)


def test_keys_are_typed_one_by_one_with_brackets_closed(page: Page, editor: Locator):
    write_payload(page, "")
    page.keyboard.type('{"version": [1')
    expect(payload_of(page)).to_have_value('{"version": [1]}')


def test_a_key_is_completed_with_the_documented_value(page: Page, editor: Locator):
    write_payload(page, '{\n  "version": 1,\n  \n}')
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    page.keyboard.press("Control+Space")
    offered = page.get_by_role("listbox", name="Completions")
    # What is there already is not offered again.
    expect(offered.get_by_role("option")).to_have_text(["actionstring, required", "dataobject, required"])
    expect(page.locator(".cm-completionInfo")).to_contain_text("The API action's name.")
    accept(page)
    expect(payload_of(page)).to_have_value('{\n  "version": 1,\n  "action": "order_cancel"\n}')


def test_a_key_deep_inside_is_completed_while_it_is_typed(page: Page, editor: Locator):
    edit(page, '"grand_total": 35,', '"marker": 0,')
    put_caret(page, '"marker": 0,')
    page.keyboard.type(' "gra')
    offered = page.get_by_role("listbox", name="Completions")
    expect(offered.get_by_role("option")).to_have_text(["grand_totalnumber, required"])
    accept(page)
    expect(payload_of(page)).to_have_value(re.compile('"marker": 0, "grand_total": 35,\n'))


@pytest.mark.parametrize(
    ("text", "caret", "offered"),
    [
        (
            '{"data": {"order": {"payment_status": {"by_account": [{"method": }]}}}}',
            '"method": ',
            '"channel"',
        ),
        ('{"data": {"order": {"id": ""}}}', '"id": "', '"4897"'),
        ('{"data": {"order": {"grand_total": 3}}}', '"grand_total": 3', "35"),
    ],
)
def test_a_value_is_completed_by_its_example(page: Page, text: str, caret: str, offered: str):
    write_payload(page, text)
    put_caret(page, caret)
    page.keyboard.press("Control+Space")
    listed = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(listed).to_have_text([f"{offered}example"])
    accept(page)
    start, end = text.partition(caret)[0], caret.partition(": ")[0]
    expect(payload_of(page)).to_have_value(re.compile(re.escape(f"{start}{end}: {offered}") + "[}]"))


def test_nothing_is_offered_where_the_contract_names_nothing(page: Page):
    write_payload(page, '{"nobody": {"knows": 1, }}')
    put_caret(page, "1, ")
    page.keyboard.press("Control+Space")
    page.keyboard.type("x")
    expect(payload_of(page)).to_have_value('{"nobody": {"knows": 1, x}}')
    expect(page.get_by_role("listbox")).to_have_count(0)


def test_what_is_wrong_is_marked_at_its_line_and_f8_leads_to_it(page: Page, editor: Locator):
    edit(page, '"grand_total": 35', '"grand_total": "35"')
    edit(page, '"charged": 35', '"charged": 35.5')
    marked = page.locator("#payload-view .cm-lintRange-error")
    expect(marked).to_have_text(["35.5", '"35"'])
    expect(page.locator("#payload-view .cm-lint-marker-error")).to_have_count(2)
    for pointer, line in (
        ("channel_payment/charged", '"charged": 35.5,'),
        ("grand_total", '"grand_total": "35",'),
    ):
        page.keyboard.press("F8")
        expect(page.locator(".cm-tooltip-lint")).to_contain_text(f"/data/order/{pointer}")
        expect(page.locator("#payload-view .cm-activeLine")).to_have_text(line, use_inner_text=True)
    # From anywhere on the page.
    page.get_by_role("searchbox").focus()
    page.keyboard.press("F8")
    expect(editor).to_be_focused()
    expect(page.locator("#payload-view .cm-activeLine")).to_have_text('"charged": 35.5,', use_inner_text=True)


def test_broken_json_is_marked_where_it_breaks(page: Page):
    write_payload(page, '{\n  "version": 1\n  "action": 2\n}')
    expect(page.locator("#payload-view .cm-lint-marker-error")).to_have_count(1)
    page.keyboard.press("F8")
    expect(page.locator(".cm-tooltip-lint")).to_contain_text("comma")
    write_payload(page, "{}")
    expect(page.locator("#findings")).to_contain_text("/version")
    expect(page.locator(".cm-tooltip-lint")).to_have_count(0)


def test_a_place_behind_characters_of_two_units_is_found(page: Page):
    write_payload(page, '{"version": "\N{CRYING FACE}\N{CRYING FACE}", "action": 1}')
    expect(page.locator("#payload-view .cm-lintRange-error")).to_have_text(
        ["{", '"\N{CRYING FACE}\N{CRYING FACE}"', "1"]
    )


def test_an_object_is_folded_and_what_is_folded_is_sent(page: Page, served: Served):
    page.locator("#payload-view .cm-foldGutter").get_by_title("Fold line").nth(1).click()
    expect(page.locator("#payload-view .cm-foldPlaceholder")).to_have_count(1)
    expect(page.locator("#payload-view .cm-content")).not_to_contain_text("grand_total")
    assert "grand_total" in payload_of(page).input_value()
    page.locator("#payload-view .cm-foldPlaceholder").click()
    expect(page.locator("#payload-view .cm-content")).to_contain_text("grand_total")


def test_text_is_searched_and_replaced(page: Page, editor: Locator):
    editor.focus()
    page.keyboard.press("ControlOrMeta+f")
    page.get_by_role("textbox", name="Find").press_sequentially("captured")
    expect(page.locator("#payload-view .cm-searchMatch").first).to_have_text("captured")
    page.get_by_role("textbox", name="Replace").press_sequentially("caught")
    page.get_by_role("button", name="replace all").click()
    expect(payload_of(page)).not_to_have_value(re.compile("captured"))
    page.keyboard.press("Escape")
    expect(editor).to_be_focused()


def test_the_bracket_that_belongs_to_one_is_shown(page: Page, editor: Locator):
    write_payload(page, '{"version": [1]}')
    page.keyboard.press("End")
    expect(page.locator("#payload-view .cm-matchingBracket")).to_have_text(["{", "}"])


def test_tab_leaves_the_editor_and_a_hint_says_so(page: Page, editor: Locator):
    before = payload_of(page).input_value()
    editor.focus()
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(editor).to_be_focused()
    assert payload_of(page).input_value() == before
    hint = page.locator("#payload-keys")
    expect(hint).to_contain_text("Tab leaves the editor")
    assert (hint.get_attribute("id") or "") in (editor.get_attribute("aria-describedby") or "").split()


@pytest.mark.parametrize("place", ["Payload", "Expected response"])
def test_ctrl_enter_sends_from_anywhere(page: Page, place: str, served: Served):
    page.get_by_role("textbox", name=place, exact=True).focus()
    text = payload_of(page).input_value()
    page.keyboard.press("Control+Enter")
    follow(page)
    expect(page.locator("#delivery h1")).to_contain_text("passed")
    assert json.loads(sent_body(served)) == json.loads(text)


def test_the_expectation_is_edited_like_the_payload(page: Page):
    field, findings = page.locator("#expectation-field"), page.locator("#expectation-findings")
    write_expectation(page, '{\n  "stauts": 200\n}')
    expect(findings.locator("code")).to_have_text("/stauts")
    expect(field.locator(".cm-lint-marker-error")).to_have_count(1)
    findings.get_by_role("button", name="line 2").click()
    expect(field.locator(".cm-activeLine")).to_contain_text("stauts")
    write_expectation(page, '{\n  "rules": {')
    expect(findings).to_contain_text("line 2")
    # A key, and one of the matchers for the value there.
    write_expectation(page, "{}")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type('"rul')
    accept(page)
    expect(expectation_of(page)).to_have_value('{"rules": {}}')
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.type('"/events/*/error_c')
    accept(page)
    expect(expectation_of(page)).to_have_value('{"rules": {"/events/*/error_code": "ignore"}}')
    expect(findings).to_contain_text("Can be read.")
    expect(field.locator(".cm-lint-marker-error")).to_have_count(0)
    # The cards and back: the editor is still there, with what the cards say.
    press(field, "Cards")
    expect(field.locator(".cm-editor")).to_be_hidden()
    press(field, "JSON")
    expect(field.locator(".cm-content")).to_contain_text('"/events/*/error_code": "ignore"')


def test_back_brings_back_what_was_typed(page: Page):
    edit(page, '"4897"', '"5000"')
    write_expectation(page, '{"status": 201}')
    press_send(page)
    page.go_back()
    expect(payload_of(page)).to_have_value(re.compile('"5000"'))
    expect(page.locator("#payload-view .cm-content")).to_contain_text('"5000"')
    expect(page.locator("#expectation")).to_have_value('{"status": 201}')
    page.goto("/")
    expect(payload_of(page)).to_have_value(re.compile('"5000"'))


def test_a_form_that_is_refused_comes_back_as_it_was_typed(page: Page):
    edit(page, '"version": 1', '"version": "1"')
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#send-error")).to_contain_text("Nothing was sent")
    expect(page.locator("#payload-view .cm-content")).to_contain_text('"version": "1"')
    expect(page.locator("#payload-view .cm-lintRange-error")).to_have_text('"1"')


def test_what_is_typed_can_be_undone(page: Page, editor: Locator):
    before = payload_of(page).input_value()
    editor.focus()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.type("[")
    expect(payload_of(page)).not_to_have_value(before)
    page.keyboard.press("ControlOrMeta+z")
    expect(payload_of(page)).to_have_value(before)


def test_a_payload_of_five_hundred_items_is_all_there(page: Page):
    page.goto("/?fixture=many-unshipped-items")
    put = page.get_by_role("textbox", name="Payload", exact=True)
    put.focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#payload-view .cm-activeLine")).to_have_text("}", use_inner_text=True)
    write_payload(page, payload_of(page).input_value().replace("6499", '"6499"'))
    expect(page.locator("#findings")).to_contain_text("unshipped_items_ref/498")
    page.keyboard.press("F8")
    expect(page.locator("#payload-view .cm-activeLine")).to_contain_text('"6499"')


def test_nothing_moves_for_who_wants_no_motion(page: Page, editor: Locator):
    page.emulate_media(reduced_motion="reduce")
    editor.focus()
    moving = page.evaluate(
        """() => [...document.querySelectorAll(".payload *")]
             .filter((each) => getComputedStyle(each).animationName !== "none")
             .map((each) => each.className)"""
    )
    assert moving == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_follows_the_theme(page: Page, scheme: str):
    page.locator("header summary", has_text="Theme").click()
    page.get_by_role("button", name=scheme.capitalize()).click()
    colours = page.evaluate(
        """() => [".cm-editor", ".cm-content"].map((each) => {
             const { color, backgroundColor } = getComputedStyle(document.querySelector(each));
             return [color, backgroundColor];
           })"""
    )
    ink, paper = colours[0]
    bright = sum(map(int, re.findall(r"\d+", paper)[:3])) > 3 * 128
    assert bright == (scheme == "light")
    assert ink != paper
