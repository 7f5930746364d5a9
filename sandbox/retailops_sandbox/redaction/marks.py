"""Marks: how `«redacted:NAME»`, the mark of a secret, is spelled and found. Only this module knows it."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Request, Response

PREFIX = "«redacted:"
"""What every mark begins with."""
MARK = re.compile("«redacted:([^«»]*)»")
"""A mark; its group is the secret's name."""


def mark(name: str) -> str:
    """The mark of a secret of this name."""
    return f"{PREFIX}{re.sub('[«»]', '', name)}»"


def numbered(mark: str, number: int) -> str:
    """A mark with a number in it, so that marks of one name can be told apart."""
    return f"{mark[:-1]} {number}»"


def is_mark(value: Json) -> bool:
    """Whether a value is a mark and nothing else."""
    return isinstance(value, str) and MARK.fullmatch(value) is not None


def holds_mark(text: str) -> bool:
    return MARK.search(text) is not None


def marked(value: Json, at: str = "") -> Iterator[str]:
    """The pointers of the strings in a value that hold a mark."""
    if isinstance(value, str) and holds_mark(value):
        yield at
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from marked(child, f"{at}/{pointers.escape(name)}")
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from marked(child, f"{at}/{position}")


def struck_out(*sides: Request | Response | None) -> list[str]:
    """The names of the secrets that were struck out of kept requests and responses, each once."""
    names: dict[str, None] = {}
    for side in sides:
        if side is None:
            continue
        texts = [side.url] if isinstance(side, Request) else []
        texts += [part for header in side.headers for part in header]
        texts.append(b64decode(side.body).decode("utf-8", "replace") if side.base64 else side.body)
        for text in texts:
            names.update(dict.fromkeys(MARK.findall(text)))
    return list(names)
