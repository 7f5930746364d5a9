"""report/junit.py: what a testcase says of what spoiled it, and that it keeps the published schema."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import (
    Difference,
    Expectation,
    Judgement,
    Receiver,
    Scenario,
    Step,
    Verdict,
    Violation,
)
from retailops_sandbox.reporting.reporters import junit
from retailops_sandbox.scenarios.scenario import Plan
from tests.published import schemas
from tests.support.finished import finished_run

published_schema = cache(schemas.junit)


def the_case(*steps: StepResult, verdict: Verdict) -> ET.Element:
    plan = Plan(
        "a.scenario.json", "", Scenario(name="a", steps=[Step(name="x", fixture="default")]), False, ""
    )
    text = junit.document(finished_run(ScenarioResult(plan, verdict, steps, 0.1)))
    (case,) = ET.fromstring(text.encode()).iter("testcase")
    return case


VIOLATION = Violation("/events", "required", "is missing")
DIFFERENCE = Difference(kind="missing", expected_pointer="/events/0", expected=1)


def test_the_headline_is_what_failed_and_not_what_was_let_pass():
    passed = Judgement(delivery="r.1", verdict="passed", at="", violations=(VIOLATION,))
    failed = Judgement(
        delivery="r.2",
        verdict="failed",
        at="",
        violations=(VIOLATION,),
        differences=(DIFFERENCE,),
        expectation=Expectation(contract=False),
    )
    step = StepResult(number=0, name="x", verdict="failed", judgements=(passed, failed), sent=2)
    failure = the_case(step, verdict="failed").find("failure")
    assert failure is not None
    assert "/events/0: expected 1, got nothing" in failure.get("message", "")


def test_a_violation_that_matters_is_the_headline():
    failed = Judgement(delivery="r.1", verdict="failed", at="", violations=(VIOLATION,))
    step = StepResult(number=0, name="x", verdict="failed", judgements=(failed,), sent=1)
    failure = the_case(step, verdict="failed").find("failure")
    assert failure is not None
    assert "/events: is missing" in failure.get("message", "")


def test_what_was_not_compared_is_told_where_it_passed():
    judged = Judgement(delivery="r.1", verdict="passed", at="", unchecked=("events",))
    step = StepResult(number=0, name="x", verdict="passed", judgements=(judged,), sent=1)
    case = the_case(step, verdict="passed")
    assert case.findtext("system-out") == "step 'x': events were not compared"
    failed = StepResult(number=0, name="x", verdict="failed", judgements=(judged,), sent=1)
    assert the_case(failed, verdict="failed").find("system-out") is None


def test_attempts_are_told_also_where_it_passed():
    step = StepResult(number=0, name="x", verdict="passed", attempts=3, sent=1)
    assert the_case(step, verdict="passed").findtext("system-out") == "step 'x': after 3 attempts"
    once = StepResult(number=0, name="x", verdict="passed", sent=1)
    assert the_case(once, verdict="passed").find("system-out") is None


TEXTS = st.text(st.characters(exclude_categories=[]))


@st.composite
def results(draw: st.DrawFn) -> ScenarioResult:
    """Any outcome of a scenario, with whatever a receiver or a file may have put into it."""
    steps = draw(
        st.lists(
            st.builds(
                StepResult,
                number=st.just(0),
                name=TEXTS,
                verdict=st.sampled_from(get_args(Verdict)),
                reason=TEXTS,
                attempts=st.integers(1, 3),
            )
        )
    )
    plan = Plan(draw(TEXTS), "", Scenario(name=draw(TEXTS), steps=[]), False, "")
    return ScenarioResult(plan, draw(st.sampled_from(get_args(Verdict))), tuple(steps), 0.1)


@given(st.lists(results()), st.lists(st.builds(UsageError, TEXTS, file=TEXTS)), TEXTS, st.booleans())
def test_it_is_what_the_published_schema_says(results, unreadable, receiver, stand_in):
    to = Receiver(name=receiver, base_url="", stand_in=stand_in)
    text = junit.document(finished_run(*results, unreadable=unreadable, receiver=to))
    document = etree.fromstring(text.encode("utf-8"))
    schema = published_schema()
    assert schema.validate(document), schema.error_log
    assert len(document.findall(".//testcase")) == len(results) + len(unreadable)


def test_the_published_schema_refuses_what_is_not_in_it():
    broken = etree.fromstring('<testsuites><testsuite name="a" tests="1"><case/></testsuite></testsuites>')
    assert not published_schema().validate(broken)
