"""The differences and notes of an alignment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from retailops_sandbox.comparing.aligning import Aligner
from retailops_sandbox.comparing.comparison import Comparison
from retailops_sandbox.comparing.matchers import Matcher
from retailops_sandbox.comparing.node import Node
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext import excerpt, pointer
from retailops_sandbox.model import Difference

MOST_DIFFERENCES = 1_000
MOST_HINTS = 20
MOST_CANDIDATES = 64
_QUOTED = 60
"""Characters of a value that a hint quotes."""


def listed(root: Node) -> Comparison:
    """The differences and notes of an alignment; differences beyond MOST_DIFFERENCES are only counted."""
    collector = _Collector()
    collector.add(root, "", "")
    differences = tuple(collector.differences)
    more = root.cost - len(differences)
    notes = [*collector.notes, f"{more:,} more differences are not listed"] if more else collector.notes
    return Comparison(differences, tuple(notes), tuple(collector.undecided))


class _Collector:
    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.notes: list[str] = []
        self.undecided: list[str] = []
        self._hints_left = MOST_HINTS
        self._aligner = Aligner()

    def add(self, node: Node, expected: str, actual: str) -> None:
        """Collect the differences and notes of a node that has a value on both sides, at these pointers."""
        if node.note:
            self.notes.append(f"{expected or WHOLE}: {node.note}")
        if node.kind in ("changed", "type"):
            self._differs(node, expected, actual)
        if node.undecided:
            self.undecided.append(expected or WHOLE)
        moved = 0
        for child in node.children:
            if child.kind == "missing":
                self._missing(node, child, expected, actual)
            elif child.kind == "unexpected":
                self._add(
                    child,
                    child.matcher,
                    kind="unexpected",
                    actual_pointer=f"{actual}/{pointer.escape(child.actual_token)}",
                    within=expected,
                    hint="" if child.matcher is None else child.matcher.hint(child.actual),
                )
            elif child.children or child.cost or child.moved or child.note or child.undecided:
                moved += child.moved
                beneath = f"{expected}/{pointer.escape(child.expected_token)}"
                actual_beneath = f"{actual}/{pointer.escape(child.actual_token)}"
                if child.moved and node.keeps_order:
                    self._add(
                        child,
                        node.matcher,
                        kind="moved",
                        expected_pointer=beneath,
                        actual_pointer=actual_beneath,
                    )
                self.add(child, beneath, actual_beneath)
        if moved and not node.keeps_order:
            items = "1 item is" if moved == 1 else f"{moved:,} items are"
            self.notes.append(f"{expected or WHOLE}: {items} in another place than expected")

    def _differs(self, node: Node, expected: str, actual: str) -> None:
        hint = ""
        if node.matcher is not None and node.matcher.accepts is not None:
            hint = node.matcher.hint(node.actual)
            if not hint and not node.matcher.accepts(node.expected):
                hint = "the expected value does not satisfy this rule either"
        judge = node.matcher if node.matcher is not None and node.matcher.accepts is not None else None
        self._add(node, judge, kind=node.kind, expected_pointer=expected, actual_pointer=actual, hint=hint)

    def _missing(self, owner: Node, node: Node, expected: str, actual: str) -> None:
        hint = ""
        if owner.set_like and self._hints_left and len(self.differences) < MOST_DIFFERENCES:
            self._hints_left -= 1
            hint = self._nearest(owner, node, expected, actual)
        place = f"{expected}/{pointer.escape(node.expected_token)}"
        self._add(node, node.matcher, kind="missing", expected_pointer=place, within=actual, hint=hint)

    def _add(self, node: Node, judge: Matcher | None, **facts: Any) -> None:
        if len(self.differences) == MOST_DIFFERENCES:
            return
        self.differences.append(
            Difference(
                expected=node.expected,
                actual=node.actual,
                rule=judge.rule if judge is not None else None,
                rule_path=judge.path if judge is not None else "",
                **facts,
            )
        )

    # --- Hints on missing items ---

    def _nearest(self, array: Node, lost: Node, expected: str, actual: str) -> str:
        """The hint on the actual item that is nearest to a missing one: where it is, and how it differs."""
        scope = array.scope.child(str(lost.expected_token)) if array.scope is not None else None
        identity = (array.scope.identity or ()) if array.scope is not None else ()
        best: tuple[tuple[int, bool], Node, Node] | None = None
        for item in _candidates(array):
            candidate = self._aligner.align(lost.expected, item.actual, scope)
            rank = (candidate.weight(identity), item.kind != "unexpected")
            if (candidate.shares or not candidate.cost) and (best is None or rank < best[0]):
                best = rank, candidate, item
        if best is None:
            return ""
        (_, taken), candidate, item = best
        hint = f"nearest is {actual}/{item.actual_token}"
        hint += f", but {_main_difference(candidate, identity)}" if candidate.cost else ", which would do"
        return (
            f"{hint}; it already answers to the expected {expected}/{item.expected_token}" if taken else hint
        )


def _candidates(array: Node) -> list[Node]:
    """The actual items that may be the nearest, those that are paired with an expected item last."""
    free = [item for item in array.children if item.kind == "unexpected"]
    taken = [item for item in array.children if item.kind not in ("unexpected", "missing", "ignored")]
    return (free + taken)[:MOST_CANDIDATES]


def _main_difference(candidate: Node, identity: tuple[str, ...]) -> str:
    """A difference of an identity field, else the first one, in words, and how many more there are."""
    found = list(_departures(candidate, ""))
    path, node = next((each for each in found if each[0].partition("/")[0] in identity), found[0])
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    if node.kind == "missing":
        return f"{path} is missing{more}"
    if node.kind == "unexpected":
        return f"{path} is there besides{more}"
    if node.matcher is not None and node.matcher.accepts is not None:
        return f"{path} is {_short(node.actual)}, which the rule does not accept{more}"
    return f"{path or 'it'} is {_short(node.actual)} instead of {_short(node.expected)}{more}"


def _departures(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    """The nodes of the differences at and beneath a node, with their paths from it."""
    if not node.children:
        yield path, node
    for child in node.children:
        if child.cost:
            token = child.actual_token if child.kind == "unexpected" else child.expected_token
            yield from _departures(child, f"{path}/{token}" if path else str(token))


def _short(value: Any) -> str:
    return "nothing" if value is UNSET else excerpt(value, _QUOTED)
