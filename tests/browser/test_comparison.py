"""The comparison in a real browser: its differences by keyboard, and a rule made where a value stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.compose_client import ComposeClient
from tests.support.receivers import receiver, response
from tests.support.serving import Served


def event(number: int, message: str) -> dict[str, object]:
    about = [{"type": "order", "identity": str(number)}]
    return {
        "status": "error",
        "error_code": f"ERR{number:04}",
        "error_message": message,
        "associations": about,
    }


EXPECTED = {"body": {"events": [event(number, f"Order {number} has shipped") for number in range(30)]}}
CAME = [event(number, f"Order {number} {'has' if number % 2 else 'was'} shipped") for number in range(30)]
CAME[3:5] = [event(9000, "Something else came up")]


@pytest.fixture(scope="module")
def first_path() -> str:
    """None: each test goes to its own."""
    return ""


@pytest.fixture(scope="module")
def delivery(served: Served) -> Iterator[str]:
    body = json.dumps({"events": CAME}).encode()

    def act(peer) -> None:
        while peer.read_request() is not None:
            peer.send(response(body, "Content-Type: application/json"))

    with receiver(act) as shop:
        client = ComposeClient(served)
        client.add("shop", base_url=shop.url)
        with client.http:
            # A fixture without an expected result of its own.
            client.workspace.save_fixture("order_cancel", "draft", "mine", client.form()["payload"])
            fields = {"fixture": "mine", "loaded": "mine", "expectation": json.dumps(EXPECTED)}
            path = client.sent(receiver="shop", **fields)
            assert client.landed(path).judgement.verdict == "failed"
        yield served.url + path


def test_thirty_events_fit_in_three_screens_and_n_and_p_lead_through_them(scripted: Page, delivery: str):
    scripted.set_viewport_size({"width": 1440, "height": 900})
    scripted.goto(delivery)
    comparison = scripted.locator(".comparison")
    box = comparison.bounding_box()
    assert box is not None
    assert box["height"] <= 3 * 900
    expect(comparison.locator("details.item.missing")).to_contain_text("· order 4")
    scripted.keyboard.press("n")
    expect(scripted.locator(":focus")).to_contain_text("ERR0000 event 1")
    scripted.keyboard.press("n")
    expect(scripted.locator(":focus")).to_contain_text("ERR0002 event 3")
    scripted.keyboard.press("p")
    scripted.keyboard.press("p")
    expect(scripted.locator(":focus")).to_be_in_viewport()
    expect(scripted.locator(":focus")).not_to_contain_text("ERR0000")
    # At 390 pixels the sides of a member stand one under the other, and nothing is wider than the window.
    scripted.set_viewport_size({"width": 390, "height": 844})
    sides = comparison.locator(".compared.changed .side-value").all()[:2]
    left, right = (side.bounding_box() for side in sides)
    assert left is not None
    assert right is not None
    assert (left["x"], left["y"] + left["height"]) == (right["x"], right["y"])
    assert scripted.evaluate("document.documentElement.scrollWidth") == 390


def test_a_rule_is_made_of_a_value_where_it_stands(scripted: Page, delivery: str):
    scripted.goto(delivery)
    value = scripted.locator(".comparison").get_by_role("button", name=re.compile("Order 0 was shipped"))
    value.focus()
    scripted.keyboard.press("Space")
    pane = scripted.get_by_role("form", name="Make a rule")
    expect(pane.locator(":focus")).to_have_value("type")
    scripted.keyboard.press("Escape")
    expect(pane).to_have_count(0)
    expect(value).to_be_focused()
    scripted.keyboard.press("Enter")
    expect(pane.get_by_role("status")).to_contain_text("any text:")
    pane.get_by_role("radio", name="pattern").check()
    expect(pane.get_by_role("status")).to_contain_text("pattern:")
    pane.get_by_role("textbox").fill("(")
    expect(pane.get_by_role("status")).to_contain_text("This cannot be used")
    refused = pane.element_handle()
    pane.get_by_role("button", name="Make the rule").click()
    # The answer brings another form, which says the same: a choice in the old one would be lost.
    scripted.wait_for_function("(form) => !form.isConnected", arg=refused)
    expect(pane.get_by_role("status")).to_contain_text("This cannot be used")
    pane.get_by_role("radio", name="any text").check()
    # The answer to a preview that is under way would put the button that is clicked in another place.
    expect(pane.get_by_role("status")).to_contain_text("any text:")
    pane.get_by_role("button", name="Make the rule").click()
    expect(scripted.get_by_text("The rule was made")).to_be_visible()
    assert scripted.url == delivery, "judged in place"
    expect(scripted.locator(".comparison")).to_contain_text("ERR9000")
    expect(scripted.locator(".comparison mark", has_text="was")).to_have_count(0)
    expect(scripted.locator(".judgements > li")).to_have_count(2)
    scripted.get_by_role("button", name="Undo").click()
    expect(scripted.locator(".comparison mark", has_text="was").first).to_be_visible()


def test_on_the_workbench_a_rule_goes_into_the_expectation_that_is_edited(scripted: Page, delivery: str):
    origin, _, id = delivery.partition("/deliveries/")
    scripted.goto(f"{origin}/?from={id}")
    scripted.locator("#send").click()
    answer = scripted.locator("#answer")
    answer.get_by_role("button", name=re.compile("Order 0 was shipped")).click()
    pane = answer.get_by_role("group", name="Make a rule")
    expect(pane.get_by_role("status")).to_contain_text("any text:")
    pane.get_by_role("radio", name="pattern").check()
    expect(pane.get_by_role("status")).to_contain_text("pattern:")
    pane.get_by_role("textbox").fill("(")
    expect(pane.get_by_role("status")).to_contain_text("This cannot be used")
    pane.get_by_role("textbox").fill("^Order [0-9]+ ")
    expect(pane.get_by_role("status")).to_contain_text("pattern:")
    pane.get_by_role("textbox").press("Enter")
    expect(pane).to_have_count(0)
    expect(answer.locator("mark", has_text="was")).to_have_count(0)
    expect(scripted.locator("#expectation")).to_have_value(re.compile(r'"regex": "\^Order \[0-9\]\+ "'))


def test_bodies_fold_and_a_large_one_comes_on_demand(scripted: Page, delivery: str):
    scripted.goto(delivery)
    body = scripted.locator("#response-body")
    body.scroll_into_view_if_needed()
    expect(body.locator(".cm-content")).to_contain_text('"ERR0000"')
    body.get_by_title("Fold line").locator("visible=true").first.click()
    expect(body.locator(".cm-foldPlaceholder")).to_be_visible()
    expect(body.locator(".cm-content")).not_to_contain_text('"ERR0000"')
