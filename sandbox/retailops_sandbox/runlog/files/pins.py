"""Pins runs, so that pruning keeps them: `<run id>.pinned` is an empty file beside the run's own."""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.files.atomic import unwritable

SUFFIX = ".pinned"


def pin(runs_dir: Path, id: str) -> None:
    """Pin a run; FileError where the mark cannot be written, or the run was deleted meanwhile."""
    mark = pin_path(runs_dir, id)
    try:
        mark.touch()
    except OSError as error:
        raise unwritable(mark, error) from error
    # Only now: pruning looks for the mark after it has renamed the run file. And in this order, because a
    # journal is deleted only once its run file is there.
    if not any(_holds_something(runs_dir / f"{id}{suffix}") for suffix in (".journal", ".json")):
        mark.unlink(missing_ok=True)
        raise FileError("is gone: somebody has just deleted it", file=str(runs_dir / f"{id}.json"))


def unpin(runs_dir: Path, id: str) -> None:
    """Unpin a run; nothing happens where it is not pinned. FileError where the mark cannot be deleted."""
    mark = pin_path(runs_dir, id)
    try:
        mark.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(mark, error) from error


def pin_path(runs_dir: Path, id: str) -> Path:
    """The path of a run's mark."""
    return runs_dir / f"{id}{SUFFIX}"


def _holds_something(path: Path) -> bool:
    """Whether there is a file, and not an empty one, which TinyDB makes of any path that it opens."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
