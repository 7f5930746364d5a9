"""HTTPie's request items: `Header:value`, `name==value`, `name=text`, `name:=JSON`, and nested names."""

from __future__ import annotations

import re
from typing import NamedTuple

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing.found import shown
from retailops_sandbox.model import Json

_separator = re.compile(r"==@|:=@|==|:=|=@|:@|[=:;@]")
"""At one position, the longest separator counts."""
_escape = re.compile(r"\\(.)", re.S)
_MOST_ITEMS = 10_000
"""The most items, and the largest position in an array that a name may give."""


class Item(NamedTuple):
    """An item: its name, its separator and its value."""

    name: str
    separator: str
    value: str


def parse(word: str) -> Item | None:
    """The item that a word is; None for one without a separator. A backslash escapes a separator."""
    skipped = {each.end() - 1 for each in _escape.finditer(word)}
    for found in _separator.finditer(word):
        at, end = found.span()
        while at in skipped and at < end:
            at += 1
        if at == end:
            continue
        separator = word[at:end]
        if separator == ";" and end < len(word):
            continue
        return Item(_plain(word[:at]), separator, _plain(word[end:]))
    return None


def _plain(text: str) -> str:
    return _escape.sub(lambda escape: escape[1] if escape[1] in ":=;@" else escape[0], text)


class JsonItems:
    """The JSON value that data items make, one after the other."""

    def __init__(self) -> None:
        self.any = False
        """Whether there was an item."""
        self._root: list[Json] = [None]
        self._count = 0

    def add(self, item: Item) -> None:
        """Add an item; ValueError where its value is not JSON, or its name does not fit those before."""
        value: Json = item.value
        if item.separator == ":=":
            try:
                value = jsontext.parse(item.value)
            except SourceError as error:
                raise ValueError(f"the value of '{shown(item.name)}' is not JSON: {error.what}") from None
        self._count += 1
        if self._count > _MOST_ITEMS:
            raise ValueError(f"there are more than {_MOST_ITEMS:,} items")
        self.any = True
        container: list[Json] | dict[str, Json] = self._root
        key: str | int = 0
        for step in _path(item.name):
            inner = _at(container, key)
            if inner is None:
                inner = [] if step is None or isinstance(step, int) else {}
                _put(container, key, inner)
            container, key = _entered(inner, step, item.name)
        _put(container, key, value)

    def text(self) -> str:
        """The JSON text of what was added."""
        return jsontext.compact(self._root[0]).decode()


def _path(name: str) -> list[str | int | None]:
    """The steps of a nested name: `a[b][0][]` is a, b, 0 and None, which appends."""
    begun = re.match(r"(?:[^\[\\]|\\.)*", name)
    first = begun[0] if begun else ""
    steps: list[str | int | None] = []
    if first or not name.startswith("["):
        steps.append(_key(first))
    at = len(first)
    for found in re.finditer(r"\[((?:[^\[\]\\]|\\.)*)\]", name[at:]):
        inner = found[1]
        if inner.isdigit() and inner.isascii():
            # More digits than any position that is accepted has.
            steps.append(int(inner[:9]))
        else:
            steps.append(_key(inner) if inner else None)
        if len(steps) > jsontext.MAX_DEPTH:
            raise ValueError(f"'{shown(name)}' is nested deeper than {jsontext.MAX_DEPTH} levels")
    return steps


def _key(written: str) -> str:
    return re.sub(r"\\([\[\]\\\d])", r"\1", written)


def _at(container: list[Json] | dict[str, Json], key: str | int) -> Json:
    """The value at a key; None where there is none."""
    if isinstance(container, dict):
        return container.get(str(key))
    return container[int(key)] if int(key) < len(container) else None


def _put(container: list[Json] | dict[str, Json], key: str | int, value: Json) -> None:
    if isinstance(container, dict):
        container[str(key)] = value
        return
    container += [None] * (int(key) + 1 - len(container))
    container[int(key)] = value


def _entered(
    inner: Json, step: str | int | None, name: str
) -> tuple[list[Json] | dict[str, Json], str | int]:
    """The container that a step goes into, and the key in it; ValueError where it is of another kind."""
    if isinstance(inner, list) and not isinstance(step, str):
        position = len(inner) if step is None else step
        if position > _MOST_ITEMS:
            raise ValueError(f"'{shown(name)}' asks for more than {_MOST_ITEMS:,} items")
        return inner, position
    if isinstance(inner, dict) and step is not None:
        return inner, str(step)
    kind = "an array" if isinstance(inner, list) else "an object" if isinstance(inner, dict) else "a value"
    raise ValueError(f"'{shown(name)}' does not fit what came before, which is {kind}")
