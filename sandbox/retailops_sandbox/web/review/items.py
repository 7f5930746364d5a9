"""What a review decides about: the differences of judged deliveries, each with its expectation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from retailops_sandbox.accepting import DecisionOptions
from retailops_sandbox.accepting.saving import Judged
from retailops_sandbox.model import Difference
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.scenarios.scenario import Plan


class Subject(msgspec.Struct, frozen=True):
    """An expectation of a scenario's file, and the deliveries that it judged."""

    plan: Plan
    file: Path
    place: str
    group: Sequence[Judged]
    objections: Sequence[str] = ()
    """Why its answer cannot be accepted, and how to expect it on purpose."""

    @property
    def first(self) -> Judged:
        """The first that failed, which the review shows."""
        return next(each for each in self.group if each.failed)


class Item(msgspec.Struct, frozen=True):
    """A difference to decide about."""

    subject: Subject
    difference: Difference
    options: DecisionOptions

    @property
    def place(self) -> str:
        """The place of the difference, in words."""
        return lines.place(self.difference)

    @property
    def pointer(self) -> str:
        """The pointer of the difference, on the side that has it."""
        expected, actual = self.difference.expected_pointer, self.difference.actual_pointer
        return (expected if expected is not None else actual) or ""
