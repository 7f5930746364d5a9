"""A run as anyone reads it, from its run file, its journal, or both."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import RunInfo, Verdict
from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.finalize import copy_run
from retailops_sandbox.runlog.files.runfile import RunFile
from retailops_sandbox.runlog.index.folded import Folded
from retailops_sandbox.runlog.index.live import Live
from retailops_sandbox.runlog.index.search import Stale, Stamp, stamp_of
from retailops_sandbox.runlog.runs import RunState

Source = Folded | Live


class RunReader:
    """One run. `refresh` reads only what is new since the last time."""

    def __init__(self, path: Path, run_id: str) -> None:
        """`path` is the run file."""
        self.id = run_id
        self.is_pinned = False
        """It stays, whatever retention says; who looks into the folder says so."""
        self.foreign = ""
        """The name of the file, where it is not the log's own."""
        self._file = path
        self._journal = path.with_suffix(".journal")
        self._folded: Folded | None = None
        self._live: Live | None = None
        self._held = False
        self._passing: list[FileError] = []

    @classmethod
    def of_foreign(cls, path: Path, stamp: Stamp, content: RunFile, name: str) -> RunReader:
        """The run of a file that lies elsewhere, as it was read; it is never refreshed."""
        run = cls(path, content.head.id)
        run.foreign = name
        run._folded = Folded.of(path, stamp, content)
        return run

    # --- what it tells ---

    @property
    def sources(self) -> list[Source]:
        """The files that hold its records; both only where the journal has what the run file has not."""
        return [each for each in self._files if self._mistaken(each) is None]

    @property
    def info(self) -> RunInfo | None:
        """What it says of itself; None where it is so damaged that it does not."""
        head = next((each.head for each in self.sources if each.head is not None), None)
        live = self._live
        if head is None or live is None or live not in self.sources or not live.finished_at:
            return head
        return msgspec.structs.replace(head, finished_at=live.finished_at, stopped=live.stopped)

    @property
    def state(self) -> RunState:
        """Whether its process still runs, finished it, was told to stop, or died before it could."""
        if self._held and self._live in self.sources:
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
            mistaken = self._mistaken(source)
            found += source.problems if mistaken is None else [mistaken]
        if self._live in self._files and self._live is not None and self._live.is_torn and not self._held:
            found.append(
                FileError(
                    "torn: its process died while it wrote this line; what it reported is whole",
                    file=str(self._journal),
                    line=self._live.lines + 1,
                    column=1,
                )
            )
        return (*found, *self._passing)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell: its process has not yet written, or died before it did."""
        return self.info is None and not self.problems

    @property
    def deliveries(self) -> int:
        return sum(source.deliveries for source in self.sources)

    @property
    def outcomes(self) -> Counter[Verdict]:
        """How many results there are of each verdict."""
        return sum((source.outcomes for source in self.sources), Counter())

    @property
    def verdicts(self) -> Counter[str]:
        """How many deliveries there are of each verdict, by this run; empty stands for not judged."""
        return sum((source.verdicts for source in self.sources), Counter())

    @property
    def judges(self) -> frozenset[str]:
        """The other runs whose deliveries it judged again."""
        return frozenset(id.rpartition(".")[0] for source in self.sources for id in source.elsewhere)

    @property
    def _files(self) -> list[Source]:
        folded, live = self._folded, self._live
        heads = [each.head for each in (folded, live) if each is not None and each.head is not None]
        if folded is not None and len(heads) == 2 and heads[1].generation <= heads[0].generation:
            return [folded]  # The journal was folded, and only not yet deleted.
        return [each for each in (folded, live) if each is not None]

    def _mistaken(self, source: Source) -> FileError | None:
        """Why a file is not of this run; None where it is."""
        head = source.head
        if head is None or head.id == self.id:
            return None
        path = self._file if isinstance(source, Folded) else self._journal
        return FileError(
            f"holds run {head.id}", mend=f"name it {head.id}{path.suffix} to see it", file=str(path)
        )

    # --- reading on ---

    def refresh(self, *, has_journal: bool) -> bool:
        """Read what is new; False if the run is gone. `has_journal` is what the folder said just now."""
        self._passing = []
        try:
            # In this order: what is unfinished though nobody held it stays unfinished; and a journal goes
            # only when its run file is there, so who looks for the file last misses no run.
            self._held = has_journal and lock.is_held(self._journal)
            size = os.stat(self._journal).st_size if has_journal else None
            stamp = _stamp(self._file)
            if self._folded is not None and (self._folded.is_lost or self._folded.stamp != stamp):
                self._folded = None
            if self._folded is None and stamp is not None:
                self._folded = Folded.open(self._file)
            if size is None:
                self._live = None
            else:
                self._live = self._live or Live(self._journal)
                self._live.read(size)
        except (FileNotFoundError, Stale):
            return self.refresh(has_journal=False)  # It was folded meanwhile, and has its run file now.
        except OSError as error:
            self._passing.append(unreadable(self._journal, error))
            return True
        return size is not None or stamp is not None

    @property
    def is_changed(self) -> bool:
        """Whether its run file is another one by now than when it was read."""
        try:
            return self._folded is None or _stamp(self._file) != self._folded.stamp
        except OSError:
            return True

    def copy(self, target: BinaryIO) -> None:
        """Write it, as far as it is, as a run file into a file that is empty and can be sought in."""
        copy_run(self._file, self._journal, target)

    def reindex(self) -> list[FileError] | None:
        """Make the summary of the run file anew; what is wrong with either, None where there is neither."""
        if self._folded is None:
            return None
        self._folded = Folded.open(self._file, anew=True)
        return [*self._folded.problems, *([self._folded.unkept] if self._folded.unkept else [])]


def _stamp(path: Path) -> Stamp | None:
    """What tells whether a file is still the same; None where there is none."""
    try:
        return stamp_of(os.stat(path))
    except FileNotFoundError:
        return None
