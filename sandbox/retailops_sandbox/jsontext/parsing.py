"""Strict JSON to values.

msgspec's decoder reads most texts. The standard library's is slower and reads the few texts in which msgspec
would overlook a mistake. A text that either refuses is read once more by `explain`, which names the mistake
and its place.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext.text import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_VALUES,
    decoded,
    depth,
    number_problem,
)
from retailops_sandbox.model import Json, Number, encoder


def parse(text: bytes | str, *, file: str = "") -> Json:
    """The value that a strict JSON text spells; SourceError names the first mistake and its place.

    Stricter than the standard: no duplicate keys, no lone surrogates, bounded depth and numbers.
    """
    text = decoded(text, file)
    if len(text) > 2 * MAX_DEPTH and text.count("[") + text.count("{") > MAX_DEPTH < depth(text):
        raise _explained(text, file)
    try:
        return _carefully(text) if _needs_care(text) else _quickly(text)
    except (_Refused, msgspec.DecodeError, json.JSONDecodeError, UnicodeEncodeError):
        raise _explained(text, file) from None


def parse_answer(text: str) -> Json:
    """As `parse`, for a text of a stranger: SourceError, too, for more than MAX_VALUES values.

    Checking and comparing take time for each value, and an answer may have one for every second byte.
    """
    if has_too_many_values(text):
        raise SourceError(f"it has more values than the {MAX_VALUES:,} that are judged")
    return parse(text)


_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PIECE = rf'(?:[^"]{{1,1000}}+|{_STRING}){{1,2000}}+'
"""Some strings and what is between them: other threads wait while one piece is examined."""


def has_too_many_values(text: str) -> bool:
    """Whether a text of a stranger has more than MAX_VALUES values. What is in strings is none."""
    if len(text) < MAX_VALUES or _separators(text) < MAX_VALUES:
        return False
    found = 0
    for piece in re.finditer(_PIECE, text):
        found += _separators(re.sub(_STRING, "", piece[0]))
        if found >= MAX_VALUES:
            return True
    return False


def _separators(text: str) -> int:
    """The signs before values, also those within strings."""
    return text.count(",") + text.count("[") + text.count("{")


class _Refused(Exception):
    """A decoder met something that strict JSON does not allow."""


def _quickly(text: str) -> Json:
    value: Json = _quick.decode(text)
    # Decoding drops the first of two equal keys, and so a colon. No string here has a colon as an escape.
    if encoder.encode(value).count(b":") != text.count(":"):
        raise _Refused
    return value


def _carefully(text: str) -> Json:
    value: Json = _careful.decode(text)
    encoder.encode(value)  # a lone surrogate cannot be encoded
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused
    return members


def _constant(_: str) -> NoReturn:
    raise _Refused


def _fraction(spelling: str) -> Number:
    if number_problem(spelling):
        raise _Refused
    return Number(spelling)


def _integer(spelling: str) -> int | Number:
    if spelling == "-0":
        return Number(spelling)
    if number_problem(spelling):
        raise _Refused
    return int(spelling)


_quick = msgspec.json.Decoder(float_hook=_fraction)
_careful = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_constant=_constant, parse_int=_integer
)

_minus_zero = re.compile(r"-0(?![0-9.eE])").search
_two_digits = re.compile(r"[0-9]{2}").search


def _needs_care(text: str) -> bool:
    """Whether a text may hold an escaped character, a minus zero or an integer that is too long.

    Only every (MAX_DIGITS // 2)th character is examined for digits: an integer of more than MAX_DIGITS digits
    covers two such characters in a row.
    """
    return (
        "\\u" in text
        or ("-0" in text and _minus_zero(text) is not None)
        or (len(text) > MAX_DIGITS and _two_digits(text[:: MAX_DIGITS // 2]) is not None)
    )


def _explained(text: str, file: str) -> SourceError:
    from retailops_sandbox.jsontext.explain import explain  # only a broken text needs it

    return explain(text, file)
