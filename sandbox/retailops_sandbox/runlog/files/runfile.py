"""The run file: a TinyDB database with the tables `run`, `deliveries`, `judgements` and `results`.

This module reads it, and `tables` writes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Delivery, Judgement, Number, Record, Result
from retailops_sandbox.regular_files import regular
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.files.journal import FORMAT, UNDECODABLE, Head
from retailops_sandbox.runlog.files.tables import BEGUN
from retailops_sandbox.runlog.files.written import NotAsWritten, Span, StoredRecord, stored_records

_Tables = Mapping[str, Mapping[str, msgspec.Raw]]


class _Version(msgspec.Struct):
    """The version of a run file's layout. A file that does not state it has version 1."""

    format: int = 1


class RunFile(msgspec.Struct, frozen=True):
    """The content of a run file: each record with its place, and what cannot be read."""

    head: Head
    deliveries: list[tuple[Delivery, Span]]
    judgements: list[tuple[Judgement, Span]]
    results: list[tuple[Result, Span]]
    problems: list[FileError]


class NewerFormat(FileError):
    """A run file that only a newer version of the sandbox can read."""


class StoredRecords:
    """The records of a run file, those of other tables too, in the order in which they lie in it.

    A file that is laid out as the sandbox writes it is read a line at a time, any other as a whole. FileError
    where it is no run file, or damaged: what was taken before that does not count. What is no record of its
    table is no error here.
    """

    def __init__(self, path: Path, unchecked: Container[str] = ()) -> None:
        self._path = path
        self._unchecked = unchecked
        self.are_lines = False
        """Whether each is on a line of its own, which is known when all were taken."""

    def __iter__(self) -> Iterator[StoredRecord]:
        count, last = 0, None
        try:
            with open(self._path, "rb", opener=regular) as file:
                if _head_at_end(file) is not None:
                    try:
                        for last in stored_records(file, self._unchecked):
                            yield last
                            count += 1
                        self.are_lines = True
                        return
                    except NotAsWritten:
                        pass  # What is wrong with it, the other way of reading says.
                file.seek(0)
                found = list(_whole(self._path, file.read())[1])
        except OSError as error:
            raise unreadable(self._path, error) from error
        if last is not None and found[count - 1 : count] != [last]:
            raise FileError("was changed while it was read", mend="read it again", file=str(self._path))
        yield from found[count:]


def records(path: Path, unchecked: Container[str] = ()) -> StoredRecords:
    """The records of a run file. In the tables `unchecked` they need not be JSON."""
    return StoredRecords(path, unchecked)


def read(path: Path) -> RunFile:
    """The records of a run file; FileError where it is none. Other tables are left out."""
    text = _content(path)
    head, found = _whole(path, text)
    problems: list[FileError] = []
    content = RunFile(head, [], [], [], problems)
    for stored in found:
        try:
            record = decoded(path, stored)
        except FileError as error:
            problems.append(error)
            continue
        if isinstance(record, Delivery):
            content.deliveries.append((record, stored.span))
        elif isinstance(record, Judgement):
            content.judgements.append((record, stored.span))
        elif isinstance(record, Result):
            content.results.append((record, stored.span))
    return content


def decoded(path: Path, stored: StoredRecord) -> Record | None:
    """The record that a run file stores; None for the head, and for what is of a table of somebody else's.

    FileError where it is damaged.
    """
    decoder = _decoders.get(stored.table)
    try:
        return decoder.decode(stored.document) if decoder is not None else None
    except UNDECODABLE as error:
        raise _damaged(path, str(error), pointer=f"/{stored.table}/{stored.number}") from error


def head(path: Path, stored: StoredRecord) -> Head:
    """The head that a run file stores; FileError where it is damaged."""
    try:
        return _head_decoder.decode(stored.document)
    except UNDECODABLE as error:
        raise _damaged(path, str(error), pointer=f"/{stored.table}/{stored.number}") from error


def entries(path: Path) -> list[Entry]:
    """The deliveries of a run file; FileError where it is none, or any of it is damaged."""
    content = read(path)
    if content.problems:
        raise content.problems[0]
    by_delivery: dict[str, list[Judgement]] = {}
    for judgement, _ in content.judgements:
        by_delivery.setdefault(judgement.delivery, []).append(judgement)
    return [Entry(each, tuple(by_delivery.get(each.id, ()))) for each, _ in content.deliveries]


