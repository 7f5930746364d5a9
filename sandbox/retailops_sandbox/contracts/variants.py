"""Variants of a response schema: what one source demands where several publish a contract and disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retailops_sandbox.jsontext import pointer as pointers

_ALL_COUNT = frozenset({"properties", "items", "allOf"})
"""The keywords beneath which a stricter schema makes the whole one stricter."""


def tightens(schema: dict[str, Any], changes: Mapping[str, Any]) -> bool:
    """Whether it is certain that a document that keeps the changed schema keeps the schema as well.

    It is where the changes only take types away, or require further members.
    """
    return all(_is_stricter(schema, pointer, value) for pointer, value in changes.items())


def _is_stricter(schema: dict[str, Any], pointer: str, value: Any) -> bool:
    *way, keyword = pointers.parse(pointer)
    if not _counts_alone(way):
        return False
    now = pointers.get(schema, pointer, None)
    if keyword == "type":
        return now is None or _listed(value) <= _listed(now)
    return keyword == "required" and (now is None or _listed(value) >= _listed(now))


def _counts_alone(way: list[str]) -> bool:
    """Whether a pointer into a schema leads through keywords of which all parts must be kept."""
    left = list(way)
    while left:
        keyword = left.pop(0)
        if keyword not in _ALL_COUNT:
            return False
        if keyword != "items" or (left and left[0].isdecimal()):
            left = left[1:]  # the name or the position of a part
    return True


def _listed(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list) else {value}
