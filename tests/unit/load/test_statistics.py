"""load/statistics.py: what Locust is told of deliveries, and of steps that failed for another reason."""

from __future__ import annotations

from typing import Any

import msgspec

from retailops_sandbox.engine import DeliveryFinished, ScenarioResult, StepResult
from retailops_sandbox.load.evidence import MOST_ALIKE, FailedDelivery
from retailops_sandbox.load.statistics import Statistics, failure
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Fault,
    Judgement,
    Scenario,
    Step,
    Timings,
    Violation,
)
from retailops_sandbox.scenarios.scenario import Plan
from tests.support.logged import shipped
from tests.support.records import some_delivery

PLAN = Plan("a.scenario.json", "a", Scenario(steps=[Step(name="cancel", fixture="default")]), False, "")
ANSWERED = msgspec.structs.replace(some_delivery(), step="cancel", timings=Timings(total=12.5))
AT = "2026-11-29T12:00:00Z"
LATE = Difference(kind="changed", part="latency", expected=15_000, actual=20_000)


def judged(verdict: Any = "passed", **fields: Any) -> Judgement:
    return Judgement(delivery="r.1", verdict=verdict, at=AT, **fields)


def changed(actual: str, place: str = "/events/0/code") -> Difference:
    return Difference(
        kind="changed", expected_pointer=place, actual_pointer=place, expected="A", actual=actual
    )


class Told:
    """Statistics, and what they tell."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.kept: list[FailedDelivery] = []
        self.statistics = Statistics(lambda **request: self.requests.append(request), self.kept.append)

    def delivery(self, judgement: Judgement | None, delivery: Delivery = ANSWERED) -> dict[str, Any]:
        contract = shipped().load("order_cancel", "draft")
        self.statistics.on_event(DeliveryFinished(PLAN, delivery, judgement, contract))
        return self.requests[-1]

    def step(self, verdict: Any, **fields: Any) -> None:
        step = StepResult(number=0, name="cancel", verdict=verdict, **fields)
        self.statistics.on_event(ScenarioResult(PLAN, verdict, (step,), 0.1))


def test_a_delivery_is_a_request_of_its_step_and_contract():
    assert Told().delivery(judged()) == {
        "request_type": "order_cancel draft",
        "name": "a.scenario.json / cancel",
        "response_time": 12.5,
        "response_length": len('{"events":[]}'),
        "exception": None,
        "context": {},
    }


def test_a_wrong_answer_is_a_failure_with_its_first_differences():
    differences = (changed("B"), changed("C", "/events/1"), LATE, changed("D"), changed("E"))
    told = Told().delivery(judged("failed", differences=differences))
    assert told["exception"] == (
        'failed: /events/0/code: expected "A", got "B" (changed); '
        '/events/1: expected "A", got "C" (changed); '
        "latency: expected at most 15000 ms, got 20000 ms (changed); and 2 more"
    )


def test_a_fault_is_a_failure_of_its_name():
    fault = msgspec.structs.replace(
        ANSWERED, response=None, fault=Fault("refused", "nobody listens at 1.2.3.4")
    )
    assert Told().delivery(judged("errored"), fault)["exception"] == "refused"


def test_a_fault_that_was_expected_is_none():
    fault = msgspec.structs.replace(ANSWERED, response=None, fault=Fault("deadline", "no answer in 15 s"))
    assert Told().delivery(judged(), fault)["exception"] is None


def test_what_the_end_of_the_test_cancelled_is_nothing():
    told = Told()
    cut = msgspec.structs.replace(ANSWERED, response=None, fault=Fault("cancelled", "cancelled"))
    told.delivery(judged())
    told.delivery(judged("errored"), cut)
    assert len(told.requests) == 1
    assert told.delivery(None, msgspec.structs.replace(cut, dropped=True))["exception"] is None
    assert len(told.requests) == 2, "what was hung up on purpose was sent"


def test_failures_that_differ_in_their_values_do_not_pile_up():
    """Locust keeps each different text for the whole test, on each worker and on the master."""
    told = Told()
    words = {told.delivery(judged("failed", differences=(changed(str(i)),)))["exception"] for i in range(500)}
    assert len(words) == 41
    assert "failed: /events/0/code (changed)" in words


def test_a_few_deliveries_of_each_cause_are_kept():
    told = Told()
    for number in range(50):
        told.delivery(judged("failed", differences=(changed(str(number)),)))
    told.delivery(judged("failed", differences=(LATE,)))
    assert [each.judgement.differences[0].part for each in told.kept] == [*["body"] * MOST_ALIKE, "latency"]
    told = Told()
    for number in range(2_000):
        told.delivery(judged("failed", differences=(changed("B", f"/events/{number // 10}"),)))
    assert len(told.kept) == 100


def test_a_step_that_fails_without_a_wrong_delivery_is_a_failure():
    told = Told()
    told.step("failed", reason="id could not be captured from /id", judgements=(judged(),), sent=1)
    (request,) = told.requests
    assert (request["request_type"], request["response_time"]) == ("step", None)
    assert request["exception"] == "failed: id could not be captured from /id"
    told.step("failed", reason="1 difference", judgements=(judged("failed"),), sent=1)
    told.step("passed", judgements=(judged(),), sent=1)
    told.step("skipped", reason="the load test ended")
    assert len(told.requests) == 1, "its delivery has told it"


def test_steps_count_for_the_exit_code():
    told = Told()

    def code() -> int:
        return told.statistics.totals.exit_code(interrupted=False, unwritten=False)

    assert code() == 5
    told.step("errored", judgements=(judged("errored"),), sent=1, faults=1)
    assert code() == 3
    told.step("passed", judgements=(judged(),), sent=1)
    assert code() == 1
    told.statistics.reset()
    told.step("skipped")
    assert code() == 5
    told.step("passed", judgements=(judged(),), sent=1)
    assert code() == 0
    assert told.statistics.totals.exit_code(interrupted=False, unwritten=True) == 2
    assert told.statistics.totals.exit_code(interrupted=True, unwritten=True) == 130


def test_what_a_step_is_named_and_what_came_are_no_commands_to_a_terminal():
    told = Told()
    named = msgspec.structs.replace(ANSWERED, step="cancel \x1b[31m\nit")
    request = told.delivery(judged("failed", differences=(changed("\x1b[2J"),)), named)
    assert request["name"].isprintable()
    assert request["exception"].isprintable()


def test_a_violation_is_told_as_a_difference_is():
    broken = judged("failed", violations=(Violation("/events", "required", "is missing"),))
    assert failure(ANSWERED, broken) == "failed: /events: is missing (required)"
    assert failure(ANSWERED, broken, values=False) == "failed: /events (required)"
