"""A run as anyone reads it, from its run file, its journal, or both."""

from __future__ import annotations

import os
from bisect import insort
from pathlib import Path
from typing import Literal

import msgspec

from sandbox.errors import FileError
from sandbox.model import Delivery, Judgement, Result, RunInfo
from sandbox.store import lock, runfile
from sandbox.store.files import unreadable
from sandbox.store.journal import NO_HEAD, NO_RECORD, Head, damaged_line, line_decoder

RunState = Literal["running", "finished", "stopped", "interrupted"]
SortKey = tuple[str, str]
"""When a delivery was sent, and its id."""


class RunReader:
    """The records of one run. `refresh` reads only what is new since the last time."""

    def __init__(self, runs_dir: Path, run_id: str) -> None:
        self.id = run_id
        self._file = runs_dir / f"{run_id}.json"
        self._journal = runs_dir / f"{run_id}.journal"
        self._stamp: tuple[int, int] | None = None
        self._held = False
        self._passing: list[FileError] = []
        self._start_over()

    def _start_over(self) -> None:
        self.info: RunInfo | None = None
        self.deliveries: dict[str, Delivery] = {}
        self.judgements: dict[str, list[Judgement]] = {}
        """By the delivery that they name, which may be of another run."""
        self.results: list[Result] = []
        self.order: list[SortKey] = []
        self._problems: list[FileError] = []
        self._generation = 0
        self._passed_over = False
        """The journal has nothing to add: it was folded, or is another run's."""
        self._size = self._offset = self._lines = 0
        self._unfinished = False

    @property
    def problems(self) -> tuple[FileError, ...]:
        """What cannot be read, each in one line."""
        return (*self._problems, *self._passing)

    @property
    def state(self) -> RunState:
        """Whether its process still runs, finished it, was told to stop, or died before it could."""
        if self._held and not self._passed_over:
            return "running"
        if not self.info or not self.info.finished_at:
            return "interrupted"
        return "stopped" if self.info.stopped else "finished"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell: its process has not yet written, or died before it did."""
        return self.info is None and not self.problems

    def refresh(self, *, has_journal: bool) -> bool:
        """Read what is new; False if the run is gone. `has_journal` is what the folder said just now."""
        self._passing = []
        try:
            # In this order: what is unfinished though nobody held it stays unfinished; and a journal goes
            # only when its run file is there, so who looks for the file last misses no run.
            self._held = has_journal and lock.is_held(self._journal)
            size = _size(self._journal) if has_journal else None
            stamp = _stamp(self._file)
            if stamp != self._stamp:
                self._start_over()
                self._stamp = stamp
                if stamp:
                    self._read_file()
            if size is not None and not self._passed_over:
                self._read_journal(size)
        except FileNotFoundError:
            return self.refresh(has_journal=False)  # It was folded meanwhile, and has its run file now.
        except OSError as error:
            self._passing.append(unreadable(self._journal, error))
            return True
        return size is not None or stamp is not None

    def _read_file(self) -> None:
        try:
            content = runfile.read(self._file)
        except FileError as error:
            self._problems.append(error)
            return
        if not self._accept(content.head, self._file):
            return
        self._generation = content.head.generation
        self._problems += content.problems
        for delivery in content.deliveries:
            self._add_delivery(delivery)
        for judgement in content.judgements:
            self._add_judgement(judgement)
        self.results += content.results

    def _read_journal(self, size: int) -> None:
        if size != self._size:
            self._size = size
            self._read_lines()
        if self._unfinished and not self._held:
            self._passing.append(
                FileError(
                    "torn: its process died while it wrote this line; what it reported is whole",
                    file=str(self._journal),
                    line=self._lines + 1,
                    column=1,
                )
            )

    def _read_lines(self) -> None:
        """The whole lines after those read so far."""
        self._unfinished = False
        with open(self._journal, "rb") as file:
            file.seek(self._offset)
            for text in file:
                if not text.endswith(b"\n"):
                    self._unfinished = True
                    return
                self._offset += len(text)
                self._lines += 1
                self._read_line(text)
                if self._passed_over:
                    return

    def _read_line(self, text: bytes) -> None:
        try:
            line = line_decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._name_line(str(error))
            return
        if self._lines == 1 and not line.run:
            self._name_line(NO_HEAD)
        if line.delivery:
            self._add_delivery(line.delivery)
        elif line.judgement:
            self._add_judgement(line.judgement)
        elif line.result:
            self.results.append(line.result)
        elif line.run:
            mine = self._accept(line.run, self._journal)
            self._passed_over = not mine or line.run.generation <= self._generation
        elif not line.finished_at:
            self._name_line(NO_RECORD)
        elif self.info:
            ended = {"finished_at": line.finished_at, "stopped": line.stopped}
            self.info = msgspec.structs.replace(self.info, **ended)

    def _name_line(self, reason: str) -> None:
        self._problems.append(damaged_line(self._journal, self._lines, reason))

    def _accept(self, head: Head, path: Path) -> bool:
        if head.id != self.id:
            self._problems.append(
                FileError(
                    f"holds run {head.id}", mend=f"name it {head.id}{path.suffix} to see it", file=str(path)
                )
            )
            return False
        self.info = self.info or head
        return True

    def _add_delivery(self, delivery: Delivery) -> None:
        if delivery.id not in self.deliveries:
            insort(self.order, sort_key(delivery))
        self.deliveries[delivery.id] = delivery

    def _add_judgement(self, judgement: Judgement) -> None:
        self.judgements.setdefault(judgement.delivery, []).append(judgement)


def sort_key(delivery: Delivery) -> SortKey:
    """What deliveries are ordered by."""
    return delivery.sent_at, delivery.id


def _size(path: Path) -> int | None:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
