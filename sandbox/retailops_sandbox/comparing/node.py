"""The nodes of an alignment: what each part of the expected document became in the actual one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox.comparing.matchers import MATCHERS, Matcher
from retailops_sandbox.comparing.rules import Scope
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.jsontext import holds_mark, pointer
from retailops_sandbox.model import Difference, Json

Kind = Literal["same", "ignored", "missing", "unexpected", "changed", "type", "object", "array"]

IDENTITY_WEIGHT = 3


class Node(msgspec.Struct):
    """A place in two aligned documents, with its expected and actual value, UNSET where it has none.

    `cost` is the number of differences at the place and beneath. `shares` says that some leaf is as expected.
    A node of the kind `same` has no children, as nothing beneath it differs.
    """

    kind: Kind
    expected: Any
    actual: Any
    cost: int = 0
    shares: bool = False
    matcher: Matcher | None = None
    """The matcher that decided instead of equality, or that says how members or items were compared."""
    children: Sequence[Node] = ()
    expected_token: str | int = ""
    actual_token: str | int = ""
    scope: Scope | None = None
    """An array's scope; None where no rule reaches, and for other values."""
    set_like: bool = False
    moved: bool = False
    """Whether this is an item of a set-like array that is out of order."""
    note: str = ""
    undecided: bool = False
    """Whether it is the same as far as is known: a value is struck out on one of the sides."""

    @property
    def keeps_order(self) -> bool:
        """Whether the rule `ordered` applies, by which each item that moved is a difference."""
        return self.set_like and self.matcher is not None and self.matcher.name == "ordered"

    def weight(self, identity: tuple[str, ...]) -> int:
        """The cost of pairing two items, in which differences of the identity fields weigh more."""
        extra = sum(child.cost for child in self.children if child.expected_token in identity)
        return self.cost + (IDENTITY_WEIGHT - 1) * extra


def container(kind: Kind, expected: Json, actual: Json, children: list[Node]) -> Node:
    """The node of an object or array whose members or items these are."""
    if not children:
        return Node("same", expected, actual, shares=True)
    cost = 0
    shares = False
    for child in children:
        cost += child.cost
        shares = shares or child.shares
    return Node(kind, expected, actual, cost, shares, children=children)


def whole(expected: Json, actual: Json, *, equal: bool) -> Node:
    """The node of two values that are compared as a whole, without nodes for their parts."""
    if equal:
        return Node("same", expected, actual, shares=True)
    if holds_mark(expected) or holds_mark(actual):
        return Node("same", expected, actual, undecided=True)
    return Node(_departure(expected, actual), expected, actual, cost=1)


def judged(expected: Json, actual: Json, matcher: Matcher) -> Node:
    """The node of two values where a matcher decides instead of equality."""
    if matcher.name == "ignore":
        return Node("ignored", expected, actual, matcher=matcher)
    if not matcher.decides(actual):
        return Node("same", expected, actual, matcher=matcher, undecided=True)
    if matcher.accepts is None or matcher.accepts(actual):
        return Node("same", expected, actual, shares=matcher.name != "any", matcher=matcher)
    return Node(_departure(expected, actual), expected, actual, cost=1, matcher=matcher)


def missing(expected: Any, scope: Scope | None) -> Node:
    """The node of a value that only the expected side has."""
    matcher = _replacing_equality(scope)
    if matcher is not None and matcher.name == "ignore":
        return Node("ignored", expected, UNSET, matcher=matcher)
    return Node("missing", expected, UNSET, cost=1, matcher=matcher)


def unexpected_item(actual: Json, scope: Scope | None, owner: Matcher | None) -> Node:
    """The node of an item that is not expected.

    Of its own rules only `ignore` allows it, as each is for one item; `besides` for its array may.
    """
    matcher = _replacing_equality(scope)
    if matcher is not None and matcher.name == "ignore":
        return Node("ignored", UNSET, actual, matcher=matcher)
    if owner is not None and owner.allows_item(actual):
        return Node("ignored", UNSET, actual, matcher=owner)
    return Node("unexpected", UNSET, actual, cost=1)


def unexpected_member(actual: Json, scope: Scope | None, owner: Matcher | None) -> Node:
    """The node of a member that is not expected; a rule for it, or `extra` for its object, may allow it."""
    matcher = _replacing_equality(scope)
    if matcher is not None and matcher.accepts is not None:
        if matcher.name == "ignore":
            return Node("ignored", UNSET, actual, matcher=matcher)
        if not matcher.decides(actual):
            return Node("same", UNSET, actual, matcher=matcher, undecided=True)
        if matcher.accepts(actual):
            return Node("same", UNSET, actual, matcher=matcher)
    elif owner is not None and owner.name == "extra":
        return Node("ignored", UNSET, actual, matcher=owner)
    return Node("unexpected", UNSET, actual, cost=1, matcher=matcher)


NOTHING_KNOWN: Mapping[tuple[str, str], Kind] = {}


def known_differences(found: Iterable[Difference]) -> dict[tuple[str, str], Kind]:
    """The kinds of the differences of values that both bodies have, by both pointers."""
    return {
        (each.expected_pointer, each.actual_pointer): each.kind
        for each in found
        if each.part == "body"
        and each.kind in ("changed", "type")
        and each.expected_pointer is not None
        and each.actual_pointer is not None
    }


def settle(node: Node, known: Mapping[tuple[str, str], Kind], expected: str = "", actual: str = "") -> None:
    """Decide the undecided places of an alignment by the known differences, keyed by both pointers."""
    if node.undecided:
        kind = known.get((expected, actual))
        node.undecided, node.kind, node.cost = kind is None, kind or node.kind, int(kind is not None)
        return
    for child in node.children:
        before = child.cost
        settle(
            child,
            known,
            f"{expected}/{pointer.escape(child.expected_token)}",
            f"{actual}/{pointer.escape(child.actual_token)}",
        )
        node.cost += child.cost - before


def misplaced(matcher: Matcher, value: Json) -> str:
    """The note on a rule for containers at a value of another type; empty for a container."""
    (wanted,) = MATCHERS[matcher.name].applies_to
    if type_name(value) == wanted:
        return ""
    return f"the rule {matcher.name} is for an {wanted}, and here a {type_name(value)} is expected"


def leaves(value: Json) -> int:
    """The number of leaves of a value: scalars and empty containers."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values())) or 1
    return (sum(map(leaves, value)) or 1) if isinstance(value, list) else 1


def _replacing_equality(scope: Scope | None) -> Matcher | None:
    matcher = scope.matcher if scope is not None else None
    return matcher if matcher is not None and matcher.accepts is not None else None


def _departure(expected: Json, actual: Json) -> Kind:
    return "changed" if type_name(expected) == type_name(actual) else "type"
