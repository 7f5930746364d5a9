"""Fixtures made, found, changed and taken back in a real browser, with JavaScript and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.composing_page import manage
from tests.support.serving import Served
from tests.support.watching import NARROW, payload_of, press, with_script, write_payload


@pytest.fixture(autouse=True)
def no_fixtures(served: Served) -> Iterator[None]:
    """What a test made is no longer there for the next one."""
    yield
    for path in (served.workspace / "fixtures").rglob("*.json"):
        path.unlink()


def file(served: Served, name: str) -> Path:
    return served.workspace / "fixtures" / "order_cancel" / "draft" / f"{name}.json"


def duplicate(page: Page, name: str) -> None:
    """Copy the open fixture under this name, and be at the copy."""
    manage(page)
    page.get_by_label("Name", exact=True).fill(name)
    press(page, "Duplicate")
    expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "true")


def type_payload(page: Page, value: Any) -> None:
    write_payload(page, json.dumps(value, indent=2))


def payload(page: Page) -> str:
    """What the form would send."""
    return payload_of(page).input_value()


def test_made_saved_renamed_deleted_and_back(page: Page, served: Served):
    page.get_by_role("link", name="New").click()
    expect(page.get_by_label("Save as", exact=True)).to_have_value("")
    page.get_by_label("Save as", exact=True).fill("first")
    press(page, "Save")
    expect(page.get_by_role("link", name="first yours")).to_have_attribute("aria-current", "true")
    manage(page)
    page.get_by_label("Name", exact=True).fill("../x")
    press(page, "Rename")
    expect(page.locator("#fixture_name-error")).to_contain_text("cannot be a fixture's name")
    manage(page)
    page.get_by_label("Name", exact=True).fill("second")
    press(page, "Rename")
    expect(page.get_by_role("link", name="second yours")).to_be_visible()
    expect(page.get_by_role("link", name="first")).to_have_count(0)
    type_payload(page, {"typed": "kept"})
    manage(page)
    press(page, "Delete")
    expect(page.get_by_role("link", name="second")).to_have_count(0)
    assert not file(served, "second").exists()
    assert json.loads(payload(page)) == {"typed": "kept"}
    press(page, "Undo")
    expect(page.get_by_role("link", name="second yours")).to_have_attribute("aria-current", "true")
    assert "order_cancel" in file(served, "second").read_text()
    assert json.loads(payload(page)) == {"typed": "kept"}


@with_script
def test_what_changed_on_disk_is_shown_before_anything_is_written(page: Page, served: Served):
    duplicate(page, "mine")
    theirs = file(served, "mine").read_text().replace("Will Call", "Theirs")
    file(served, "mine").write_text(theirs)
    type_payload(page, {"ours": 1})
    press(page, "Save")
    clash = page.get_by_role("alert")
    expect(clash).to_contain_text("mine on disk is not what was opened")
    expect(clash.locator(".diff-removed").filter(has_text="Theirs")).to_have_count(1)
    expect(clash.locator(".diff-added").filter(has_text="ours")).to_have_count(1)
    assert file(served, "mine").read_text() == theirs
    press(page, "Go on editing")
    expect(clash).to_have_count(0)
    assert json.loads(payload(page)) == {"ours": 1}
    press(page, "Save")
    press(page, "Take what is on disk")
    expect(page.locator(".fixture-notice")).to_contain_text("as it is on disk")
    assert payload(page) == theirs
    press(page, "Undo")
    expect(page.locator(".fixture-notice")).to_contain_text("is back")
    assert json.loads(payload(page)) == {"ours": 1}
    press(page, "Save")
    press(page, "Write anyway")
    expect(page.locator(".fixture-notice")).to_contain_text("Saved as")
    assert json.loads(file(served, "mine").read_text()) == {"ours": 1}
    page.get_by_text("What changed").click()
    expect(page.locator(".fixture-notice .diff-added").filter(has_text="ours")).to_be_visible()
    press(page, "Undo")
    expect(page.locator(".fixture-notice")).to_contain_text("mine is as it was")
    assert file(served, "mine").read_text() == theirs


def test_a_search_keeps_what_is_typed(page: Page):
    type_payload(page, {"typed": "kept"})
    search = page.get_by_role("searchbox", name="Search cases")
    search.press_sequentially("total zero")
    if (button := page.get_by_role("button", name="Search")).is_visible():
        button.click()
    names = page.locator("#fixture-list .name")
    expect(names).to_have_text(["total-with-zero-cents", "zero-total"])
    expect(search).to_have_value("total zero")
    assert json.loads(payload(page)) == {"typed": "kept"}
    page.get_by_role("link", name="zero-total").click()
    expect(names).to_have_text(["total-with-zero-cents", "zero-total"])
    page.goto("/?q=nonesuch")
    expect(page.locator("#fixture-list")).to_have_text(re.compile("No name has “nonesuch”"))


def test_a_curl_command_is_pasted(page: Page, served: Served):
    body = json.dumps({**json.loads(payload(page)), "version": 7})
    page.locator(".fixture-import > summary").click()
    pasted = page.get_by_label("A command, a HAR archive, JSON or a log line")
    pasted.fill("curl https://till.example -d @file.json")
    press(page, "Import")
    expect(page.locator("#import_text-error")).to_contain_text("file.json")
    expect(pasted).to_have_value("curl https://till.example -d @file.json")
    pasted.fill(f"curl -H 'Authorization: Bearer sk-31415926' https://till.example -d '{body}'")
    page.get_by_label("Name of the new fixture").fill("from-till")
    press(page, "Import")
    told = page.locator(".fixture-import .fixture-notice")
    expect(told).to_contain_text("Left out: Authorization; credentials belong to the receiver")
    expect(pasted).to_have_value("")
    assert json.loads(file(served, "from-till").read_text())["version"] == 7
    assert json.loads(payload(page))["version"] == 7
    press(page, "Undo")
    expect(page.get_by_role("link", name="from-till")).to_have_count(0)
    assert json.loads(payload(page))["version"] == 1


def test_enter_in_a_name_does_nothing_to_files(page: Page, served: Served):
    duplicate(page, "mine")
    manage(page)
    page.get_by_label("Name", exact=True).fill("other")
    page.get_by_label("Name", exact=True).press("Enter")
    manage(page)
    expect(page.get_by_label("Name", exact=True)).to_have_value("other")
    assert {path.stem for path in file(served, "mine").parent.iterdir()} == {"mine", "mine.expect"}


# --- What only a script does -----------------------------------------------------------------------------


def test_a_window_that_comes_back_says_what_changed_on_disk(scripted: Page, served: Served):
    duplicate(scripted, "mine")
    expect(scripted.locator("#fixture-state")).to_have_text("")
    file(served, "mine").write_text("{}\n")
    scripted.evaluate("dispatchEvent(new Event('focus'))")
    expect(scripted.locator("#fixture-state")).to_contain_text("mine was changed on disk meanwhile")
    press(scripted, "Show the difference")
    expect(scripted.get_by_role("alert")).to_contain_text("mine on disk is not what was opened")


def test_the_chosen_view_of_the_payload_outlives_a_search(scripted: Page):
    press(scripted, "Form")
    expect(scripted.locator("[name=view]")).to_have_value("form")
    scripted.get_by_role("searchbox", name="Search cases").fill("split")
    expect(scripted.locator("#fixture-list .name")).to_have_text(["split-payment"])
    scripted.reload()
    scripted.goto("/")
    expect(scripted.get_by_role("button", name="Form", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_fixture_far_down_is_in_sight(scripted: Page):
    scripted.set_viewport_size({"width": 1280, "height": 720})
    scripted.goto("/?fixture=zero-total")
    expect(scripted.get_by_role("link", name="zero-total")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_narrow_window(scripted: Page, served: Served, scheme: Any):
    scripted.emulate_media(color_scheme=scheme)
    scripted.set_viewport_size(NARROW)
    duplicate(scripted, "x" * 100)
    type_payload(scripted, {"long": "y" * 400})
    file(served, "x" * 100).write_text(json.dumps({"long": "z" * 400}))
    press(scripted, "Save")
    expect(scripted.get_by_role("alert")).to_be_visible()
    assert scripted.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    press(scripted, "Write anyway")
    scripted.get_by_text("What changed").click()
    assert scripted.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
