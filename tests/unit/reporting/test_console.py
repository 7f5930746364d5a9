"""report/console.py: what is printed, and how much of it."""

from __future__ import annotations

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.engine import LARGE_BODY, DeliveryFinished, ScenarioResult, StepResult
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    Judgement,
    Receiver,
    Request,
    Response,
    Scenario,
    Step,
    Violation,
)
from retailops_sandbox.reporting.reporters.console import Console
from retailops_sandbox.scenarios.scenario import Plan
from tests.support.finished import finished_run
from tests.support.records import some_delivery


def plan(name: str = "a") -> Plan:
    return Plan(
        "a.scenario.json", "", Scenario(name=name, steps=[Step(name="x", fixture="default")]), False, ""
    )


def sent(url: str, body: str) -> Delivery:
    return some_delivery(
        id="r.1",
        step="x",
        request=Request(method="POST", url=url, headers=()),
        response=Response(status=200, body=body),
    )


def told(console: Console, ran: Plan, delivery: Delivery, judgement: Judgement) -> None:
    """Let a console hear of a scenario with one step and one delivery."""
    step = StepResult(number=0, name="x", verdict=judgement.verdict, judgements=(judgement,), sent=1)
    console.on_event(
        DeliveryFinished(ran, delivery, judgement, SHIPPED_CONTRACTS.load("order_cancel", "draft"))
    )
    console.on_event(ScenarioResult(ran, judgement.verdict, (step,), 0.1))


def printed(name: str = "a", *, items: int = 0, filler: str = "") -> list[str]:
    """What is printed of one failed delivery whose answer has so many events that nobody expected."""
    said: list[str] = []
    console = Console(said.append, colour=False, width=100, verbose=False)
    body = jsontext.compact({"events": [{"error_code": f"ERR{n}{filler}"} for n in range(items)]}).decode()
    delivery = sent("http://h/\x1b[2J", body)
    judgement = Judgement(
        delivery="r.1",
        verdict="failed",
        at="",
        differences=tuple(
            Difference(kind="unexpected", actual_pointer=f"/events/{n}", actual=n) for n in range(items)
        ),
        expectation=Expectation(body={"events": []}),
    )
    told(console, plan(name), delivery, judgement)
    return said


def test_a_long_comparison_is_cut_and_says_so():
    said = printed(items=200)
    assert len(said) < 110
    cuts = [line.strip() for line in said if "more" in line]
    assert cuts[0].startswith("… and ")
    assert any("+ unexpected" in line or "unexpected" in line for line in said[45:])


def test_a_large_answer_is_not_aligned_again(monkeypatch: pytest.MonkeyPatch):
    from retailops_sandbox.reporting.render import sidebyside

    monkeypatch.setattr(sidebyside, "of", lambda *_: pytest.fail("aligned"))
    said = printed(items=3, filler="x" * LARGE_BODY)
    assert "characters)" in said[-1]
    assert len(said[-1]) < 1000


def test_an_answer_that_breaks_the_contract_is_told_of_where_it_does_not_fail():
    said: list[str] = []
    console = Console(said.append, colour=False, width=100, verbose=True)
    broken = Violation("/events", "required", "is missing")
    judgement = Judgement(delivery="r.1", verdict="recorded", at="", violations=(broken,))
    told(console, plan(), sent("http://h/", "{}"), judgement)
    assert "      the answer breaks the contract: /events: is missing (required)" in said


@pytest.mark.parametrize(
    ("unchecked", "ends"),
    [
        ((("events",),), " ms  (events were not compared)"),
        (
            ((), ("body",), ("contract",)),
            " ms  (the contract was not enforced, body was not compared in 2 of 3 steps)",
        ),
        (((),), " ms"),
    ],
)
def test_a_scenario_that_passed_says_what_was_not_compared(unchecked: tuple[tuple[str, ...], ...], ends: str):
    said: list[str] = []
    steps = [
        StepResult(
            number=number,
            name=f"{number}",
            verdict="passed",
            judgements=(Judgement(delivery="r.1", verdict="passed", at="", unchecked=parts),),
        )
        for number, parts in enumerate(unchecked)
    ]
    console = Console(said.append, colour=False, width=100, verbose=False)
    console.on_event(ScenarioResult(plan(), "passed", tuple(steps), 0.01))
    assert said[0].endswith(ends)


