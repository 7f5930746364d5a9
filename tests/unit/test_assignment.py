"""Pairing by numbers, against trying everything."""

from __future__ import annotations

from itertools import combinations, permutations

from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import assignment


def tables(most=5, largest=9):
    return st.integers(1, most).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(0, largest), min_size=columns, max_size=columns), min_size=1, max_size=most
        )
    )


def total(gains, pairs):
    return sum(gains[row][column] for row, column in pairs)


def one_to_one(gains):
    """Every one-to-one pairing of as many as there can be."""
    rows, columns = range(len(gains)), range(len(gains[0]))
    if len(rows) <= len(columns):
        return [list(zip(rows, chosen, strict=True)) for chosen in permutations(columns, len(rows))]
    return [list(zip(chosen, columns, strict=True)) for chosen in permutations(rows, len(columns))]


def in_order(gains):
    """Every pairing that does not cross."""
    rows, columns = range(len(gains)), range(len(gains[0]))
    for size in range(min(len(rows), len(columns)) + 1):
        for some in combinations(rows, size):
            for others in combinations(columns, size):
                yield list(zip(some, others, strict=True))


def is_one_to_one(pairs):
    return len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)


@given(tables())
def test_the_best_pairs_gain_as_much_as_any(gains):
    pairs = assignment.best(gains)
    assert is_one_to_one(pairs)
    assert all(gains[row][column] for row, column in pairs)
    assert total(gains, pairs) == max(total(gains, each) for each in one_to_one(gains))


def test_gains_may_be_larger_than_any_float():
    big = 10**400
    assert assignment.best([[big, big + 1], [big, big + 3]]) == [(0, 0), (1, 1)]


def test_nothing_to_pair():
    assert assignment.best([]) == assignment.best_in_order([]) == assignment.longest_common([], 3) == []


@given(tables(most=4))
def test_the_best_pairs_in_order_gain_as_much_as_any_that_do_not_cross(gains):
    pairs = assignment.best_in_order(gains)
    assert pairs == sorted(pairs)
    assert is_one_to_one(pairs)
    assert [column for _, column in pairs] == sorted(column for _, column in pairs)
    assert total(gains, pairs) == max(total(gains, each) for each in in_order(gains))


@given(tables(largest=1))
def test_as_many_pairs_as_there_can_be(gains):
    columns_of = [[column for column, gain in enumerate(row) if gain] for row in gains]
    pairs = assignment.most(columns_of)
    assert is_one_to_one(pairs)
    assert all(column in columns_of[row] for row, column in pairs)
    assert len(pairs) == max(total(gains, each) for each in one_to_one(gains))


@given(tables())
def test_greedy_keeps_what_is_held_and_never_misses_the_greatest_gain(gains):
    pairs = assignment.greedy(gains, [])
    assert is_one_to_one(pairs)
    greatest = max(map(max, gains))
    assert not greatest or greatest in [gains[row][column] for row, column in pairs]
    assert (0, 0) in assignment.greedy(gains, [(0, 0)])


@given(st.text("abc", max_size=9), st.text("abc", min_size=1, max_size=9))
def test_the_longest_common_sequence_is_as_long_as_the_best_pairs_in_order(one, other):
    masks = [sum(1 << at for at, there in enumerate(other) if there == each) for each in one]
    pairs = assignment.longest_common(masks, len(other))
    equal = [[int(each == there) for there in other] for each in one]
    assert all(one[row] == other[column] for row, column in pairs)
    assert [column for _, column in pairs] == sorted({column for _, column in pairs})
    assert len(pairs) == len(assignment.best_in_order(equal))


@given(st.permutations(range(7)))
def test_a_longest_increasing_subsequence(values):
    kept = sorted(assignment.increasing(values))
    assert [values[at] for at in kept] == sorted(values[at] for at in kept)
    longest = max(
        size for size in range(8) for some in combinations(values, size) if list(some) == sorted(some)
    )
    assert len(kept) == longest
