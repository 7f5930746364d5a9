"""Advice: what looks inconsistent in a payload that keeps its schema. Pure; numbers are compared exactly.

The rules are data of a contract: a predicate, the paths of its values, and the ground, why the rule holds.
A rule makes no notes on values that are missing or are not numbers.
"""

# No `from __future__ import annotations`: msgspec would compile each string when the first contract is read.

from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from typing import TypeAlias, TypeGuard

import msgspec

from retailops_sandbox.errors import shortened
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json

LONGEST = 40
"""Characters of a number that a note quotes."""


class Note(msgspec.Struct, frozen=True):
    """Something that looks inconsistent: the place, what is wrong there, the ground of the rule."""

    pointer: str
    message: str
    ground: str


class Sum(msgspec.Struct, frozen=True, tag="sum", tag_field="kind", forbid_unknown_fields=True):
    """The rule that some fields of an object each equal the sum of that field over the items of an array."""

    total: str
    """The path of the object with the totals."""
    items: str
    """The path of the array with the items."""
    fields: tuple[str, ...]
    """The members that are summed."""
    ground: str
    """Why the rule holds."""

    def paths(self) -> Iterator[str]:
        """Every path that the rule is about."""
        for field in self.fields:
            yield f"{self.total}/{pointer.escape(field)}"
            yield f"{self.items}/*/{pointer.escape(field)}"

    def notes(self, payload: Json) -> Iterator[Note]:
        """The notes on a payload."""
        for _, array in _found(payload, self.items):
            if isinstance(array, list):
                for field in self.fields:
                    yield from self._notes_of(field, payload, array)

    def _notes_of(self, field: str, payload: Json, array: list[Json]) -> Iterator[Note]:
        values = [item.get(field) if isinstance(item, dict) else None for item in array]
        numbers = [value for value in values if _is_number(value)]
        if len(numbers) < len(values):
            return  # the sum is not known where an item has no number
        summed = _sum(numbers)
        token = pointer.escape(field)
        for place, total in _found(payload, f"{self.total}/{token}"):
            if _is_number(total) and total != summed:
                where = self.items.removeprefix(f"{self.total}/")
                what = f"is {_spelled(total)}, and {where}/*/{token} adds up to {_spelled(summed)}"
                yield Note(place, what, self.ground)


class NotBoth(msgspec.Struct, frozen=True, tag="not both", tag_field="kind", forbid_unknown_fields=True):
    """The rule that at most one of two flags of an object is set, that is true or a number other than 0."""

    objects: tuple[str, ...]
    """The paths of the objects."""
    fields: tuple[str, str]
    """The two flags."""
    ground: str
    """Why the rule holds."""

    def paths(self) -> Iterator[str]:
        """Every path that the rule is about."""
        for path in self.objects:
            for field in self.fields:
                yield f"{path}/{pointer.escape(field)}"

    def notes(self, payload: Json) -> Iterator[Note]:
        """The notes on a payload."""
        one, other = self.fields
        for path in self.objects:
            for place, value in _found(payload, path):
                if isinstance(value, dict) and _is_set(value.get(one)) and _is_set(value.get(other)):
                    yield Note(f"{place}/{pointer.escape(one)}", f"is set, and so is {other}", self.ground)


class Decimals(msgspec.Struct, frozen=True, tag="decimals", tag_field="kind", forbid_unknown_fields=True):
    """The rule that amounts have at most so many decimals, trailing zeros not counted."""

    amounts: tuple[str, ...]
    """The paths of the amounts."""
    most: int
    """The most decimals."""
    ground: str
    """Why the rule holds."""

    def paths(self) -> Iterator[str]:
        """Every path that the rule is about."""
        yield from self.amounts

    def notes(self, payload: Json) -> Iterator[Note]:
        """The notes on a payload."""
        for path in self.amounts:
            for place, value in _found(payload, path):
                if isinstance(value, Decimal) and (count := _decimals(value)) > self.most:
                    what = f"is {_spelled(value)}, with {count} decimals; an amount has at most {self.most}"
                    yield Note(place, what, self.ground)


Rule: TypeAlias = Sum | NotBoth | Decimals


def advise(rules: tuple[Rule, ...], payload: Json) -> list[Note]:
    """The notes of all rules on a payload whose placeholders are filled."""
    return [note for rule in rules for note in rule.notes(payload)]


_EXACT = Context(prec=100_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
"""Arithmetic with enough digits for any sum of numbers of a JSON text; raises Inexact, never rounds."""


def _sum(numbers: list[int | Decimal]) -> int | Decimal:
    total: int | Decimal = 0
    for number in numbers:
        if isinstance(total, int) and isinstance(number, int):
            total += number
        else:
            total = _EXACT.add(Decimal(total), Decimal(number))
    return total


def _decimals(number: Decimal) -> int:
    exponent = _EXACT.normalize(number).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _is_number(value: Json) -> TypeGuard[int | Decimal]:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _is_set(value: Json) -> bool:
    return isinstance(value, (int, Decimal)) and value != 0


def _spelled(number: int | Decimal) -> str:
    spelling: str = getattr(number, "spelling", "") or str(number)
    return shortened(spelling, LONGEST)


def _found(document: Json, path: str) -> Iterator[tuple[str, Json]]:
    """The values that a path leads to, with their pointers; `*` in the path is each item of an array."""
    reached: list[tuple[str, Json]] = [("", document)]
    for token in pointer.parse(path):
        step = "/" + pointer.escape(token)
        reached = [
            child
            for place, value in reached
            for child in (
                [(f"{place}/{number}", item) for number, item in enumerate(value)]
                if token == "*" and isinstance(value, list)
                else [(place + step, value[token])]
                if isinstance(value, dict) and token in value
                else []
            )
        ]
    yield from reached
