"""Finds the records that hold a text, and decodes no others."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from io import FileIO

from retailops_sandbox.runlog.index.indexed import IndexedRun, KnownRun
from retailops_sandbox.runlog.index.places import Place
from retailops_sandbox.runlog.query import Query, spelled
from retailops_sandbox.runlog.rows import DeliveryRow

_CHUNK = 1 << 17
"""Bytes: what stays in a processor's cache is searched twice as fast."""
_NAME = 24
"""The most bytes of a document's name in a run file."""
_OTHER_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:/|u(?!00[01]))")
"""An escape of a character that the sandbox writes as it is; other programs may write it so."""
_OFTEN_ESCAPED = re.compile(rb"[^\x20-\x7e]|[/<>&']")
_LONGEST_ESCAPE = 6


class Hits:
    """The places of a text in a file. One without capitals is found in any case."""

    def __init__(self, file: FileIO, needle: bytes) -> None:
        self._offsets = sorted(_hits(file, needle))

    def __bool__(self) -> bool:
        return bool(self._offsets)

    def is_in(self, offset: int, size: int) -> bool:
        """Whether one is in the line at this place."""
        position = bisect_left(self._offsets, offset)
        return position < len(self._offsets) and self._offsets[position] < offset + size


class Searched:
    """What is known of where a query's text is, while its rows are read."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._needle = spelled(query.text)
        self._of: tuple[int, IndexedRun] | None = None
        """The run that was searched last, as it was indexed then."""
        self._hits: dict[bool, Hits] = {}
        """By whether they are in the journal."""

    def is_in(self, run: KnownRun) -> bool:
        """Whether the text may be in a record of a run; Stale where its files have changed."""
        if self._of != (run.number, run.indexed):
            self._hits = {}
            for in_journal in (False, True) if run.indexed.as_written else ():
                if run.indexed.offset if in_journal else run.indexed.stamp:
                    with run.files.opened(in_journal=in_journal) as file:
                        self._hits[in_journal] = Hits(file, self._needle)
            self._of = run.number, run.indexed
        return not run.indexed.as_written or any(self._hits.values())

    def holding(
        self, run: KnownRun, rows: Sequence[DeliveryRow], places: Sequence[Place]
    ) -> list[DeliveryRow]:
        """The rows whose records hold the text, which `is_in` has looked for."""
        near = [
            (row, place)
            for row, place in zip(rows, places, strict=True)
            if not run.indexed.as_written or self._is_near(place)
        ]
        records = run.files.deliveries([place for _, place in near])
        return [row for (row, _), record in zip(near, records, strict=True) if self._query.is_in(record)]

    def _is_near(self, place: Place) -> bool:
        hits = self._hits.get(place.in_journal)
        # Of each line the first hit is known, which may be in the document's name, before the record.
        return hits is not None and hits.is_in(place.offset - _NAME, place.size + _NAME)


def _hits(file: FileIO, needle: bytes) -> Iterator[int]:
    """The offsets of a text: the first in each line, and sometimes further ones.

    Escapes of other programs are hits, too, where the text may be written by them.
    """
    any_case = needle == needle.lower() != needle.upper()
    may_be_escaped = _OFTEN_ESCAPED.search(needle) is not None
    overlap = max(len(needle) - 1, _LONGEST_ESCAPE if may_be_escaped else 0)
    buffer = bytearray(_CHUNK + overlap)
    view = memoryview(buffer)
    base = kept = 0
    while size := file.readinto(view[kept:]):
        end = kept + size
        text = buffer.lower() if any_case else buffer
        hit = text.find(needle, 0, end)
        while hit != -1:
            yield base + hit
            line_end = text.find(b"\n", hit, end)
            hit = text.find(needle, line_end, end) if line_end != -1 else -1
        if may_be_escaped and (text.find(b"\\u", 0, end) != -1 or text.find(b"\\/", 0, end) != -1):
            yield from (base + found.start() for found in _OTHER_ESCAPE.finditer(text, 0, end))
        # Kept, because what is looked for may lie across two chunks.
        kept = min(end, overlap)
        view[:kept] = view[end - kept : end]
        base += end - kept
