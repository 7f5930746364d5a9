"""The tree that an alignment is: which part of the expected document answers to which part of the actual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox.comparing.matchers import MATCHERS, Matcher
from retailops_sandbox.comparing.rules import Scope
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.model import Json

Kind = Literal["same", "ignored", "missing", "unexpected", "changed", "type", "object", "array"]

IDENTITY_WEIGHT = 3


class Node(msgspec.Struct):
    """One place, with what each side has there: UNSET where a side has nothing.

    `cost` counts the differences at it and beneath; `shares` says that some leaf of it is right. A node
    that is `same` has no children: nothing beneath it differs.
    """

    kind: Kind
    expected: Any
    actual: Any
    cost: int = 0
    shares: bool = False
    matcher: Matcher | None = None
    """What judged it instead of equality, or how its members or items were compared."""
    children: Sequence[Node] = ()
    expected_token: str | int = ""
    actual_token: str | int = ""
    scope: Scope | None = None
    """Of an array; None where no rule reaches."""
    set_like: bool = False
    moved: bool = False
    """An item of a set-like array that is out of order."""
    note: str = ""

    @property
    def keeps_order(self) -> bool:
        """Whether the rule `ordered` makes a difference of every item that moved."""
        return self.set_like and self.matcher is not None and self.matcher.name == "ordered"

    def weight(self, identity: tuple[str, ...]) -> int:
        """The cost of pairing two items: differences in their identity weigh more."""
        extra = sum(child.cost for child in self.children if child.expected_token in identity)
        return self.cost + (IDENTITY_WEIGHT - 1) * extra


def container(kind: Kind, expected: Json, actual: Json, children: list[Node]) -> Node:
    """An object or array from what became of its members or items."""
    if not children:
        return Node("same", expected, actual, shares=True)
    cost = 0
    shares = False
    for child in children:
        cost += child.cost
        shares = shares or child.shares
    return Node(kind, expected, actual, cost, shares, children=children)


def whole(expected: Json, actual: Json, *, equal: bool) -> Node:
    """Two values that are compared as they are."""
    if equal:
        return Node("same", expected, actual, shares=True)
    return Node(_departure(expected, actual), expected, actual, cost=1)


def judged(expected: Json, actual: Json, matcher: Matcher) -> Node:
    """Two values where a matcher replaces equality."""
    if matcher.name == "ignore":
        return Node("ignored", expected, actual, matcher=matcher)
    if matcher.accepts is None or matcher.accepts(actual):
        return Node("same", expected, actual, shares=matcher.name != "any", matcher=matcher)
    return Node(_departure(expected, actual), expected, actual, cost=1, matcher=matcher)


def missing(expected: Any, scope: Scope | None) -> Node:
    """What only the expected side has."""
    matcher = _replacing_equality(scope)
    if matcher is not None and matcher.name == "ignore":
        return Node("ignored", expected, UNSET, matcher=matcher)
    return Node("missing", expected, UNSET, cost=1, matcher=matcher)


def unexpected_item(actual: Json, scope: Scope | None) -> Node:
    """An item that is not expected; one item satisfies one expectation, so only `ignore` allows it."""
    matcher = _replacing_equality(scope)
    if matcher is not None and matcher.name == "ignore":
        return Node("ignored", UNSET, actual, matcher=matcher)
    return Node("unexpected", UNSET, actual, cost=1)


def unexpected_member(actual: Json, scope: Scope | None, owner: Matcher | None) -> Node:
    """A member that is not expected; a rule there, or `extra` on its object, may allow it."""
    matcher = _replacing_equality(scope)
    if matcher is not None and matcher.accepts is not None:
        if matcher.name == "ignore":
            return Node("ignored", UNSET, actual, matcher=matcher)
        if matcher.accepts(actual):
            return Node("same", UNSET, actual, matcher=matcher)
    elif owner is not None and owner.name == "extra":
        return Node("ignored", UNSET, actual, matcher=owner)
    return Node("unexpected", UNSET, actual, cost=1, matcher=matcher)


def misplaced(matcher: Matcher, value: Json) -> str:
    """The note on a way to compare containers whose rule is at another value; empty where it is not."""
    (wanted,) = MATCHERS[matcher.name].applies_to
    if type_name(value) == wanted:
        return ""
    return f"the rule {matcher.name} is for an {wanted}, and here a {type_name(value)} is expected"


def leaves(value: Json) -> int:
    """How many values that hold no others are in a value; an empty container is one."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values())) or 1
    return (sum(map(leaves, value)) or 1) if isinstance(value, list) else 1


def _replacing_equality(scope: Scope | None) -> Matcher | None:
    matcher = scope.matcher if scope is not None else None
    return matcher if matcher is not None and matcher.accepts is not None else None


def _departure(expected: Json, actual: Json) -> Kind:
    return "changed" if type_name(expected) == type_name(actual) else "type"
