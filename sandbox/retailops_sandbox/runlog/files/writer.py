"""Writes the files of a run."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import BinaryIO

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Record, RunInfo, encoder
from retailops_sandbox.regular_files import SHARED_FILE, make_private_folder
from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.atomic import replacing, unwritable
from retailops_sandbox.runlog.files.finalize import copy_run, finalize
from retailops_sandbox.runlog.files.journal import FORMAT, Head, Line

_encode = encoder.encode
_logger = diagnostics.logger(__name__)
_CHUNK = 1 << 20
_CHECK_HOLDS = 0.002
"""Seconds, in which a fast receiver answers several deliveries, and no page is answered."""
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
        self._checked = -math.inf
        """When the journal was last seen to be there, by the monotonic clock."""
        self._numbers = count(1)

    def begin(self) -> None:
        """Make the journal, and its folder if there is none; FileError where that fails."""
        if self._has_begun:
            return
        try:
            self._fd = self._created([_encode(Line(run=self._head)) + b"\n"])
        except OSError as error:
            raise unwritable(self._journal, error) from error
        self._has_begun = True
        _logger.info("run %s: opened in %s", self.info.id, self.path.parent)

    def next_id(self) -> str:
        """An id for the next delivery. Begins the run; FileError where the delivery could not be logged."""
        self.begin()
        try:
            self._check()
        except OSError as error:
            raise unwritable(self._journal, error) from error
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
        self._checked = -math.inf
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
        with replacing(target, mode=SHARED_FILE) as file:
            self.copy(file)

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file into an empty, seekable file. Blocks."""
        copy_run(self.path, self._journal, target)

    def close(self) -> None:
        """Close the journal without making the run file."""
        fd, self._fd = self._fd, -1
        if fd != -1:
            os.close(fd)

    def _created(self, content: Iterable[bytes]) -> int:
        """Make the journal with this content, and its folders; the locked descriptor. Raises OSError."""
        for folder in (self.path.parent.parent, self.path.parent):
            make_private_folder(folder)
        fd = lock.create(self._journal)
        try:
            for chunk in content:
                _write_all(fd, chunk)
        except OSError:
            os.close(fd)
            self._journal.unlink(missing_ok=True)
            raise
        return fd

    def _check(self) -> None:
        """Make the journal anew if it is no longer there. Raises OSError."""
        now = time.monotonic()
        # To ask the system for each record takes longer than to write it. What is written into a journal that
        # was deleted in between is in the one that the next check makes, or the end of the run.
        if now - self._checked > _CHECK_HOLDS:
            if not lock.is_at(self._fd, self._journal):
                self._restore()
            self._checked = now

    def _restore(self) -> None:
        """Make the journal anew, with all that it held: somebody deleted it while the run goes on."""
        lost = self._fd
        os.lseek(lost, 0, os.SEEK_SET)
        self._fd = self._created(iter(lambda: os.read(lost, _CHUNK), b""))
        os.close(lost)
        _logger.warning("run %s: somebody deleted %s, which is made anew", self.info.id, self._journal)

    def _write(self, line: Line) -> None:
        try:
            self._check()
            _write_all(self._fd, _encode(line) + b"\n")
        except OSError as error:
            raise unwritable(self._journal, error) from error


def _write_all(fd: int, text: bytes) -> None:
    """Append all of a text, or nothing: OSError where the disk is full."""
    written = 0
    try:
        # No buffer, and one call unless the disk fills up: what it took is the system's, whatever happens
        # to this process.
        while written < len(text):
            written += os.write(fd, text[written:])
    except OSError:
        if written:
            # So that the next line starts on its own.
            os.ftruncate(fd, os.fstat(fd).st_size - written)
        raise
