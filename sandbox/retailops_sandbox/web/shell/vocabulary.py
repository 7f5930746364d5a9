"""The words that a contract knows for each place of a payload, for the editor to offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.jsontext import pointer

MOST_CHARACTERS = 200
"""The most characters of an offered example; longer ones are left out."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A key of an object, or the items of an array."""

    at: str
    """The pointer of its object or array, in which `*` is every item."""
    key: str
    """`*` for the items of an array."""
    types: str
    is_required: bool
    description: str
    values: tuple[str, ...]
    """JSON: the documented example, then whatever else the contract names."""


def vocabulary(schema: Mapping[str, Any], at: str = "") -> list[Word]:
    """The words of a schema, those of outer objects first; `at` is the pointer of what it describes."""
    return list(_words(at, schema))


def _words(at: str, schema: Mapping[str, Any]) -> Iterator[Word]:
    required = schema.get("required", ())
    for key, part in schema.get("properties", {}).items():
        yield _word(at, key, part, is_required=key in required)
        yield from _words(f"{at}/{pointer.escape(key)}", part)
    if "items" in schema:
        yield _word(at, "*", schema["items"])
        yield from _words(f"{at}/*", schema["items"])


def _word(at: str, key: str, schema: Mapping[str, Any], *, is_required: bool = False) -> Word:
    types = schema.get("type", "anything")
    texts = [
        jsontext.compact(each).decode() for each in (*schema.get("examples", ()), *schema.get("enum", ()))
    ]
    return Word(
        at=at,
        key=key,
        types=types if isinstance(types, str) else " or ".join(types),
        is_required=is_required,
        description=schema.get("description", ""),
        values=tuple(dict.fromkeys(text for text in texts if len(text) <= MOST_CHARACTERS)),
    )
