"""ruling.py: a rule at one place, its edit of the expectation's text, and how many answers would pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.accepting import ruling
from retailops_sandbox.accepting.ruling import EXACTLY, RuleChoice
from retailops_sandbox.comparing import Judge, compare
from retailops_sandbox.comparing.matchers import RuleError
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Mark, Request, Response
from retailops_sandbox.scenarios import scenario
from tests.support.records import some_delivery

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
AT = "/events/0/error_message"
WIDE = "/events/*/error_message"
EXPECTED = {"events": [{"error_code": "ERR1409", "error_message": "Order 4897 has shipped"}]}
ACTUAL = {"events": [{"error_code": "ERR1409", "error_message": "Order 4898 has shipped"}]}
TEXT = """\
{
  "status": 200,   "max_ms":2000,
  "body": {"events": [
     {"error_code": "ERR1409", "error_message": "Order 4897 has shipped"}]}
}
"""


def placed(at: str = AT, actual_at: str | None = AT, expected: Any = EXPECTED, actual: Any = ACTUAL):
    return ruling.place_at(expected, actual, at, actual_at, DRAFT.arrays)


def judged(text: str, actual: Any = ACTUAL) -> int:
    """How many differences an answer has from the expectation of a text."""
    found = scenario.expectation(text)
    return len(compare(found.body, actual, compile_rules(found.rules), DRAFT.arrays).differences)


# --- What is offered ----------------------------------------------------------------------------------


def test_a_text_can_be_any_text_a_pattern_one_of_both_or_ignored():
    place = placed()
    assert place.choices == (EXACTLY, "type", "regex", "one_of", "ignore")
    assert (place.at, place.wide) == (AT, WIDE)
    assert [ruling.words(place, each) for each in place.choices[:2]] == ["exactly this", "any text"]


def test_the_proposed_pattern_takes_what_varies_for_varying():
    assert placed().regex == "^Order [0-9]+ has shipped$"


def test_a_value_of_a_known_format_offers_that():
    place = placed("/at", "/at", {"at": "x"}, {"at": "2024-01-01T00:00:00Z"})
    assert "datetime" in place.choices


def test_a_value_that_did_not_come_is_ignored_or_not_expected():
    place = placed("/a", None, {"a": 1}, {})
    assert place.choices == (EXACTLY, "ignore")
    assert ruling.words(place, EXACTLY) == "not there"


def test_what_is_struck_out_can_only_be_ignored():
    place = placed("/a", "/a", {"a": "x"}, {"a": Mark("[redacted]", "token")})
    assert place.choices == ("ignore",)


def test_nothing_is_offered_for_an_item_that_only_one_side_has():
    assert placed("/a/0", None, {"a": [1]}, {"a": []}).choices == ()


def test_a_pointer_that_leads_nowhere_is_refused():
    with pytest.raises(pointer.PointerError):
        placed("/gone", None)
    with pytest.raises(pointer.PointerError):
        placed(AT, "/gone")


# --- What is written ----------------------------------------------------------------------------------


def test_a_rule_for_all_events_changes_no_other_byte():
    text = ruling.with_choice(TEXT, placed(), RuleChoice("type", everywhere=True), is_template=True)
    assert scenario.expectation(text).rules == {WIDE: {"type": "string"}}
    assert text.startswith(TEXT.rstrip().removesuffix("}").rstrip())
    assert judged(text) == 0


def test_the_exact_value_takes_the_place_of_the_expected_one():
    text = ruling.with_choice(TEXT, placed(), RuleChoice(EXACTLY), is_template=True)
    assert text == TEXT.replace("4897", "4898")


def test_the_exact_value_holds_against_a_rule_for_all_events():
    wide = ruling.with_choice(TEXT, placed(), RuleChoice("type", everywhere=True), is_template=True)
    exact = ruling.with_choice(wide, placed(), RuleChoice(EXACTLY), is_template=True)
    assert judged(exact) == 0
    assert judged(exact, {"events": [{"error_code": "ERR1409", "error_message": "Anything"}]}) == 1


def test_a_rule_for_all_events_takes_the_place_of_the_one_here():
    here = ruling.with_choice(TEXT, placed(), RuleChoice("ignore"), is_template=True)
    wide = ruling.with_choice(here, placed(), RuleChoice("type", everywhere=True), is_template=True)
    assert scenario.expectation(wide).rules == {WIDE: {"type": "string"}}


def test_one_of_grows_with_each_answer():
    once = ruling.with_choice(TEXT, placed(), RuleChoice("one_of"), is_template=True)
    third = {"events": [{"error_code": "ERR1409", "error_message": "A third"}]}
    twice = ruling.with_choice(once, placed(actual=third), RuleChoice("one_of"), is_template=True)
    assert scenario.expectation(twice).rules[AT] == {
        "one_of": ["Order 4897 has shipped", "Order 4898 has shipped", "A third"]
    }


def test_what_looks_like_a_placeholder_is_no_reference_in_a_file():
    place = placed("/a", "/a", {"a": "x"}, {"a": "${env:HOME}"})
    text = ruling.with_choice('{"body": {"a": "x"}}', place, RuleChoice(EXACTLY), is_template=True)
    assert jsontext.parse(text) == {"body": {"a": "$${env:HOME}"}}
    text = ruling.with_choice('{"body": {"a": "x"}}', place, RuleChoice(EXACTLY), is_template=False)
    assert jsontext.parse(text) == {"body": {"a": "${env:HOME}"}}


def test_a_pattern_that_cannot_be_used_is_refused():
    with pytest.raises(RuleError):
        ruling.with_choice(TEXT, placed(), RuleChoice("regex", "("), is_template=True)


def test_a_value_that_came_and_was_not_expected_is_expected():
    place = placed("/a", "/a", {}, {"a": 1})
    text = ruling.with_choice('{"body": {}}', place, RuleChoice(EXACTLY), is_template=True)
    assert jsontext.parse(text) == {"body": {"a": 1}}


def test_a_value_that_did_not_come_is_not_expected():
    place = placed("/a", None, {"a": 1, "b": 2}, {"b": 2})
    text = ruling.with_choice('{"body": {"a": 1, "b": 2}}', place, RuleChoice(EXACTLY), is_template=True)
    assert jsontext.parse(text) == {"body": {"b": 2}}


def test_an_event_is_expected_with_rules_for_what_in_it_is_volatile():
    event = {"error_code": "NEW", "at": 1795677403570, "error_message": "x"}
    text = ruling.expecting(TEXT, "/events", event, sent=(), sets=DRAFT.arrays, is_template=True)
    found = scenario.expectation(text)
    assert found.body["events"][1] == event
    assert found.rules == {"/events/1/at": {"type": "integer"}}
    later = {"events": [*EXPECTED["events"], {**event, "at": 1795677409999}]}
    assert judged(text, later) == 0


def test_events_of_a_kind_are_ignored_and_further_kinds_join_them():
    event = {"error_code": "WARN1", "error_message": "x"}
    kind = ruling.kind_of(event, "/events", DRAFT.arrays)
    assert kind == {"error_code": "WARN1"}
    text = ruling.ignoring(TEXT, "/events", kind, is_template=True)
    text = ruling.ignoring(text, "/events", {"error_code": "WARN2"}, is_template=True)
    text = ruling.ignoring(text, "/events", {"error_code": "WARN2"}, is_template=True)
    assert scenario.expectation(text).rules == {
        "/events": {"besides": {"error_code": {"one_of": ["WARN1", "WARN2"]}}}
    }
    others = [{"error_code": f"WARN{number}"} for number in range(1, 4)]
    assert judged(text, {"events": [*EXPECTED["events"], *others]}) == 1


def test_what_an_item_of_a_kind_is_comes_from_the_contract():
    assert ruling.kind_of({"type": "sku", "identity": "S1"}, "/events/0/associations", DRAFT.arrays) == {
        "type": "sku",
        "identity": "S1",
    }
    assert ruling.kind_of({"a": 1}, "/others", DRAFT.arrays) == {}
    assert ruling.kind_of("text", "/events", DRAFT.arrays) == {}


def test_another_rule_for_the_array_is_not_replaced():
    text = TEXT.replace('"max_ms":2000', '"rules": {"/events": "ordered"}')
    with pytest.raises(RuleError):
        ruling.ignoring(text, "/events", {"error_code": "A"}, is_template=True)


values = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text("ab 1${", max_size=8))


@given(values, values, st.booleans())
def test_every_choice_accepts_the_answer_it_was_made_for(expected: Any, came: Any, everywhere: bool):
    bodies = {"events": [{"error_code": "E", "m": expected}]}, {"events": [{"error_code": "E", "m": came}]}
    place = placed("/events/0/m", "/events/0/m", *bodies)
    text = json.dumps({"body": bodies[0]})
    for word in place.choices:
        choice = RuleChoice(word, place.regex, everywhere)
        made = ruling.with_choice(text, place, choice, is_template=False)
        assert judged(made, bodies[1]) == 0, (word, made)


texts = st.text("ab 1$-", max_size=8)


@given(texts, texts)
def test_the_proposed_pattern_accepts_both_texts(expected: str, came: str):
    place = placed("/m", "/m", {"m": expected}, {"m": came})
    rule = compile_rules({"/m": {"regex": place.regex}})
    assert not compare({"m": expected}, {"m": came}, rule).differences


# --- The preview --------------------------------------------------------------------------------------


def answers(*messages: str):
    for message in messages:
        body = {"events": [{"error_code": "ERR1409", "error_message": message}]}
        yield some_delivery(
            sent_at="2024-01-01T00:00:00Z",
            receiver="mine",
            request=Request(method="POST", url="http://127.0.0.1/", headers=()),
            response=Response(status=200, body=json.dumps(body)),
        )


def test_a_preview_says_how_many_of_the_last_answers_would_pass():
    text = ruling.with_choice(
        TEXT, placed(), RuleChoice("regex", "^Order [0-9]+ has shipped$", True), is_template=False
    )
    last = answers("Order 1 has shipped", "Order 23 has shipped", "No")
    found = ruling.preview(Judge(DRAFT), scenario.expectation(text), last, {AT, WIDE}, has_time=lambda: True)
    assert (found.passed, found.fitting, found.judged) == (2, 2, 3)
    assert found.words == "2 of the last 3 answers would pass"


def test_a_preview_tells_answers_that_differ_elsewhere_alone():
    text = ruling.with_choice(TEXT, placed(), RuleChoice("ignore", everywhere=True), is_template=False)
    text = text.replace('"status": 200', '"status": 201')
    found = ruling.preview(
        Judge(DRAFT), scenario.expectation(text), answers("a", "b"), {AT, WIDE}, has_time=lambda: True
    )
    assert found.words == "0 of the last 2 answers would pass, and 2 differ elsewhere alone"


def test_a_preview_without_time_tries_one_and_says_how_many_it_left_out():
    found = ruling.preview(
        Judge(DRAFT), scenario.expectation(TEXT), answers("a", "b", "c"), {AT}, has_time=lambda: False
    )
    assert (found.passed, found.judged, found.left_out) == (0, 1, 2)


def test_nothing_at_a_place_is_no_value():
    assert placed("/a", "/a", {}, {"a": 1}).expected is UNSET
