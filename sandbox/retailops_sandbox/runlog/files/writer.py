"""Writes the files of a run."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import BinaryIO

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Record, RunInfo, encoder
from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.atomic import replacing, unwritable
from retailops_sandbox.runlog.files.finalize import copy_run, finalize
from retailops_sandbox.runlog.files.journal import FORMAT, Head, Line

_encode = encoder.encode
_logger = diagnostics.logger(__name__)
_GENERATION = 1
"""A run's journal becomes a run file once, when the run ends."""


class FileRunWriter:
    """A `RunWriter` that appends to a journal, which becomes the run file when the run ends."""

    def __init__(self, runs_dir: Path, info: RunInfo) -> None:
        self.info = info
        self.path = runs_dir / f"{info.id}.json"
        """The run file."""
        self._head = Head(**msgspec.structs.asdict(info), format=FORMAT, generation=_GENERATION)
        self._journal = runs_dir / f"{info.id}.journal"
        self._has_begun = False
        self._fd = -1
        """The descriptor of the journal, while the run belongs to this writer; otherwise -1."""
        self._numbers = count(1)

    def begin(self) -> None:
        """Make the journal, and its folder if there is none; FileError where that fails."""
        if self._has_begun:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = lock.create(self._journal)
        except OSError as error:
            raise unwritable(self._journal, error) from error
        try:
            self._write(Line(run=self._head))
        except FileError:
            self.close()
            self._journal.unlink(missing_ok=True)
            raise
        self._has_begun = True
        _logger.info("run %s: opened in %s", self.info.id, self.path.parent)

    def next_id(self) -> str:
        """An id for the next delivery. Begins the run."""
        self.begin()
        return f"{self.info.id}.{next(self._numbers):06}"

    def append(self, record: Record) -> None:
        """Log a record; FileError where that fails, and then none of it is logged. Begins the run."""
        self.begin()
        if isinstance(record, Delivery):
            self._write(Line(delivery=record))
        elif isinstance(record, Judgement):
            self._write(Line(judgement=record))
        else:
            self._write(Line(result=record))

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """End the run, if it has begun: make its run file and delete its journal. Blocks.

        FileError where the run file cannot be made; the records then stay in the journal, where readers
        find them.
        """
        if self._fd == -1:
            return
        try:
            if finished_at:
                self._write(Line(finished_at=finished_at, stopped=stopped))
        except FileError:
            self.close()
            raise
        fd, self._fd = self._fd, -1
        finalize(self._journal, fd, own=True)
        _logger.info("run %s: finished", self.info.id)

    def export(self, target: Path) -> None:
        """Replace a file by the run file of the run so far. Blocks."""
        with replacing(target, target.with_name(f"{target.name}.{os.getpid()}.new")) as file:
            self.copy(file)

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file into an empty, seekable file. Blocks."""
        copy_run(self.path, self._journal, target)

    def close(self) -> None:
        """Close the journal without making the run file."""
        fd, self._fd = self._fd, -1
        if fd != -1:
            os.close(fd)

    def _write(self, line: Line) -> None:
        text = _encode(line) + b"\n"
        written = 0
        try:
            # No buffer, and one call unless the disk fills up: what it took is the system's, whatever
            # happens to this process.
            while written < len(text):
                written += os.write(self._fd, text[written:])
        except OSError as error:
            if written:
                # So that the next line starts on its own.
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise unwritable(self._journal, error) from error
