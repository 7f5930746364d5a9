"""A constant rate that was kept, and whether the receiver held it. Pure.

Whether waits grow is judged by the scenarios that were under way, from when the first answers could have
come: until then they grow with any receiver.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox.load.counts import Counts, total
from retailops_sandbox.load.series import Change, Step, limit


class KeptRate(msgspec.Struct, frozen=True):
    """A rate that was kept for some time, and what was counted part by part."""

    rate: float
    """The scenarios that were asked for in a second."""
    parts: Sequence[Step]
    is_whole: bool = True
    """Whether it was kept for as long as was asked."""

    @property
    def counts(self) -> Counts:
        """What was counted while workers neither came nor went."""
        return total([part.counts for part in self.parts if not part.is_disturbed], at_once=False)

    @property
    def steady(self) -> Counts:
        """That of `counts` that was counted when the first answers could have come."""
        steady: list[Counts] = []
        waited = needed = 0.0
        is_first = True
        for part in self.parts:
            if part.is_disturbed:
                is_first = True
                continue
            if is_first:
                waited, needed = 0.0, part.counts.longest
            if not is_first and waited >= needed:
                steady.append(part.counts)
            waited += part.counts.seconds
            is_first = False
        return total(steady, at_once=False)

    @property
    def change(self) -> Change | None:
        """Why the rate was not held; None where it was."""
        counts, steady = self.counts, self.steady
        change = limit(self.rate, counts, steady)
        if change is not None and counts.seconds:
            return change
        return None if self.is_whole and steady.seconds else Change(what="short")

    @property
    def left_out(self) -> float:
        """The seconds that are not counted, as workers came or went."""
        return sum(part.counts.seconds for part in self.parts if part.is_disturbed)
