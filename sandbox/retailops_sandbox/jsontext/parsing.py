"""Strict JSON to values and back.

The fast path is msgspec's decoder, the careful one, for the few texts that it would take too lightly, the
standard library's. Only when they refuse a text, `explain` reads it again, slowly, to say what is wrong and
where.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import NoReturn

import msgspec

from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Json, Number, encoder

MAX_DEPTH = 200
MAX_DIGITS = 1_000
MAX_EXPONENT_DIGITS = 4


def parse(text: bytes | str, *, file: str = "") -> Json:
    """The value that a strict JSON text spells; SourceError says what is wrong and where.

    Stricter than the standard: no duplicate keys, no lone surrogates, bounded depth and numbers.
    """
    text = decoded(text, file)
    if len(text) > 2 * MAX_DEPTH and text.count("[") + text.count("{") > MAX_DEPTH < _depth(text):
        raise _explained(text, file)
    try:
        return _carefully(text) if _needs_care(text) else _quickly(text)
    except (_Refused, msgspec.DecodeError, json.JSONDecodeError, UnicodeEncodeError):
        raise _explained(text, file) from None


def compact(value: Json) -> bytes:
    """The value as UTF-8 without white space, keys in order, numbers as they were spelled."""
    return encoder.encode(value)


def pretty(value: Json) -> str:
    """The value over several lines, indented by two spaces; spelled as `compact` spells it."""
    return msgspec.json.format(encoder.encode(value), indent=2).decode()


def holds_number(value: Json) -> bool:
    """Whether a Number is anywhere in a value."""
    try:
        _number_detector.encode(value)  # far faster than a walk
    except _NumberFoundError:
        return True
    return False


class _NumberFoundError(Exception):
    pass


def _found(value: object) -> NoReturn:
    raise _NumberFoundError


_number_detector = msgspec.json.Encoder(enc_hook=_found)


def decoded(text: bytes | str, file: str = "") -> str:
    """The text as it will be scanned: UTF-8 without a byte order mark, else SourceError."""
    if isinstance(text, str):
        characters = text
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                what = "a lone surrogate is not a character"
                raise error_at(text, error.start, what, file=file) from None
    else:
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise error_at("", 0, "the text is UTF-16, not UTF-8", mend="save it as UTF-8", file=file)
        try:
            characters = text.decode()
        except UnicodeDecodeError as error:
            before = text[: error.start].decode()
            what = f"byte 0x{text[error.start]:02x} is not UTF-8"
            raise error_at(before, len(before), what, mend="save it as UTF-8", file=file) from None
    if characters.startswith("\ufeff"):
        what = "the text begins with a byte order mark"
        raise error_at(characters, 0, what, mend="save it without one", file=file)
    return characters


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """The line and column, from 1 and in characters, of a position in the text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def error_at(
    text: str, at: int, what: str, *, mend: str = "", file: str = "", pointer: str | None = None
) -> SourceError:
    """The error of a text, with the place that a position in it is."""
    line, column = line_and_column(text, at)
    return SourceError(what, mend=mend, file=file, line=line, column=column, pointer=pointer)


def number_problem(spelling: str) -> str:
    """What is wrong with a well-formed number, or nothing."""
    mantissa, _, exponent = spelling.lower().partition("e")
    if len(exponent) > MAX_EXPONENT_DIGITS and len(exponent.lstrip("+-0")) > MAX_EXPONENT_DIGITS:
        return f"the number's exponent has more than {MAX_EXPONENT_DIGITS} digits"
    if len(mantissa) > MAX_DIGITS and sum(map(str.isdigit, mantissa)) > MAX_DIGITS:
        return f"the number has more than {MAX_DIGITS:,} digits"
    return ""


class _Refused(Exception):
    """A decoder met something that strict JSON does not allow."""


def _quickly(text: str) -> Json:
    value: Json = _quick.decode(text)
    # A key that came twice is gone, and its colon with it: no string of this text spells one as an escape.
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
    """Whether the text may hold a character in disguise, or an integer that `int` would misspell or choke on.

    An integer of more than MAX_DIGITS digits covers two neighbours of the sample below, so looking at the
    sample is enough.
    """
    return (
        "\\u" in text
        or ("-0" in text and _minus_zero(text) is not None)
        or (len(text) > MAX_DIGITS and _two_digits(text[:: MAX_DIGITS // 2]) is not None)
    )


_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _depth(text: str) -> int:
    """How deep the containers of a text nest; of a broken text, at least down to its first error."""
    structure = text.encode().replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NOT_STRUCTURE)
    brackets = re.sub(rb'"[^"]*"', b"", structure).replace(b'"', b"")
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _explained(text: str, file: str) -> SourceError:
    from retailops_sandbox.jsontext.explain import explain

    return explain(text, file)
