"""Aligning two documents: which expected value is compared with which actual one, as a tree of nodes."""

from __future__ import annotations

from msgspec import UNSET

from retailops_sandbox import assignment
from retailops_sandbox.comparing.node import (
    Node,
    container,
    judged,
    misplaced,
    missing,
    unexpected_member,
    whole,
)
from retailops_sandbox.comparing.pairing import BUDGET, Items
from retailops_sandbox.comparing.rules import DEEPEST, Scope
from retailops_sandbox.comparing.values import same
from retailops_sandbox.model import Json


def align(expected: Json, actual: Json, scope: Scope | None) -> Node:
    """The alignment of two documents."""
    return Aligner().align(expected, actual, scope)


class Aligner:
    """Aligns the values of one document. Trial comparisons of array items use up its budget of leaves."""

    def __init__(self) -> None:
        self._budget = BUDGET
        self._depth = 0

    def align(self, expected: Json, actual: Json, scope: Scope | None) -> Node:
        matcher = scope.matcher if scope is not None else None
        if matcher is not None and matcher.accepts is not None:
            return judged(expected, actual, matcher)
        self._depth += 1
        if self._depth <= DEEPEST and isinstance(expected, dict) and isinstance(actual, dict):
            node = self._objects(expected, actual, scope)
        elif self._depth <= DEEPEST and isinstance(expected, list) and isinstance(actual, list):
            node = self._arrays(expected, actual, scope)
        else:
            node = whole(expected, actual, equal=same(expected, actual))
            if self._depth > DEEPEST and node.cost and isinstance(expected, (dict, list)):
                node.note = f"compared as a whole: nested deeper than {DEEPEST} levels"
        self._depth -= 1
        if matcher is not None:
            node.matcher = matcher
            node.note = node.note or misplaced(matcher, expected)
        return node

    def spend(self, leaves: int) -> bool:
        if leaves > self._budget:
            return False
        self._budget -= leaves
        return True

    def _objects(self, expected: dict[str, Json], actual: dict[str, Json], scope: Scope | None) -> Node:
        children = []
        for name, value in expected.items():
            beneath = scope.child(name) if scope is not None else None
            node = self.align(value, actual[name], beneath) if name in actual else missing(value, beneath)
            node.expected_token = node.actual_token = name
            children.append(node)
        owner = scope.matcher if scope is not None else None
        for name, value in actual.items():
            if name not in expected:
                node = unexpected_member(value, scope.child(name) if scope is not None else None, owner)
                node.expected_token = node.actual_token = name
                children.append(node)
        if scope is not None:
            for name in scope.demanded:
                if name not in expected and name not in actual:
                    node = missing(UNSET, scope.child(name))
                    node.expected_token = node.actual_token = name
                    children.append(node)
        return container("object", expected, actual, children)

    def _arrays(self, expected: list[Json], actual: list[Json], scope: Scope | None) -> Node:
        items = Items(self, expected, actual, scope)
        pairs, note = items.paired()
        node = container("array", expected, actual, items.nodes(pairs))
        node.scope, node.set_like, node.note = scope, items.set_like, note
        if items.set_like:
            kept = assignment.increasing([pair.actual for pair in pairs])
            for position, pair in enumerate(pairs):
                pair.node.moved = position not in kept
            if scope is not None and scope.matcher is not None and scope.matcher.name == "ordered":
                node.cost += len(pairs) - len(kept)
        return node
