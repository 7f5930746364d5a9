"""Accepting differences: what comes of the file, and that the same answer then passes."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retailops_sandbox import accepting, comparing, composing, jsontext, redaction
from retailops_sandbox.accepting import ACCEPT, KEEP, Decision, JudgedExpectation
from retailops_sandbox.contracts.contract import AnswerCheck
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Exchange,
    Expectation,
    Fault,
    HttpRequest,
    HttpResponse,
    Judgement,
    Number,
    Request,
    Response,
    Timings,
)
from retailops_sandbox.redaction import Secrets
from retailops_sandbox.scenarios import scenario
from tests.support.records import some_delivery

SETS = {"/events": ("error_code",), "/events/*/associations": ("type", "identity")}

# --- What is accepted ---------------------------------------------------------------------------------

leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["", "a", "b", "/~", "${a", "$${b}", "«redacted:token»"]),
    st.sampled_from(["1.0", "0.50", "2e0"]).map(Number),
)
keys = st.sampled_from(["a", "b", "c", "~/", "0"])
documents = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)
associations = st.fixed_dictionaries(
    {"type": st.sampled_from(["sku", "order"])}, optional={"identity": st.sampled_from(["S1", "S2"])}
)
events = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["error", "warning"]),
        "error_code": st.sampled_from(["E1", "E2", "F3"]),
        "error_message": st.sampled_from(["m", "n", 1]),
        "diagnostic_data": st.lists(leaf, max_size=3),
        "associations": st.lists(associations, max_size=3),
    },
)
answers = st.lists(events, max_size=5).map(lambda found: {"events": found})
rulings = st.dictionaries(
    st.sampled_from(
        [
            "/events/*/diagnostic_data",
            "/events/*/diagnostic_data/0",
            "/events/*/error_code",
            "/events/*/error_message",
            "/events/*/associations",
            "/events/*/associations/*/identity",
            "/events/0/error_code",
            "/events/1/status",
            "/events/1",
            "/events",
            "/events/*",
            "/a",
            "/a/b",
        ]
    ),
    st.sampled_from(
        [
            "ignore",
            "any",
            "ordered",
            "unordered",
            {"regex": "^E"},
            {"type": "string"},
            {"type": "array"},
            {"extra": "allow"},
        ]
    ),
    max_size=4,
)
layouts = st.sampled_from([None, 2, "\t"])


def scenario_text(expect: Any, *, indent: int | str | None = 2, **fields: Any) -> str:
    document = {"steps": [{"name": "other", "fixture": "default"}, {"name": "cancel", "fixture": "default"}]}
    document["steps"][1] |= {"expect": expect, **fields}
    if indent is None:
        return jsontext.compact(document).decode()
    return (
        msgspec.json.format(jsontext.compact(document), indent=2)
        .decode()
        .replace("  ", indent * " " if isinstance(indent, int) else indent)
    )


def literal(value: Any) -> Any:
    """A value as a file spells it."""
    return composing.escaped(value)


def delivery(
    body: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = (), **fields: Any
) -> Delivery:
    text = body if isinstance(body, str) else jsontext.compact(body).decode()
    given: dict[str, Any] = {
        "step": "cancel",
        "response": Response(status=status, headers=headers, body=text),
        "struck_out": (),
    }
    return some_delivery(**given | fields)


class Anything:
    """A contract that nothing but a status breaks."""

    path = ""
    auth = None
    ok_statuses = (200,)
    arrays = SETS

    def check_answer(self, value: Any) -> AnswerCheck:
        return AnswerCheck((), {})


def judged(sent: Delivery, expectation: Expectation) -> Judgement:
    judge = comparing.Judge(Anything())
    found = judge(redaction.listing.answer(sent), expectation, at="2026-01-01T00:00:00Z")
    return msgspec.structs.replace(found, struck_out=())


def case(sent: Delivery, expectation: Expectation, place: str = "/steps/1/expect") -> JudgedExpectation:
    return JudgedExpectation(place=place, delivery=sent, judgement=judged(sent, expectation), sets=SETS)


def case_of_secrets(
    body: Any, expectation: Expectation, secrets: dict[str, str], **fields: Any
) -> JudgedExpectation:
    """A case of an answer with secrets: judged as it was, then redacted, as the engine does it."""
    real = delivery(body, **fields)
    response = real.response
    assert response is not None
    exchange = Exchange(
        (), HttpResponse(response.status, "1.1", response.headers, response.body.encode()), None, Timings()
    )
    kept = redaction.exchange(HttpRequest("POST", "http://a/", (), b""), exchange, Secrets(secrets))
    found = judged(real, expectation)
    sent = msgspec.structs.replace(real, response=kept.response, struck_out=kept.struck_out)
    judgement = redaction.judgement(found, sent, kept.secrets)
    return JudgedExpectation(place="/steps/1/expect", delivery=sent, judgement=judgement, sets=SETS)


def expected_in(text: str) -> Expectation:
    """The expectation of a file whose placeholders are all literals."""
    found = scenario.read(text, id="", file="").scenario.steps[1].expect
    assert isinstance(found, Expectation)
    return msgspec.structs.replace(
        found,
        **{
            part: unescaped(getattr(found, part))
            for part in ("body", "rules", "headers")
            if getattr(found, part) is not msgspec.UNSET
        },
    )


def unescaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$${", "${")
    if isinstance(value, dict):
        return {name: unescaped(member) for name, member in value.items()}
    return [unescaped(item) for item in value] if isinstance(value, list) else value


def accepted(text: str, one: JudgedExpectation, *decisions: Decision, otherwise: Decision = KEEP) -> str:
    """The text after these decisions on the differences, in their order."""
    named = {
        accepting.key(each): decision
        for each, decision in zip(one.judgement.differences, decisions, strict=False)
    }
    return accepting.accept(text, one, named, otherwise).text


# --- Properties ---------------------------------------------------------------------------------------


@given(documents | answers, documents | answers, rulings, layouts)
@example(
    {
        "events": [
            {"associations": [{"type": "order", "identity": "S1"}, {"type": "order", "identity": "S1"}]}
        ]
    },
    {"events": [{"associations": [{"type": "order"}, {"type": "order", "identity": "S1"}]}]},
    {"/events/*/associations": "ordered", "/events/*/associations/*/identity": "ignore"},
    None,
)
@example(
    {"events": [{"status": "error", "diagnostic_data": [None, None]}]},
    {"events": [{"status": "error", "diagnostic_data": [None]}]},
    {"/events/*/diagnostic_data/0": {"regex": "^E"}},
    2,
)
def test_an_answer_passes_by_the_expectation_that_accepted_it(expected, actual, rules, indent):
    expectation = Expectation(body=expected, rules=rules)
    text = scenario_text({"body": literal(expected), "rules": rules}, indent=indent)
    one = case(delivery(jsontext.compact(actual).decode()), expectation)
    made = accepting.accept(text, one, {}, ACCEPT)
    assert judged(one.delivery, made.expectation).differences == ()
    assert judged(one.delivery, expected_in(made.text)).differences == ()


@given(answers, answers, rulings, st.data())
def test_what_is_kept_still_differs_and_what_is_accepted_does_not(expected, actual, rules, data):
    one = case(delivery(actual), Expectation(body=expected, rules=rules))
    words = data.draw(
        st.lists(
            st.sampled_from([ACCEPT, KEEP]),
            min_size=len(one.judgement.differences),
            max_size=len(one.judgement.differences),
        )
    )
    text = scenario_text({"body": literal(expected), "rules": rules})
    named = {accepting.key(each): word for each, word in zip(one.judgement.differences, words, strict=True)}
    made = accepting.accept(text, one, named)
    if ACCEPT not in words:
        assert made.text == text
    if KEEP not in words:
        assert judged(one.delivery, made.expectation).differences == ()


@given(answers, answers, rulings)
def test_a_difference_made_a_rule_does_not_differ_any_more(expected, actual, rules):
    one = case(delivery(actual), Expectation(body=expected, rules=rules))
    decided = {}
    for each in one.judgement.differences:
        ways = accepting.decision_options(each, tuple(SETS))
        decided[accepting.key(each)] = Decision("rule", "ignore") if ways.rules else ACCEPT
    made = accepting.accept(scenario_text({"body": literal(expected), "rules": rules}), one, decided)
    assert judged(one.delivery, made.expectation).differences == ()


@given(st.text(max_size=30), st.text(max_size=30))
@example("ERR1404", "ERR1409")
@example("order 12 of S-1", "order 1312 of S-2")
@example("a b", "a (b")
def test_the_proposed_regex_accepts_both_texts(expected, actual):
    pattern = accepting.proposed_regex(expected, actual)
    told = accepting.preview_regex(pattern, Difference(kind="changed", expected=expected, actual=actual))
    assert (told.problem, told.actual) == ("", True)
    if expected == actual:
        assert told.expected


@pytest.mark.parametrize(
    ("expected", "actual", "pattern"),
    [
        ("ERR1404", "ERR1409", "^ERR[0-9]{4}$"),
        ("ERR9", "ERR1409", "^ERR[0-9]+$"),
        ("Order 4912 is gone", "Order 5 is gone", "^Order [0-9]+ is gone$"),
        ("open", "closed", r"^\w+$"),
        ("", "at 2026-01-02 by ab12cd34", "^at [0-9]{4}-[0-9]{2}-[0-9]{2} by [0-9a-f]{8}$"),
        (None, "A.1", r"^A\.[0-9]$"),
        (1, "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
        ("x", 1, ""),
    ],
)
def test_a_regex_is_proposed_that_a_person_would_write(expected: Any, actual: Any, pattern: str):
    assert accepting.proposed_regex(expected, actual) == pattern


# --- The text of the file -----------------------------------------------------------------------------

FILE = """\
{
    "name": "Cancel",   "tags": ["smoke"],
    "variables": {"order_id": "4897"},
    "steps": [
        {"name": "other", "fixture": "default"},
        {
            "name": "cancel",
            "fixture": "default",
            "expect": {
                "status": 200,
                "body": {
                    "total": 35.00,
                    "events": [
                        {"error_code": "ERR1", "order": "${order_id}", "tries": 1e1},
                        {"error_code": "ERR2", "order": "${order_id}"}
                    ]
                },
                "rules": {
                    "/events/0/tries": "any",
                    "/events/1/order": {"regex": "^4"},
                    "/events/*/message": "ignore"
                }
            }
        }
    ]
}
"""
FILLED: dict[str, Any] = {
    "total": Number("35.00"),
    "events": [
        {"error_code": "ERR1", "order": "4897", "tries": Number("1e1")},
        {"error_code": "ERR2", "order": "4897"},
    ],
}


def case_of_file(actual: Any, **fields: Any) -> JudgedExpectation:
    plan = scenario.read(FILE, id="", file="")
    expect = plan.scenario.steps[1].expect
    assert isinstance(expect, Expectation)
    sent = delivery(actual, **fields)
    return case(sent, msgspec.structs.replace(expect, body=FILLED), accepting.place(plan, sent))


def changed_lines(text: str, before: str = FILE) -> list[str]:
    from difflib import ndiff

    found = ndiff(before.splitlines(), text.splitlines())
    return [line[0] + line[1:].strip() for line in found if line[0] in "+-"]


def test_only_the_changed_line_changes():
    actual = deepcopy(FILLED)
    actual["events"][0]["error_code"] = "ERR9"
    text = accepted(FILE, case_of_file(actual), ACCEPT)
    assert changed_lines(text) == [
        '-{"error_code": "ERR1", "order": "${order_id}", "tries": 1e1},',
        '+{"error_code": "ERR9", "order": "${order_id}", "tries": 1e1},',
    ]


def test_a_number_is_written_as_the_receiver_spelled_it():
    actual = deepcopy(FILLED) | {"total": Number("35.10")}
    text = accepted(FILE, case_of_file(actual), ACCEPT)
    assert changed_lines(text) == ['-"total": 35.00,', '+"total": 35.10,']


def test_a_placeholder_gives_way_only_where_what_it_stood_for_differs():
    actual = deepcopy(FILLED)
    actual["events"][0]["order"] = "4898"
    text = accepted(FILE, case_of_file(actual), ACCEPT)
    assert changed_lines(text) == [
        '-{"error_code": "ERR1", "order": "${order_id}", "tries": 1e1},',
        '+{"error_code": "ERR1", "order": "4898", "tries": 1e1},',
    ]


def test_what_looks_like_a_placeholder_is_written_as_a_literal():
    actual = deepcopy(FILLED)
    actual["events"][0]["error_code"] = "${uuid}"
    assert '"error_code": "$${uuid}"' in accepted(FILE, case_of_file(actual), ACCEPT)


def test_an_event_comes_where_it_came_and_the_rules_of_the_others_follow_them():
    actual = deepcopy(FILLED)
    actual["events"].insert(0, {"error_code": "ERR0", "order": "1"})
    one = case_of_file(actual)
    assert [each.kind for each in one.judgement.differences] == ["unexpected"]
    text = accepted(FILE, one, ACCEPT)
    assert changed_lines(text) == [
        '+{"error_code": "ERR0", "order": "1"},',
        '-"/events/0/tries": "any",',
        '+"/events/1/tries": "any",',
        '-"/events/1/order": {"regex": "^4"},',
        '+"/events/2/order": {"regex": "^4"},',
    ]


def test_an_event_that_did_not_come_goes_with_its_rules():
    one = case_of_file(FILLED | {"events": FILLED["events"][1:]})
    text = accepted(FILE, one, ACCEPT)
    assert '"ERR1"' not in text
    assert "/events/0/tries" not in text
    assert '"/events/0/order": {"regex": "^4"}' in text


def test_the_order_of_events_stays_where_order_does_not_matter():
    events = FILLED["events"]
    actual = FILLED | {"events": [{"error_code": "ERR9"}, events[1], events[0]]}
    found = json.loads(accepted(FILE, case_of_file(actual), ACCEPT))
    codes = [each["error_code"] for each in found["steps"][1]["expect"]["body"]["events"]]
    assert [code for code in codes if code != "ERR9"] == ["ERR1", "ERR2"]


def test_a_rule_that_refuses_gives_way_at_its_place_alone():
    body = {"events": [{"error_code": "ERR1"}, {"error_code": "ERR2"}]}
    rules = {"/events/*/error_code": {"regex": "^ERR"}}
    actual = {"events": [{"error_code": "ERR1"}, {"error_code": "FAIL"}]}
    one = case(delivery(actual), Expectation(body=body, rules=rules))
    found = json.loads(accepted(scenario_text({"body": body, "rules": rules}), one, otherwise=ACCEPT))
    assert found["steps"][1]["expect"]["rules"] == {
        "/events/*/error_code": {"regex": "^ERR"},
        "/events/1/error_code": {"one_of": ["FAIL"]},
    }


def test_a_rule_for_this_place_alone_is_replaced_by_the_value():
    body, rules = {"code": "ERR1"}, {"/code": {"regex": "^ERR"}}
    one = case(delivery({"code": "FAIL"}), Expectation(body=body, rules=rules))
    found = json.loads(accepted(scenario_text({"body": body, "rules": rules}), one, ACCEPT))
    assert found["steps"][1]["expect"] == {"body": {"code": "FAIL"}}


def test_a_rule_is_made_for_all_events_or_for_this_one():
    body = {"events": [{"error_code": "ERR1", "message": "a"}]}
    one = case(delivery({"events": [{"error_code": "ERR1", "message": "b"}]}), Expectation(body=body))
    text = scenario_text({"body": body})
    for everywhere, path in [(True, "/events/*/message"), (False, "/events/0/message")]:
        decision = Decision("rule", {"regex": "^[ab]$"}, everywhere)
        found = json.loads(accepted(text, one, decision))["steps"][1]["expect"]
        assert found == {"body": body, "rules": {path: {"regex": "^[ab]$"}}}
    ways = accepting.decision_options(one.judgement.differences[0], tuple(SETS))
    assert (ways.path, ways.wide) == ("/events/0/message", "/events/*/message")


def test_a_regex_with_what_looks_like_a_placeholder_is_spelled_so_that_it_is_none():
    one = case(delivery({"a": "x"}), Expectation(body={"a": "y"}))
    text = accepted(scenario_text({"body": {"a": "y"}}), one, Decision("rule", {"regex": "[${]x|x"}))
    assert '{"regex": "[$${]x|x"}' in " ".join(text.split()).replace("{ ", "{").replace(" }", "}")


def test_what_was_redacted_becomes_a_rule_and_is_never_written():
    body = {"token": "old", "events": []}
    actual = {"token": "the-new-token", "events": [{"error_code": "E", "cookie": "the-new-cookie"}]}
    one = case_of_secrets(
        actual, Expectation(body=body), {"TOKEN": "the-new-token", "Cookie": "the-new-cookie"}
    )
    assert "the-new" not in repr((one.delivery, one.judgement))
    text = accepted(scenario_text({"body": body}), one, otherwise=ACCEPT)
    assert "redacted" not in text
    assert json.loads(text)["steps"][1]["expect"] == {
        "body": {"token": "old", "events": [{"error_code": "E", "cookie": None}]},
        "rules": {"/token": "any", "/events/0/cookie": "any"},
    }


def test_a_secret_that_the_file_refers_to_stays_a_reference():
    text = scenario_text({"body": {"token": "${env:TOKEN}", "a": 1}})
    one = case_of_secrets(
        {"token": "the-token", "a": 2},
        Expectation(body={"token": "the-token", "a": 1}),
        {"TOKEN": "the-token"},
    )
    assert json.loads(accepted(text, one, ACCEPT))["steps"][1]["expect"] == {
        "body": {"token": "${env:TOKEN}", "a": 2}
    }


def test_a_placeholder_for_a_whole_table_stays_or_goes_as_a_whole():
    text = scenario_text({"body": {"shop": "${shop}", "a": 1}})
    expectation = Expectation(body={"shop": {"id": 1, "name": "x"}, "a": 1})
    same_shop = case(delivery({"shop": {"id": 1, "name": "x"}, "a": 2}), expectation)
    assert json.loads(accepted(text, same_shop, ACCEPT))["steps"][1]["expect"]["body"]["shop"] == "${shop}"
    other_shop = case(delivery({"shop": {"id": 2, "name": "x"}, "a": 1}), expectation)
    found = json.loads(accepted(text, other_shop, ACCEPT))["steps"][1]["expect"]["body"]["shop"]
    assert found == {"id": 2, "name": "x"}


# --- What is not the body -----------------------------------------------------------------------------


def test_a_status_is_accepted():
    text = scenario_text({"status": [400, 422]})
    one = case(delivery("", status=409), Expectation(status=[400, 422]))
    assert json.loads(accepted(text, one, ACCEPT))["steps"][1]["expect"] == {"status": 409}


@pytest.mark.parametrize(
    ("status", "written"),
    [("2xx", "2xx"), ([404, "2xx"], [404, "2xx"]), ([200, 202], [200, 202]), ("4xx", 200), (404, 200)],
)
def test_a_status_that_accepts_the_answer_stays_as_it_is_written(status: Any, written: Any):
    differing = case(delivery({"events": [1]}), Expectation(status=status, body={"events": []}))
    text = scenario_text({"status": status, "body": {"events": []}})
    found = json.loads(accepted(text, differing, otherwise=ACCEPT))["steps"][1]["expect"]
    assert found == {"status": written, "body": {"events": [1]}}
    # The same where the answer comes instead of a fault, and so is accepted as a whole.
    answered = case(delivery({"events": [1]}), Expectation(status=status, fault="refused"))
    text = scenario_text({"status": status, "fault": "refused"})
    found = json.loads(accepted(text, answered, otherwise=ACCEPT))["steps"][1]["expect"]
    assert found == {"status": written, "body": {"events": [1]}}


@pytest.mark.parametrize(
    ("rule", "sent", "written"),
    [
        ("a", [("X-Shop", "b")], {"x-shop": "b"}),
        ({"regex": "^a"}, [("X-Shop", "b")], {"x-shop": "b"}),
        ("a", [], None),
        ("a", [("X-Shop", "uuid")], {"x-shop": {"one_of": ["uuid"]}}),
        ("a", [("X-Shop", "${b")], {"x-shop": "$${b"}),
    ],
)
def test_a_header_is_accepted(rule: Any, sent: Any, written: Any):
    expect = {"headers": {"x-shop": rule}}
    answer = delivery({"events": []}, headers=tuple(sent))
    one = case(answer, Expectation(headers=expect["headers"]))
    made = accepting.accept(scenario_text(expect), one, {}, ACCEPT)
    found = json.loads(made.text)["steps"][1]["expect"]
    assert found == ({} if written is None else {"headers": written})
    assert judged(answer, made.expectation).verdict == "passed"
    assert judged(answer, expected_in(made.text)).verdict == "passed"


def test_a_header_that_was_redacted_may_be_anything():
    expect = {"headers": {"x-shop": "a"}}
    one = case_of_secrets(
        {}, Expectation(headers={"x-shop": "a"}), {"SHOP": "the-secret"}, headers=(("X-Shop", "the-secret"),)
    )
    text = accepted(scenario_text(expect), one, ACCEPT)
    assert json.loads(text)["steps"][1]["expect"] == {"headers": {"x-shop": "any"}}


def test_a_header_is_made_a_rule():
    one = case(delivery({}, headers=(("Date", "today"),)), Expectation(headers={"date": "then"}))
    text = accepted(scenario_text({"headers": {"date": "then"}}), one, Decision("rule", "any"))
    assert json.loads(text)["steps"][1]["expect"] == {"headers": {"date": "any"}}


@pytest.mark.parametrize(("took", "limit"), [(0.4, 1), (7.2, 8), (1234.5, 1300), (100.0, 100), (99.5, 100)])
def test_a_limit_is_raised_to_a_number_and_not_to_a_measurement(took: float, limit: int):
    sent = delivery({}, timings=Timings(total=took))
    text = accepted(scenario_text({"max_ms": 0.1}), case(sent, Expectation(max_ms=0.1)), ACCEPT)
    assert json.loads(text)["steps"][1]["expect"] == {"max_ms": limit}


def test_an_answer_is_accepted_instead_of_a_fault():
    text = scenario_text({"fault": "refused"})
    answered = case(delivery({"events": [{"a": Number("1.0")}]}), Expectation(fault="refused"))
    made = accepting.accept(text, answered, {}, ACCEPT)
    assert judged(answered.delivery, made.expectation).verdict == "passed"
    assert '"status": 200' in made.text
    assert '"a": 1.0' in made.text


@pytest.mark.parametrize(
    ("sent", "expected", "says"),
    [
        (delivery({"events": []}), Expectation(body={}), ""),
        (delivery({"events": []}), Expectation(fault="refused"), ""),
        (delivery("", response=None, fault=Fault("deadline", "late")), Expectation(fault="deadline"), ""),
        (
            delivery("", response=None, fault=Fault("deadline", "late")),
            Expectation(fault="refused"),
            '"fault": "deadline"',
        ),
        (delivery("", response=None, fault=Fault("cancelled", "")), None, "the fault cancelled is no answer"),
        (delivery({"events": []}, status=500), None, '"status": 500'),
        (delivery({"events": []}, status=500), Expectation(status=200, contract=False), '"status": 500'),
        (delivery({"events": []}, status=500), Expectation(status=500, body={}), ""),
        (delivery({"events": []}, status=404, off_contract=True), Expectation(), ""),
        (delivery("<html>"), None, '"contract": false'),
        (delivery("<html>"), Expectation(body={}, contract=False), "leave body out"),
        (delivery(""), Expectation(body={}, contract=False), "leave body out"),
        (delivery("<html>"), Expectation(contract=False), ""),
    ],
)
def test_what_breaks_the_contract_cannot_be_accepted_and_how_to_expect_it_is_said(
    sent: Delivery, expected: Expectation | None, says: str
):
    judge = comparing.Judge(Anything())
    judgement = judge(redaction.listing.answer(sent), expected, at="")
    found = accepting.objections(sent, judgement)
    assert says in " ".join(found)
    assert bool(found) == bool(says)


# --- Which expectation --------------------------------------------------------------------------------


def test_each_delivery_of_a_list_has_its_own_expectation():
    expects = [{"body": {"a": 1}}, {"body": {"a": 1}}]
    text = scenario_text(expects, deliver={"times": 2, "drop_after_ms": 5})
    sent = delivery({"a": 2}, number=3)
    place = accepting.place(scenario.read(text, id="", file=""), sent)
    assert place == "/steps/1/expect/1"
    made = accepted(text, case(sent, Expectation(body={"a": 1}), place), ACCEPT)
    assert pointer.resolve(json.loads(made), place) == {"body": {"a": 2}}
    assert pointer.resolve(json.loads(made), "/steps/1/expect/0") == {"body": {"a": 1}}


@pytest.mark.parametrize(
    "expect",
    [
        {"body": {"a": 1, "b": 1}},
        {"body": {"a": 3}},
        {"body": {"a": 1}, "status": 200},
        {"body": {"a": 1}, "rules": {"/a": "any"}},
        {"status": 200},
    ],
)
def test_a_file_that_was_changed_since_is_refused(expect: Any):
    one = case(delivery({"a": 2}), Expectation(body={"a": 1}))
    with pytest.raises(accepting.ExpectationChanged, match="changed since"):
        accepting.accept(scenario_text(expect), one, {}, ACCEPT)


def test_a_step_that_is_gone_is_told():
    plan = scenario.read(FILE, id="", file="x.scenario.json")
    with pytest.raises(accepting.ExpectationChanged, match=r"x\.scenario\.json: step 'gone'"):
        accepting.place(plan, delivery({}, step="gone"))


def test_whole_events_can_be_accepted_and_not_made_a_rule():
    one = case(
        delivery({"events": [{"error_code": "E"}], "extra": "2026-01-01T00:00:00Z"}),
        Expectation(body={"events": []}),
    )
    event, extra = (accepting.decision_options(each, tuple(SETS)) for each in one.judgement.differences)
    assert (event.accept, event.rules) == (True, ())
    assert (extra.path, extra.rules) == ("/extra", ("ignore", "type", "datetime", "regex"))


def test_a_member_that_a_rule_for_all_demands_may_be_missing_from_one():
    body = {"events": [{"error_code": "E1", "code": "x"}, {"error_code": "E2", "code": "y", "n": 1}]}
    rules = {"/events/*/code": "any"}
    actual = {"events": [{"error_code": "E1"}, {"error_code": "E2", "code": "y", "n": 2}]}
    one = case(delivery(actual), Expectation(body=body, rules=rules))
    found = json.loads(accepted(scenario_text({"body": body, "rules": rules}), one, ACCEPT, KEEP))
    assert found["steps"][1]["expect"] == {
        "body": {"events": [{"error_code": "E1"}, body["events"][1]]},
        "rules": {"/events/*/code": "any", "/events/0/code": "ignore"},
    }


def test_a_rule_that_waited_for_an_item_judges_the_one_that_came():
    rules = {"/events/0/code": {"regex": "^A"}, "/events/1/code": "any"}
    one = case(delivery({"events": [{"code": "B"}]}), Expectation(body={"events": []}, rules=rules))
    found = json.loads(accepted(scenario_text({"body": {"events": []}, "rules": rules}), one, ACCEPT))
    assert found["steps"][1]["expect"] == {
        "body": {"events": [{"code": "B"}]},
        "rules": {"/events/0/code": {"one_of": ["B"]}, "/events/1/code": "any"},
    }


def test_where_order_is_a_rule_items_go_where_they_came_and_take_their_placeholders_along():
    text = scenario_text(
        {"body": {"events": [{"code": "${a}"}, {"code": "B"}]}, "rules": {"/events": "ordered"}}
    )
    expectation = Expectation(body={"events": [{"code": "A"}, {"code": "B"}]}, rules={"/events": "ordered"})
    one = case(delivery({"events": [{"code": "B"}, {"code": "A"}]}), expectation)
    assert [each.kind for each in one.judgement.differences] == ["moved"]
    found = json.loads(accepted(text, one, ACCEPT))["steps"][1]["expect"]
    assert found["body"] == {"events": [{"code": "B"}, {"code": "${a}"}]}
    kept = json.loads(accepted(text, one, KEEP))["steps"][1]["expect"]
    assert kept["body"] == {"events": [{"code": "${a}"}, {"code": "B"}]}


def test_no_rule_is_offered_that_would_take_any_item():
    changed = Difference(
        kind="changed", expected_pointer="/events/0", actual_pointer="/events/0", expected="a", actual="b"
    )
    assert accepting.decision_options(changed, tuple(SETS)).wide == ""


# --- Rules that are proposed --------------------------------------------------------------------------

ONE_UUID = "0f8fad5b-d9cb-469f-a165-708677289501"
PLAIN = scenario_text({"body": {"events": [], "x": "old"}})


def proposed(body: Any, expect: Any, **fields: Any) -> tuple[dict[str, Any], Expectation]:
    """The rules proposed where a whole answer is accepted, and the expectation with those taken."""
    one = case(delivery(body, **fields), msgspec.convert(expect, Expectation))
    made = accepting.accept(scenario_text(expect), one, {}, ACCEPT)
    # What is written is what judges.
    assert expected_in(made.text).rules == made.expectation.rules
    return {each.path: each.rule for each in made.proposals}, made.expectation


def test_a_rule_is_proposed_for_what_was_accepted_and_for_nothing_else():
    expect = {"body": {"events": [], "x": "old", "y": ONE_UUID}}
    rules, now = proposed({"events": [], "x": ONE_UUID, "y": ONE_UUID, "z": 1_795_677_403_570}, expect)
    assert rules == {"/x": "uuid", "/z": {"type": "integer"}}
    assert now.rules == rules


def test_a_rule_is_for_all_items_only_where_all_were_accepted():
    old = {"error_code": "A", "id": ONE_UUID}
    new = {"error_code": "B", "id": ONE_UUID}
    rules, _ = proposed({"events": [new, old]}, {"body": {"events": [old]}})
    assert rules == {"/events/0/id": "uuid"}
    rules, _ = proposed({"events": [new, old]}, {"body": {"events": []}})
    assert rules == {"/events/*/id": "uuid"}


def test_what_was_sent_comes_back_and_gets_no_rule():
    request = Request(method="POST", url="http://a/", headers=(), body=f'{{"id":"{ONE_UUID}"}}')
    rules, _ = proposed({"events": [], "x": ONE_UUID}, {"body": {"events": []}}, request=request)
    assert rules == {}


def test_a_rule_that_refuses_gives_way_to_the_one_that_is_proposed():
    for old in ({"/events/0/id": {"regex": "^[0-9]+$"}}, {"/events/*/id": {"regex": "^[0-9]+$"}}):
        expect = {"body": {"events": [{"error_code": "A", "id": "1"}]}, "rules": old}
        _, now = proposed({"events": [{"error_code": "A", "id": ONE_UUID}]}, expect)
        assert now.rules["/events/0/id"] == "uuid"


def test_a_proposed_rule_can_be_left_out():
    one = case(delivery({"events": [], "x": ONE_UUID}), Expectation(body={"events": [], "x": "old"}))
    assert accepting.accept(PLAIN, one, {}, ACCEPT, rules=()).expectation.rules == {}
    assert accepting.accept(PLAIN, one, {}, ACCEPT, rules=["/x"]).expectation.rules == {"/x": "uuid"}
    assert accepting.accept(PLAIN, one, {}, KEEP).proposals == ()


def test_answers_of_the_same_step_show_what_differs_between_them():
    one = case(delivery({"events": [], "x": "job-17"}), Expectation(body={"events": [], "x": "old"}))
    again = msgspec.structs.replace(one, repeats=({"events": [], "x": "job-8"},))
    assert accepting.accept(PLAIN, one, {}, ACCEPT).proposals == ()
    assert accepting.accept(PLAIN, again, {}, ACCEPT).expectation.rules == {"/x": {"regex": "^job-[0-9]+$"}}
    other = msgspec.structs.replace(one, repeats=({"events": [], "x": "gone"},))
    made = accepting.accept(PLAIN, other, {}, ACCEPT)
    assert [each.taken for each in made.proposals] == [False]
    assert made.expectation.rules == {}


def test_an_answer_instead_of_a_fault_gets_rules():
    rules, now = proposed({"events": [], "x": ONE_UUID}, {"fault": "closed"})
    assert rules == now.rules == {"/x": "uuid"}
