"""JSON Pointer (RFC 6901): spelling, resolving, changing."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from retailops_sandbox.model import Json

D = TypeVar("D")

WILDCARD = "*"
"""The token of a path that stands for each item of an array and each member of an object."""
MAX_TOKENS = 200
"""The most reference tokens of a pointer, as many as a document can have levels."""


class PointerError(ValueError):
    """A pointer that is misspelled or leads nowhere; the message says which part of it."""


@lru_cache(maxsize=256)
def parse(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a pointer, unescaped; `()` is the whole document."""
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise PointerError(f"{pointer!r} is not a JSON Pointer: it must start with /")
    tokens = pointer[1:].split("/")
    if len(tokens) > MAX_TOKENS:
        raise PointerError(f"the pointer has {len(tokens):,} parts; {MAX_TOKENS} are the most")
    if "~" in pointer:
        for token in tokens:
            if "~" in token.replace("~0", "").replace("~1", ""):
                raise PointerError(f"{pointer!r} has a ~ that is neither ~0 nor ~1")
        tokens = [token.replace("~1", "/").replace("~0", "~") for token in tokens]
    return tuple(tokens)


def escape(token: str | int) -> str:
    """One reference token, ready to follow a `/`."""
    return str(token).replace("~", "~0").replace("/", "~1")


def join(tokens: tuple[str | int, ...] | list[str | int]) -> str:
    """The pointer that these tokens spell."""
    return "".join("/" + escape(token) for token in tokens)


def index(token: str, length: int) -> int:
    """The position that a token names in an array of this length; PointerError if none."""
    if not (token.isascii() and token.isdigit()) or (len(token) > 1 and token[0] == "0"):
        raise PointerError(f"{token!r} is not an array index")
    if len(token) > 18 or int(token) >= length:
        raise PointerError(f"index {token} is past the end of an array of {length}")
    return int(token)


def resolve(document: Json, pointer: str) -> Json:
    """The value that a pointer leads to; PointerError if it leads nowhere."""
    value = document
    for token in parse(pointer):
        value = _child(value, token)
    return value


def resolve_all(document: Json, path: str) -> list[tuple[str, Json]]:
    """Each place that a path leads to, as its pointer and value, in the order of the document.

    `*` in the path stands for each item of an array and each member of an object. PointerError, with the
    pointer of the place, where the path leads nowhere.
    """
    found: list[tuple[str, Json]] = [("", document)]
    for token in parse(path):
        found = [child for at, value in found for child in _children(at, value, token)]
    return found


def _children(at: str, value: Json, token: str) -> list[tuple[str, Json]]:
    try:
        if token != WILDCARD or not isinstance(value, (dict, list)):
            return [(f"{at}/{escape(token)}", _child(value, token))]
    except PointerError as error:
        raise PointerError(f"{at}: {error}" if at else str(error)) from error
    children = value.items() if isinstance(value, dict) else enumerate(value)
    return [(f"{at}/{escape(key)}", child) for key, child in children]


def get(document: Json, pointer: str, default: D) -> Json | D:
    """The value that a pointer leads to; the default if it leads nowhere."""
    value = document
    try:
        for token in parse(pointer):
            if isinstance(value, dict) and token not in value:
                return default  # as often; to raise and to catch an error takes longer than all else here
            value = _child(value, token)
    except PointerError:
        return default
    return value


def set_at(document: Json, pointer: str, value: Json) -> Json:
    """Put a value at a pointer, in place; missing objects are made, `/-` appends to an array.

    Returns the document, or the value itself where the pointer is empty.
    """
    tokens = parse(pointer)
    if not tokens:
        return value
    parent = document
    for token in tokens[:-1]:
        if isinstance(parent, dict):
            parent = parent.setdefault(token, {})
        elif isinstance(parent, list) and token == "-":
            parent.append({})
            parent = parent[-1]
        else:
            parent = _child(parent, token)
    last = tokens[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        if last == "-":
            parent.append(value)
        else:
            parent[index(last, len(parent))] = value
    else:
        raise PointerError(f"{pointer!r} leads into {_kind(parent)}, which has no members")
    return document


def copied(value: Json) -> Json:
    """A copy of a value that can be changed in place."""
    if isinstance(value, dict):
        return {key: copied(child) for key, child in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def remove_at(document: Json, pointer: str) -> None:
    """Remove what a pointer leads to, in place; PointerError if it leads nowhere or to the whole document."""
    tokens = parse(pointer)
    if not tokens:
        raise PointerError("the whole document cannot be removed")
    parent = document
    for token in tokens[:-1]:
        parent = _child(parent, token)
    last = tokens[-1]
    _child(parent, last)
    if isinstance(parent, dict):
        del parent[last]
    elif isinstance(parent, list):
        del parent[index(last, len(parent))]


def _child(value: Json, token: str) -> Json:
    if isinstance(value, dict):
        if token not in value:
            raise PointerError(f"there is no member {token!r}")
        return value[token]
    if isinstance(value, list):
        return value[index(token, len(value))]
    raise PointerError(f"{token!r} leads into {_kind(value)}, which has no members")


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return "a string" if isinstance(value, str) else "a number"
