"""Verdicts: a delivery, what was expected of it, and what the contract says."""

from __future__ import annotations

import sys

import pytest
from msgspec import UNSET

from retailops_sandbox import comparing, jsontext, redaction
from retailops_sandbox.comparing import judging, matchers
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.contract import AnswerCheck
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import (
    Difference,
    Expectation,
    Fault,
    Number,
    Request,
    Response,
    Timings,
    Violation,
)
from tests.support.records import some_delivery

AT = "2024-01-01T00:00:00Z"
BROKEN = Violation("/events", "required", "is missing")


class Contract:
    """A contract that wants `events`."""

    path = "/order_cancel"
    auth = None
    ok_statuses = (200, 202)
    arrays = {"/events": ("error_code",)}  # noqa: RUF012

    def check_answer(self, value):
        return AnswerCheck(() if isinstance(value, dict) and "events" in value else (BROKEN,), {})


def delivery(
    body='{"events":[]}',
    *,
    status=200,
    fault=None,
    dropped=False,
    total=5.0,
    off_contract=False,
    sent="",
    asked=(),
    **response,
):
    answer = Response(status=status, body=body, **response) if fault is None and body is not None else None
    return some_delivery(
        sent_at=AT,
        receiver="mine",
        request=Request(method="POST", url="http://127.0.0.1/order_cancel", headers=asked, body=sent),
        off_contract=off_contract,
        response=answer,
        fault=fault,
        dropped=dropped,
        timings=Timings(total=total),
    )


def judged(sent, expectation=None, **facts):
    return comparing.Judge(Contract())(redaction.listing.answer(sent), expectation, at=AT, **facts)


def parts(judgement):
    return [(each.part, each.kind) for each in judgement.differences]


REFUSED = Fault("refused", "connection refused")


@pytest.mark.parametrize(
    ("sent", "expectation", "verdict"),
    [
        (delivery(), Expectation(), "passed"),
        (delivery(), None, "recorded"),
        (delivery(dropped=True), Expectation(), "recorded"),
        (delivery(fault=REFUSED), None, "errored"),
        (delivery(fault=REFUSED), Expectation(), "errored"),
        (delivery(fault=REFUSED), Expectation(fault="refused"), "passed"),
        (delivery(fault=REFUSED), Expectation(fault="refused", max_ms=9), "passed"),
        (delivery(fault=REFUSED), Expectation(fault="refused", max_ms=4), "failed"),
        (delivery(fault=REFUSED), Expectation(fault="deadline"), "errored"),
        (delivery(), Expectation(fault="refused"), "failed"),
        (delivery(None), Expectation(), "errored"),
        (delivery(status=202), Expectation(), "passed"),
        (delivery(status=202), Expectation(status=200), "failed"),
        (delivery(status=500), Expectation(), "failed"),
        (delivery("oops", status=500), Expectation(status=500), "passed"),
        (delivery("oops", status=500), Expectation(status=[500, 503]), "passed"),
        (delivery(total=100.0), Expectation(max_ms=100), "passed"),
        (delivery(total=100.5), Expectation(max_ms=100), "failed"),
        (delivery("{}"), Expectation(), "failed"),
        (delivery("{}"), Expectation(contract=False), "passed"),
        (delivery("{}"), None, "failed"),
        (delivery("oops", status=404), Expectation(status="4xx"), "passed"),
        (delivery("oops", status=400), Expectation(status=[200, "4xx"]), "passed"),
        (delivery("oops", status=499), Expectation(status=["5xx", "4xx"]), "passed"),
        (delivery("oops", status=500), Expectation(status=[200, "4xx"]), "failed"),
        (delivery("oops", status=399), Expectation(status="4xx"), "failed"),
        (delivery(status=200), Expectation(status=[404, "2xx"]), "passed"),
        (delivery("{}", status=200), Expectation(status="2xx"), "failed"),
        (delivery("{}", status=500), None, "failed"),
        (delivery("oops"), None, "failed"),
        (delivery(status=404), None, "failed"),
        (delivery(status=302), None, "failed"),
        (delivery(status=422, off_contract=True), None, "recorded"),
        (delivery(status=500, off_contract=True), None, "failed"),
        (delivery("{}", status=404), Expectation(status=404), "passed"),
        (delivery("oops"), Expectation(), "failed"),
        (delivery("oops"), Expectation(contract=False), "passed"),
        (delivery("oops"), Expectation(contract=False, body={"events": []}), "failed"),
        (delivery("", status=404), Expectation(status=404, body=None), "failed"),
        (delivery("null", status=404), Expectation(status=404, body=None), "passed"),
        (delivery(), Expectation(body={"events": []}), "passed"),
        (delivery(), Expectation(body={"events": [1]}), "failed"),
        (delivery(), Expectation(body={"events": [1]}, rules={"/events/*": "ignore"}), "passed"),
    ],
)
def test_the_verdict(sent, expectation, verdict):
    assert judged(sent, expectation).verdict == verdict


