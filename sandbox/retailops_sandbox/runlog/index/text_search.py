"""Finds the records that hold a text, without decoding any."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from io import FileIO

_CHUNK = 1 << 17
"""Bytes: what stays in a processor's cache is searched twice as fast."""


class Hits:
    """The places of a text in a file. One without capitals is found in any case."""

    def __init__(self, file: FileIO, needle: bytes) -> None:
        self._offsets = list(_hits(file, needle))

    def __bool__(self) -> bool:
        return bool(self._offsets)

    def is_in(self, offset: int, size: int) -> bool:
        """Whether one is in the line at this place."""
        position = bisect_left(self._offsets, offset)
        return position < len(self._offsets) and self._offsets[position] < offset + size


def _hits(file: FileIO, needle: bytes) -> Iterator[int]:
    """The offsets of a text: the first in each line, and sometimes further ones."""
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
        # Kept, because the needle may lie across two chunks.
        kept = min(end, len(needle) - 1)
        view[:kept] = view[end - kept : end]
        base += end - kept
