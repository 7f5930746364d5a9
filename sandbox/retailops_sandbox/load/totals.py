"""Counts of steps by their verdicts, from which the exit code follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from retailops_sandbox.engine import StepResult
from retailops_sandbox.load.series import UNMEASURED, Change, Step
from retailops_sandbox.load.wrong_answers import EXCUSED
from retailops_sandbox.model import Verdict
from retailops_sandbox.session.exit_code import exit_code_of


class Totals(msgspec.Struct):
    """Counts of the steps of a load test, or of one worker's part of it."""

    verdicts: dict[Verdict, int] = {}
    sent: int = 0
    faults: int = 0
    """The deliveries, of those sent, by whose faults steps errored."""
    uncomposed: int = 0
    """The steps that could not be composed."""

    def count(self, step: StepResult) -> None:
        """Count a step, unless it was skipped."""
        if step.verdict == "skipped":
            return
        self.verdicts[step.verdict] = self.verdicts.get(step.verdict, 0) + 1
        self.sent += step.sent
        self.uncomposed += step.unreadable
        if step.verdict == "errored":
            self.faults += step.faults

    def add(self, other: Totals) -> None:
        """Add what another worker counted."""
        for verdict, count in other.verdicts.items():
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count
        self.sent += other.sent
        self.faults += other.faults
        self.uncomposed += other.uncomposed

    def exit_code(self, *, interrupted: bool, unwritten: bool) -> int:
        """The exit code of a load test, by the rules of a run."""
        return exit_code_of(
            self.verdicts.keys(),
            sent=self.sent,
            faults=self.faults,
            interrupted=interrupted,
            lost=unwritten or bool(self.uncomposed),
        )

    def to_message(self) -> dict[str, Any]:
        """The totals as a message to the master holds them."""
        message: dict[str, Any] = msgspec.to_builtins(self)
        return message

    @classmethod
    def from_message(cls, message: Any) -> Totals:
        """The totals of a worker's message; ValidationError where it is none of this version."""
        return msgspec.convert(message, cls)


def exit_code_at_rates(code: int, change: Change | None, steps: Sequence[Step]) -> int:
    """The exit code of a test at rates whose answers give this one: 1 also for not held, 5 for not measured.

    `change` is why the rates are not held, `steps` what was measured.
    """
    if change is None:
        return code
    if code == 0:
        return 5 if change.what in UNMEASURED else 1
    # What comes too late is no failure of the receiver where the machine is late that sends.
    is_own = change.what == "machine" and all(set(step.counts.wrong) <= EXCUSED for step in steps)
    return 5 if code == 1 and is_own else code
