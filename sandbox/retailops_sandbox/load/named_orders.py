"""Which orders a scenario names: the ids of its payloads, told apart as a receiver would. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json
from retailops_sandbox.probe.orders import Place

_ANYWHERE = ""
"""The member of a variable: it names an order in whatever member it is."""


class Name(msgspec.Struct, frozen=True):
    """What names an order: the member that holds an id, and the id as it is written."""

    member: str
    written: str


class NamedOrders:
    """The orders that the steps of a scenario name, numbered from 0 as they come.

    Ids in the same items of a payload name one order together. Two of these are the same order if they have
    an id in common and no member in which they have different ones: a payload that leaves an id out is about
    the order of another one, and two orders may have one id in common.
    """

    def __init__(self, steps: Sequence[Sequence[Place]], variables: Mapping[str, Json]) -> None:
        """`steps` are the places of each step that name an order; `variables` those that the scenario has."""
        self._variables = variables
        items: dict[tuple[int, tuple[str, ...]], set[Name]] = {}
        for step, places in enumerate(steps):
            for place in places:
                items.setdefault((step, place.item), set()).update(self._names(place))
        # What has most ids is told apart first: what has fewer may be any of those then.
        orders: list[set[Name]] = []
        for names in sorted(items.values(), key=len, reverse=True):
            merged = set(names)
            for order in [each for each in orders if each & names]:
                if _agree(order, merged):
                    orders.remove(order)
                    merged |= order
            orders.append(merged)
        as_they_come = {item: _naming(orders, names) for item, names in items.items()}
        numbers = {order: number for number, order in enumerate(dict.fromkeys(as_they_come.values()))}
        self._numbers = {item: numbers[order] for item, order in as_they_come.items()}
        self._known = {number: orders[order] for order, number in numbers.items()}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._known)

    def number(self, step: int, place: Place) -> int:
        """The order that a place of a step names."""
        return self._numbers[step, place.item]

    def names(self, step: int) -> list[tuple[Name, int]]:
        """All names and the orders that they name: first those that this step names."""
        own = {number for (each, _), number in self._numbers.items() if each == step}
        ordered = sorted(self._known, key=lambda number: (number not in own, number))
        return [(name, number) for number in ordered for name in self._known[number]]

    def _names(self, place: Place) -> set[Name]:
        member = pointers.parse(place.pointer)[-1]
        variable = variable_of(place.value)
        if not variable:
            return {Name(member, str(place.value))}
        names = {Name(_ANYWHERE, str(place.value))}
        value = self._variables.get(variable)
        return names if value is None else names | {Name(member, str(value))}


def variable_of(value: Json) -> str:
    """The variable that an id is; empty where it is written itself, or refers to the environment."""
    names = composing.references(value) if isinstance(value, str) else []
    name = names[0] if len(names) == 1 and value == f"${{{names[0]}}}" else ""
    return "" if ":" in name else name


def _agree(one: set[Name], other: set[Name]) -> bool:
    """Whether there is no member in which both have ids, and different ones."""
    ids, others = _by_member(one), _by_member(other)
    return all(ids[member] & others[member] for member in ids.keys() & others.keys() if member)


def _by_member(names: set[Name]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        found.setdefault(name.member, set()).add(name.written)
    return found


def _naming(orders: Sequence[set[Name]], names: set[Name]) -> int:
    """The place of the order that has all these names."""
    return next(number for number, order in enumerate(orders) if names <= order)
