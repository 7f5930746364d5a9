"""Unified diffs of changed files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

_CONTEXT = 3
"""Unchanged lines around a change."""

LineKind = Literal["file", "place", "removed", "added", "same", "note"]


class Line(msgspec.Struct, frozen=True):
    """A line of a diff, its sign included."""

    kind: LineKind
    text: str


def unified(before: str, after: str, *, old: str, new: str) -> list[Line]:
    """The diff of two texts of a file; empty where they are equal. `old` and `new` are its names."""
    from difflib import unified_diff

    if before == after:
        return []
    found = unified_diff(_lines(before), _lines(after), old, new, n=_CONTEXT, lineterm="")
    return [Line("file", next(found)), Line("file", next(found)), *_told(found)]


def counts(lines: list[Line]) -> tuple[int, int]:
    """The numbers of lines that a diff adds and removes."""
    return sum(line.kind == "added" for line in lines), sum(line.kind == "removed" for line in lines)


def _told(lines: Iterator[str]) -> Iterator[Line]:
    kinds: dict[str, LineKind] = {"@": "place", "-": "removed", "+": "added"}
    for line in lines:
        yield Line(kinds.get(line[0], "same"), line.rstrip("\r\n"))
        if not line.startswith("@") and not line.endswith("\n"):
            yield Line("note", r"\ No newline at end of file")


def _lines(text: str) -> list[str]:
    """The lines with their ends; only line feeds split them."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
