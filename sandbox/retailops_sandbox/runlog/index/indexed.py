"""What the index knows of itself, and of a run as a whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import RunInfo, Verdict
from retailops_sandbox.runlog.files.folder import RunOnDisk, Stamp
from retailops_sandbox.runlog.files.journal import Head
from retailops_sandbox.runlog.index.places import RecordFiles
from retailops_sandbox.runlog.runs import RunState, RunSummary


class State(NamedTuple):
    """Which index it is, and how many times it was written."""

    identity: str
    changes: int
    results: int
    """How many times it had been written when a result last changed."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What cannot be read of a run's files. Their folder may have another path by the time it is shown."""

    what: str
    mend: str = ""
    in_journal: bool = False
    line: int = 0
    column: int = 0
    pointer: str | None = None

    @classmethod
    def of(cls, error: FileError, *, in_journal: bool = False) -> Problem:
        return cls(error.what, error.mend, in_journal, error.line, error.column, error.pointer)

    def error(self, run_file: Path) -> FileError:
        """The error as users see it."""
        path = run_file.with_suffix(".journal") if self.in_journal else run_file
        return FileError(
            self.what,
            mend=self.mend,
            file=str(path),
            line=self.line,
            column=self.column,
            pointer=self.pointer,
        )


class IndexedRun(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A run as it was indexed: how far, and the numbers that lists show of it."""

    stamp: Stamp | None = None
    """That of the run file; None where there was none."""
    run_file_head: Head | None = None
    as_written: bool = True
    """Whether the run file is laid out as the sandbox writes it, so that its bytes can be searched."""
    journal_head: Head | None = None
    offset: int = 0
    """The bytes of the journal that are indexed."""
    lines: int = 0
    """The lines of the journal that are indexed."""
    finished_at: str = ""
    """As the journal's last line says."""
    stopped: bool = False
    deliveries: int = 0
    verdicts: dict[str, int] = {}
    """The number of deliveries of each verdict, as this run judged them; the empty one for not judged."""
    outcomes: dict[Verdict, int] = {}
    """The number of results of each verdict."""
    first: int = 0
    """`sort_of` the first delivery."""
    last: int = 0
    """`sort_of` the last delivery."""
    judges: tuple[str, ...] = ()
    """The other runs whose deliveries this one judged again."""
    problems: tuple[Problem, ...] = ()

    @property
    def is_in_run_file(self) -> bool:
        """Whether the run file has all that the journal has, so that the journal is only not yet deleted."""
        run_file, journal = self.run_file_head, self.journal_head
        return run_file is not None and journal is not None and journal.generation <= run_file.generation

    @property
    def info(self) -> RunInfo | None:
        """The run's own record; None where it is damaged."""
        head = self.run_file_head or self.journal_head
        if head is None or not self.finished_at or self.is_in_run_file:
            return head
        return msgspec.structs.replace(head, finished_at=self.finished_at, stopped=self.stopped)


class InIndex(NamedTuple):
    """A run in the index."""

    number: int = 0
    """In the index: another run may have it once this one is gone."""
    changed: int = 0
    """The number of the change that last wrote it."""
    indexed: IndexedRun = IndexedRun()


class KnownRun(NamedTuple):
    """A run in the index, and its files as they were last seen."""

    in_index: InIndex
    on_disk: RunOnDisk

    @property
    def number(self) -> int:
        return self.in_index.number

    @property
    def indexed(self) -> IndexedRun:
        return self.in_index.indexed

    @property
    def id(self) -> str:
        return self.on_disk.id

    @property
    def files(self) -> RecordFiles:
        """The files of the run, as they were indexed."""
        return RecordFiles(self.on_disk.run_file, self.indexed.stamp)

    @property
    def state(self) -> RunState:
        """Running while its process holds the journal's lock; interrupted where the process died."""
        if self.on_disk.is_held and not self.indexed.is_in_run_file:
            return "running"
        info = self.indexed.info
        if not info or not info.finished_at:
            return "interrupted"
        return "stopped" if info.stopped else "finished"

    @property
    def problems(self) -> tuple[FileError, ...]:
        """What cannot be read, each in one line."""
        found = [each.error(self.on_disk.run_file) for each in self.indexed.problems]
        size = self.on_disk.journal_size or 0
        is_torn = size > self.indexed.offset and not self.indexed.is_in_run_file
        if is_torn and not self.on_disk.is_held:
            found.append(_torn(self.on_disk, self.indexed.lines + 1))
        return (*found, *([self.on_disk.error] if self.on_disk.error is not None else []))

    @property
    def is_empty(self) -> bool:
        """Whether its process has written nothing yet, or died before it did."""
        return self.indexed.info is None and not self.problems

    @property
    def order(self) -> tuple[str, str, str]:
        """The order of runs: by the second that the id begins with, then by the exact time."""
        info = self.indexed.info
        return self.id.partition("-")[0], info.started_at if info else "", self.id

    def summary(self, opened_from: str = "") -> RunSummary:
        return RunSummary(
            id=self.id,
            info=self.indexed.info,
            state=self.state,
            deliveries=self.indexed.deliveries,
            verdicts=Counter(self.indexed.verdicts),
            outcomes=Counter(self.indexed.outcomes),
            problems=self.problems,
            is_pinned=self.on_disk.is_pinned,
            opened_from=opened_from,
            judges=frozenset(self.indexed.judges),
        )


def _torn(run: RunOnDisk, line: int) -> FileError:
    return FileError(
        "torn: its process died while it wrote this line; what it reported is whole",
        file=str(run.journal),
        line=line,
        column=1,
    )


decoder = msgspec.json.Decoder(IndexedRun)
