"""Writes the files of a run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import DeliveryInFlight, Record, RunInfo
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.runlog.files.atomic import replacing
from retailops_sandbox.runlog.files.journal import FORMAT, Head

if TYPE_CHECKING:
    from retailops_sandbox.runlog.files.storage import RunDatabase

_logger = diagnostics.logger(__name__)
_NOTHING = nullcontext()
GENERATION = 1
"""A run's journal becomes a run file once, when the run ends."""


class FileRunWriter:
    """A `RunWriter` that appends to a TinyDB database, which becomes one file when the run ends."""

    def __init__(self, runs_dir: Path, info: RunInfo) -> None:
        self.info = info
        self.path = runs_dir / f"{info.id}.json"
        """The run file."""
        self._database: RunDatabase | None = None
        """None until the run begins."""
        self._numbers = count(1)

    def begin(self) -> None:
        """Make the run's files, and their folder if there is none; FileError where that fails."""
        self._begun()

    def next_id(self) -> str:
        """An id for the next delivery. Begins the run; FileError where the delivery could not be logged."""
        self._begun().run.check()
        return f"{self.info.id}.{next(self._numbers):06}"

    def append(self, record: Record) -> None:
        """Log a record; FileError where that fails, and then none of it is logged. Begins the run."""
        self._begun().append(record)

    def sending(self, flight: DeliveryInFlight) -> AbstractContextManager[None]:
        """Nothing: a delivery is in no file before it ends."""
        return _NOTHING

    @property
    def is_flushed(self) -> bool:
        """True: readers have what is in the journal."""
        return True

    @property
    def is_away(self) -> bool:
        """False: files are here."""
        return False

    async def flush(self) -> None:
        """Nothing: readers have what is in the journal."""

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """End the run, if it has begun: make its run file and delete its journal. Blocks.

        FileError where the run file cannot be made; the records then stay in the journal, where readers
        find them.
        """
        if self._database is not None:
            self._database.run.finish(finished_at, stopped=stopped)

    def export(self, target: Path) -> None:
        """Replace a file by the run file of the run so far. Blocks."""
        with replacing(target, mode=SHARED_FILE) as file:
            self.copy(file)

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file into an empty, seekable file. Blocks."""
        if self._database is None:
            raise FileError("cannot be read: the run has not begun", file=str(self.path))
        self._database.run.copy(target)

    @property
    def size(self) -> int:
        """The bytes of the journal's whole lines; 0 before the run begins."""
        return 0 if self._database is None else self._database.run.size

    def lines(self, start: int, most: int) -> bytes:
        """Whole lines of the journal from the beginning of one on: about `most` bytes, at least one line."""
        return b"" if self._database is None else self._database.run.lines(start, most)

    def discard(self) -> None:
        """Delete the run's files, if it has begun: all of it is kept elsewhere."""
        if self._database is not None:
            self._database.run.discard()

    def close(self) -> None:
        """Close the journal without making the run file."""
        if self._database is not None:
            self._database.close()

    def _begun(self) -> RunDatabase:
        if self._database is not None:
            return self._database
        # Imported here, because a process that sends nothing needs no TinyDB.
        from retailops_sandbox.runlog.files.storage import RunDatabase

        head = Head(**msgspec.structs.asdict(self.info), format=FORMAT, generation=GENERATION)
        self._database = RunDatabase(self.path, head)
        _logger.info("run %s: opened in %s", self.info.id, self.path.parent)
        return self._database
