"""All that comes before a send, without one: what each step would send and where, or why it would not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from retailops_sandbox import composing, redaction
from retailops_sandbox.engine.run import Run
from retailops_sandbox.engine.step import StepRun
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Exchange, Request, Step, Timings, Violation
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a step would send, redacted, or why it would not."""

    plan: Plan
    number: int
    """From 0."""
    step: Step
    request: Request | None = None
    size: int = 0
    """Bytes of its body."""
    violations: tuple[Violation, ...] = ()
    """Of the payload against the contract."""
    waits: str = ""
    """It is composed from what an earlier step captures; what that is, shows only when it runs."""
    mistake: str = ""
    """Why it cannot be composed, in one line."""

    @property
    def is_refused(self) -> bool:
        """Whether nothing would be sent, because the payload breaks the contract."""
        return bool(self.violations) and not self.step.off_contract and self.step.raw is None

    @property
    def would_send(self) -> bool:
        return not self.mistake and not self.is_refused

    @property
    def deliveries(self) -> int:
        """How many it would be."""
        deliver = self.step.deliver
        return deliver.times + (deliver.drop_after_ms is not None) if self.would_send else 0


def preview(run: Run) -> Iterator[Preview]:
    """Compose and check every step of a run, in order. Nothing is sent, and nothing logged."""
    for plan, sequence in run.numbered():
        names = run.names(plan)
        for number, step in enumerate(plan.scenario.steps):
            yield _of(StepRun(run, plan, number, step, names, sequence + number), plan, number, step)
            names.lost |= step.capture.keys()


def _of(ahead: StepRun, plan: Plan, number: int, step: Step) -> Preview:
    try:
        ready = ahead.prepare()
    except composing.MissingCapture as error:
        return Preview(plan=plan, number=number, step=step, waits=error.what)
    except SandboxError as error:
        return Preview(plan=plan, number=number, step=step, mistake=scenario.describe(error, plan, number))
    nothing = Exchange(request_headers=(), response=None, fault=None, timings=Timings())
    kept = redaction.exchange(ready.request, nothing, ready.target.secrets, ready.contract.secrets)
    return Preview(
        plan=plan,
        number=number,
        step=step,
        request=kept.request,
        size=len(ready.request.body),
        violations=ready.violations,
    )
