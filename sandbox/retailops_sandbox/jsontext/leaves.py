"""The leaves and keys of a JSON text at some places, with their pointers; struck-out leaves as marks."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Mark, StruckOut

_TOKEN = r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]|[^\s{}\[\],:"]+'


class Leaf(msgspec.Struct, frozen=True):
    """A string, number or literal of a JSON text, or the key of a member, with the pointer to that member."""

    start: int
    end: int
    pointer: str
    is_key: bool


class _Open:
    """A container that is open while a text is read, and the place in it."""

    __slots__ = ("is_object", "key", "position")

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.key = '""'
        self.position = 0

    @property
    def token(self) -> str:
        return str(json.loads(self.key)) if self.is_object else str(self.position)


def leaves_within(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Leaf]:
    """The leaves and keys that overlap one of the sorted spans, in order. `parse` must accept the text."""
    containers: list[_Open] = []
    expects_key = False
    wanted = deque(spans)
    for token in re.finditer(_TOKEN, text, re.S):
        at, end = token.span()
        sign = text[at]
        if sign in "{[":
            expects_key = sign == "{"
            containers.append(_Open(expects_key))
        elif sign in "}]":
            expects_key = False
            containers.pop()
        elif sign == ",":
            containers[-1].position += 1
            expects_key = containers[-1].is_object
        else:
            is_key, expects_key = expects_key, False
            if is_key:
                containers[-1].key = token[0]
            while wanted and wanted[0][1] <= at:
                wanted.popleft()
            if not wanted:
                return
            if wanted[0][0] < end:
                yield Leaf(at, end, pointers.join([each.token for each in containers]), is_key)


def with_marks(value: Json, places: Iterable[StruckOut]) -> Json:
    """A JSON value with a Mark at each struck-out place of its text. An object with a struck-out key is one.

    A place that the value does not have, as in somebody else's record, is left out.
    """
    found = list(places)
    if not found:
        return value
    whole = {"": pointers.copied(value)}
    for place in sorted(found, key=lambda each: each.key):
        at = place.pointer or ""
        if place.key:
            at = at.rpartition("/")[0]
        there: Any = pointers.get(whole[""], at, None)
        if place.key and isinstance(there, dict):
            mark = Mark(pointers.parse(place.pointer or "/")[-1], place.name, "object")
        elif isinstance(there, str):
            mark = Mark(there, place.name, place.type)
        else:
            continue
        whole[""] = pointers.set_at(whole[""], at, mark) if at else mark
    return whole[""]


def holds_mark(value: Any) -> bool:
    """Whether a Mark is the value or anywhere in it."""
    if not isinstance(value, (dict, list)):
        return isinstance(value, Mark)
    try:
        _mark_detector.encode(value)  # far faster than a walk
    except _MarkFoundError:
        return True
    return False


class _MarkFoundError(Exception):
    pass


def _found(value: object) -> None:
    if isinstance(value, Mark):
        raise _MarkFoundError


_mark_detector = msgspec.json.Encoder(enc_hook=_found)
