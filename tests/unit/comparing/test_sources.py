"""Where the sources of a contract part about an answer: what a judgement keeps, and how it is said."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from retailops_sandbox import comparing, redaction
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import StepResult
from retailops_sandbox.model import Expectation, Judgement, Response, ResultStep, SourceCheck, Violation
from retailops_sandbox.redaction import Secrets
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.render.checklist import checklist
from tests.support.records import some_delivery

V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")
IS_NULL = Violation("/events", "type", "must be an array, not null")
PARTED = (SourceCheck("SDK tool"), SourceCheck("documentation", (IS_NULL,)))
SAID = "passes the SDK tool, breaks the documentation: /events is null"


def judged(
    body: Any, expected: Expectation | None = None, *, status: int = 200, agreed: Contract = V1
) -> Judgement:
    sent = some_delivery(response=Response(status=status, body=json.dumps(body)))
    return comparing.Judge(agreed)(comparing.Answer(sent, sent.response), expected, at="")


def sourced(**variants: dict[str, Any]) -> Contract:
    return msgspec.structs.replace(V1, variants=variants)


@pytest.mark.parametrize("expected", [None, Expectation(status=200), Expectation(body={"events": None})])
def test_the_sources_that_part_are_kept_and_fail_nothing(expected: Expectation | None):
    found = judged({"events": None}, expected)
    assert found.verdict == ("recorded" if expected is None else "passed")
    assert (found.violations, found.sources) == ((), PARTED)


@pytest.mark.parametrize(
    ("body", "status"), [({"events": []}, 200), ({"events": "none"}, 200), ({"events": None}, 500)]
)
def test_nothing_is_kept_where_all_say_the_same_or_nothing(body: Any, status: int):
    assert judged(body, status=status).sources == ()


def test_a_contract_may_break_what_a_source_allows_and_allow_what_each_source_breaks():
    loose = sourced(gateway={"/properties/events/type": ["string", "null"]})
    found = judged({"events": "none"}, agreed=loose)
    assert (found.verdict, found.sources) == ("failed", (SourceCheck("gateway"),))
    assert lines.remarks(found) == "passes the gateway"
    strict = sourced(a={"/required": ["events"]}, b={"/required": ["status"]})
    found = judged({}, Expectation(status=200, body={}), agreed=strict)
    assert found.verdict == "passed"
    said = "breaks the a: /events is missing, breaks the b: /status is missing"
    assert lines.parting(found.sources) == said


def test_the_first_few_violations_of_a_source_are_kept():
    found = judged({"events": [{"associations": None}] * 9}, Expectation(status=200))
    (_, broken) = found.sources
    assert len(broken.violations) == 5
    assert lines.parting(found.sources).endswith(": /events/0/associations is null and more")
    assert "it breaks the documentation:" in lines.judgement(found)


@pytest.mark.parametrize(
    ("verdict", "said"), [("passed", f"events were not compared; {SAID}"), ("failed", SAID)]
)
def test_a_verdict_has_its_remarks_in_every_form(verdict: Any, said: str):
    found = Judgement(delivery="r.1", verdict=verdict, at="", unchecked=("events",), sources=PARTED)
    step = StepResult(number=0, name="x", verdict=verdict, judgements=(found,))
    kept = msgspec.convert(step, ResultStep, from_attributes=True)
    assert [lines.remarks(each) for each in (found, step, kept)] == [said] * 3


def test_a_foreign_name_of_a_source_is_told_in_one_line():
    assert lines.parting([SourceCheck("a\nb\x1b[31m", (IS_NULL,))]).isprintable()


def test_the_checklist_says_beside_the_contract_where_the_sources_part():
    sent = some_delivery(response=Response(status=200, body='{"events": null}'))
    (_, agreed, _) = checklist(sent, judged({"events": None}), V1)
    assert (agreed.state, agreed.said) == ("held", f"kept: {SAID}")


def test_a_judgement_is_kept_without_the_secrets_that_a_source_quotes():
    agreed = sourced(docs={"/properties/events/items/additionalProperties": False})
    found = judged({"events": [{"secret-value-1": 1}]}, agreed=agreed)
    sent = some_delivery(response=Response(status=200, body="{}"), struck_out=())
    assert "secret-value-1" in repr(found.sources)
    kept = redaction.judgement(found, sent, Secrets({"SHOP": "secret-value-1"}))
    assert "secret-value-1" not in repr(kept)
    assert "«redacted:SHOP»" in repr(kept.sources)


def test_the_record_of_a_judgement_has_its_sources_and_older_ones_have_none():
    found = judged({"events": None})
    assert msgspec.json.decode(msgspec.json.encode(found), type=Judgement) == found
    older = msgspec.json.decode(b'{"delivery": "r.1", "verdict": "passed", "at": ""}', type=Judgement)
    assert older.sources == ()
