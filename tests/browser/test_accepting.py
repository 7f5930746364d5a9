"""Recorded, replayed, accepted, replayed again: in a real browser, with JavaScript and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import choose, press_send
from tests.support.receivers import receiver
from tests.support.serving import Served, serving
from tests.support.shop import Shop
from tests.support.watching import NARROW, with_script


@pytest.fixture
def shop() -> Shop:
    return Shop({"events": [{"error_code": "ERR1", "error_message": "order 12 is gone"}]})


@pytest.fixture
def served(tmp_path: Path, shop: Shop) -> Iterator[Served]:
    with serving(tmp_path) as served, receiver(shop.act) as listening:
        Workspace(tmp_path).save_receiver(Receiver("shop", listening.url))
        yield served


@pytest.fixture(scope="module")
def first_path() -> str:
    """None: each test goes to its own."""
    return ""


def record(page: Page, name: str) -> None:
    """Send the default fixture while the switch is on, and save that as a scenario."""
    page.goto("/?fixture=default")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("button", name="Recording 0 steps")).to_be_visible()
    choose(page, "shop")
    press_send(page)
    expect(page.get_by_role("button", name="Recording 1 step", exact=True)).to_be_visible()
    page.get_by_role("button", name="Recording").click()
    page.wait_for_url(re.compile("/record/reviews/"))
    page.get_by_role("textbox", name="File").fill(name)
    page.get_by_role("button", name="Save scenario").click()
    expect(page.get_by_role("status")).to_contain_text("Saved as")


def write_scenario(served: Served, **expect: Any) -> Path:
    """A scenario file of one step, as a person would write it."""
    file = served.workspace / "scenarios" / "cancel.scenario.json"
    file.parent.mkdir(exist_ok=True)
    step = {"name": "cancel", "fixture": "default", "expect": {"status": 200, **expect}}
    file.write_text(json.dumps({"name": "Cancel", "steps": [step]}, indent=2) + "\n")
    return file


def run(page: Page, name: str = "cancel") -> None:
    """Run a scenario from its page, and be on the page of the run that has ended."""
    page.goto(f"/scenarios/show?id=scenarios/{name}.scenario.json&receiver=shop")
    finish(page)


def finish(page: Page) -> None:
    """Press Run, and wait for the end."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("passed|did not pass"))


def begin_review(page: Page) -> None:
    """Be at the first difference, from the page of a run that has ended."""
    page.get_by_role("link", name="Review what differs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("differences|^Difference 1 of 1$"))
    if (first := page.get_by_role("link", name="Open", exact=True).first).is_visible():
        first.click()
    expect(page.get_by_role("heading", name=re.compile("^Difference 1 of "))).to_be_visible()


def at(page: Page, number: int, of: int) -> None:
    expect(page.get_by_role("heading", name=f"Difference {number} of {of}")).to_be_visible()


def test_recorded_replayed_accepted_and_replayed_again(page: Page, served: Served, shop: Shop):
    record(page, "cycle")
    file = served.workspace / "scenarios" / "cycle.scenario.json"
    recorded = file.read_text()
    run(page, "cycle")
    expect(page.locator(".results")).to_contain_text("passed")
    shop.answer = {
        "events": [
            {"error_code": "ERR1", "error_message": "order 345 is gone"},
            {"error_code": "ERR2", "error_message": "and so is its label"},
        ]
    }
    run(page, "cycle")
    expect(page.locator(".results")).to_contain_text("failed")
    begin_review(page)
    page.get_by_role("button", name="Accept").click()
    at(page, 2, 2)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="1 file changes")).to_be_visible()
    expect(page.locator(".diff-added").filter(has_text="order 345 is gone")).to_be_visible()
    expect(page.locator(".diff-removed").filter(has_text="order 12 is gone")).to_be_visible()
    assert file.read_text() == recorded
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("heading", name="Written")).to_be_visible()
    accepted = json.loads(file.read_text())
    assert accepted["steps"][0]["expect"]["body"] == shop.answer
    accepted["steps"][0]["expect"]["body"] = json.loads(recorded)["steps"][0]["expect"]["body"]
    assert accepted == json.loads(recorded)
    page.get_by_role("link", name="Run it again").click()
    expect(page.locator("#target")).to_have_attribute("data-receiver", "shop")
    finish(page)
    expect(page.locator(".results")).to_contain_text("passed")
    expect(page.locator(".results")).to_contain_text("fixed")


@with_script
def test_a_difference_is_made_a_rule_and_other_values_pass_then(page: Page, served: Served, shop: Shop):
    file = write_scenario(
        served, body={"events": [{"error_code": "ERR1", "error_message": "order 7 is gone"}]}
    )
    run(page)
    begin_review(page)
    page.locator("#rule > summary").click()
    expect(page.get_by_role("textbox", name="Regular expression")).to_have_value("^order [0-9]+ is gone$")
    page.get_by_role("textbox", name="Regular expression").fill("^order (")
    page.get_by_role("button", name="Make the rule").last.click()
    expect(page.locator("#regex-preview")).to_contain_text("cannot be used")
    expect(page.get_by_role("textbox", name="Regular expression")).to_have_value("^order (")
    page.get_by_role("textbox", name="Regular expression").fill("^order [0-9]+")
    page.get_by_label("for all items").check()
    page.get_by_role("button", name="Make the rule").last.click()
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("heading", name="Written")).to_be_visible()
    rules = json.loads(file.read_text())["steps"][0]["expect"]["rules"]
    assert rules == {"/events/*/error_message": {"regex": "^order [0-9]+"}}
    shop.answer["events"][0]["error_message"] = "order 999 is somewhere else"
    run(page)
    expect(page.locator(".results")).to_contain_text("passed")


