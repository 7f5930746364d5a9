"""Scenarios that are run before a probe, and what their answers show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import DeliveryFinished, ScenarioResult, StepResult
from retailops_sandbox.probe.observing import Answered, Observer
from retailops_sandbox.probe.probes import Probe, Trial
from retailops_sandbox.probe.report import Observation
from retailops_sandbox.scenarios.scenario import Plan

KIND = "scenario-fails"
"""The kind of finding."""
WHAT = "scenario"
"""What its requests try."""
_SHIPPED = "shipped:"
_OTHER_ORDERS = (
    "Shipped scenarios are about orders that only the stand-in knows, such as one that has shipped: "
    "what a receiver tells of them is not held against it."
)


class ScenarioCheck:
    """Reads the answers of scenarios as those of a probe.

    A scenario that ships is held to no more than that: what it expects is about the orders of the stand-in.
    """

    def __init__(self, contract: Contract) -> None:
        # One of its own: what a probe's answers have in common is not told by those of scenarios.
        self._observer = Observer(contract)
        self._explained: set[tuple[str, str]] = set()
        """The steps whose answers show something by themselves: why they fail is told."""
        self._probes: dict[str, Probe] = {}
        self._is_lenient = False

    def answered(self, event: DeliveryFinished) -> Answered:
        """A delivery of a scenario as one of a probe."""
        plan = event.plan
        probe = self._probes.setdefault(plan.id, _probe(plan))
        trial = next(each for each in probe.trials if each.step == event.delivery.step)
        return Answered(probe=probe, trial=trial, delivery=event.delivery, judgement=event.judgement)

    def observe(self, answered: Answered) -> Sequence[Observation]:
        """What the answer shows by itself."""
        seen = self._observer.observe(answered)
        if seen:
            self._explained.add((answered.probe.id, answered.trial.step))
        return seen

    def failed(self, result: ScenarioResult) -> Iterator[Observation]:
        """The steps that failed and whose answers show nothing by themselves."""
        for step in result.steps:
            is_failed = step.verdict in ("failed", "errored") and step.sent
            if not is_failed or (result.plan.id, step.name) in self._explained:
                continue
            if result.plan.id.startswith(_SHIPPED):
                self._is_lenient = True
            else:
                yield _observation(result.plan, step)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not held against the receiver."""
        return (_OTHER_ORDERS,) if self._is_lenient else ()


def _probe(plan: Plan) -> Probe:
    trials = [Trial(step=step.name, what=WHAT, demand="either") for step in plan.scenario.steps]
    return Probe(id=plan.id, area="contract", scenario=plan.scenario, trials=tuple(trials))


def _observation(plan: Plan, step: StepResult) -> Observation:
    judged = next((each for each in step.judgements if each.verdict == step.verdict), None)
    return Observation(
        kind=KIND,
        probe=plan.id,
        step=step.name,
        area="contract",
        what=WHAT,
        delivery=judged.delivery if judged is not None else "",
        detail=f"{plan.name}: {step.reason}",
        print=re.sub("[0-9]+", "0", step.reason),
    )
