"""JSON values in Python, with numbers that keep their spelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from retailops_sandbox.model.struckout import Mark


class Number(Decimal):
    """A JSON number that is not a plain integer: compared by value, written back as it was spelled."""

    __slots__ = ("spelling",)
    spelling: str

    def __new__(cls, spelling: str) -> Number:
        self = super().__new__(cls, spelling)
        self.spelling = spelling
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Number, (self.spelling,)

    def __deepcopy__(self, memo: Any) -> Number:
        return self


Json: TypeAlias = "bool | int | Number | str | list[Json] | dict[str, Json] | None"


def _encode(value: object) -> object:
    if isinstance(value, Number):
        return msgspec.Raw(value.spelling.encode())
    if isinstance(value, Mark):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


encoder = msgspec.json.Encoder(enc_hook=_encode)
"""Encodes a value, or any type of the model, as compact UTF-8 JSON, numbers as they were spelled."""