def test_a_judgement_keeps_what_it_was_made_of():
    expectation = Expectation(status=500, body={"events": []})
    judgement = judged(delivery("{}"), expectation, payload_violations=(BROKEN,))
    assert (judgement.delivery, judgement.at, judgement.expectation) == ("r.1", AT, expectation)
    assert (judgement.payload_violations, judgement.violations) == ((BROKEN,), (BROKEN,))
    assert parts(judgement) == [("status", "changed"), ("body", "missing")]
    assert judgement.reason == "2 differences from what was expected, 1 violation of the contract"


def test_the_contract_is_judged_where_nothing_is_expected():
    judgement = judged(delivery("{}"))
    assert (judgement.violations, judgement.reason) == ((BROKEN,), "1 violation of the contract")
    judgement = judged(delivery("{}", status=500))
    (violation,) = judgement.violations
    assert (violation.part, violation.keyword) == ("status", "status")
    assert violation.message == "answered 500; order_cancel must be answered with 200 or 202"
    assert judgement.reason == violation.message


def test_a_status_that_breaks_the_contract_comes_first_and_tells_what_the_answer_is():
    page = "<html><head><style>a{}</style><title>404 Not Found</title></head><body><p>nginx</p></body></html>"
    judgement = judged(delivery(page, status=404), Expectation(status=200, body={"events": []}))
    (violation,) = judgement.violations
    assert judgement.reason == "answered 404; order_cancel must be answered with 200 or 202"
    assert violation.hints == (
        "the answer is an HTML page, not JSON: “404 Not Found”: nginx",
        "the full URL was POST http://127.0.0.1/order_cancel: /order_cancel, the action's path, is appended "
        "to a receiver's URL without it",
    )
    assert parts(judgement) == [("status", "changed"), ("body", "type")]


def test_a_status_that_is_expected_breaks_nothing():
    judgement = judged(delivery("oops", status=404), Expectation(status=404))
    assert (judgement.verdict, judgement.violations) == ("passed", ())


class WithToken(Contract):
    auth = Auth(pointer="/integration_auth_token", status=401)


def test_whoever_relays_a_wrong_token_may_be_answered_401():
    sent = delivery('{"events":[]}', status=401)
    relayed = comparing.Judge(WithToken(), sends_tokens=False)(redaction.listing.answer(sent), None, at=AT)
    assert (relayed.verdict, relayed.violations) == ("recorded", ())
    assert comparing.Judge(WithToken())(redaction.listing.answer(sent), None, at=AT).verdict == "failed"
    assert (
        comparing.Judge(WithToken(), sends_tokens=False)(
            redaction.listing.answer(delivery(status=403)), None, at=AT
        ).verdict
        == "failed"
    )


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("{}", "no token was sent: give --receiver-token"),
        (
            '{"integration_auth_token":"«redacted:token»"}',
            "the token «redacted:token» that was sent at /integration_auth_token",
        ),
    ],
)
def test_a_refused_token_is_hinted_at(sent, words):
    judgement = comparing.Judge(WithToken())(
        redaction.listing.answer(delivery(status=401, sent=sent)), None, at=AT
    )
    assert any(hint.startswith(words) for hint in judgement.violations[0].hints)


@pytest.mark.parametrize(
    ("coding", "asked", "verdict"),
    [
        ("br", (), "failed"),
        ("deflate", (), "failed"),
        ("zstd", (), "failed"),
        ("UTF-8", (), "failed"),
        ("gzip, br", (), "failed"),
        ("gzip", (), "passed"),
        ("identity", (), "passed"),
        ("", (), "passed"),
        ("deflate", ("gzip, deflate",), "passed"),
        ("deflate", ("gzip;q=1, deflate;q=0",), "failed"),
        ("gzip", ("identity",), "failed"),
        ("deflate", ("*",), "passed"),
    ],
)
def test_a_content_encoding_that_nobody_asked_for_is_a_violation(coding, asked, verdict):
    sent = delivery(
        headers=(("content-encoding", coding),), asked=tuple(("Accept-Encoding", each) for each in asked)
    )
    judgement = judged(sent, Expectation())
    assert judgement.verdict == verdict
    if verdict == "failed":
        (violation,) = judgement.violations
        assert (violation.pointer, violation.part) == ("/Content-Encoding", "headers")
        assert "was not asked for" in judgement.reason


