"""The shards of a merged run, as its page shows them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from retailops_sandbox.model import MergedShard, Result, RunInfo, Verdict
from retailops_sandbox.web.runs.results import counted, seconds_between


class ShardRow(msgspec.Struct, frozen=True):
    """A shard of a merged run."""

    number: int
    merged: MergedShard | None
    """None where it is missing."""
    counts: Sequence[tuple[Verdict, int]]
    """The number of its scenarios by verdict, the worst first."""
    seconds: float
    """How long it took; 0 where that is not known."""

    @property
    def problem(self) -> str:
        """What is wrong with it, in a word; empty where it is whole."""
        if self.merged is None:
            return "missing"
        if not self.merged.finished_at:
            return "did not end"
        if self.merged.stopped:
            return "stopped"
        return "" if self.merged.is_whole else "not whole"


def rows(info: RunInfo, results: Sequence[Result]) -> list[ShardRow]:
    """The shards that a merged run has or should have, by number; none of any other run."""
    outcomes: dict[int, Counter[Verdict]] = defaultdict(Counter)
    for result in results:
        outcomes[result.shard][result.verdict] += 1
    there = {shard.number: shard for shard in info.shards}
    numbers = sorted({*there, *info.missing_shards})
    return [_row(number, there.get(number), outcomes[number]) for number in numbers]


def _row(number: int, merged: MergedShard | None, outcomes: Counter[Verdict]) -> ShardRow:
    seconds = seconds_between(merged.started_at, merged.finished_at) if merged is not None else 0.0
    return ShardRow(number, merged, counted(outcomes), seconds)
