"""Parsed user files as typed values."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from retailops_sandbox.model import Json

T = TypeVar("T")


def convert(value: Json, type: type[T], text: bytes | str, *, file: str) -> T:
    """The typed form of a parsed file; what does not fit is a SourceError with its place in `text`.

    msgspec takes a Number only where anything goes: for a field of numbers it is made plain and tried again.
    """
    while True:
        try:
            return msgspec.convert(value, type)
        except msgspec.ValidationError as error:
            from retailops_sandbox.jsontext.misfit import mended

            value = mended(value, type, str(error), text, file)