def test_bytes_in_a_coding_that_nobody_asked_for_are_one_violation():
    sent = delivery("CwaAeyI=", base64=True, headers=(("Content-Encoding", "br"),))
    assert [each.keyword for each in judged(sent, Expectation()).violations] == ["content-encoding"]


def test_json_inside_a_json_string_is_told_before_the_violations():
    judgement = judged(delivery('"{\\"events\\":[]}"'))
    assert [each.keyword for each in judgement.violations] == ["string", "required"]
    assert judgement.reason == "the answer is JSON inside a JSON string"


def test_violations_that_do_not_count_are_listed_all_the_same():
    judgement = judged(delivery("{}"), Expectation(contract=False))
    assert (judgement.verdict, judgement.reason, judgement.violations) == ("passed", "", (BROKEN,))


def test_faults_say_what_was_expected_and_what_came():
    unexpected = judged(delivery(fault=REFUSED), Expectation())
    assert (unexpected.reason, unexpected.differences) == ("refused: connection refused", ())
    other = judged(delivery(fault=REFUSED), Expectation(fault="deadline"))
    assert other.differences == (
        Difference(kind="changed", part="fault", expected="deadline", actual="refused"),
    )
    none = judged(delivery(), Expectation(fault="deadline"))
    assert none.differences == (Difference(kind="missing", part="fault", expected="deadline"),)


def test_status_and_latency_differences_carry_both_sides():
    moved = delivery(status=302, total=12.3456, headers=(("Location", "/there"),))
    judgement = judged(moved, Expectation(max_ms=10))
    status, latency = judgement.differences
    assert (status.expected, status.actual) == ([200, 202], 302)
    assert any("--follow-redirects" in hint for hint in judgement.violations[0].hints)
    assert (latency.part, latency.expected, latency.actual) == ("latency", 10, Number("12.346"))
    assert judged(delivery(status=500), Expectation(status=[200])).differences[0].expected == 200
    assert judged(delivery(status=500), Expectation(status="4xx")).differences[0].expected == "4xx"
    either = judged(delivery(status=500), Expectation(status=[200, "4xx"])).differences[0]
    assert either.expected == [200, "4xx"]


@pytest.mark.parametrize(
    ("text", "keyword", "words"),
    [
        ("", "empty", "the answer is empty (status 200)"),
        ("  \n", "empty", "white space"),
        ("<html>", "html", "an HTML page"),
        ('{"events":[]', "json", "end of the text"),
        ('{"events":[],"events":[]}', "duplicate key", 'duplicate key "events"'),
        ('\ufeff{"events":[]}', "byte order mark", "byte order mark"),
        ("[" * 300 + "]" * 300, "depth", "nested deeper"),
        ('{"events":[],"n":' + "9" * 5000 + "}", "number", "digits"),
        ('{"events":[],"n":1e99999}', "number", "exponent"),
        ('{"events":["\\ud800"]}', "encoding", "surrogate"),
        ('{"events":[],"n":NaN}', "json", "NaN"),
    ],
)
def test_a_body_that_is_not_strict_json_is_a_violation_with_a_name(text, keyword, words):
    with pytest.raises(SourceError):
        jsontext.parse(text)
    judgement = judged(delivery(text), Expectation(body={"events": []}))
    (violation,) = judgement.violations
    assert violation.keyword == keyword
    assert words in violation.message
    (difference,) = judgement.differences
    assert difference.expected == {"events": []}
    assert difference.actual in (UNSET, text, f"{text[:1000]}…")


def test_a_body_that_is_not_text_is_a_violation():
    (violation,) = judged(delivery("/w==", base64=True), Expectation()).violations
    assert (violation.keyword, violation.message) == (
        "encoding",
        "the answer is text in another encoding: byte 1, 0xFF, is not UTF-8; Content-Type names no charset: "
        "“ÿ”",
    )


