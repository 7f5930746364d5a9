"""Writes the tables of a run file, in the layout of TinyDB.

TinyDB itself writes a file from all of its documents in memory, on one line. Here they pass one by one, and
each is on a line of its own, for whoever reads it in an editor or a line at a time.
"""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

import msgspec

from retailops_sandbox.model import encoder
from retailops_sandbox.runlog.files.journal import TABLES, Head


class Tables:
    """Writes the tables of a run file: one after the other, in any order, then the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = b"{"
        self._count = 0

    def table(self, name: str) -> None:
        """Begin a table, and end the one before."""
        self._file.write(b"%b%b: {" % (self._start, encoder.encode(name)))
        self._start = b"},\n"
        self._count = 0

    def add(self, document: bytes | msgspec.Raw, id: str = "") -> None:
        """Add a document, which is JSON, to the table; its id is by default its number there, from 1."""
        comma = b"," if self._count else b""
        self._count += 1
        self._file.write(b"%b\n%b: %b" % (comma, encoder.encode(id or str(self._count)), document))

    def end(self) -> None:
        """End the last table, and the file."""
        self._file.write(b"{}\n" if self._start == b"{" else b"}}\n")


def begun(head: Head) -> bytes:
    """The run file of a run that goes on: it has the run's record alone, and no journal's records."""
    file = BytesIO()
    tables = Tables(file)
    for name in TABLES:
        tables.table(name)
    tables.table("run")
    tables.add(encoder.encode(msgspec.structs.replace(head, generation=BEGUN)))
    tables.end()
    return file.getvalue()


BEGUN = 0
"""The generation of a run file that was only begun: every journal is a later one."""
