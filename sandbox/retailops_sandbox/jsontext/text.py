"""A JSON text as characters: decoding, lines and columns, bounds of numbers."""

from __future__ import annotations

import re
from itertools import accumulate

from retailops_sandbox.errors import SourceError

MAX_DEPTH = 200
"""The most levels of nested arrays and objects."""
MAX_DIGITS = 1_000
"""The most digits of a number, without its exponent."""
MAX_EXPONENT_DIGITS = 4
MAX_VALUES = 200_000
"""The most values of an answer that is judged: a hundred times what a large order has."""


def decoded(text: bytes | str, file: str = "") -> str:
    """The characters of a text; SourceError unless it is UTF-8 without a byte order mark."""
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
    """The line and column, from 1 and in characters, of a position in a text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def error_at(
    text: str, at: int, what: str, *, mend: str = "", file: str = "", pointer: str | None = None
) -> SourceError:
    """The error at a position in a text, with its line and column."""
    line, column = line_and_column(text, at)
    return SourceError(what, mend=mend, file=file, line=line, column=column, pointer=pointer)


def number_problem(spelling: str) -> str:
    """Why a well-formed number is refused; empty for one that is accepted."""
    mantissa, _, exponent = spelling.lower().partition("e")
    if len(exponent) > MAX_EXPONENT_DIGITS and len(exponent.lstrip("+-0")) > MAX_EXPONENT_DIGITS:
        return f"the number's exponent has more than {MAX_EXPONENT_DIGITS} digits"
    if len(mantissa) > MAX_DIGITS and sum(map(str.isdigit, mantissa)) > MAX_DIGITS:
        return f"the number has more than {MAX_DIGITS:,} digits"
    return ""


_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def depth(text: str) -> int:
    """How many levels the containers of a text nest; in a broken text, at least down to its first error."""
    structure = text.encode().replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NOT_STRUCTURE)
    brackets = re.sub(rb'"[^"]*"', b"", structure).replace(b'"', b"")
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
