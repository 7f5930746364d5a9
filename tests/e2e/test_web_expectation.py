"""The expected response as cards, as an HTTP client has them: plain forms, without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing import Page, words
from tests.support.receivers import answering, receiver, response
from tests.support.serving import serving

ANSWER = b'{"events": [{"error_code": "ERR7", "error_message": "total 35.00", "n": 35.00}]}'


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def http(root: Path) -> Iterator[httpx.Client]:
    acts = answering(response(ANSWER, "Content-Type: application/json"))
    with serving(root) as served, receiver(acts) as listening:
        Workspace(root).save_receiver(Receiver("shop", listening.url))
        with httpx.Client(base_url=served.url, timeout=60) as client:
            yield client


@pytest.fixture
def desk(http: httpx.Client, root: Path) -> Page:
    http.cookies.clear()
    desk = Page(http, root)
    return desk.press("expect-view:cards")


def expecting(desk: Page, expectation: Any) -> Page:
    """The cards of this expectation."""
    text = expectation if isinstance(expectation, str) else json.dumps(expectation, indent=2)
    desk.press("expect-view:json")
    return desk.press("expect-view:cards", expectation=text)


def sent(desk: Page, **typed: str) -> str:
    """Send what the page has; the path of the delivery, once it has landed."""
    answer = desk.http.post("/send", data={**desk.fields, **typed})
    assert answer.status_code == 303, words(answer.text)
    path = str(answer.headers["location"])
    with desk.http.stream("GET", f"{path}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())
    return path


def error(desk: Page, id: str) -> str:
    """What is said at a field."""
    found = re.search(rf'id="{re.escape(id)}"[^>]*>(.*?)</p>', desk.text, re.DOTALL)
    return words(found[1]) if found else ""


def test_the_view_is_remembered_by_the_browser(desk: Page) -> None:
    assert 'id="expected-cards"' in desk.open("/").text
    desk.press("expect-view:json")
    assert 'id="expected-cards"' not in desk.open("/").text


def test_values_are_typed_and_nothing_else_changes(desk: Page) -> None:
    text = '{\n  "status":   200,\n  "body": {"events": [{"n": 35.00, "error_code": "A"}]}\n}'
    expecting(desk, text)
    desk.press("show", **{"expect-text:/body/events/0/error_code": "B", "expect-json:/max_ms": "900"})
    changed = text.replace('"A"', '"B"').replace("\n}", ',\n  "max_ms":   900\n}')
    assert desk.fields["expectation"] == changed
    path = sent(desk, **{"expect-json:/status": "201, 409"})
    assert '"status": [ 201, 409 ]' in words(desk.http.get(path).text).replace("&quot;", '"')


def test_a_mistake_stands_at_its_field_and_nothing_is_sent(desk: Page) -> None:
    desk.press("show", **{"expect-json:/status": "soon", "expect-json:/max_ms": "900"})
    assert "expected an integer" in error(desk, "xp/status")
    assert desk.fields["expect-json:/status"] == "soon"
    answer = desk.http.post("/send", data={**desk.fields, "payload": desk.fields["payload"]})
    assert answer.status_code == 422
    desk.text = answer.text
    assert "expected an integer" in error(desk, "expectation-error")
    assert (desk.fields["expect-json:/status"], desk.fields["expect-json:/max_ms"]) == ("soon", "900")


def test_events_and_fields_are_added_and_removed(desk: Page) -> None:
    expecting(desk, "")
    assert "Nothing is expected" in desk.said
    desk.press("expect-begin:/body/events")
    assert desk.expectation == {"body": {"events": []}}
    desk.press("expect-add:/body/events")
    desk.press("expect-add:/body/events", **{"expect-text:/body/events/0/error_code": "FIRST"})
    assert [each["error_code"] for each in desk.expectation["body"]["events"]] == ["FIRST", "ERR1234"]
    desk.press("expect-add:/body/events/1/associations")
    assert len(desk.expectation["body"]["events"][1]["associations"]) == 2
    desk.press("expect-remove:/body/events/0")
    assert "is taken out" in desk.said
    assert [each["error_code"] for each in desk.expectation["body"]["events"]] == ["ERR1234"]
    desk.press("expect-undo:")
    assert len(desk.expectation["body"]["events"]) == 2
    desk.press("expect-undo:")
    assert len(desk.expectation["body"]["events"]) == 1
    desk.press("expect-remove:/body/events/0/status")
    desk.press("expect-member:/body/events/0", **{"expect-new:/body/events/0": "status"})
    assert desk.expectation["body"]["events"][0]["status"] == "error"
    desk.press("expect-member:/body/events/0")
    assert "It needs a name" in error(desk, "xe/body/events/0")
    desk.press("expect-member:/headers", **{"expect-new:/headers": "Content-Type"})
    desk.press("show", **{"expect-text:/headers/Content-Type": "application/json"})
    assert desk.expectation["headers"] == {"Content-Type": "application/json"}


def test_a_rule_is_made_for_every_item_tested_and_taken_off(desk: Page) -> None:
    expecting(desk, {"body": {"events": [{"error_code": "ERR12"}]}})
    desk.press("expect-open:/body/events/0/error_code")
    desk.press("show", rule_word="regex")
    assert desk.fields["rule_pattern"] == "^ERR[0-9]{2}$"
    desk.press("show", rule_pattern="^OK", rule_path="/events/*/error_code")
    assert "does not accept what is expected" in desk.said
    desk.press("expect-rule:", rule_pattern="(")
    assert "not a regular expression" in error(desk, "rule-error")
    assert desk.fields["rule_pattern"] == "("
    desk.press("expect-rule:", rule_pattern="^ERR")
    assert desk.expectation["rules"] == {"/events/*/error_code": {"regex": "^ERR"}}
    assert "regex ^ERR" in desk.said
    desk.press("expect-open:/body/events/0/error_code")
    desk.press("expect-rule:", rule_path="/events/0/error_code")
    assert desk.expectation["rules"] == {"/events/0/error_code": {"regex": "^ERR"}}
    desk.press("expect-unrule:/events/0/error_code")
    assert "rules" not in desk.expectation
    desk.press("expect-undo:")
    assert desk.expectation["rules"] == {"/events/0/error_code": {"regex": "^ERR"}}


@pytest.mark.parametrize(
    ("word", "fields", "rule"),
    [
        ("ignore", {}, "ignore"),
        ("any", {}, "any"),
        ("type", {"rule_type": "integer"}, {"type": "integer"}),
        ("range", {"rule_least": "1", "rule_most": "9.50"}, {"range": [1, 9.5]}),
        ("one_of", {"rule_values": '5\n"five"'}, {"one_of": [5, "five"]}),
    ],
)
def test_each_rule_is_made_by_hand(desk: Page, word: str, fields: dict[str, str], rule: Any) -> None:
    expecting(desk, {"body": {"n": 5}})
    desk.press("expect-open:/body/n").press("show", rule_word=word).press("expect-rule:", **fields)
    assert desk.expectation["rules"] == {"/n": rule}


def test_a_header_is_ruled(desk: Page) -> None:
    expecting(desk, {"headers": {"X-Id": "abc"}})
    desk.press("expect-open:/headers/X-Id").press("show", rule_word="regex").press("expect-rule:")
    assert desk.expectation["headers"] == {"X-Id": {"regex": "^abc$"}}
    desk.press("expect-remove:/headers/X-Id")
    assert "headers" not in desk.expectation


def test_the_last_answer_is_expected_and_rules_and_limits_stay(desk: Page) -> None:
    desk.press("expect-last:", receiver="shop", fixture="zero-total")
    assert "No answer to this fixture from this receiver" in error(desk, "expectation-error")
    desk.press("show", receiver="shop", fixture="default")
    sent(desk)
    expecting(desk, {"max_ms": 5000, "rules": {"/events/*/error_message": "ignore"}})
    desk.press("expect-last:", receiver="shop")
    assert desk.expectation["status"] == 200
    assert desk.expectation["body"] == json.loads(ANSWER)
    assert desk.expectation["max_ms"] == 5000
    assert desk.expectation["rules"] == {"/events/*/error_message": "ignore"}
    assert '"n": 35.00' in desk.fields["expectation"]
    path = sent(desk)
    assert "passed" in words(desk.http.get(path).text)
    desk.press("expect-undo:")
    assert desk.expectation == {"max_ms": 5000, "rules": {"/events/*/error_message": "ignore"}}


def test_the_answer_to_the_delivery_that_the_page_is_of(desk: Page) -> None:
    desk.press("show", receiver="shop")
    path = sent(desk, fixture="named-nowhere", expectation='{"status": 500}', expectation_view="json")
    desk.open(f"/?from={path.rpartition('/')[2]}").press("expect-last:")
    assert desk.expectation["body"] == json.loads(ANSWER)


def test_picking_is_undone(desk: Page) -> None:
    expecting(desk, '{"status": 202}')
    desk.press("pick", pick="example")
    assert "Picked: The documented example." in desk.said
    desk.press("expect-undo:")
    assert desk.fields["expectation"] == '{"status": 202}'
    desk.press("expect-undo:")
    assert "ERR1234" in desk.fields["expectation"]


@pytest.mark.parametrize("do", ["expect-remove:/body/x", "expect-unrule:/nothing", "expect-add:/body/a/b/c"])
def test_a_button_of_another_time_leaves_all_as_it_is(desk: Page, do: str) -> None:
    expecting(desk, '{"body": {"a": 1}}')
    desk.press(do)
    assert "It was left as it is" in error(desk, "expectation-error")
    assert desk.fields["expectation"] == '{"body": {"a": 1}}'


def test_broken_json_is_kept_and_told(desk: Page) -> None:
    expecting(desk, '{"status": 200,}')
    assert "This is not JSON" in desk.said
    assert desk.fields["expectation"] == '{"status": 200,}'


def test_a_script_gets_the_panel_alone(desk: Page) -> None:
    data = {**desk.fields, "do": "expect-add:/body/events"}
    part = desk.http.post(
        "/compose", data=data, headers={"HX-Request": "true", "HX-Target": "expectation-field"}
    )
    assert part.text.lstrip().startswith("<section")
    assert "ERR1234" in part.text
