"""Deletes run files, and what dead processes left beside them.

A run file is first renamed to `<run id>.going`, and only then its pin is looked for. So of two processes, one
that pins a run and one that prunes it, at least one notices the other; and after a crash in between `settle`
knows what to do with the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.runlog.files.atomic import unwritable
from retailops_sandbox.runlog.files.pins import pin_path
from retailops_sandbox.runlog.retention import KeptRun, Pruned, Removed
from retailops_sandbox.runlog.runs import RunSummary

_GOING = ".going"
_STALE = 3600
"""Seconds after which a file that is still named `.new` counts as abandoned."""


def delete(runs_dir: Path, going: Sequence[RunSummary], *, dry_run: bool) -> Pruned:
    """Delete the files of these runs; a dry run deletes none, and says how large they are."""
    result = Pruned([], [], [])
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
            result.kept.append(KeptRun(run, "it was pinned just now"))
    return result


def settle(runs_dir: Path) -> None:
    """Finish the deletions during which a process died; FileError where that fails."""
    for going in _files(runs_dir, _GOING):
        try:
            _finish(going)
        except OSError as error:
            raise _undeletable(going, error) from error


def sweep(runs_dir: Path, now: float) -> int:
    """Delete what dead processes left, and return how many files that were. `now` is in seconds.

    That is: half-written files that are an hour old, and the summaries of earlier versions.
    """
    settle(runs_dir)
    gone = 0
    for path in _files(runs_dir, ".new", ".summary"):
        try:
            if path.suffix == ".summary" or path.stat().st_mtime < now - _STALE:
                path.unlink()
                gone += 1
        except FileNotFoundError:
            continue  # Its process has renamed it.
        except OSError as error:
            raise _undeletable(path, error) from error
    return gone


def _remove(file: Path) -> bool | None:
    """Delete a run file; False where it was pinned meanwhile, and stays.

    None where another process is deleting it.
    """
    going = file.with_suffix(_GOING)
    try:
        os.replace(file, going)
    except FileNotFoundError:
        return None
    return _finish(going)


def _finish(going: Path) -> bool:
    """Delete a renamed run file, or name it as before where it is pinned; whether it is deleted."""
    file = going.with_suffix(".json")
    try:
        if pin_path(going.parent, going.stem).exists():
            os.replace(going, file)
            return False
        going.unlink()
    except FileNotFoundError:
        return not file.exists()  # Another process deleted or restored it by `settle`.
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
    for suffix in (".json", ".journal"):
        try:
            sizes += (runs_dir / f"{id}{suffix}").stat().st_size
        except FileNotFoundError:
            continue
    return sizes


def _undeletable(path: Path, error: OSError) -> FileError:
    problem = unwritable(path, error)
    return FileError(problem.what.replace("written", "deleted"), file=problem.file)