@with_script
def test_rejected_skipped_and_taken_back(page: Page, served: Served):
    file = write_scenario(
        served, body={"events": [{"error_code": "A"}, {"error_code": "B"}, {"error_code": "C"}]}
    )
    before = file.read_text()
    run(page)
    begin_review(page)
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Undo").click()
    at(page, 2, 4)
    page.get_by_role("button", name="Skip").click()
    page.get_by_role("link", name="See the changes").click()
    expect(page.get_by_role("heading", name="Nothing changes")).to_be_visible()
    expect(page.get_by_role("button", name="Write")).to_have_count(0)
    page.get_by_role("link", name="Change the decision on").first.click()
    at(page, 1, 4)
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("link", name="See the changes").click()
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("heading", name="Written")).to_be_visible()
    assert file.read_text() != before


@with_script
def test_a_file_that_was_edited_meanwhile_stops_the_writing(page: Page, served: Served):
    file = write_scenario(served, body={"events": []})
    run(page)
    begin_review(page)
    page.get_by_role("button", name="Accept").click()
    edited = file.read_text().replace('"Cancel"', '"Edited"')
    file.write_text(edited)
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("alert")).to_contain_text("was changed on disk")
    assert file.read_text() == edited
    page.get_by_role("button", name="Begin the review again").click()
    at(page, 1, 1)
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("heading", name="Written")).to_be_visible()
    assert "Edited" in file.read_text()


# --- What only a script does -----------------------------------------------------------------------------


def test_letters_decide(scripted: Page, served: Served):
    page = scripted
    file = write_scenario(
        served,
        headers={"Content-Type": "text/plain", "X-Gone": "x"},
        body={"events": [{"error_code": "ERR0", "error_message": "order 12 is gone"}, {"error_code": "C"}]},
    )
    run(page)
    begin_review(page)
    for number, key in enumerate("iars", 1):
        at(page, number, 4)
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="1 file changes")).to_be_visible()
    expect(page.locator(".decided .said")).to_have_text(
        ["rule ignore", "accepted", "kept as expected", "skipped"]
    )
    page.get_by_role("link", name="Change the decision on").last.click()
    page.keyboard.press("u")
    at(page, 4, 4)
    page.keyboard.press("a")
    expect(page.locator(".decided .said").last).to_have_text("accepted")
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("heading", name="Written")).to_be_visible()
    expected = json.loads(file.read_text())["steps"][0]["expect"]
    assert expected["headers"] == {"Content-Type": "ignore"}
    assert expected["body"]["events"][0]["error_code"] == "ERR0"
    assert len(expected["body"]["events"]) == 1


def test_letters_that_are_typed_into_a_field_decide_nothing(scripted: Page, served: Served):
    write_scenario(served, body={"events": [{"error_code": "ERR1", "error_message": "order 7 is gone"}]})
    run(scripted)
    begin_review(scripted)
    scripted.locator("#rule > summary").click()
    pattern = scripted.get_by_role("textbox", name="Regular expression")
    scripted.get_by_role("radio", name="any string").check()
    pattern.fill("")
    pattern.press_sequentially("aris|order")
    expect(pattern).to_have_value("aris|order")
    expect(scripted.locator("#regex-preview")).to_contain_text("matches what was expected")
    pattern.fill("(")
    expect(scripted.locator("#regex-preview")).to_contain_text("cannot be used")
    pattern.fill("^nothing")
    expect(scripted.locator("#regex-preview")).to_contain_text("does not match what came")
    pattern.fill("[0-9] is")
    expect(scripted.locator("#regex-preview")).to_contain_text("✓ matches what came")
    scripted.keyboard.press("Control+a")
    at(scripted, 1, 1)
    pattern.press("Enter")
    expect(scripted.locator(".decided .said")).to_have_text(["rule regex [0-9] is"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_narrow_window(scripted: Page, served: Served, shop: Shop, scheme: Any):
    shop.answer = {
        "events": [{"error_code": "E" * 300, "error_message": "word " * 200, "k" * 200: [["x" * 400]]}]
    }
    write_scenario(served, body={"events": [{"error_code": "ERR1", "error_message": "w" * 500}]})
    run(scripted)
    scripted.emulate_media(color_scheme=scheme)
    scripted.set_viewport_size(NARROW)
    begin_review(scripted)
    numbers = range(1, int(scripted.locator("h1").inner_text().split()[-1]) + 1)
    for _ in numbers:
        for details in scripted.locator("main details:not([open]) > summary").all():
            if details.is_visible():
                details.click()
        assert scripted.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        number = scripted.locator("h1").inner_text()
        scripted.keyboard.press("a")
        expect(scripted.locator("h1")).not_to_have_text(number)
    expect(scripted.get_by_role("heading", name="1 file changes")).to_be_visible()
    assert scripted.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
