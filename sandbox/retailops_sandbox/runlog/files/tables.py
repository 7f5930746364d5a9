"""Writes the tables of a run file.

It is written without TinyDB, which would take seconds where this takes a tenth, but in its layout:
`TinyDB(path)` opens, queries and extends it. Each document is on a line of its own, for whoever reads it in
an editor.
"""

from __future__ import annotations

from typing import BinaryIO

import msgspec


class Tables:
    """Writes the tables of a run file: one after the other, in any order, then the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = b"{"
        self._count = 0

    def table(self, name: str) -> None:
        """Begin a table, and end the one before."""
        self._file.write(b'%b"%b": {' % (self._start, name.encode()))
        self._start = b"},\n"
        self._count = 0

    def add(self, document: bytes | msgspec.Raw) -> None:
        """Add a document, which is JSON, to the table."""
        comma = b"," if self._count else b""
        self._count += 1
        self._file.write(b'%b\n"%d": %b' % (comma, self._count, document))

    def end(self) -> None:
        """End the last table, and the file."""
        self._file.write(b"}}\n")
