"""Retention: which runs of the log are deleted, and which are kept in any case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.runs import RunSummary


class Retention(msgspec.Struct, frozen=True):
    """What is kept of the log. A run is deleted as soon as one of the limits says so; None is no limit."""

    runs: int | None = None
    """The newest runs to keep, by number. Idle ones do not count."""
    days: int | None = None
    """The days to keep a run after it has ended."""

    @property
    def is_any(self) -> bool:
        return self.runs is not None or self.days is not None


class Removed(msgspec.Struct, frozen=True):
    """A run that was deleted, or would be."""

    run: RunSummary
    size: int
    """Bytes of its files."""


class KeptRun(msgspec.Struct, frozen=True):
    """A run that retention would delete, and why it is kept."""

    run: RunSummary
    reason: str


class Pruned(msgspec.Struct, frozen=True):
    """What pruning did, or would do."""

    removed: list[Removed]
    kept: list[KeptRun]
    problems: list[FileError]
    """The errors of runs that could not be deleted, or whose run file could not be made."""

    @property
    def deliveries(self) -> int:
        """The number of deliveries in the deleted runs."""
        return sum(each.run.deliveries for each in self.removed)

    @property
    def size(self) -> int:
        """The bytes of the deleted runs."""
        return sum(each.size for each in self.removed)


def choose(
    runs: Sequence[RunSummary], retention: Retention, now: str
) -> tuple[list[RunSummary], list[KeptRun]]:
    """The runs to delete, and those over a limit to keep. `runs` are all runs, the newest first."""
    over = _over(runs, retention, now)
    reasons = {run.id: _why_kept(run) for run in over}
    going = {run.id for run in over if not reasons[run.id]}
    known = {run.id for run in runs}
    # A run that judged deliveries of another one again is kept with it, so that no verdict changes.
    while needed := {run.id: of for run in over if run.id in going and (of := _needs(run, known - going))}:
        going -= needed.keys()
        reasons.update((id, f"it judged deliveries of {of} again, which stays") for id, of in needed.items())
    return (
        [run for run in over if run.id in going],
        [KeptRun(run, reasons[run.id]) for run in over if run.id not in going],
    )


def _over(runs: Sequence[RunSummary], retention: Retention, now: str) -> list[RunSummary]:
    """The runs over a limit."""
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
    """When a run ended, to the second, or else began; a text that sorts last where neither is known."""
    return (run.info.finished_at or run.info.started_at)[:19] if run.info is not None else "~"


def _why_kept(run: RunSummary) -> str:
    """Why a run is kept in any case; empty where it is not."""
    if run.state == "running":
        return "it is running"
    if run.problems:
        return "it is damaged, and kept as it is"
    return "it is pinned" if run.is_pinned else ""


def _needs(run: RunSummary, staying: set[str]) -> str:
    """The id of a run that stays and whose deliveries this run judged; empty where there is none."""
    return min(run.judges & staying, default="")
