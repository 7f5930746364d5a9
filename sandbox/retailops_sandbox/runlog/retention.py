"""Which runs stay in the log: how many, how long, and why one stays all the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.runs import RunSummary


class Retention(msgspec.Struct, frozen=True):
    """What is kept: a run goes as soon as one of these says so. None says nothing."""

    runs: int | None = None
    """So many of the newest; one in which nothing was sent does not count."""
    days: int | None = None
    """Those that ended in the last so many days."""

    @property
    def is_any(self) -> bool:
        return self.runs is not None or self.days is not None


class Removed(msgspec.Struct, frozen=True):
    """A run that went, or would go."""

    run: RunSummary
    size: int
    """Bytes of its files."""


class KeptRun(msgspec.Struct, frozen=True):
    """A run that would go, and stays all the same."""

    run: RunSummary
    reason: str


class Pruned(msgspec.Struct, frozen=True):
    """What became of the runs that were to go."""

    removed: list[Removed]
    kept: list[KeptRun]
    problems: list[FileError]
    """Why some could not be deleted, or not even finished."""

    @property
    def deliveries(self) -> int:
        """How many went."""
        return sum(each.run.deliveries for each in self.removed)

    @property
    def size(self) -> int:
        """How many bytes went."""
        return sum(each.size for each in self.removed)


def choose(
    runs: Sequence[RunSummary], retention: Retention, now: str
) -> tuple[list[RunSummary], list[KeptRun]]:
    """Of all runs, the newest first: those that go, and those that would if nothing kept them."""
    over = _over(runs, retention, now)
    reasons = {run.id: _why_kept(run) for run in over}
    going = {run.id for run in over if not reasons[run.id]}
    known = {run.id for run in runs}
    # What was judged again keeps its verdict: the judgement stays as long as its delivery does.
    while needed := {run.id: of for run in over if run.id in going and (of := _needs(run, known - going))}:
        going -= needed.keys()
        reasons.update((id, f"it judged deliveries of {of} again, which stays") for id, of in needed.items())
    return (
        [run for run in over if run.id in going],
        [KeptRun(run, reasons[run.id]) for run in over if run.id not in going],
    )


def _over(runs: Sequence[RunSummary], retention: Retention, now: str) -> list[RunSummary]:
    """The runs that there are too many of, or that are too old."""
    oldest = ""
    if retention.days is not None:
        oldest = (datetime.fromisoformat(now) - timedelta(days=retention.days)).strftime("%Y-%m-%dT%H:%M:%S")
    over, newer = [], 0
    for run in runs:
        too_many = retention.runs is not None and newer >= retention.runs
        if too_many or _ended(run) < oldest:
            over.append(run)
        newer += not run.is_idle
    return over


def _ended(run: RunSummary) -> str:
    """When a run ended, to the second; of one that did not say, when it began."""
    return (run.info.finished_at or run.info.started_at)[:19] if run.info is not None else "~"


def _why_kept(run: RunSummary) -> str:
    """Why a run stays in any case; empty where it need not."""
    if run.state == "running":
        return "it is running"
    if run.problems:
        return "it is damaged, and kept as it is"
    return "it is pinned" if run.is_pinned else ""


def _needs(run: RunSummary, staying: set[str]) -> str:
    """A run that stays whose deliveries this one judged; empty where there is none."""
    return min(run.judges & staying, default="")
