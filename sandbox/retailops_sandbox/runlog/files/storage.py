"""Keeps a run that goes on as a TinyDB database that appends.

TinyDB rewrites its whole file for each document: at 1,000 deliveries that takes 0.1 s. Here a record is one
more line of the journal. Everything else is TinyDB's own.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import msgspec
from tinydb import TinyDB
from tinydb.table import Table

from retailops_sandbox import diagnostics
from retailops_sandbox.atomic_storage import AtomicStorage, DocumentsByTable
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Record, Result, encoder
from retailops_sandbox.regular_files import PRIVATE_FILE, make_private_folder
from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.atomic import unwritable
from retailops_sandbox.runlog.files.finalize import copy_run, finalize
from retailops_sandbox.runlog.files.journal import TABLES, Head, Line, record_line
from retailops_sandbox.runlog.files.tables import Tables, begun

_encode = encoder.encode
_logger = diagnostics.logger(__name__)
_BINARY = getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20
_LONG, _PIECE = 1 << 20, 1 << 16
"""Characters of an answer: so many are long, and so many are encoded at once."""
_CHECK_HOLDS = 0.002
"""Seconds, in which a fast receiver answers several deliveries, and no page is answered."""


class RecordDocument(Mapping[str, Any]):
    """A record as a document of TinyDB. It is encoded as the record; its members are made when asked for."""

    __slots__ = ("_made", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self._made: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def _members(self) -> dict[str, Any]:
        if self._made is None:
            self._made = json.loads(_encode(self.record))
        return self._made


class RunStorage(AtomicStorage):
    """The storage of a run that goes on: a journal, and beside it a run file that is only begun.

    What TinyDB reads is what the run file would be if the run ended now. What it writes is the run file, in
    the place of both; then nothing is appended any more. FileError where the disk refuses.
    """

    def __init__(self, path: Path, head: Head) -> None:
        """`path` is the run file. Makes both files, and their folders."""
        super().__init__(path, mode=PRIVATE_FILE)
        self._journal = path.with_suffix(".journal")
        self._head = head
        self._checked = -math.inf
        """When the journal was last seen to be there, by the monotonic clock."""
        self._appended = dict.fromkeys(TABLES, 0)
        """The number of documents of each table."""
        self._writing = Lock()
        """Held by the thread that writes a line, so that a failed one takes no other back."""
        first = _encode(Line(run=head)) + b"\n"
        self.size = len(first)
        """The bytes of the journal's whole lines."""
        try:
            self._fd = self._created([first])
        except OSError as error:
            raise unwritable(self._journal, error) from error

    def append(self, table: str, document: RecordDocument) -> int:
        """Append a document to a table of `TABLES`; its id, which is its number there.

        FileError leaves none of it.
        """
        line = record_line(table, _encoded(document.record))
        with self._writing:
            self._write_line(line)
            self._appended[table] += 1
            self.size += len(line)
            return self._appended[table]

    def lines(self, start: int, most: int) -> bytes:
        """Whole lines of the journal from a place on, which is the beginning of one: about `most` bytes.

        At least one line, unless there is none.
        """
        with self._writing:
            if self._fd == -1:
                raise FileError("cannot be read: the run has ended", file=str(self._journal))
            size = self.size - start
            text = self._read(start, min(size, most))
            end = text.rfind(b"\n") + 1
            return text[:end] if end else self._read(start, size)

    def _read(self, start: int, size: int) -> bytes:
        os.lseek(self._fd, start, os.SEEK_SET)
        text = b""
        while len(text) < size and (piece := os.read(self._fd, size - len(text))):
            text += piece
        return text

    def check(self) -> None:
        """Make the journal anew if it is no longer there; FileError where nothing could be appended."""
        try:
            with self._writing:
                self._check()
        except OSError as error:
            raise unwritable(self._journal, error) from error

    def read(self) -> DocumentsByTable:
        with BytesIO() as text:
            self.copy(text)
            found: DocumentsByTable = json.loads(text.getvalue())
        return found

    def write(self, data: DocumentsByTable) -> None:
        try:
            self._check()
            super().write(data)
            self.close()
            self._journal.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def spell(self, data: DocumentsByTable, file: BinaryIO) -> None:
        tables = Tables(file)
        for name, documents in data.items():
            tables.table(name)
            for id, document in documents.items():
                tables.add(_encode(document), id)
        tables.end()

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """Make the run file and delete the journal, unless that was done. Blocks."""
        if self._fd == -1:
            return
        try:
            self._check_now()
            if finished_at:
                self._write_line(_encode(Line(finished_at=finished_at, stopped=stopped)) + b"\n")
        except FileError:
            self.close()
            raise
        fd, self._fd = self._fd, -1
        finalize(self._journal, fd, own=True)
        _logger.info("run %s: finished", self._head.id)

    def discard(self) -> None:
        """Delete journal and run file: all of the run is kept elsewhere."""
        self.close()
        try:
            self._journal.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file into an empty, seekable file. Blocks."""
        if self._fd != -1:
            self._check_now()
        copy_run(self.path, self._journal, target)

    def close(self) -> None:
        """Close the journal, without making the run file."""
        fd, self._fd = self._fd, -1
        if fd != -1:
            os.close(fd)

    def _write_line(self, line: bytes) -> None:
        try:
            self._check()
            _write_all(self._fd, line)
        except OSError as error:
            raise unwritable(self._journal, error) from error

    def _created(self, content: Iterable[bytes]) -> int:
        """Make the journal with this content, the run file, and their folders; the locked descriptor.

        Raises OSError.
        """
        for folder in (self.path.parent.parent, self.path.parent):
            make_private_folder(folder)
        fd = lock.create(self._journal)
        try:
            for chunk in content:
                _write_all(fd, chunk)
            self._begin_run_file()
        except OSError:
            os.close(fd)
            self._journal.unlink(missing_ok=True)
            raise
        return fd

    def _begin_run_file(self) -> None:
        """Make the run file, unless there is one: TinyDB then opens the run while it goes on."""
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, PRIVATE_FILE)
        except FileExistsError:
            return
        try:
            _write_all(fd, begun(self._head))
        except OSError:
            self.path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)

    def _check_now(self) -> None:
        self._checked = -math.inf
        self.check()

    def _check(self) -> None:
        """Make the journal anew if it is no longer there. Raises OSError, or FileError after its end."""
        if self._fd == -1:
            raise FileError("cannot be written: the run has ended", file=str(self._journal))
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
        _logger.warning("run %s: somebody deleted %s, which is made anew", self._head.id, self._journal)


class AppendingTable(Table):
    """A table whose `insert` appends a record. Whatever else is done to it, TinyDB does in its own way."""

    def insert(self, document: Mapping[str, Any]) -> int:
        storage = self.storage
        if not (isinstance(document, RecordDocument) and isinstance(storage, RunStorage)):
            return super().insert(document)
        id = storage.append(self.name, document)
        self.clear_cache()
        return id


class RunDatabase(TinyDB):
    """The TinyDB database of a run that goes on."""

    table_class = AppendingTable

    def __init__(self, path: Path, head: Head) -> None:
        """`path` is that of the run file. FileError where the run's files cannot be made."""
        self.run = RunStorage(path, head)
        super().__init__(storage=lambda: self.run)
        self._table_of = {
            Delivery: self.table("deliveries"),
            Judgement: self.table("judgements"),
            Result: self.table("results"),
        }

    def append(self, record: Record) -> None:
        """Insert a record into its table; FileError where that fails, and then none of it is there."""
        self._table_of[type(record)].insert(RecordDocument(record))


def _encoded(record: Record) -> bytes:
    """A record as JSON. A long answer is encoded in pieces, because other threads wait for each of them."""
    response = record.response if isinstance(record, Delivery) else None
    if response is None or len(response.body) < _LONG:
        return _encode(record)
    mark, body = secrets.token_hex(16), response.body
    response = msgspec.structs.replace(response, body=mark)
    before, _, after = _encode(msgspec.structs.replace(record, response=response)).partition(mark.encode())
    pieces = (_encode(body[start : start + _PIECE])[1:-1] for start in range(0, len(body), _PIECE))
    return b"".join([before, *pieces, after])


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
