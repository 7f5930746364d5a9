"""Which runs of this machine the database of a log does not have, or not all of.

A run that goes on has a file beside its journal while the database lacks something of it, so that every
process of the workspace knows. The file says why.
"""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.errors import unreadable
from retailops_sandbox.runlog.files.folder import RunFolder

_SUFFIX = ".unwritten"


def mark(run_file: Path, reason: str) -> None:
    """Say that the database lacks something of a run that goes on. Raises OSError."""
    run_file.with_suffix(_SUFFIX).write_text(reason, "utf-8", "surrogateescape")


def unmark(run_file: Path) -> None:
    """Say that the database has all of a run, or that the run has ended. Raises OSError."""
    run_file.with_suffix(_SUFFIX).unlink(missing_ok=True)


def waiting(spool_dir: Path) -> list[str]:
    """The ids of the runs that no process will bring in by itself; FileError where they cannot be read."""
    # A folder of its own: the index need not know of the runs that are on their way.
    return [id for id, run in RunFolder(spool_dir).look().items() if not run.is_held]


def unwritten(spool_dir: Path) -> dict[str, str]:
    """The ids of all runs that the database may lack something of, and why their processes say so.

    The reason is empty where no process will bring a run in. FileError where they cannot be read.
    """
    found: dict[str, str] = {}
    for id, run in RunFolder(spool_dir).look().items():
        if not run.is_held:
            found[id] = ""
        elif (reason := _reason(run.run_file)) is not None:
            found[id] = reason
    return found


def _reason(run_file: Path) -> str | None:
    """What a run's mark says; None where it has none."""
    path = run_file.with_suffix(_SUFFIX)
    try:
        return path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
