"""Pairs of an expected and an actual array's items.

The work is bounded, and a note says which bound was met. Equal items are paired by hash, whatever their
number. The rest is assigned optimally up to MOST_ASSIGNED items on each side. The pairs that are compared to
find the best ones may have BUDGET leaves in the whole document. A sequence is aligned by longest common
subsequence as long as the product of both lengths is at most LONGEST_SEQUENCES.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol

import msgspec

from retailops_sandbox import assignment
from retailops_sandbox.comparing.keys import frozen, key, positions
from retailops_sandbox.comparing.node import Node, leaves, missing, unexpected_item
from retailops_sandbox.comparing.rules import Scope
from retailops_sandbox.comparing.values import same
from retailops_sandbox.model import Json

MOST_ASSIGNED = 64
BUDGET = 200_000
LONGEST_SEQUENCES = 100_000_000


class Aligns(Protocol):
    """Aligns two items, and keeps the document's budget of leaves for trial comparisons."""

    def align(self, expected: Json, actual: Json, scope: Scope | None) -> Node: ...

    def spend(self, leaves: int) -> bool:
        """Take so many leaves from the budget; False if it holds fewer."""


class Pair(msgspec.Struct, frozen=True):
    """The positions of two items, and how they compare."""

    expected: int
    actual: int
    node: Node


