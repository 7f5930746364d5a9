"""Scenarios that are run before a probe: what one that fails shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.model import Judgement
from retailops_sandbox.probe.report import Observation

KIND = "scenario-fails"
"""The kind of finding."""
_SHIPPED = "shipped:"
OTHER_ORDERS = (
    "Shipped scenarios are about orders that only the stand-in knows, such as one that has shipped: "
    "that answers to them differ in what they tell is not held against a receiver."
)


def failing_scenario(result: ScenarioResult) -> tuple[list[Observation], str]:
    """What a scenario's result shows against a receiver, and a note on what is not held against it."""
    failed = [step for step in result.steps if step.verdict in ("failed", "errored") and not step.unreadable]
    seen = [observation for step in failed for observation in _observations(result, step)]
    return seen, OTHER_ORDERS if failed and len(seen) < len(failed) else ""


def _observations(result: ScenarioResult, step: StepResult) -> Iterator[Observation]:
    judged = next((each for each in step.judgements if each.verdict == step.verdict), None)
    if judged is None or (result.plan.id.startswith(_SHIPPED) and _differs_only(judged)):
        return
    yield Observation(
        kind=KIND,
        probe=result.plan.id,
        step=step.name,
        area="answers",
        what="scenario",
        delivery=judged.delivery,
        detail=f"{result.plan.name}: {step.reason}",
        print=re.sub(r"[0-9]+", "0", step.reason),
    )


def _differs_only(judged: Judgement) -> bool:
    """Whether an answer keeps the contract, and tells something else than was expected."""
    return not judged.violations and {each.part for each in judged.differences} <= {"body", "headers"}
