"""What lies in the folder of the runs: which runs there are, and the state of their files."""

from __future__ import annotations

import errno
import os
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.runlog.files import lock, pins

Stamp = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size: a file whose stamp differs has changed."""


class RunOnDisk(NamedTuple):
    """The files of a run at one moment."""

    id: str
    run_file: Path
    stamp: Stamp | None = None
    """That of the run file; None where there is none, or nothing is in it yet."""
    journal_size: int | None = None
    """The bytes of the journal; None where there is none."""
    is_held: bool = False
    """Whether a process holds the lock of the journal."""
    is_pinned: bool = False
    error: FileError | None = None
    """Why the files cannot be looked at."""

    @property
    def journal(self) -> Path:
        return self.run_file.with_suffix(".journal")

    @property
    def is_gone(self) -> bool:
        return self.stamp is None and self.journal_size is None and self.error is None


class RunFolder:
    """The folder of the runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self, known: Container[str] = ()) -> dict[str, RunOnDisk | None]:
        """The runs in the folder, by id; FileError where it cannot be read. Nothing where there is none.

        The files of the runs in `known` are not looked at where they have no journal: their value is None.
        """
        try:
            names = set(os.listdir(self._path))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise unreadable(self._path, error) from error
        ids = {id: "" for id, _, suffix in (name.rpartition(".") for name in names) if suffix in _SUFFIXES}
        found: dict[str, RunOnDisk | None] = {}
        for id in ids:
            has_journal = f"{id}.journal" in names
            if not has_journal and id in known:
                found[id] = None
                continue
            is_pinned = f"{id}{pins.SUFFIX}" in names
            run = self._look_at(id, has_journal=has_journal)._replace(is_pinned=is_pinned)
            if not run.is_gone:
                found[id] = run
        return found

    def _look_at(self, id: str, *, has_journal: bool) -> RunOnDisk:
        run = RunOnDisk(id, self._path / f"{id}.json")
        try:
            # In this order: a line that is unfinished while nobody holds the journal stays unfinished; and a
            # journal is deleted only once its run file is there, so looking for that last misses no run.
            is_held = has_journal and lock.is_held(run.journal)
            size = os.stat(run.journal).st_size if has_journal else None
            if size is not None and run.journal.is_symlink():
                raise OSError(errno.ELOOP, "it is a link")
            return run._replace(stamp=_stamp(run.run_file), journal_size=size, is_held=is_held)
        except FileNotFoundError:
            return self._look_at(id, has_journal=False)  # The run ended meanwhile, and has its run file now.
        except OSError as error:
            return run._replace(error=unreadable(run.journal if has_journal else run.run_file, error))


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file, from its status."""
    return status.st_mtime_ns, status.st_size


def _stamp(path: Path) -> Stamp | None:
    """The stamp of a file; None where there is none, or it is empty."""
    try:
        status = os.stat(path)
        if path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link")
    except FileNotFoundError:
        return None
    return stamp_of(status) if status.st_size else None


_SUFFIXES = ("json", "journal")
