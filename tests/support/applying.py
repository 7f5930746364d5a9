"""Applies differences to the actual document, by which tests prove that they are complete."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Difference, Json


def apply(differences: Iterable[Difference], actual: Json) -> Json:
    """The actual body changed as the differences say: it equals the expected one if none is missing.

    Every place is found before any item moves, so pointers mean the document as it was.
    """
    document = _copied(actual)
    arrays: dict[int, _Array] = {}
    superfluous: list[tuple[dict[str, Json], str]] = []
    for each in differences:
        if each.part != "body":
            continue
        if each.actual_pointer == "":
            return _copied(each.expected)
        value = None if each.expected is UNSET else _copied(each.expected)
        if each.actual_pointer is None:
            holder, token = pointer.resolve(document, each.within), _last_token(each.expected_pointer)
        else:
            above = each.actual_pointer.rpartition("/")[0]
            holder, token = pointer.resolve(document, above), _last_token(each.actual_pointer)
        if isinstance(holder, list):
            arrays.setdefault(id(holder), _Array(holder)).take(each, int(token), value)
        elif isinstance(holder, dict) and each.kind == "unexpected":
            superfluous.append((holder, token))
        elif isinstance(holder, dict):
            holder[token] = value
    for holder, token in superfluous:
        del holder[token]
    for array in arrays.values():
        array.rearrange()
    return document


class _Array:
    """An array with the items to add, remove and move, which is done at once at the end."""

    def __init__(self, items: list[Json]) -> None:
        self._items = items
        self._leaving: set[int] = set()
        self._coming: list[tuple[int, Json]] = []
        self._moving: list[tuple[int, int]] = []

    def take(self, difference: Difference, at: int, value: Json) -> None:
        if difference.kind == "missing":
            self._coming.append((at, value))
        elif difference.kind == "unexpected":
            self._leaving.add(at)
        elif difference.kind == "moved":
            self._moving.append((int(_last_token(difference.expected_pointer)), at))
        else:
            self._items[at] = value

    def rearrange(self) -> None:
        coming = self._coming + [(to, self._items[at]) for to, at in self._moving]
        leaving = self._leaving.union(at for _, at in self._moving)
        staying = [item for at, item in enumerate(self._items) if at not in leaving]
        for to, item in sorted(coming, key=lambda each: each[0]):
            staying.insert(to, item)
        self._items[:] = staying


def _last_token(place: str | None) -> str:
    return pointer.parse(place or "")[-1]


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
