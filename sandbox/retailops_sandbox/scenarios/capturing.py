"""Captures: the values that steps take from answers, each with the places that it was taken from. Pure."""

from __future__ import annotations

import msgspec

from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Capture, Json


class Captured(msgspec.Struct, frozen=True):
    """A captured value, and the places of the answer that it is made of."""

    value: Json
    places: list[tuple[str, Json]]
    """Each as its pointer and value."""


def capture(answer: Json, wanted: Capture) -> Captured:
    """The value that a capture takes from an answer's body; PointerError where there is none.

    A path with `*` makes a list, which is empty where the array is: only an array that is missing, or is
    none, is an error.
    """
    if isinstance(wanted, str):
        return _at(answer, wanted)
    items: list[Json] = []
    places: list[tuple[str, Json]] = []
    for at, item in pointer.resolve_all(answer, wanted.path):
        members: dict[str, Json] = {}
        for name, path in wanted.members.items():
            try:
                found = _at(item, path)
            except pointer.PointerError as error:
                raise pointer.PointerError(f"{at}: {error}") from error
            members[name] = found.value
            places += [(at + inner, value) for inner, value in found.places]
        items.append(members)
    return Captured(items if is_list(wanted.path) else items[0], places)


def _at(document: Json, path: str) -> Captured:
    if not is_list(path):
        value = pointer.resolve(document, path)
        return Captured(value, [(path, value)])
    places = pointer.resolve_all(document, path)
    return Captured([value for _, value in places], places)


def is_list(path: str) -> bool:
    """Whether what is at a path is captured as a list."""
    return pointer.WILDCARD in pointer.parse(path)


def spelled(wanted: Capture) -> str:
    """A capture for people to read: its path, and the members that it takes."""
    if isinstance(wanted, str):
        return wanted
    return f"{wanted.path} ({', '.join(wanted.members)})"


def is_empty(value: Json) -> bool:
    """Whether a captured value ends the repetition of its step."""
    return value is None or value == "" or value == []
