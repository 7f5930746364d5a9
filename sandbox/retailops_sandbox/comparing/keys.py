"""Hashable keys of values, by which items that compare without a difference are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from retailops_sandbox.comparing.rules import Scope
from retailops_sandbox.model import Json

_ACCEPTED = ("accepted",)


def frozen(value: Json) -> Hashable:
    """A key that is equal for exactly the values that are `values.same`."""
    if isinstance(value, dict):
        return "{", frozenset(zip(value, map(frozen, value.values()), strict=True))
    if isinstance(value, list):
        return "[", *map(frozen, value)
    return ("boolean", value) if isinstance(value, bool) else value


def key(value: Json, scope: Scope | None, *, expected: bool) -> Hashable:
    """A key of an expected or actual value in a scope: values with equal keys compare without a difference.

    Values with different keys may also compare without one, for example where a rule allows extra members.
    """
    if scope is None:
        return frozen(value)
    matcher = scope.matcher
    if matcher is not None and matcher.accepts is not None:
        return _ACCEPTED if expected or matcher.accepts(value) else object()
    if isinstance(value, dict):
        return _object_key(value, scope, expected)
    if isinstance(value, list):
        return _array_key(value, scope, expected)
    return frozen(value)


def _object_key(value: dict[str, Json], scope: Scope, expected: bool) -> Hashable:
    if not expected and any(name not in value for name in scope.demanded):
        return object()
    members: list[tuple[str, Hashable]] = []
    for name, member in value.items():
        beneath = scope.child(name)
        matcher = beneath.matcher if beneath is not None else None
        if matcher is None or matcher.name != "ignore":
            members.append((name, key(member, beneath, expected=expected)))
    return "{", frozenset(members)


def _array_key(value: list[Json], scope: Scope, expected: bool) -> Hashable:
    ordered = not scope.set_like or (scope.matcher is not None and scope.matcher.name == "ordered")
    if ordered:
        return "[", *(key(item, scope.child(str(at)), expected=expected) for at, item in enumerate(value))
    if positions(scope, len(value)):
        return object()  # until the items are paired, nobody knows which one a position's rule will judge
    return "{}", frozenset(Counter(key(item, scope.items, expected=expected) for item in value).items())


def positions(scope: Scope, length: int) -> list[int]:
    """The positions of an array that some rule's path names."""
    spelled = (int(token) for token in scope.named if token.isdecimal() and len(token) < 10)
    return sorted(position for position in spelled if position < length)