class Items:
    """The items of two arrays that are to be paired.

    Most items share one scope. `special` holds the scopes of expected positions that a rule's path names.
    """

    def __init__(self, aligns: Aligns, expected: list[Json], actual: list[Json], scope: Scope | None) -> None:
        self._aligns = aligns
        self.expected = expected
        self.actual = actual
        self.set_like = scope is not None and scope.set_like
        self.identity = (scope.identity or ()) if scope is not None else ()
        self._shared = scope.items if scope is not None else None
        self._owner = scope.matcher if scope is not None else None
        self.special: dict[int, Scope | None] = {}
        if scope is not None and scope.named:
            self.special = {at: scope.child(str(at)) for at in positions(scope, len(expected))}

    def paired(self) -> tuple[list[Pair], str]:
        """The pairs in order of the expected items, and a note on the bound that was met, if one was."""
        if not self.set_like:
            return self._as_sequence()
        pairs, note = self._as_set()
        return sorted(pairs, key=_expected_position), note

    def nodes(self, pairs: Iterable[Pair]) -> list[Node]:
        """The nodes of all items in expected order, unexpected ones behind the item before them."""
        pair_of = {pair.expected: pair for pair in pairs}
        answers = {pair.actual: pair.expected for pair in pairs}
        placed: list[tuple[int, int, Node]] = []
        for at, value in enumerate(self.expected):
            pair = pair_of.get(at)
            node = pair.node if pair is not None else missing(value, self._scope(at))
            node.expected_token = at
            node.actual_token = pair.actual if pair is not None else ""
            placed.append((at, -1, node))
        neighbour = -1
        for at, value in enumerate(self.actual):
            if at in answers:
                neighbour = answers[at]
                continue
            node = unexpected_item(value, self._shared, self._owner)
            node.actual_token = at
            placed.append((neighbour, at, node))
        placed.sort(key=lambda each: each[:2])
        return [node for _, _, node in placed]

    def pair(self, expected_at: int, actual_at: int) -> Pair:
        expected, actual, scope = self.expected[expected_at], self.actual[actual_at], self._scope(expected_at)
        if (scope is None or not scope.ruled) and same(expected, actual):
            return Pair(expected_at, actual_at, Node("same", expected, actual, shares=True))
        return Pair(expected_at, actual_at, self._aligns.align(expected, actual, scope))

    def _scope(self, expected_at: int) -> Scope | None:
        return self.special.get(expected_at, self._shared)

    def _affordable(self, expected: Sequence[int], actual: Sequence[int]) -> bool:
        """Whether the budget suffices to compare each item with each; if so, the cost is taken from it."""
        if len(expected) * len(actual) > BUDGET:
            return False
        tried = len(actual) * sum(leaves(self.expected[at]) for at in expected)
        tried += len(expected) * sum(leaves(self.actual[at]) for at in actual)
        return self._aligns.spend(tried)

    # --- Set-like arrays ---

    def _as_set(self) -> tuple[list[Pair], str]:
        """The pairs of equal items and the best pairs of the rest; beyond the bounds not quite the best."""
        pairs, expected, actual = self._equal()
        if not expected or not actual:
            return pairs, ""
        count = f"{len(expected):,} expected and {len(actual):,} actual items without an equal"
        if not self._affordable(expected, actual):
            return pairs + self._by_identity(
                expected, actual
            ), f"{count} are paired by identity, then by position"
        candidates = Candidates(self, expected, actual)
        if _small(expected, actual):
            return pairs + candidates.chosen(assignment.best(candidates.gains)), ""
        chosen = assignment.greedy(candidates.gains, assignment.most(candidates.clean()))
        return pairs + candidates.chosen(chosen), f"{count} are paired greedily, not by the best assignment"

    def _equal(self) -> tuple[list[Pair], Sequence[int], Sequence[int]]:
        """The pairs of equal items, in order of position, and the positions of all others."""
        expected: Sequence[int] = range(len(self.expected))
        actual: Sequence[int] = range(len(self.actual))
        if self.special and _small(expected, actual):
            # A rule by position may accept an item equal to another expected one: all are assigned together.
            return [], expected, actual
        pairs: list[Pair] = []
        for same_key in self._keys():
            waiting: dict[Hashable, deque[int]] = {}
            for at in actual:
                waiting.setdefault(same_key(self.actual[at], False), deque()).append(at)
            left = []
            for at in expected:
                found = None if at in self.special else waiting.get(same_key(self.expected[at], True))
                if found:
                    pairs.append(self.pair(at, found.popleft()))
                else:
                    left.append(at)
            expected, actual = left, sorted(at for each in waiting.values() for at in each)
        return pairs, expected, actual

    def _keys(self) -> list[Callable[[Json, bool], Hashable]]:
        """The functions that make an item's key: first for equality in every value, then by the rules."""

        def by_rules(value: Json, expected: bool) -> Hashable:
            return key(value, self._shared, expected=expected)

        def by_value(value: Json, expected: bool) -> Hashable:
            return frozen(value), by_rules(value, expected)

        return [by_value, by_rules] if self._shared is not None and self._shared.ruled else [by_rules]

    def _by_identity(self, expected: Sequence[int], actual: Sequence[int]) -> list[Pair]:
        """Pairs of the first items with equal identity fields, then of the next items that share a leaf.

        This takes linear time.
        """
        waiting: dict[Hashable, deque[int]] = {}
        for at in actual:
            waiting.setdefault(self._identity_of(self.actual[at]), deque()).append(at)
        pairs, left = [], []
        for at in expected:
            found = waiting.get(self._identity_of(self.expected[at]))
            if found:
                pairs.append(self.pair(at, found.popleft()))
            else:
                left.append(at)
        unclaimed = sorted(at for each in waiting.values() for at in each)
        pairs += [self.pair(*each) for each in zip(left, unclaimed, strict=False)]
        return [pair for pair in pairs if pair.node.shares or not pair.node.cost]

    def _identity_of(self, value: Json) -> Hashable:
        if not isinstance(value, dict):
            return frozen(value)
        return tuple(frozen(value.get(field)) for field in self.identity)

    # --- Arrays in order ---

    def _as_sequence(self) -> tuple[list[Pair], str]:
        """The equal items at the start and at the end, and between them the best pairs without crossing."""
        keys = [key(value, self._shared, expected=True) for value in self.expected]
        actual_keys = [key(value, self._shared, expected=False) for value in self.actual]
        expected, actual = len(keys), len(actual_keys)
        start = 0
        while start < min(expected, actual) and self._fit(start, start, keys, actual_keys):
            start += 1
        while min(expected, actual) > start and self._fit(expected - 1, actual - 1, keys, actual_keys):
            expected, actual = expected - 1, actual - 1
        pairs, note = self._between(range(start, expected), range(start, actual), keys, actual_keys)
        before = [self.pair(at, at) for at in range(start)]
        after = [
            self.pair(*each)
            for each in zip(range(expected, len(keys)), range(actual, len(actual_keys)), strict=True)
        ]
        return before + pairs + after, note

    def _fit(self, expected: int, actual: int, keys: list[Hashable], actual_keys: list[Hashable]) -> bool:
        return keys[expected] == actual_keys[actual] and expected not in self.special

    def _between(
        self, expected: range, actual: range, keys: list[Hashable], actual_keys: list[Hashable]
    ) -> tuple[list[Pair], str]:
        pairs = self._best_in_order(expected, actual)
        if pairs is not None:
            return pairs, ""
        if len(expected) * len(actual) > LONGEST_SEQUENCES:
            count = f"{len(expected):,} expected and {len(actual):,} actual items"
            return self._side_by_side(expected, actual), f"{count} are too many to align: paired by position"
        common = assignment.longest_common(self._masks(expected, actual, keys, actual_keys), len(actual))
        pairs, note = [], ""
        row = column = 0
        for next_row, next_column in [*common, (len(expected), len(actual))]:
            gap = expected[row:next_row], actual[column:next_column]
            between = self._best_in_order(*gap)
            if between is None:
                between = self._side_by_side(*gap)
                count = f"{len(gap[0]):,} expected and {len(gap[1]):,} actual items in a row"
                note = f"{count} are paired by position"
            pairs += between
            if next_row < len(expected):
                pairs.append(self.pair(expected[next_row], actual[next_column]))
            row, column = next_row + 1, next_column + 1
        return pairs, note

    def _masks(
        self, expected: range, actual: range, keys: list[Hashable], actual_keys: list[Hashable]
    ) -> list[int]:
        """For each expected item a mask with a bit for each actual item that it accepts."""
        accepted: dict[Hashable, int] = {}
        for column, at in enumerate(actual):
            accepted[actual_keys[at]] = accepted.get(actual_keys[at], 0) | 1 << column
        masks = []
        for at in expected:
            if at in self.special:
                clean = [not self.pair(at, actual_at).node.cost for actual_at in actual]
                masks.append(sum(1 << column for column, accepts in enumerate(clean) if accepts))
            else:
                masks.append(accepted.get(keys[at], 0))
        return masks

    def _best_in_order(self, expected: range, actual: range) -> list[Pair] | None:
        """The best pairs that do not cross; None where there are too many to compare them all."""
        if not expected or not actual:
            return []
        if not (_small(expected, actual) and self._affordable(expected, actual)):
            return None
        candidates = Candidates(self, expected, actual)
        return candidates.chosen(assignment.best_in_order(candidates.gains))

    def _side_by_side(self, expected: range, actual: range) -> list[Pair]:
        return [self.pair(*each) for each in zip(expected, actual, strict=False)]