def read_head(path: Path) -> Head:
    """The head of a run file; FileError where it is none."""
    return _whole(path, _content(path))[0]


def first_head(path: Path) -> Head:
    """The head of a run file, without a look at its records; FileError where it is none.

    Of a file that is laid out as the sandbox writes it, only the end is read.
    """
    try:
        with open(path, "rb", opener=regular) as file:
            head = _head_at_end(file)
            return _whole(path, file.read())[0] if head is None else head
    except OSError as error:
        raise unreadable(path, error) from error


def is_only_begun(path: Path) -> bool:
    """Whether a run file has none of its run's records: it is not there, empty, or only begun.

    One that cannot be read is not.
    """
    try:
        with open(path, "rb", opener=regular) as file:
            head = _head_at_end(file)
            if head is None and (text := file.read()):
                head = _whole(path, text)[0]
    except FileNotFoundError:
        return True
    except (OSError, FileError):
        return False
    return head is None or head.generation == BEGUN


def _content(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=regular) as file:
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from error


def _head_at_end(file: BinaryIO) -> Head | None:
    """The head that is at the end of a file, where the sandbox writes it; None where none can be read there.

    The file is at its beginning before and afterwards.
    """
    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
    _, start, rest = file.read().rpartition(_RUN)
    file.seek(0)
    try:
        run = _tables.decode(b"{" + start + rest)["run"]["1"]
        return _head_decoder.decode(run) if _version.decode(run).format <= FORMAT else None
    except (*UNDECODABLE, KeyError):
        return None


def _whole(path: Path, text: bytes) -> tuple[Head, Iterator[StoredRecord]]:
    """The head and the records of a run file of any layout."""
    try:
        tables = _tables.decode(text)
        run = next(iter(tables.get("run", {}).values()), None)
        if run is None:
            raise _damaged(path, "it does not say which run it is", pointer="/run")
        version = _version.decode(run).format
        if version > FORMAT:
            raise NewerFormat(
                f"is of format {version}: a newer version of the sandbox wrote it",
                mend="update the sandbox; the file is kept as it is",
                file=str(path),
            )
        return _head_decoder.decode(run), _placed(path, text, tables)
    except UNDECODABLE as error:
        raise _damaged(path, str(error)) from error


def _placed(path: Path, text: bytes, tables: _Tables) -> Iterator[StoredRecord]:
    """The records of tables, with their places in the text that these were decoded from."""
    end = 0
    for name, table in tables.items():
        for number, raw in table.items():
            document = bytes(raw)
            start = text.find(document, end)
            # Of two of one name the later is decoded, and what it hides is between two documents.
            if start == -1 or not _BETWEEN.fullmatch(text, end, start):
                raise _damaged(path, "a name stands in it twice", pointer=f"/{name}/{number}")
            end = start + len(document)
            yield StoredRecord(name, number, document, (start, len(document)))


def _damaged(path: Path, reason: str, *, pointer: str | None = None) -> FileError:
    return FileError(f"damaged: {reason}", mend="it is kept as it is", file=str(path), pointer=pointer)


_RUN = b'\n"run": {'
_TAIL = 1 << 16
"""Bytes at the end of a file, in which the record of the run is looked for first."""
_NAME = rb'"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*'
_BETWEEN = re.compile(
    rb"\s*(?:,|(?:\{|\}\s*,)\s*(?:NAME\{\s*\}\s*,\s*)*NAME\{)\s*NAME".replace(b"NAME", _NAME), re.DOTALL
)
"""What is before a document: the name, after the document before or after the start of a table."""
_tables: msgspec.json.Decoder[dict[str, dict[str, msgspec.Raw]]] = msgspec.json.Decoder(
    dict[str, dict[str, msgspec.Raw]]
)
_version = msgspec.json.Decoder(_Version)
_head_decoder = msgspec.json.Decoder(Head)
delivery_decoder = msgspec.json.Decoder(Delivery, float_hook=Number)
judgement_decoder = msgspec.json.Decoder(Judgement, float_hook=Number)
result_decoder = msgspec.json.Decoder(Result)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    "deliveries": delivery_decoder,
    "judgements": judgement_decoder,
    "results": result_decoder,
}
