"""Reads a run from its run file, its journal, or both."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import RunInfo, Verdict
from retailops_sandbox.runlog.files import lock, runfile
from retailops_sandbox.runlog.files.finalize import copy_run
from retailops_sandbox.runlog.files.runfile import RunFile
from retailops_sandbox.runlog.index.journal import JournalIndex
from retailops_sandbox.runlog.index.places import Stale, Stamp, stamp_of
from retailops_sandbox.runlog.index.run_file import RunFileIndex
from retailops_sandbox.runlog.runs import RunState

Source = RunFileIndex | JournalIndex


class RunReader:
    """One run. `refresh` reads what is new since the last time."""

    def __init__(self, path: Path, run_id: str) -> None:
        """`path` is the run file."""
        self.id = run_id
        self.is_pinned = False
        """Retention does not delete it. `FileLog` sets this."""
        self.opened_from = ""
        """The name of the file that it was opened from; empty for a run of the log's folder."""
        self._path = path
        self._journal_path = path.with_suffix(".journal")
        self._run_file: RunFileIndex | None = None
        self._journal: JournalIndex | None = None
        self._is_held = False
        """Whether a process holds the lock of the journal."""
        self._read_errors: list[FileError] = []
        """The errors of the last `refresh`."""

    @classmethod
    def of_file(cls, path: Path, stamp: Stamp, content: RunFile, name: str) -> RunReader:
        """The run of a file outside the log's folder, as it was read. It is never refreshed."""
        run = cls(path, content.head.id)
        run.opened_from = name
        run._run_file = RunFileIndex.of(path, stamp, content)
        return run

    @property
    def sources(self) -> list[Source]:
        """The files to read its records from: both only where the run file lacks what the journal has."""
        return [each for each in self._files if self._wrong_name(each) is None]

    @property
    def info(self) -> RunInfo | None:
        """The run's own record; None where it is damaged."""
        head = next((each.head for each in self.sources if each.head is not None), None)
        journal = self._journal
        if head is None or journal is None or journal not in self.sources or not journal.finished_at:
            return head
        return msgspec.structs.replace(head, finished_at=journal.finished_at, stopped=journal.stopped)

    @property
    def state(self) -> RunState:
        """Running while its process holds the journal's lock; interrupted where the process died."""
        if self._is_held and self._journal in self.sources:
            return "running"
        info = self.info
        if not info or not info.finished_at:
            return "interrupted"
        return "stopped" if info.stopped else "finished"

    @property
    def problems(self) -> tuple[FileError, ...]:
        """What cannot be read, each in one line."""
        found: list[FileError] = []
        for source in self._files:
            wrong_name = self._wrong_name(source)
            found += source.problems if wrong_name is None else [wrong_name]
        journal = self._journal
        if journal is not None and journal in self._files and journal.is_torn and not self._is_held:
            found.append(
                FileError(
                    "torn: its process died while it wrote this line; what it reported is whole",
                    file=str(self._journal_path),
                    line=journal.lines + 1,
                    column=1,
                )
            )
        return (*found, *self._read_errors)

    @property
    def is_empty(self) -> bool:
        """Whether its process has written nothing yet, or died before it did."""
        return self.info is None and not self.problems

    @property
    def deliveries(self) -> int:
        return sum(source.deliveries for source in self.sources)

    @property
    def outcomes(self) -> Counter[Verdict]:
        """The number of results of each verdict."""
        return sum((source.outcomes for source in self.sources), Counter())

    @property
    def verdicts(self) -> Counter[str]:
        """The number of deliveries of each verdict, as this run judged them; the empty one for not judged."""
        return sum((source.verdicts for source in self.sources), Counter())

    @property
    def judges(self) -> frozenset[str]:
        """The other runs whose deliveries this one judged again."""
        return frozenset(id.rpartition(".")[0] for source in self.sources for id in source.elsewhere)

    @property
    def _files(self) -> list[Source]:
        run_file, journal = self._run_file, self._journal
        heads = [each.head for each in (run_file, journal) if each is not None and each.head is not None]
        if run_file is not None and len(heads) == 2 and heads[1].generation <= heads[0].generation:
            return [run_file]  # It has all of the journal, which is only not yet deleted.
        return [each for each in (run_file, journal) if each is not None]

    def _wrong_name(self, source: Source) -> FileError | None:
        """The error of a file that has this run's name but holds another run; None where it holds this."""
        head = source.head
        if head is None or head.id == self.id:
            return None
        path = self._path if isinstance(source, RunFileIndex) else self._journal_path
        return FileError(
            f"holds run {head.id}", mend=f"name it {head.id}{path.suffix} to see it", file=str(path)
        )

    def refresh(self, *, has_journal: bool) -> bool:
        """Read what is new; False where the run is gone. `has_journal`: the folder has just listed one."""
        self._read_errors = []
        try:
            # In this order: a line that is unfinished while nobody holds the journal stays unfinished; and
            # a journal is deleted only once its run file is there, so looking for that last misses no run.
            self._is_held = has_journal and lock.is_held(self._journal_path)
            size = os.stat(self._journal_path).st_size if has_journal else None
            stamp = _stamp(self._path)
            if stamp is not None and self._path.is_symlink():
                raise OSError(errno.ELOOP, "it is a link")
            if stamp is not None and size is not None and runfile.is_only_begun(self._path):
                stamp = None
            if self._run_file is not None and (self._run_file.is_lost or self._run_file.stamp != stamp):
                self._run_file = None
            if self._run_file is None and stamp is not None:
                self._run_file = RunFileIndex.open(self._path)
            if size is None:
                self._journal = None
            else:
                self._journal = self._journal or JournalIndex(self._journal_path)
                self._journal.read(size)
        except (FileNotFoundError, Stale):
            return self.refresh(has_journal=False)  # The run ended meanwhile, and has its run file now.
        except OSError as error:
            self._read_errors.append(unreadable(self._journal_path, error))
            return True
        return size is not None or stamp is not None

    @property
    def is_changed(self) -> bool:
        """Whether the run file has changed since it was read."""
        try:
            return self._run_file is None or _stamp(self._path) != self._run_file.stamp
        except OSError:
            return True

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file. `target` is empty and seekable."""
        copy_run(self._path, self._journal_path, target)

    def reindex(self) -> list[FileError] | None:
        """Make the summary anew; the problems of summary and run file, None where there is no run file."""
        if self._run_file is None:
            return None
        self._run_file = RunFileIndex.open(self._path, anew=True)
        return [*self._run_file.problems, *([self._run_file.unkept] if self._run_file.unkept else [])]


def _stamp(path: Path) -> Stamp | None:
    """The stamp of a file; None where there is none, or an empty one, which TinyDB makes of any path."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return stamp_of(status) if status.st_size else None
