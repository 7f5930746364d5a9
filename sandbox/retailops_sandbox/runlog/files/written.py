"""Reads a run file that is laid out as `tables` writes it, a line at a time: it is never whole in memory."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
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


def stored_records(file: BinaryIO, unchecked: Container[str] = ()) -> Iterator[StoredRecord]:
    """The records of a file that is at its beginning; NotAsWritten at the first line that is not expected.

    Whether a record is JSON is not looked at in the tables `unchecked`.
    """
    line = file.readline(_LONGEST)
    if not line.startswith(b"{"):
        raise NotAsWritten
    tables: set[str] = set()
    offset, line = 1, line[1:]
    while True:
        table, ending = _begun_table(line, tables)
        offset += len(line)
        number = 0
        is_checked = table not in unchecked
        line = file.readline()
        while ending == b"":
            following = file.readline()
            number += 1
            name = b'"%d": ' % number
            if not line.startswith(name):
                raise NotAsWritten
            is_last = not following.startswith(b'"%d": {"' % (number + 1))
            document, after = _document(line[len(name) :], is_last=is_last, is_checked=is_checked)
            yield StoredRecord(table, str(number), document, (offset + len(name), len(document)))
            offset += len(line)
            ending = b"" if after == _NEXT else after
            line = following
        if ending == _END:
            break
    if line or file.read(1):
        raise NotAsWritten


def _begun_table(line: bytes, tables: set[str]) -> tuple[str, bytes]:
    """The name of the table that a line begins, and its end where it is empty; adds it to those before."""
    match = _TABLE.fullmatch(line)
    if match is None or (name := match[1].decode()) in tables:
        raise NotAsWritten
    tables.add(name)
    return name, match[2] and match[2] + b"\n"


def _document(text: bytes, *, is_last: bool, is_checked: bool) -> tuple[bytes, bytes]:
    """The document that a line holds, and what follows it. Not checked to be JSON unless it is the last."""
    if not is_last and not is_checked:
        if text.startswith(b"{") and text.endswith(b"},\n"):
            return text[: -len(_NEXT)], _NEXT
        raise NotAsWritten
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
