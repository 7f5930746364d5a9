"""The query strings of addresses of pages."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec


def query_string(asked: msgspec.Struct, *, without: tuple[str, ...] = ()) -> str:
    """The query string of a struct's fields, with the question mark; empty where all fields are empty.

    A field that is a tuple is repeated for each of its items.
    """
    pairs = [
        (name, value)
        for name, found in msgspec.structs.asdict(asked).items()
        if name not in without
        for value in (found if isinstance(found, tuple) else (found,))
        if value
    ]
    return f"?{urlencode(pairs)}" if pairs else ""
