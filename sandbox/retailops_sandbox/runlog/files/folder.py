"""What lies in the folder of the runs: which runs there are, and the state of their files."""

from __future__ import annotations

import errno
import math
import os
import stat
import time
from pathlib import Path
from typing import Literal, NamedTuple

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.runlog.files import lock, pins

Stamp = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size: a file whose stamp differs has changed."""


Look = Literal["new", "due", "all"]
"""Which files to look at besides journals: none of runs that have ended; these, too, where they are due; all.

An ended run is changed by hand alone. Whoever reads a record of it notices.
"""
_QUICK = 0.002
"""Seconds of the processor: a look that takes less is always due."""
_SHARE = 0.05
"""The share of time that looking at the files of runs that have ended may take."""


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
    """The folder of the runs. One thread at a time may look into it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, RunOnDisk] = {}
        self._due = -math.inf
        """When the files of runs that have ended are due to be looked at, by the monotonic clock."""

    def look(self, at: Look = "all") -> dict[str, RunOnDisk]:
        """The runs in the folder, by id; FileError where it cannot be read. Nothing where there is none.

        A run whose files are as they were is the same object as the last time.
        """
        at_ended = at == "all" or (at == "due" and time.monotonic() >= self._due)
        start = time.thread_time()
        found = self._looked(at_ended=at_ended)
        took = time.thread_time() - start
        if at_ended and took > _QUICK:
            self._due = time.monotonic() + took / _SHARE
        return found

    def _looked(self, *, at_ended: bool) -> dict[str, RunOnDisk]:
        try:
            with os.scandir(self._path) as entries:
                files = {entry.name: entry for entry in entries}
        except FileNotFoundError:
            files = {}
        except OSError as error:
            raise unreadable(self._path, error) from error
        found: dict[str, RunOnDisk] = {}
        for name, entry in files.items():
            id, dot, suffix = name.rpartition(".")
            if not dot or suffix not in _SUFFIXES or id in found:
                continue
            if not id.isascii() and (shown := _shown(id)) != id:
                found[shown] = self._seen.get(shown) or _misnamed(self._path, shown, suffix)
                continue
            known = self._seen.get(id)
            is_pinned = f"{id}{pins.SUFFIX}" in files
            if f"{id}.journal" in files:
                run = self._look_at(id, has_journal=True)._replace(is_pinned=is_pinned)
            elif (
                known is not None
                and known.journal_size is None
                and (not at_ended or _is_as_seen(known, entry))
            ):
                run = known if known.is_pinned == is_pinned else known._replace(is_pinned=is_pinned)
            else:
                run = self._look_at(id, has_journal=False)._replace(is_pinned=is_pinned)
            if not run.is_gone:
                found[id] = known if run == known else run
        self._seen = found
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


def _shown(name: str) -> str:
    """A name with each byte that is not UTF-8 written as an escape."""
    return name.encode(errors="backslashreplace").decode()


def _misnamed(runs_dir: Path, shown: str, suffix: str) -> RunOnDisk:
    """A run whose files have a name that is not UTF-8, which no run has that the sandbox wrote."""
    what = "cannot be shown: its name is not UTF-8"
    error = FileError(what, mend="rename it", file=_shown(str(runs_dir / f"{shown}.{suffix}")))
    return RunOnDisk(shown, runs_dir / f"{shown}.json", error=error)


def _is_as_seen(run: RunOnDisk, entry: os.DirEntry[str]) -> bool:
    """Whether a run file is as it was."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False  # It is gone: looking at it tells what is there instead.
    return stamp_of(status) == run.stamp and stat.S_ISREG(status.st_mode)


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
