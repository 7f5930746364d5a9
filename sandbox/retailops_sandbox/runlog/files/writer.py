"""A run as its own process writes it."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from types import TracebackType

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Record, RunInfo, encoder
from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.atomic import replacing, unwritable
from retailops_sandbox.runlog.files.finalize import copy_run, finalize
from retailops_sandbox.runlog.files.journal import Head, Line

_encode = encoder.encode
_GENERATION = 1
"""A run is folded once, when it ends."""


def run_id(now: str, random: str) -> str:
    """The id of a run that starts now (UTC, RFC 3339); `random` tells apart those of the same second."""
    return f"{now[:19].replace('-', '').replace(':', '')}Z-{random}"


class RunWriter:
    """The log of one run: records are appended to its journal, and become its run file when it ends.

    An appended record survives the death of the process. The run belongs to this writer until it is
    folded or closed; leaving a `with` folds it.
    """

    def __init__(self, runs_dir: Path, info: RunInfo, fd: int) -> None:
        self.info = info
        self._head = Head(**msgspec.structs.asdict(info), generation=_GENERATION)
        self.path = runs_dir / f"{info.id}.json"
        self._journal = runs_dir / f"{info.id}.journal"
        self._fd = fd
        self._numbers = count(1)

    @classmethod
    def open(cls, runs_dir: Path, info: RunInfo) -> RunWriter:
        """Start a run's log, and its folder if there is none; FileError where that cannot be."""
        journal = runs_dir / f"{info.id}.journal"
        try:
            runs_dir.mkdir(parents=True, exist_ok=True)
            fd = lock.create(journal)
        except OSError as error:
            raise unwritable(journal, error) from error
        writer = cls(runs_dir, info, fd)
        try:
            writer._write(Line(run=writer._head))
        except FileError:
            writer.close()
            journal.unlink(missing_ok=True)
            raise
        return writer

    def next_id(self) -> str:
        """An id for the next delivery."""
        return f"{self.info.id}.{next(self._numbers):06}"

    def append(self, record: Record) -> None:
        """Log a record; FileError, and nothing of it in the log, where that fails."""
        if isinstance(record, Delivery):
            self._write(Line(delivery=record))
        elif isinstance(record, Judgement):
            self._write(Line(judgement=record))
        else:
            self._write(Line(result=record))

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """End the run: make its run file, delete its journal, let go of it. Blocks, so call it in a thread.

        `stopped` says that it ended before all was done.

        FileError where it cannot be made; the records then stay in the journal, where readers find them.
        """
        try:
            if finished_at:
                self._write(Line(finished_at=finished_at, stopped=stopped))
        except FileError:
            self.close()
            raise
        fd, self._fd = self._fd, -1
        finalize(self._journal, fd, own=True)

    def export(self, target: Path) -> None:
        """Write the run, as far as it is, as a run file of that name. Blocks."""
        with replacing(target, target.with_name(f"{target.name}.{os.getpid()}.new")) as file:
            copy_run(self.path, self._journal, file)

    def close(self) -> None:
        """Let go of the run without folding it."""
        fd, self._fd = self._fd, -1
        if fd != -1:
            os.close(fd)

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd != -1:
            self.finish()

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
