"""Tells reporters of a logged run what they would have heard while it ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import Contract, Examples
from retailops_sandbox.engine import DeliveryFinished, DeliveryStarted, ScenarioResult, StepResult
from retailops_sandbox.model import Judgement, Result, ResultStep, Scenario
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios.scenario import Plan


class LoggedPlan(Plan, frozen=True, kw_only=True):
    """What a result tells of the scenario that was run: its file may have changed since, or be gone."""

    at: Mapping[int, int]
    """The lines of its steps, by their numbers; 0 for those that are not known."""

    def lines(self, steps: Iterable[int]) -> list[int]:
        return [self.at.get(step, 0) for step in steps]


def events(
    results: Iterable[tuple[Result, Iterable[Entry]]], contracts: Contracts
) -> Iterator[DeliveryStarted | DeliveryFinished | ScenarioResult]:
    """The events of logged results, each with its deliveries: scenario after scenario."""
    for result, entries in results:
        plan = _plan(result)
        judged: dict[str, list[Judgement]] = defaultdict(list)
        for entry in entries:
            sent, judgement = entry.delivery, entry.judgements[0] if entry.judgements else None
            if judgement is not None:
                judged[sent.step].append(judgement)
            contract = contracts.find(sent.action, sent.edition) or _unknown(sent.action, sent.edition)
            yield DeliveryStarted(sent.id, plan, sent.step, sent.request.url)
            yield DeliveryFinished(plan, sent, judgement, contract)
        steps = tuple([_step(step, judged.get(step.name, ())) for step in result.steps])
        yield ScenarioResult(plan, result.verdict, steps, result.seconds, result)


def _plan(result: Result) -> LoggedPlan:
    name = result.name if result.name != result.scenario else ""
    return LoggedPlan(
        id=result.scenario,
        file=result.file,
        scenario=Scenario(name=name, description=result.description, tags=list(result.tags), steps=[]),
        placeholders=False,
        text="",
        at={step.number: step.line for step in result.steps},
    )


def _step(step: ResultStep, judgements: Iterable[Judgement]) -> StepResult:
    return StepResult(
        number=step.number,
        name=step.name,
        verdict=step.verdict,
        reason=step.reason,
        judgements=tuple(judgements),
        attempts=step.attempts,
        seconds=step.seconds,
        unreadable=step.unreadable,
        sent=step.sent,
        faults=step.faults,
        times=step.times,
        together=step.together,
    )


def _unknown(action: str, edition: str) -> Contract:
    """The contract of deliveries whose own is not known here, which nothing is told by."""
    return Contract(
        action=action,
        edition=edition,
        group="",
        summary="",
        stability="",
        method="",
        path="",
        source="",
        ok_statuses=(),
        request_schema={},
        response_schema={},
        examples=Examples(request={}, response={}),
    )
