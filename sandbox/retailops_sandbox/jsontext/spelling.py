"""JSON values as text: compact, over several lines, shortened for a message."""

from __future__ import annotations

import json

import msgspec

from retailops_sandbox.errors import shortened
from retailops_sandbox.model import Json, Mark, encoder


def compact(value: Json) -> bytes:
    """The value as UTF-8 without white space, keys in their order, numbers as they were spelled."""
    return encoder.encode(value)


def flat(value: Json) -> str:
    """The value on one line, with a space after each colon and comma; otherwise as `compact` spells it."""
    return msgspec.json.format(encoder.encode(value), indent=0).decode()


def pretty(value: Json) -> str:
    """The value over several lines, indented by two spaces; otherwise as `compact` spells it."""
    return msgspec.json.format(encoder.encode(value), indent=2).decode()


def excerpt(value: Json, limit: int = 40) -> str:
    """The compact text of a value for a message, shortened to so many characters."""
    return shortened(compact(value).decode(), limit)


def quoted(name: str) -> str:
    """A name for a message: in double quotes, on one line, shortened."""
    return json.dumps(shortened(name, 40), ensure_ascii=not name.isprintable())


def holds_number(value: Json) -> bool:
    """Whether a Number is the value or anywhere in it."""
    try:
        _number_detector.encode(value)  # far faster than a walk
    except _NumberFoundError:
        return True
    return False


class _NumberFoundError(Exception):
    pass


def _found(value: object) -> str:
    if isinstance(value, Mark):
        return str(value)
    raise _NumberFoundError


_number_detector = msgspec.json.Encoder(enc_hook=_found)
