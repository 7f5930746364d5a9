"""Which runs go, and how they do.

A run file is renamed to `<run id>.going` before anything else, and only then it is looked for a pin: so of
somebody who pins it and somebody who prunes it at the same time one is told, and a crash in between leaves
a file of which `settle` knows what is to become.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.files.atomic import unreadable, unwritable
from retailops_sandbox.runlog.files.finalize import fold_abandoned
from retailops_sandbox.runlog.files.pins import pin_path
from retailops_sandbox.runlog.index.folded import summary_path
from retailops_sandbox.runlog.log import Log, RunSummary

_GOING = ".going"
_STALE = 3600
"""Seconds after which nobody is writing a file any more that was to become another."""


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
    """Why some could not be deleted, or not even folded."""

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


def prune(runs_dir: Path, retention: Retention, now: str, *, dry_run: bool = False) -> Pruned:
    """Delete the runs that are not to be kept; a dry run deletes none, and says which. Blocks.

    Never one that goes on, that is pinned, or that is damaged.
    """
    # What dead processes left becomes run files first. What cannot is damaged, and stays as it is.
    settle(runs_dir)
    problems = fold_abandoned(runs_dir)
    going, kept = choose(Log(runs_dir).runs(), retention, now)
    result = Pruned([], kept, problems)
    for run in going:
        size = _size(runs_dir, run.id)
        try:
            is_gone = dry_run or _remove(runs_dir / f"{run.id}.json")
        except OSError as error:
            result.problems.append(_undeletable(runs_dir / f"{run.id}.json", error))
            continue
        if is_gone:
            result.removed.append(Removed(run, size))
        elif is_gone is False:
            kept.append(KeptRun(run, "it was pinned just now"))
    return result


def settle(runs_dir: Path) -> None:
    """Finish what somebody died over who was deleting a run."""
    for going in _files(runs_dir, _GOING):
        try:
            _finish(going)
        except OSError as error:
            raise _undeletable(going, error) from error


def sweep(runs_dir: Path, now: float) -> int:
    """Delete what dead processes left that nobody needs; returns how many files. `now` is in seconds.

    Half-written files nobody has written to for an hour, and summaries without a run file.
    """
    settle(runs_dir)
    gone = 0
    for path in _files(runs_dir, ".new", ".summary"):
        try:
            if path.suffix == ".new":
                is_left = path.stat().st_mtime < now - _STALE
            else:
                is_left = not path.with_suffix(".json").exists()
            if is_left:
                path.unlink()
                gone += 1
        except FileNotFoundError:
            continue  # It has become what it was to become.
        except OSError as error:
            raise _undeletable(path, error) from error
    return gone


# --- which ---


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


# --- how ---


def _remove(file: Path) -> bool | None:
    """Delete a run file and its summary; False where it was pinned meanwhile, and stays.

    None where somebody else is about it, who will know what becomes of it.
    """
    going = file.with_suffix(_GOING)
    try:
        os.replace(file, going)
    except FileNotFoundError:
        return None
    return _finish(going)


def _finish(going: Path) -> bool:
    """Delete what was taken away, or put it back where it is pinned; whether it is gone."""
    file = going.with_suffix(".json")
    try:
        if pin_path(going.parent, going.stem).exists():
            os.replace(going, file)
            return False
        going.unlink()
    except FileNotFoundError:
        return not file.exists()  # Somebody else took it for left behind, and finished it.
    summary_path(file).unlink(missing_ok=True)
    return True


def _files(runs_dir: Path, *suffixes: str) -> list[Path]:
    """The files of a folder whose names end in one of these."""
    try:
        return [runs_dir / name for name in sorted(os.listdir(runs_dir)) if name.endswith(suffixes)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(runs_dir, error) from error


def _size(runs_dir: Path, id: str) -> int:
    sizes = 0
    for suffix in (".json", ".journal", ".summary"):
        try:
            sizes += (runs_dir / f"{id}{suffix}").stat().st_size
        except FileNotFoundError:
            continue
    return sizes


def _undeletable(path: Path, error: OSError) -> FileError:
    problem = unwritable(path, error)
    return FileError(problem.what.replace("written", "deleted"), file=problem.file)
