"""The ids of the orders that a probe is about, or of whatever else the contract's payloads are about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import msgspec

from retailops_sandbox.contracts.contract import Contract, schema_at
from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json

DEFAULT_FIRST, DEFAULT_LAST = 900_000_000, 999_999_999
"""The ids that are taken unless a user says others: `9` and eight digits, which fit 32 bits."""
USUAL_COUNT = 10_000
"""The number of ids that one probe may use unless a user says a range."""
_MOST_ITEMS = 10
"""The most items of an array that get ids of their own."""


class OrderIds(msgspec.Struct, frozen=True):
    """A range of ids, both ends included."""

    first: int
    last: int
    kept: int = 0
    """How many ids come behind them in the range that a user wrote, kept for other requests."""

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def __len__(self) -> int:
        return self.last - self.first + 1

    @classmethod
    def read(cls, text: str) -> OrderIds:
        """The range that a user writes as `FIRST-LAST`; UsageError where it is none."""
        found = re.fullmatch(r"\s*([0-9]{1,18})\s*-\s*([0-9]{1,18})\s*", text)
        ids = cls(int(found[1]), int(found[2])) if found else None
        if ids is None or ids.first > ids.last:
            raise UsageError(
                f"{text!r} is no range of order ids",
                mend="write two numbers, the smaller one first: 900000000-900009999",
            )
        return ids

    @classmethod
    def drawn(cls, random: Random) -> OrderIds:
        """Ids from a random place among the usual ones."""
        first = random.randrange(DEFAULT_FIRST, DEFAULT_LAST - USUAL_COUNT + 2)
        return cls(first, first + USUAL_COUNT - 1)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one request is about."""

    id: str
    """As text; empty where the payload has no id."""
    places: dict[str, Json]
    """Pointer to what a step sets there; empty where the payload has its own ids."""


class Orders:
    """Hands out orders, each with ids that no other has."""

    def __init__(self, contract: Contract, payload: Json, ids: OrderIds | None) -> None:
        """`payload` is that of the fixture; without `ids` all orders are the one that it names."""
        self._places = [*places(contract, payload)]
        self._ids = ids if self._places else None
        self._taken = 0
        self._needed = 0
        """How many ids had been taken with the last order that must not come again."""
        self._shared: list[int] = []
        """The ids of orders that may come again."""

    @property
    def are_own(self) -> bool:
        """Whether each order has ids of its own."""
        return self._ids is not None

    @property
    def pointers(self) -> list[str]:
        """The pointers of the ids in the payload."""
        return [place.pointer for place in self._places]

    def next(self, *, again: bool = False) -> Order:
        """The next order; with `again` one that may have been before, where the range has no more ids.

        `check` must be asked before the order is used: it may be beyond the range.
        """
        if self._ids is None:
            return Order(id=str(self._places[0].value) if self._places else "", places={})
        numbers: dict[tuple[str, ...], int] = {}
        for place in self._places:
            if place.item not in numbers:
                numbers[place.item] = self._take(self._ids, again)
        written = {place.pointer: place.spelled(numbers[place.item]) for place in self._places}
        return Order(id=str(numbers[self._places[0].item]), places=written)

    def check(self) -> None:
        """UsageError where the range has not enough ids for all orders that must not come again."""
        if self._ids is not None and self._needed > len(self._ids):
            ids = self._ids
            given = OrderIds(ids.first, ids.last + ids.kept)
            kept = f" beside the {ids.kept:,} that are kept for valid requests in between" if ids.kept else ""
            what = f"the range {given} has {len(given):,} ids, and what is tried needs {self._needed:,}{kept}"
            raise UsageError(what, mend=f"give a larger one, such as of {USUAL_COUNT:,}")

    def _take(self, ids: OrderIds, again: bool) -> int:
        number = ids.first + self._taken
        self._taken += 1
        if not again:
            self._needed = self._taken
        elif number > ids.last:
            return self._shared[self._taken % len(self._shared)] if self._shared else ids.last
        else:
            self._shared.append(number)
        return number


class Place(msgspec.Struct, frozen=True):
    """Where an id stands in a payload."""

    pointer: str
    item: tuple[str, ...]
    """Which items of arrays it is in: places in the same items have the same id."""
    value: Json
    is_text: bool

    def spelled(self, number: int) -> Json:
        return str(number) if self.is_text else number


def places(contract: Contract, payload: Json) -> Iterator[Place]:
    """The places of a payload that have ids; of a long array, those of its first items."""
    for path in contract.subject.request if contract.subject else ():
        for pointer, item, value in _found(payload, pointers.parse(path), "", ()):
            if isinstance(value, str):
                yield Place(pointer, item, value, _is_text(contract, path, value))
            elif isinstance(value, int) and not isinstance(value, bool):
                yield Place(pointer, item, value, False)


def _found(
    value: Json, tokens: tuple[str, ...], pointer: str, item: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], Json]]:
    """Each place of a path that a payload has, with the numbers of the items and the value."""
    if not tokens:
        yield pointer, item, value
    elif isinstance(value, list) and tokens[0] == pointers.WILDCARD:
        for number, child in enumerate(value[:_MOST_ITEMS]):
            yield from _found(child, tokens[1:], f"{pointer}/{number}", (*item, str(number)))
    elif isinstance(value, dict) and tokens[0] in value:
        at = f"{pointer}/{pointers.escape(tokens[0])}"
        yield from _found(value[tokens[0]], tokens[1:], at, item)


def _is_text(contract: Contract, path: str, value: str) -> bool:
    """Whether the id in the place of a text is one: a placeholder may stand for a number."""
    return not value.startswith("${") or "integer" not in schema_at(contract.request_schema, path).get(
        "type", ""
    )
