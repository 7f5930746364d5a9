"""Reads a run file that is laid out as `tables` writes it, a line at a time: it is never whole in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from retailops_sandbox.runlog.files.journal import UNDECODABLE

Span = tuple[int, int]
"""The place of a record in a file: the offset of its first byte, and its size in bytes."""

_TABLE = re.compile(rb'"(\w{1,100})": \{(|\},|\}\})\n', re.ASCII)
"""The line that a table begins with; an empty one also ends in it."""
_LONGEST = 200
"""Bytes: TinyDB writes a file of one line, of which no more is read here."""
_NEXT, _END_OF_TABLE, _END = b",\n", b"},\n", b"}}\n"
"""What follows a document: the next one, or the end of its table, which may be that of the file."""


class StoredRecord(msgspec.Struct, frozen=True):
    """A record of a run file as it is stored, and its place."""

    table: str
    number: str
    """The document's id in its table."""
    document: bytes
    """The record's JSON. It need not be UTF-8, nor what the table holds."""
    span: Span


class NotAsWritten(Exception):
    """A file is laid out in another way, or damaged."""


def stored_records(file: BinaryIO) -> Iterator[StoredRecord]:
    """The records of a file that is at its beginning; NotAsWritten at the first line that is not expected."""
    line = file.readline(_LONGEST)
    if not line.startswith(b"{"):
        raise NotAsWritten
    tables: set[str] = set()
    offset, line = 1, line[1:]
    while True:
        table, ending = _begun_table(line, tables)
        offset += len(line)
        number = 0
        while ending == b"":
            line = file.readline()
            number += 1
            name = b'"%d": ' % number
            if not line.startswith(name):
                raise NotAsWritten
            document, after = _document(line[len(name) :])
            yield StoredRecord(table, str(number), document, (offset + len(name), len(document)))
            offset += len(line)
            ending = b"" if after == _NEXT else after
        if ending == _END:
            break
        line = file.readline()
    if file.read(1):
        raise NotAsWritten


def _begun_table(line: bytes, tables: set[str]) -> tuple[str, bytes]:
    """The name of the table that a line begins, and its end where it is empty; adds it to those before."""
    match = _TABLE.fullmatch(line)
    if match is None or (name := match[1].decode()) in tables:
        raise NotAsWritten
    tables.add(name)
    return name, match[2] and match[2] + b"\n"


def _document(text: bytes) -> tuple[bytes, bytes]:
    """The document that a line holds, and what follows it."""
    # In this order: a document ends where it is whole, and a bracket more or less makes it none.
    for after in (_NEXT, _END_OF_TABLE, _END):
        document = text[: -len(after)]
        if text.endswith(after) and document.startswith(b"{") and document.endswith(b"}"):
            try:
                _raw.decode(document)
            except UNDECODABLE:
                continue
            return document, after
    raise NotAsWritten


_raw = msgspec.json.Decoder(msgspec.Raw)
