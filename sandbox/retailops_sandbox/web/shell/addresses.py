"""How addresses of pages are spelled."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec


def query_string(asked: msgspec.Struct, *, without: tuple[str, ...] = ()) -> str:
    """The fields of a struct as an address spells them, with the question mark; empty where all are.

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
