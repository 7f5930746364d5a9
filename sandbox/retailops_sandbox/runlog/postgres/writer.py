"""Writes a run into the database."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import msgspec

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import FileError, SandboxError, unwritable
from retailops_sandbox.model import DeliveryInFlight, Record, RunInfo
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.runlog.files.atomic import replacing
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.postgres.uploading import Uploader
from retailops_sandbox.runlog.unwritten import unmark


class SharedRunWriter:
    """A `RunWriter` that appends to a run file of this machine, from which a thread fills the database.

    The file is deleted when the run has ended and all of it is in the database.
    """

    def __init__(
        self,
        place: LogPlace,
        info: RunInfo,
        contracts: ContractSource,
        notice: Callable[[str], None],
        copy: Callable[[str, BinaryIO], bool],
    ) -> None:
        """`notice` takes a line for users: that the database is away, and that all came in after all.

        `copy` is `LogReader.copy` of the database's log.
        """
        self.info = info
        self._place = place
        self._copy = copy
        self._notice = notice
        self._files = FileRunWriter(place.spool_dir, info)
        self._uploader = Uploader(place.database, self._files, contracts, self._tell_away, self._tell_back)
        self._beginning = threading.Lock()
        self._has_begun = False
        self._is_moved = False
        """Whether the run is in the database alone."""

    def begin(self) -> None:
        """Put the run into the log, unless it is there; FileError where its file cannot be made."""
        if self._has_begun:
            return
        with self._beginning:
            if not self._has_begun:
                self._files.begin()
                self._uploader.start()
                self._has_begun = True

    def next_id(self) -> str:
        """An id for the next delivery. Begins the run; FileError where the delivery could not be logged."""
        self.begin()
        return self._files.next_id()

    def append(self, record: Record) -> None:
        """Log a record; FileError where that fails, and then none of it is logged. Begins the run."""
        self.begin()
        self._files.append(record)
        self._uploader.appended()

    def sending(self, flight: DeliveryInFlight) -> AbstractContextManager[None]:
        """Let others see a delivery that takes long, until the block ends, in which it is appended."""
        return self._uploader.sending(flight)

    @property
    def is_flushed(self) -> bool:
        """Whether what was appended is in the database, or that is away."""
        return not self._has_begun or self._uploader.is_flushed

    @property
    def is_away(self) -> bool:
        """Whether the database cannot be reached, as far as is known, and lacks something of the run."""
        return self._uploader.is_away

    async def flush(self) -> None:
        """Wait until the run and what was appended are in the database; not where that is away."""
        if self._has_begun:
            await self._uploader.flush()

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """End the run, if it has begun. Blocks, where the database is away for some seconds.

        FileError where the run's file cannot be made or deleted.
        """
        if not self._has_begun or self._is_moved:
            return
        ended = msgspec.structs.replace(self.info, finished_at=finished_at, stopped=stopped)
        if not self._uploader.finish(ended):
            self._files.finish(finished_at, stopped=stopped)
            return
        self._is_moved = True
        self._files.discard()
        try:
            unmark(self._files.path)
        except OSError as error:
            raise unwritable(self._files.path, error) from error

    def export(self, target: Path) -> None:
        """Replace a file by the run file of the run so far. Blocks."""
        with replacing(target, mode=SHARED_FILE) as file:
            self.copy(file)

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file into an empty, seekable file. Blocks."""
        if not self._is_moved:
            self._files.copy(target)
            return
        if not self._copy(self.info.id, target):
            raise FileError(f"has no run {self.info.id} any more", file=str(self._place))

    def close(self) -> None:
        """Leave the run as a process does that dies: its session in the database ends, its files stay."""
        if self._has_begun:
            self._uploader.finish(self.info)
        self._files.close()

    def _tell_away(self, reason: SandboxError) -> None:
        command = f"retailops-sandbox log push {shlex.quote(str(self._files.path))}{self._place.option}"
        self._notice(
            f"{reason}; the run goes on in a file of its own, which comes in by itself where the database is "
            f"back before the run ends; otherwise bring it in later with: {command}"
        )

    def _tell_back(self) -> None:
        self._notice(f"{self._place}: could be reached again, and has all of run {self.info.id}")
