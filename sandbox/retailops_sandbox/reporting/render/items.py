"""What an item of a set-like array is in few words: its code, its message, and what it is about.

The contract says which members identify an item: the code of an event; the type and the identity of what it
is about, which are the items of a set-like array within the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.foreign_text import visible

_MOST_CODE = 80
_MOST_MESSAGE = 160
_MOST_ABOUT = 3
"""The most things that an item is about that are named."""


class ItemWords(NamedTuple):
    """An item in words. Each may be empty."""

    code: str
    """The values of the members that identify it."""
    message: str
    about: str
    """`order 4897, sku S1234`."""


NOTHING = ItemWords("", "", "")


class ItemKind:
    """The items of one set-like array: what one is called, and where its code and its subjects stand."""

    def __init__(self, path: tuple[str, ...], sets: Mapping[tuple[str, ...], tuple[str, ...]]) -> None:
        """`path` is the array's, and `sets` are the identity fields by path, with `*` for positions."""
        self.nouns = path[-1] if path and path[-1].endswith("s") else "items"
        self.noun = self.nouns.removesuffix("s")
        self._identity = sets.get(path, ())
        item = (*path, "*")
        self._inner = [
            (inner[len(item) :], fields) for inner, fields in sets.items() if inner[: len(item)] == item
        ]

    def words(self, item: Any) -> ItemWords:
        """What an item says. UNSET and what is no object say nothing."""
        if item is UNSET or not isinstance(item, dict):
            return NOTHING
        return ItemWords(_identified(item, self._identity), self._message(item), self._about(item))

    def _message(self, item: Mapping[str, Any]) -> str:
        """The first text of more than one word, as no contract says which member has the message."""
        texts = (value for name, value in item.items() if name not in self._identity)
        found = next((each for each in texts if isinstance(each, str) and " " in each.strip()), "")
        return visible(found, _MOST_MESSAGE)

    def _about(self, item: Mapping[str, Any]) -> str:
        subjects = [
            words
            for path, fields in self._inner
            for each in _items(item, path)
            if (words := _identified(each, fields))
        ]
        more = f" and {len(subjects) - _MOST_ABOUT:,} more" if len(subjects) > _MOST_ABOUT else ""
        return f"{', '.join(subjects[:_MOST_ABOUT])}{more}"


def _identified(item: Any, fields: tuple[str, ...]) -> str:
    if not isinstance(item, dict):
        return ""
    values = (item[field] for field in fields if field in item)
    spelled = (each if isinstance(each, str) else jsontext.compact(each).decode() for each in values)
    return visible(" ".join(spelled), _MOST_CODE)


def _items(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The items of the arrays at a path below a value."""
    if not path:
        if isinstance(value, list):
            yield from value
    elif path[0] == "*":
        for each in value if isinstance(value, list) else ():
            yield from _items(each, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _items(value[path[0]], path[1:])
