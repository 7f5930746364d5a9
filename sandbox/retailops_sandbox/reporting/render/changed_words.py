"""Two texts as pieces, with the words marked that the other does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import msgspec

from retailops_sandbox.assignment import longest_common

MOST_WORDS = 4_000_000
"""The most words of one string times words of the other; beyond, both are marked as changed."""

_word = re.compile(r"\w+|\s+|[^\w\s]").findall


class Span(msgspec.Struct, frozen=True):
    """A piece of text, marked where it changed."""

    text: str
    changed: bool = False


def whole(text: str, *, changed: bool) -> tuple[Span, ...]:
    """A text in one piece; nothing where it is empty."""
    return (Span(text, changed),) if text else ()


def changed_words(expected: str, actual: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Two texts as spans, with the words marked that the other does not have in this order."""
    words, actual_words = _word(expected), _word(actual)
    if len(words) * len(actual_words) > MOST_WORDS:
        return whole(expected, changed=True), whole(actual, changed=True)
    places: dict[str, int] = {}
    for column, word in enumerate(actual_words):
        places[word] = places.get(word, 0) | 1 << column
    common = longest_common([places.get(word, 0) for word in words], len(actual_words))
    return (
        _spans(words, {row for row, _ in common}),
        _spans(actual_words, {column for _, column in common}),
    )


def _spans(words: Sequence[str], kept: set[int]) -> tuple[Span, ...]:
    changed = [at not in kept for at in range(len(words))]
    for at in range(1, len(words) - 1):  # a space between two changed words reads as one change
        changed[at] = changed[at] or (words[at].isspace() and changed[at - 1] and changed[at + 1])
    runs = groupby(zip(words, changed, strict=True), key=lambda each: each[1])
    return tuple(Span("".join(word for word, _ in run), mark) for mark, run in runs)
