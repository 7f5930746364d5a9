"""The cards of an expectation, and edits of its text that touch nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Expectation, Json, Mark
from retailops_sandbox.web.compose import expectation_cards
from retailops_sandbox.web.compose.expectation_cards import Box, Value
from retailops_sandbox.web.compose.inputs import with_inner

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
TEXT = """{
  "status": 200,
  "max_ms":   1500.50,
  "headers": {"Content-Type": "application/json", "X-Id": "uuid"},
  "body": {"events": [
    {"error_code": "ERR1", "count": 35.00},
    {"error_code": "ERR2", "associations": [{"type": "sku", "identity": "S1"}]}
  ]},
  "rules": {"/events/*/error_code": {"regex": "^ERR"}, "/events/1/associations": "ignore", "/gone": "any"}
}
"""


def find(cards: expectation_cards.Cards, at: str) -> Value | Box:
    assert cards.body is not None
    return next(each for each in with_inner(cards.body) if each.pointer == at)


def inputs(cards: expectation_cards.Cards) -> dict[str, str]:
    """What the page posts where nothing was typed."""
    posted = {"json:/status": cards.status, "json:/max_ms": cards.max_ms}
    posted |= {f"text:{each.pointer}": each.text for each in cards.headers if each.rule is None}
    parts = with_inner(cards.body) if cards.body is not None else ()
    values = [each for each in parts if isinstance(each, Value)]
    return posted | {f"{'json' if each.is_json else 'text'}:{each.pointer}": each.text for each in values}


def test_cards_show_each_value_with_its_rule():
    cards = expectation_cards.of(TEXT, DRAFT)
    assert (cards.status, cards.max_ms, cards.events) == ("200", "1500.50", "/body/events")
    assert [(each.name, each.text, each.rule and each.rule.says) for each in cards.headers] == [
        ("Content-Type", "application/json", None),
        ("X-Id", "", "uuid"),
    ]
    code = find(cards, "/body/events/0/error_code")
    assert isinstance(code, Value)
    assert code.rule is not None
    assert (code.text, code.rule.says, code.rule.is_wide) == ("ERR1", "regex ^ERR", True)
    count = find(cards, "/body/events/0/count")
    assert isinstance(count, Value)
    assert (count.text, count.is_json, count.rule) == ("35.00", True, None)
    event = find(cards, "/body/events/1")
    assert isinstance(event, Box)
    assert (event.is_item, event.title, event.offered) == (
        True, "ERR2", ("status", "error_message", "diagnostic_data"),
    )  # fmt: skip
    assert find(cards, "/body/events/1/associations").rule is not None
    assert [each.path for each in cards.other_rules] == ["/gone"]
    assert cards.problem == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"status": 200,}', "not JSON"),
        ("[1]", "JSON object"),
        (json.dumps({"body": [1] * 500}), "more than 400"),
    ],
)
def test_what_cannot_be_cards_says_why(text: str, why: str):
    assert why in expectation_cards.of(text, DRAFT).unusable


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"status": "x"}', "status_problem"),
        ('{"status": [200, "x"]}', "status_problem"),
        ('{"max_ms": "soon"}', "max_ms_problem"),
        ('{"stauts": 200}', "problem"),
        ('{"rules": {"/a": "sometimes"}}', "problem"),
    ],
)
def test_a_mistake_stands_at_its_field(text: str, where: str):
    cards = expectation_cards.of(text, DRAFT)
    named = ("status_problem", "max_ms_problem", "problem")
    assert [name for name in named if getattr(cards, name)] == [where]


def test_a_header_that_cannot_be_is_told_at_the_header():
    cards = expectation_cards.of('{"headers": {"X": {"type": "string"}}}', DRAFT)
    assert "cannot judge a header" in cards.headers[0].problem


def test_a_rule_that_cannot_be_used_is_told_beside_the_others():
    cards = expectation_cards.of(
        '{"body": {"a": 1}, "rules": {"/a": {"regex": "("}, "a": "any", "/b": "any"}}', DRAFT
    )
    assert [(each.path, bool(each.problem)) for each in cards.other_rules] == [
        ("/a", True),
        ("a", True),
        ("/b", False),
    ]


# --- typing ---


def test_one_value_is_changed_and_no_other_byte():
    posted = inputs(expectation_cards.of(TEXT, DRAFT)) | {"text:/body/events/1/error_code": "ERR3"}
    assert expectation_cards.typed(TEXT, posted) == (TEXT.replace("ERR2", "ERR3"), [])
    posted = inputs(expectation_cards.of(TEXT, DRAFT)) | {"json:/body/events/0/count": "36.10"}
    assert expectation_cards.typed(TEXT, posted) == (TEXT.replace("35.00", "36.10"), [])


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("404", 404),
        ("200, 404", [200, 404]),
        ("200 404", [200, 404]),
        ("4xx", "4xx"),
        ("200, 4xx", [200, "4xx"]),
        ("2xx 404,5xx", ["2xx", 404, "5xx"]),
        ('[200, "4xx"]', [200, "4xx"]),
        ('"404"', "404"),
        ("200, soon", [200, "soon"]),
        ("abc", "abc"),
        (" 201 ", 201),
        ("", None),
    ],
)
def test_a_status_is_one_or_several_or_none(typed: str, status: Any):
    text, refused = expectation_cards.typed(TEXT, {"json:/status": typed})
    assert json.loads(text).get("status") == status
    assert refused == []
    again = expectation_cards.of(text, DRAFT)
    assert expectation_cards.typed(text, inputs(again)) == (text, [])


def test_a_class_that_is_none_is_told_at_its_field():
    for typed in ("6xx", "200, 4x"):
        text, _ = expectation_cards.typed(TEXT, {"json:/status": typed})
        cards = expectation_cards.of(text, DRAFT)
        assert cards.status == typed
        assert "is no class of statuses" in cards.status_problem


def test_what_was_typed_into_a_value_that_is_gone_is_told():
    _, refused = expectation_cards.typed(TEXT, {"text:/body/events/9/error_code": "x"})
    assert "/body/events/9/error_code" in refused[0]


def test_an_empty_text_stays_empty_until_something_is_typed():
    cards = expectation_cards.of("", DRAFT)
    assert expectation_cards.typed("", inputs(cards)) == ("", [])
    assert expectation_cards.typed("", inputs(cards) | {"json:/status": "200"}) == (
        '{\n  "status": 200\n}',
        [],
    )


_STRINGS = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
_LEAVES = st.none() | st.booleans() | st.integers(-9, 999) | _STRINGS
_BODIES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_STRINGS, inner, max_size=3),
    max_leaves=8,
)


@given(_BODIES)
def test_what_the_inputs_show_changes_nothing(body: Any):
    text = jsontext.pretty({"status": 200, "body": body})
    # A text area's lines end as the form's do.
    posted = {
        name: typed.replace("\r\n", "\n") for name, typed in inputs(expectation_cards.of(text, DRAFT)).items()
    }
    assert expectation_cards.typed(text, posted) == (text, [])


# --- adding and removing ---


def test_an_event_is_added_as_it_is_documented():
    assert json.loads(expectation_cards.add("", DRAFT, "/body/events")) == {"body": DRAFT.examples.response}
    text = expectation_cards.add(TEXT, DRAFT, "/body/events")
    assert json.loads(text)["body"]["events"][2] == DRAFT.examples.response["events"][0]
    assert text.startswith(TEXT[: TEXT.index('    {"error_code": "ERR2"')])
    text = expectation_cards.add(TEXT, DRAFT, "/body/events/1/associations")
    assert json.loads(text)["body"]["events"][1]["associations"][1] == {"type": "sku", "identity": "S1234"}
    assert json.loads(expectation_cards.add('{"body": {"n": [7]}}', DRAFT, "/body/n"))["body"]["n"] == [7, 7]
    assert json.loads(expectation_cards.begin("", "/body/events")) == {"body": {"events": []}}


def test_a_field_is_added_with_its_documented_value():
    text = expectation_cards.member(TEXT, DRAFT, "/body/events/0", "status")
    assert json.loads(text)["body"]["events"][0]["status"] == "error"
    text = expectation_cards.member(TEXT, DRAFT, "/body/events/0", "a/b~c")
    assert json.loads(text)["body"]["events"][0]["a/b~c"] == ""
    assert json.loads(expectation_cards.member("", DRAFT, "/headers", "X-Id")) == {"headers": {"X-Id": ""}}


def test_rules_of_later_items_follow_them():
    rules = {
        "/events/0/a": "any", "/events/1/a": "any", "/events/1": "ignore", "/events/2/a": "ignore",
        "/events/10/b": "any", "/events/*/a": "any", "/other/2": "any", "": "any",
    }  # fmt: skip
    text = json.dumps({"body": {"events": [{}, {}, {}]}, "rules": rules})
    made = json.loads(expectation_cards.remove(text, "/body/events/1"))
    assert made["body"] == {"events": [{}, {}]}
    assert made["rules"] == {
        "/events/0/a": "any", "/events/1/a": "ignore", "/events/9/b": "any", "/events/*/a": "any",
        "/other/2": "any", "": "any",
    }  # fmt: skip


def test_a_field_goes_with_its_own_rule_and_leaves_nothing_empty():
    text = expectation_cards.remove(TEXT, "/body/events/1/associations")
    assert "/events/1/associations" not in json.loads(text)["rules"]
    text = '{"headers": {"X": "y"}, "body": {"a": 1}, "rules": {"/a": "any"}}'
    assert json.loads(expectation_cards.remove(text, "/body/a")) == {"headers": {"X": "y"}, "body": {}}
    assert "headers" not in json.loads(expectation_cards.remove(text, "/headers/X"))
    assert json.loads(expectation_cards.remove(text, "/body")) == {"headers": {"X": "y"}}


@given(st.integers(2, 5), st.data())
def test_a_removed_item_changes_what_no_other_item_may_be(length: int, data: st.DataObject):
    """Each rule stays with the item that it was for."""
    ruled = data.draw(st.sets(st.integers(0, length - 1)))
    gone = data.draw(st.integers(0, length - 1))
    body = {"list": [{"n": number} for number in range(length)]}
    text = json.dumps({"body": body, "rules": {f"/list/{each}/n": {"one_of": [each]} for each in ruled}})
    made = json.loads(expectation_cards.remove(text, f"/body/list/{gone}"))
    for path, rule in made.get("rules", {}).items():
        at = int(path.split("/")[2])
        assert made["body"]["list"][at]["n"] == rule["one_of"][0]
    assert len(made.get("rules", {})) == len(ruled - {gone})


# --- rules ---


def test_a_rule_is_put_and_taken_off_and_the_text_is_as_it_was():
    ruled = expectation_cards.rule(TEXT, "/events/0/count", {"range": [1, None]})
    assert json.loads(ruled)["rules"]["/events/0/count"] == {"range": [1, None]}
    assert expectation_cards.unrule(ruled, "/events/0/count") == TEXT
    text = '{"body": {"a": 1}}'
    assert json.loads(
        expectation_cards.unrule(expectation_cards.rule(text, "/a", "any"), "/a")
    ) == json.loads(text)
    header = expectation_cards.rule(TEXT, "/headers/Content-Type", {"regex": "^application/"})
    assert json.loads(header)["headers"]["Content-Type"] == {"regex": "^application/"}


# --- from an answer ---


def test_an_answer_takes_the_body_and_leaves_rules_and_limits():
    body: Json = {"events": [{"error_code": "ERR9", "note": "costs ${x}"}]}
    made = expectation_cards.answered(TEXT, Expectation(status=409, body=body))
    assert '"max_ms":   1500.50,' in made
    document = json.loads(made)
    assert (document["status"], document["rules"]) == (409, json.loads(TEXT)["rules"])
    assert document["body"] == {"events": [{"error_code": "ERR9", "note": "costs $${x}"}]}


@pytest.mark.parametrize("status", ['"4xx"', '[200, "4xx"]', "[200, 409]"])
def test_a_status_that_accepts_an_answer_stays(status: str):
    made = expectation_cards.answered(f'{{"status": {status}}}', Expectation(status=409, body=1))
    assert f'"status": {status}' in made
    assert json.loads(expectation_cards.answered(made, Expectation(status=500, body=1)))["status"] == 500


def test_what_was_redacted_in_an_answer_may_be_anything():
    made = expectation_cards.answered(
        "", Expectation(status=200, body={"a": [{"token": Mark("«redacted:token»", "token")}]})
    )
    assert json.loads(made)["body"] == {"a": [{"token": None}]}
    assert json.loads(made)["rules"] == {"/a/0/token": "any"}
    assert compile_rules(json.loads(made)["rules"])


def test_a_fault_takes_the_place_of_a_body_and_a_body_that_of_a_fault():
    made = expectation_cards.answered(TEXT, Expectation(fault="refused"))
    assert {"status", "body"}.isdisjoint(json.loads(made))
    assert json.loads(made)["fault"] == "refused"
    back = json.loads(expectation_cards.answered(made, Expectation(status=200, body=UNSET)))
    assert "fault" not in back
    assert back["status"] == 200


@pytest.mark.parametrize("broken", ["{", "[1]", "  "])
def test_an_answer_takes_the_place_of_what_is_no_expectation(broken: str):
    made = expectation_cards.answered(broken, Expectation(status=200, body={"events": []}))
    assert json.loads(made) == {"status": 200, "body": {"events": []}}
