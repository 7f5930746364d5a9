"""The events of a run, and the results of its steps and scenarios."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Delivery, Judgement, Result, SourceCheck, Verdict
from retailops_sandbox.scenarios.scenario import Plan


class DeliveryStarted(msgspec.Struct, frozen=True):
    id: str
    plan: Plan
    step: str
    url: str
    """Secrets are struck out of it."""


class DeliveryFinished(msgspec.Struct, frozen=True):
    plan: Plan
    delivery: Delivery
    judgement: Judgement | None
    """None for a delivery that is not judged: it was dropped on purpose, or another attempt follows."""
    contract: Contract
    """The contract that it is of."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a step: the worst of its deliveries."""

    number: int
    """From 0."""
    name: str
    verdict: Verdict
    reason: str = ""
    judgements: tuple[Judgement, ...] = ()
    attempts: int = 1
    """The largest number of attempts of one delivery."""
    seconds: float = 0.0
    unreadable: bool = False
    """Whether it errored because the step could not be composed."""
    sent: int = 0
    faults: int = 0
    times: int = 1
    """How often the step was done: more than once only where it says `repeat_while`."""
    together: bool = False
    """Whether it was done at the same time as the step before."""
    captured: Mapping[str, Any] = {}
    """What it captured, by name. Secrets are not struck out of it: it is neither kept nor shown."""

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The parts of its answers that were not compared, each once."""
        if len(self.judgements) == 1:
            return self.judgements[0].unchecked
        return tuple(dict.fromkeys(part for each in self.judgements for part in each.unchecked))

    @property
    def sources(self) -> tuple[SourceCheck, ...]:
        """The sources of the contract, where they part about one of its answers: the first such."""
        return next((each.sources for each in self.judgements if each.sources), ())


class ScenarioResult(msgspec.Struct, frozen=True):
    """The outcome of a scenario: the worst of its steps."""

    plan: Plan
    verdict: Verdict
    steps: tuple[StepResult, ...]
    seconds: float
    record: Result | None = None
    """The same result as the log keeps it; None for a send by hand."""


Event: TypeAlias = DeliveryStarted | DeliveryFinished | StepResult | ScenarioResult

_WORST: tuple[Verdict, ...] = ("errored", "failed", "recorded", "passed")


def worst(verdicts: Collection[Verdict]) -> Verdict:
    """The worst of some verdicts; skipped only if all are skipped or there are none."""
    for verdict in _WORST:
        if verdict in verdicts:
            return verdict
    return "skipped"
