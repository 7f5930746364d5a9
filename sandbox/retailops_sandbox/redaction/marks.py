"""Marks: how `«redacted:NAME»`, which stands for a secret, is spelled. Only this module knows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

PREFIX = "«redacted:"
"""What every mark begins with."""
LOOKS_LIKE = re.compile("«redacted:([^«»]*)»")
"""A text that looks like a mark; its group is the name. It is a mark only where a record lists it."""
NAMELESS = "…"
"""The name in the mark of a secret whose own name would give it away."""


class Span(NamedTuple):
    """A part of a text, and the name of the secret that is there."""

    start: int
    end: int
    name: str


@lru_cache
def mark(name: str) -> str:
    """The mark of a secret of this name."""
    return f"{PREFIX}{re.sub('[«»]', '', name)}»"


def numbered(name: str, number: int) -> str:
    """A secret's name with a number, so that marks of one name can be told apart."""
    return f"{name} {number}"


def struck_out(text: str, spans: Iterable[Span]) -> tuple[str, list[Span]]:
    """The text with marks in the place of these spans, and the spans of the marks.

    Of spans that overlap, the first, and of those the longest, gives the name.
    """
    parts: list[str] = []
    marks: list[Span] = []
    done = length = 0
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if span.start >= done:
            stays, new = text[done : span.start], mark(span.name)
            length += len(stays)
            marks.append(Span(length, length + len(new), span.name))
            length += len(new)
            parts += stays, new
        done = max(done, span.end)
    return "".join(parts) + text[done:], marks