def test_a_difference_is_printed_once():
    said = printed(items=2)
    assert sum("ERR1" in line for line in said) == 1
    assert not any("expected nothing, got" in line for line in said)
    spoiled = Difference(
        kind="changed",
        expected_pointer="/events",
        actual_pointer="/events",
        expected=[],
        actual=[{"error_code": "ERR0"}],
        rule={"none": {"status": "error"}},
        rule_path="/events",
        hint="no event was expected; event 1 is one",
    )
    lines: list[str] = []
    judgement = Judgement(
        delivery="r.1",
        verdict="failed",
        at="",
        reason="1 difference from what was expected",
        differences=(spoiled,),
        expectation=Expectation(body={"events": []}, rules={"/events": {"none": {"status": "error"}}}),
    )
    console = Console(lines.append, colour=False, width=100, verbose=False)
    told(console, plan(), sent("http://h/", '{"events": [{"error_code": "ERR0"}]}'), judgement)
    assert [line.strip() for line in lines[2:4]] == [
        "differs from what was expected:",
        "/events: no event was expected; event 1 is one",
    ]
    assert "1 difference from what was expected" not in "".join(lines)


def test_a_cause_that_scenarios_have_in_common_is_printed_once():
    said: list[str] = []
    console = Console(said.append, colour=False, width=100, verbose=False)
    refused = "refused: nothing listens on 127.0.0.1:1"
    for name, reason in (("a", refused), ("b", refused), ("c", "dns: no such name")):
        steps = (
            StepResult(number=0, name="x", verdict="errored", reason=reason, sent=1, faults=1),
            StepResult(number=1, name="y", verdict="skipped", reason="step 'x' errored"),
            StepResult(number=2, name="z", verdict="skipped", reason="step 'x' errored"),
        )
        console.on_event(ScenarioResult(plan(name), "errored", steps, 0.1))
    assert sum("nothing listens" in line for line in said) == 1
    assert "- 2 steps after it skipped" in said[3]
    assert said[4].endswith("(the same cause as above)")
    assert any("no such name" in line for line in said)


def test_a_name_cannot_write_over_other_lines():
    said = printed("a\n✓ passed\x1b[2J", items=1)
    assert "a\\n✓ passed\\u001b[2J" in said[0]
    assert not any("\x1b" in line or "\n" in line for line in said)
    finished: list[str] = []
    shop = Receiver(name="shop\n\x1b", base_url="")
    Console(finished.append, colour=False, width=100, verbose=False).finish(finished_run(receiver=shop))
    assert finished[0].endswith("shop\\n\\u001b")


def finished(*verdicts: str, trends: dict[str, str] | None = None, **options: bool) -> list[str]:
    """What is printed of scenarios with these verdicts, each with one step and no delivery."""
    said: list[str] = []
    console = Console(said.append, colour=False, width=100, verbose=False, left_out=2, **options)
    results = []
    for number, verdict in enumerate(verdicts):
        step = Step(name="x", fixture="default")
        ran = Plan(f"{number}", "", Scenario(name=f"n{number}", steps=[step]), False, "")
        reason = "the run was stopped" if verdict == "skipped" else ""
        outcome = StepResult(number=0, name="x", verdict=verdict, reason=reason)
        results.append(ScenarioResult(ran, verdict, (outcome,), 0.1))
        console.on_event(results[-1])
    console.finish(finished_run(*results, trends=trends or {}))
    return said


def test_scenarios_that_did_not_run_are_told_once_for_each_reason():
    assert finished("skipped", "passed", "skipped")[1:] == [
        "- skipped   2 scenarios: the run was stopped",
        "1 passed, 0 failed, 2 skipped, 2 left out in 1.00 s, receiver: shop",
    ]
    assert finished("skipped")[0].startswith("- skipped   n0")


def test_a_brief_one_tells_what_failed_only():
    said = finished("passed", "failed", "recorded", "errored", brief=True)
    assert [line for line in said if "step" not in line][:-1] == [
        "✗ failed    n1  1  100 ms",
        "! errored   n3  3  100 ms",
    ]


def test_what_changed_is_told_in_a_line_of_its_own():
    trends = {str(number): "regressed" for number in range(7)} | {"7": "fixed", "8": "still failing"}
    said = finished(*["failed"] * 7, "passed", "failed", trends=trends)
    assert said[-2] == (
        "7 regressed (n0, n1, n2, n3, n4 and 2 more), 1 fixed since the last finished run on this receiver"
    )
    assert not any("since" in line for line in finished("failed", trends={"0": "still failing"}))
