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
from tests.support.composing import Page
from tests.support.pages import words
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
def client(http: httpx.Client, root: Path) -> Page:
    http.cookies.clear()
    client = Page(http, root)
    return client.press("expect-view:cards")


def expecting(client: Page, expectation: Any) -> Page:
    """The cards of this expectation."""
    text = expectation if isinstance(expectation, str) else json.dumps(expectation, indent=2)
    client.press("expect-view:json")
    return client.press("expect-view:cards", expectation=text)


def sent(client: Page, **typed: str) -> str:
    """Send what the page has; the path of the delivery, once it has landed."""
    answer = client.http.post("/send", data={**client.fields, **typed})
    assert answer.status_code == 303, words(answer.text)
    path = str(answer.headers["location"])
    with client.http.stream("GET", f"{path}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())
    return path


def error(client: Page, id: str) -> str:
    """What is said at a field."""
    found = re.search(rf'id="{re.escape(id)}"[^>]*>(.*?)</p>', client.text, re.DOTALL)
    return words(found[1]) if found else ""


def test_the_view_is_remembered_by_the_browser(client: Page) -> None:
    assert 'id="expected-cards"' in client.open("/").text
    client.press("expect-view:json")
    assert 'id="expected-cards"' not in client.open("/").text


def test_values_are_typed_and_nothing_else_changes(client: Page) -> None:
    text = '{\n  "status":   200,\n  "body": {"events": [{"n": 35.00, "error_code": "A"}]}\n}'
    expecting(client, text)
    client.press("show", **{"expect-text:/body/events/0/error_code": "B", "expect-json:/max_ms": "900"})
    changed = text.replace('"A"', '"B"').replace("\n}", ',\n  "max_ms":   900\n}')
    assert client.fields["expectation"] == changed
    path = sent(client, **{"expect-json:/status": "201, 409"})
    assert '"status": [ 201, 409 ]' in words(client.http.get(path).text).replace("&quot;", '"')


def test_a_mistake_stands_at_its_field_and_nothing_is_sent(client: Page) -> None:
    client.press("show", **{"expect-json:/status": "soon", "expect-json:/max_ms": "900"})
    assert "'soon' is no class of statuses" in error(client, "xp/status")
    assert client.fields["expect-json:/status"] == "soon"
    answer = client.http.post("/send", data={**client.fields, "payload": client.fields["payload"]})
    assert answer.status_code == 422
    client.text = answer.text
    assert "'soon' is no class of statuses" in error(client, "expectation-error")
    assert (client.fields["expect-json:/status"], client.fields["expect-json:/max_ms"]) == ("soon", "900")


def test_events_and_fields_are_added_and_removed(client: Page) -> None:
    expecting(client, "")
    assert "Nothing is expected" in client.said
    client.press("expect-begin:/body/events")
    assert client.expectation == {"body": {"events": []}}
    client.press("expect-add:/body/events")
    client.press("expect-add:/body/events", **{"expect-text:/body/events/0/error_code": "FIRST"})
    assert [each["error_code"] for each in client.expectation["body"]["events"]] == ["FIRST", "ERR1234"]
    client.press("expect-add:/body/events/1/associations")
    assert len(client.expectation["body"]["events"][1]["associations"]) == 2
    client.press("expect-remove:/body/events/0")
    assert "is taken out" in client.said
    assert [each["error_code"] for each in client.expectation["body"]["events"]] == ["ERR1234"]
    client.press("expect-undo:")
    assert len(client.expectation["body"]["events"]) == 2
    client.press("expect-undo:")
    assert len(client.expectation["body"]["events"]) == 1
    client.press("expect-remove:/body/events/0/status")
    client.press("expect-member:/body/events/0", **{"expect-new:/body/events/0": "status"})
    assert client.expectation["body"]["events"][0]["status"] == "error"
    client.press("expect-member:/body/events/0")
    assert "It needs a name" in error(client, "xe/body/events/0")
    client.press("expect-member:/headers", **{"expect-new:/headers": "Content-Type"})
    client.press("show", **{"expect-text:/headers/Content-Type": "application/json"})
    assert client.expectation["headers"] == {"Content-Type": "application/json"}


def test_a_rule_is_made_for_every_item_tested_and_taken_off(client: Page) -> None:
    expecting(client, {"body": {"events": [{"error_code": "ERR12"}]}})
    client.press("expect-open:/body/events/0/error_code")
    client.press("show", rule_word="regex")
    assert client.fields["rule_pattern"] == "^ERR[0-9]{2}$"
    client.press("show", rule_pattern="^OK", rule_path="/events/*/error_code")
    assert "does not accept what is expected" in client.said
    client.press("expect-rule:", rule_pattern="(")
    assert "not a regular expression" in error(client, "rule-error")
    assert client.fields["rule_pattern"] == "("
    client.press("expect-rule:", rule_pattern="^ERR")
    assert client.expectation["rules"] == {"/events/*/error_code": {"regex": "^ERR"}}
    assert "regex ^ERR" in client.said
    client.press("expect-open:/body/events/0/error_code")
    client.press("expect-rule:", rule_path="/events/0/error_code")
    assert client.expectation["rules"] == {"/events/0/error_code": {"regex": "^ERR"}}
    client.press("expect-unrule:/events/0/error_code")
    assert "rules" not in client.expectation
    client.press("expect-undo:")
    assert client.expectation["rules"] == {"/events/0/error_code": {"regex": "^ERR"}}


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
def test_each_rule_is_made_by_hand(client: Page, word: str, fields: dict[str, str], rule: Any) -> None:
    expecting(client, {"body": {"n": 5}})
    client.press("expect-open:/body/n").press("show", rule_word=word).press("expect-rule:", **fields)
    assert client.expectation["rules"] == {"/n": rule}


def test_a_header_is_ruled(client: Page) -> None:
    expecting(client, {"headers": {"X-Id": "abc"}})
    client.press("expect-open:/headers/X-Id").press("show", rule_word="regex").press("expect-rule:")
    assert client.expectation["headers"] == {"X-Id": {"regex": "^abc$"}}
    client.press("expect-remove:/headers/X-Id")
    assert "headers" not in client.expectation


def test_the_last_answer_is_expected_and_rules_and_limits_stay(client: Page) -> None:
    client.press("expect-last:", receiver="shop", fixture="zero-total")
    assert "No answer to this fixture from this receiver" in error(client, "expectation-error")
    client.press("show", receiver="shop", fixture="default")
    sent(client)
    expecting(client, {"max_ms": 5000, "rules": {"/events/*/error_message": "ignore"}})
    client.press("expect-last:", receiver="shop")
    assert client.expectation["status"] == 200
    assert client.expectation["body"] == json.loads(ANSWER)
    assert client.expectation["max_ms"] == 5000
    assert client.expectation["rules"] == {"/events/*/error_message": "ignore"}
    assert '"n": 35.00' in client.fields["expectation"]
    path = sent(client)
    assert "passed" in words(client.http.get(path).text)
    client.press("expect-undo:")
    assert client.expectation == {"max_ms": 5000, "rules": {"/events/*/error_message": "ignore"}}


def test_the_answer_to_the_delivery_that_the_page_is_of(client: Page) -> None:
    client.press("show", receiver="shop")
    path = sent(client, fixture="named-nowhere", expectation='{"status": 500}', expectation_view="json")
    client.open(f"/?from={path.rpartition('/')[2]}").press("expect-last:")
    assert client.expectation["body"] == json.loads(ANSWER)


def test_picking_is_undone(client: Page) -> None:
    expecting(client, '{"status": 202}')
    client.press("pick", pick="example")
    assert "Picked: The documented example." in client.said
    client.press("expect-undo:")
    assert client.fields["expectation"] == '{"status": 202}'
    client.press("expect-undo:")
    assert "ERR1234" in client.fields["expectation"]


@pytest.mark.parametrize("do", ["expect-remove:/body/x", "expect-unrule:/nothing", "expect-add:/body/a/b/c"])
def test_a_button_of_another_time_leaves_all_as_it_is(client: Page, do: str) -> None:
    expecting(client, '{"body": {"a": 1}}')
    client.press(do)
    assert "It was left as it is" in error(client, "expectation-error")
    assert client.fields["expectation"] == '{"body": {"a": 1}}'


def test_broken_json_is_kept_and_told(client: Page) -> None:
    expecting(client, '{"status": 200,}')
    assert "This is not JSON" in client.said
    assert client.fields["expectation"] == '{"status": 200,}'


def test_a_script_gets_the_panel_alone(client: Page) -> None:
    data = {**client.fields, "do": "expect-add:/body/events"}
    part = client.http.post(
        "/compose", data=data, headers={"HX-Request": "true", "HX-Target": "expectation-field"}
    )
    assert part.text.lstrip().startswith("<section")
    assert "ERR1234" in part.text