def test_a_violation_inside_the_body_has_its_pointer():
    (violation,) = judged(delivery('{"events":[{"a":1,"a":2}]}'), Expectation()).violations
    assert violation.pointer == "/events/0/a"


HEADERS = (("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2"))


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"content-type": "application/json"}, []),
        ({"CONTENT-TYPE": {"contains": "json"}}, []),
        ({"content-type": "text/html"}, [("changed", "/content-type", "/Content-Type", "application/json")]),
        (
            {"content-type": {"regex": "xml"}},
            [("changed", "/content-type", "/Content-Type", "application/json")],
        ),
        ({"x-id": "any"}, [("missing", "/x-id", None, UNSET)]),
        ({"x-id": "ignore"}, []),
        ({"Set-Cookie": "b=2"}, []),
        ({"Set-Cookie": "a=1, b=2"}, []),
        ({"Set-Cookie": "c=3"}, [("changed", "/Set-Cookie", "/Set-Cookie", "a=1, b=2")]),
    ],
)
def test_headers(expected, found):
    judgement = judged(delivery(headers=HEADERS), Expectation(headers=expected))
    assert [(d.kind, d.expected_pointer, d.actual_pointer, d.actual) for d in judgement.differences] == found
    assert {d.part for d in judgement.differences} <= {"headers"}


def test_a_header_difference_names_its_text_or_its_rule():
    text, rule = judged(
        delivery(headers=HEADERS), Expectation(headers={"Content-Type": "text/xml", "X": {"one_of": ["a"]}})
    ).differences
    assert (text.expected, text.rule) == ("text/xml", None)
    assert (rule.expected, rule.rule, rule.rule_path) == (UNSET, {"one_of": ["a"]}, "/X")


def test_the_contracts_arrays_are_compared_as_sets():
    expectation = Expectation(body={"events": [{"error_code": "A"}, {"error_code": "B"}]})
    judgement = judged(delivery('{"events":[{"error_code":"B"},{"error_code":"A"}]}'), expectation)
    assert judgement.verdict == "passed"
    assert judgement.notes == ("/events: 1 item is in another place than expected",)


def test_one_judge_tells_expectations_apart_however_many_there_were():
    judge = comparing.Judge(Contract())
    for number in range(1_000):
        body = {"events": [{"error_code": f"E{number}"}]}
        sent = delivery(jsontext.compact(body).decode())
        assert judge(redaction.listing.answer(sent), Expectation(body=body), at=AT).verdict == "passed"
        assert (
            judge(redaction.listing.answer(sent), Expectation(body={"events": [number]}), at=AT).verdict
            == "failed"
        )


def test_an_expectation_is_made_ready_once(monkeypatch):
    made = []
    monkeypatch.setattr(judging, "compile_rules", lambda rules: made.append(rules) or compile_rules(rules))
    judge = comparing.Judge(Contract())
    expectation = Expectation(body={"events": []}, rules={"/events/*": "ignore"})
    verdicts = {judge(redaction.listing.answer(delivery()), expectation, at=AT).verdict for _ in range(20)}
    assert (verdicts, len(made)) == ({"passed"}, 1)


def test_a_judge_does_not_keep_every_expectation_it_ever_saw():
    judge = comparing.Judge(Contract())
    first = Expectation(body={"events": []}, rules={"/events": "any"})
    before = sys.getrefcount(first)
    judge(redaction.listing.answer(delivery()), first, at=AT)
    assert sys.getrefcount(first) > before
    for _ in range(1_000):
        judge(redaction.listing.answer(delivery()), Expectation(rules={"/events": "any"}), at=AT)
    assert sys.getrefcount(first) == before


def test_a_rule_that_cannot_be_used_is_said_so():
    with pytest.raises(matchers.RuleError):
        judged(delivery(), Expectation(rules={"/a": "nonsense"}))


def test_an_answer_with_too_many_values_is_not_judged_and_fails():
    values = ",".join(["1"] * jsontext.MAX_VALUES)
    many = judged(delivery(f'{{"events":[],"x":[{values}]}}'), Expectation(body={"events": []}))
    assert many.verdict == "failed"
    assert "more values than the 200,000 that are judged" in many.violations[0].message
    # Signs within strings are none.
    text = delivery(f'{{"events":[],"x":"{values}"}}')
    assert (
        judged(text, Expectation()).violations
        == judged(delivery('{"events":[],"x":""}'), Expectation()).violations
    )
