"""Texts as the columns of PostgreSQL have them."""

from __future__ import annotations

_LONGEST = 500
"""The most bytes of a key: an index of five of them has 2,704 for each row."""
_NO_CHARACTER = "\ufffd"
"""What U+0000 is in PostgreSQL, whose texts cannot have it."""


def as_text(value: str) -> str:
    """A text as a column has it."""
    return value.replace("\0", _NO_CHARACTER)


def as_key(value: str) -> str:
    """A text as a column has it that rows are found by: no more than its beginning."""
    text = as_text(value)
    return text if len(text) <= _LONGEST // 4 else text.encode()[:_LONGEST].decode(errors="ignore")
