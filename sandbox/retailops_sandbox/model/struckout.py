"""What was struck out of a record, and the text that stands for it."""

from __future__ import annotations

from typing import Any

import msgspec


class StruckOut(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A place of a record at which a mark stands for a secret. Only listed texts are marks."""

    part: str
    """The pointer into the record, to the string in which the mark is."""
    name: str
    """The secret's name."""
    pointer: str | None = None
    """Where `part` is a JSON text: the pointer in it to the mark, or to the member whose key the mark is."""
    key: bool = False
    span: tuple[int, int] | None = None
    """Where `part` is any other text: the mark's start and end in it, in characters."""
    type: str = ""
    """The JSON type of the value as it was, `integer` among them; empty where that is unknown or no JSON."""


class Mark(str):
    """The mark of a struck-out value. It equals nothing but itself, since the value is not known."""

    name: str
    type: str
    """The JSON type of the value as it was; empty where it is unknown."""

    def __new__(cls, text: str, name: str, type: str = "") -> Mark:
        self = super().__new__(cls, text)
        self.name = name
        self.type = type
        return self

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return Mark, (str(self), self.name, self.type)

    def __deepcopy__(self, memo: Any) -> Mark:
        return self
