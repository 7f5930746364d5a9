"""report/junit.py: what a testcase says of what spoiled it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from sandbox.engine import ScenarioResult, StepResult
from sandbox.model import Difference, Expectation, Judgement, Scenario, Step, Verdict, Violation
from sandbox.report import junit
from sandbox.scenario import Plan


def the_case(*steps: StepResult, verdict: Verdict) -> ET.Element:
    plan = Plan(
        "a.scenario.json", "", Scenario(name="a", steps=[Step(name="x", fixture="default")]), False, ""
    )
    text = junit.document(
        [ScenarioResult(plan, verdict, steps, 0.1)],
        [],
        receiver="shop",
        stand_in=False,
        started_at="2026-01-01T00:00:00Z",
        seconds=0.1,
    )
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


def test_attempts_are_told_also_where_it_passed():
    step = StepResult(number=0, name="x", verdict="passed", attempts=3, sent=1)
    assert the_case(step, verdict="passed").findtext("system-out") == "step 'x': after 3 attempts"
    once = StepResult(number=0, name="x", verdict="passed", sent=1)
    assert the_case(once, verdict="passed").find("system-out") is None
