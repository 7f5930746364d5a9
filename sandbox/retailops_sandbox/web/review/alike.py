"""Differences that are alike: at the same place but for positions, of the same kind, with the same values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.comparing import volatile
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.web.review.items import Item

_NAMED = 3
"""The most scenarios that a group names."""
_SHOWN = 120
"""The most characters of a value that a group shows."""


class Group(msgspec.Struct, frozen=True):
    """Differences that are alike, which can be decided about at once."""

    number: int
    """Among the groups, from 1."""
    numbers: tuple[int, ...]
    """The numbers of its items, from 1."""
    first: Item
    names: tuple[str, ...]
    """The names of its scenarios, each once."""
    varies: bool
    """Whether their values are not all equal, but made anew each time."""

    @property
    def place(self) -> str:
        """The place of the differences in words, with `*` for positions that are not all the same."""
        if self.first.difference.part != "body":
            return self.first.place
        pointer = self.first.pointer if len(self.numbers) == 1 else _pattern(self.first.pointer)
        return pointer or WHOLE

    @property
    def expected(self) -> str:
        return lines.value(self.first.difference.expected, _SHOWN)

    @property
    def actual(self) -> str:
        return lines.value(self.first.difference.actual, _SHOWN)

    @property
    def scenarios(self) -> str:
        """The names of its scenarios, the first few of many."""
        named = ", ".join(self.names[:_NAMED])
        more = len(self.names) - _NAMED
        return f"{named} and {more:,} more" if more > 0 else named


def groups(items: Sequence[Item]) -> list[Group]:
    """The items in groups of those that are alike, in the order of their first; numbers count from 1."""
    found: dict[tuple[str, ...], list[int]] = {}
    for number, item in enumerate(items, 1):
        found.setdefault(tuple(_key(item)), []).append(number)
    return [_group(number, numbers, items) for number, numbers in enumerate(found.values(), 1)]


def _group(number: int, numbers: Sequence[int], items: Sequence[Item]) -> Group:
    names = dict.fromkeys(items[each - 1].subject.plan.name for each in numbers)
    first = items[numbers[0] - 1]
    varies = any(_values(items[each - 1]) != _values(first) for each in numbers)
    return Group(number, tuple(numbers), first, tuple(names), varies)


def _values(item: Item) -> tuple[bytes, ...]:
    sides = (item.difference.expected, item.difference.actual)
    return tuple(b"" if side is UNSET else jsontext.compact(side) for side in sides)


def _key(item: Item) -> Iterator[str]:
    difference = item.difference
    yield difference.part
    yield difference.kind
    yield _pattern(item.pointer)
    yield _value(difference.expected)
    yield _value(difference.actual)
    yield jsontext.compact(difference.rule).decode()
    yield str(item.options.accept)
    yield from item.options.rules


def _pattern(pointer: str) -> str:
    return re.sub("/[0-9]+(?=/|$)", "/*", pointer)


def _value(value: Any) -> str:
    """A value spelled, so that values that are made anew each time count as the same."""
    return "" if value is UNSET else jsontext.compact(volatile.blanked(value)).decode()
