"""Which runs of this machine the database of a log does not have, or not all of.

A run that the database lacks something of has a mark: a file in a folder beside that of the runs, so that
every process of the workspace knows. It says why, and stays where the run ends before all of it came in.
"""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.errors import unreadable
from retailops_sandbox.runlog.files.folder import RunFolder

_FOLDER = "unwritten"


def mark(run_file: Path, reason: str) -> None:
    """Say that the database lacks something of a run. Raises OSError."""
    path = _mark_of(run_file)
    path.parent.mkdir(exist_ok=True)
    path.write_text(reason, "utf-8", "surrogateescape")


def unmark(run_file: Path) -> None:
    """Say that the database has all of a run. Raises OSError."""
    _mark_of(run_file).unlink(missing_ok=True)


def waiting(spool_dir: Path) -> list[str]:
    """The ids of the runs that no process will bring in by itself; FileError where they cannot be read."""
    # A folder of its own: the index need not know of the runs that are on their way.
    return [id for id, run in RunFolder(spool_dir).look().items() if not run.is_held]


def unwritten(spool_dir: Path) -> dict[str, str]:
    """The ids of the runs that the database lacks something of, and why.

    The reason is empty where no process will bring a run in. FileError where they cannot be read.
    """
    if not (spool_dir.parent / _FOLDER).exists():
        return {}
    found: dict[str, str] = {}
    for id, run in RunFolder(spool_dir).look().items():
        reason = _reason(run.run_file)
        if reason is not None:
            found[id] = reason if run.is_held else ""
    return found


def _mark_of(run_file: Path) -> Path:
    return run_file.parent.parent / _FOLDER / run_file.stem


def _reason(run_file: Path) -> str | None:
    """What a run's mark says; None where it has none."""
    path = _mark_of(run_file)
    try:
        return path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
