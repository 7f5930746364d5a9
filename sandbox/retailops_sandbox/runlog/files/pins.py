"""Runs that stay, whatever retention says: `<run id>.pinned`, an empty file beside the run's own."""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.files.atomic import unwritable

SUFFIX = ".pinned"


def pin(runs_dir: Path, id: str) -> None:
    """Let a run of the log stay; FileError where it cannot be said so, or the run has gone meanwhile."""
    mark = pin_path(runs_dir, id)
    try:
        mark.touch()
    except OSError as error:
        raise unwritable(mark, error) from error
    # Only now: who prunes looks for the mark after taking the run file away. And in this order, because a
    # journal goes only when its run file is there.
    if not any((runs_dir / f"{id}{suffix}").exists() for suffix in (".journal", ".json")):
        mark.unlink(missing_ok=True)
        raise FileError("is gone: somebody has just deleted it", file=str(runs_dir / f"{id}.json"))


def unpin(runs_dir: Path, id: str) -> None:
    """Let a run go when its time has come; nothing happens where it was not pinned."""
    mark = pin_path(runs_dir, id)
    try:
        mark.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(mark, error) from error


def pin_path(runs_dir: Path, id: str) -> Path:
    """Where the mark of a run stands."""
    return runs_dir / f"{id}{SUFFIX}"
