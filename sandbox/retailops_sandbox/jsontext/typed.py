"""Parsed files as typed values."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from retailops_sandbox.model import Json

T = TypeVar("T")


def convert(value: Json, type: type[T], text: bytes | str, *, file: str) -> T:
    """The typed form of a parsed file; SourceError, with the place in `text`, for what does not fit.

    msgspec refuses a `Number` for a field of type int or float: it is replaced there by one, and tried again.
    """
    while True:
        try:
            return msgspec.convert(value, type)
        except msgspec.ValidationError as error:
            from retailops_sandbox.jsontext.misfit import with_plain_number

            value = with_plain_number(value, type, str(error), text, file)