class Candidates:
    """Each pair of some expected and actual items, and its gain.

    A pair without a difference gains most, and among those a pair that is equal without a rule. Otherwise the
    gain is the number of differences that the pair saves against leaving both items unpaired. Nearness of
    position decides between equals. So a rule that accepts anything never takes an item that equals another
    expected one.
    """

    def __init__(self, items: Items, expected: Sequence[int], actual: Sequence[int]) -> None:
        self._items = items
        self._pairs = [[items.pair(at, actual_at) for actual_at in actual] for at in expected]
        alone = [leaves(items.expected[at]) for at in expected]
        actual_alone = [leaves(items.actual[at]) for at in actual]
        saved = [
            [self._saved(pair, one + other) for pair, other in zip(row, actual_alone, strict=True)]
            for row, one in zip(self._pairs, alone, strict=True)
        ]
        most = min(len(expected), len(actual))
        self._worth_of_saving = max(map(max, saved)) * most + 1
        self._worth_of_equal = most + 1
        self._worth_of_nearness = max(len(expected), len(actual)) ** 2 * most + 1
        self.gains = [
            [
                self._gain(pair, each, row - column)
                for column, (pair, each) in enumerate(zip(*both, strict=True))
            ]
            for row, both in enumerate(zip(self._pairs, saved, strict=True))
        ]

    def clean(self) -> list[list[int]]:
        """For each expected item the actual items without a difference from it, the best first."""
        found = []
        for row, gains in zip(self._pairs, self.gains, strict=True):
            columns = [column for column, pair in enumerate(row) if not pair.node.cost]
            found.append(sorted(columns, key=gains.__getitem__, reverse=True))
        return found

    def chosen(self, cells: assignment.Pairs) -> list[Pair]:
        """The pairs at these rows and columns."""
        return [self._pairs[row][column] for row, column in cells]

    def _saved(self, pair: Pair, alone: int) -> int:
        if pair.node.cost and self._items.set_like and not pair.node.shares:
            return 0
        return max(0, alone - pair.node.weight(self._items.identity))

    def _gain(self, pair: Pair, saved: int, offset: int) -> int:
        clean = not pair.node.cost
        if not clean and not saved:
            return 0
        equal = clean and pair.expected not in self._items.special and self._equal(pair)
        worth = (clean * self._worth_of_equal + equal) * self._worth_of_saving + saved
        return worth * self._worth_of_nearness - offset**2

    def _equal(self, pair: Pair) -> bool:
        return same(self._items.expected[pair.expected], self._items.actual[pair.actual])


def _small(expected: Sequence[int], actual: Sequence[int]) -> bool:
    return len(expected) <= MOST_ASSIGNED and len(actual) <= MOST_ASSIGNED


def _expected_position(pair: Pair) -> int:
    return pair.expected
