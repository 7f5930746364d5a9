"""Looking into the files of the log, without taking all of them apart."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from retailops_sandbox.errors import unreadable
from retailops_sandbox.runlog.rows import DeliveryRow, Span

_CHUNK = 1 << 17
"""As much as stays in a processor's cache: twice as fast as larger ones."""
Stamp = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size: what tells whether it is still the same."""


class Stale(Exception):
    """A file is not the one any more that was looked at: look again."""


@contextmanager
def opened(path: Path, stamp: Stamp | None = None) -> Iterator[FileIO]:
    """A file to read in, if it is still the same; Stale where it is not, or is gone."""
    try:
        with open(path, "rb", buffering=0) as file:
            if stamp not in (None, stamp_of(os.fstat(file.fileno()))):
                raise Stale
            yield file
    except FileNotFoundError as error:
        raise Stale from error
    except OSError as error:
        raise unreadable(path, error) from error


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file, from what the system says of it."""
    return status.st_mtime_ns, status.st_size


def texts(file: FileIO, spans: Sequence[Span]) -> Iterator[bytes]:
    """What lies at these places."""
    for offset, size in spans:
        file.seek(offset)
        yield file.read(size)


def holding(rows: Iterable[DeliveryRow], file: FileIO, needle: bytes) -> Iterator[DeliveryRow]:
    """Those of the rows whose lines in a file hold a text; one without capitals finds them, too."""
    hits = list(_hits(file, needle))
    for row in rows if hits else ():
        start, size = row.span
        position = bisect_left(hits, start)
        if position < len(hits) and hits[position] < start + size:
            yield row


def _hits(file: FileIO, needle: bytes) -> Iterator[int]:
    """Where the text stands: the first place in each line, and sometimes another."""
    any_case = needle == needle.lower() != needle.upper()
    buffer = bytearray(_CHUNK + len(needle))
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
        # The needle may lie across two chunks.
        kept = min(end, len(needle) - 1)
        view[:kept] = view[end - kept : end]
        base += end - kept
