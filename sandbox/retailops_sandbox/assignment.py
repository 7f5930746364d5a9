"""One-to-one pairs of the items of two sequences, chosen by the gain of each pair.

`gains` has a row for each item of one sequence and a column for each item of the other. No gain is negative,
and a pair without gain is never made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

Pairs = list[tuple[int, int]]


def best(gains: Sequence[Sequence[int]]) -> Pairs:
    """The one-to-one pairs of row and column with the greatest total gain.

    The Hungarian method with potentials, which is cubic in the number of the shorter side.
    """
    rows, columns = len(gains), len(gains[0]) if gains else 0
    if rows > columns:
        return sorted((row, column) for column, row in best(list(zip(*gains, strict=True))))
    if not rows:
        return []
    row_potential = [0] * (rows + 1)
    column_potential = [0] * (columns + 1)
    row_of = [0] * (columns + 1)  # rows and columns count from 1; column 0 holds the row being placed
    for placing in range(1, rows + 1):
        row_of[0] = placing
        came_from = [0] * (columns + 1)
        slack: list[int | None] = [None] * (columns + 1)
        visited = [False] * (columns + 1)
        column = 0
        while True:
            visited[column] = True
            row = row_of[column]
            costs, potential = gains[row - 1], row_potential[row]
            least, nearest = None, 0
            for other in range(1, columns + 1):
                if visited[other]:
                    continue
                reduced = -costs[other - 1] - potential - column_potential[other]
                known = slack[other]
                if known is None or reduced < known:
                    slack[other] = known = reduced
                    came_from[other] = column
                if least is None or known < least:
                    least, nearest = known, other
            step = least or 0
            for other in range(columns + 1):
                if visited[other]:
                    row_potential[row_of[other]] += step
                    column_potential[other] -= step
                elif (known := slack[other]) is not None:
                    slack[other] = known - step
            column = nearest
            if not row_of[column]:
                break
        while column:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    pairs = ((row_of[column] - 1, column - 1) for column in range(1, columns + 1) if row_of[column])
    return sorted((row, column) for row, column in pairs if gains[row][column] > 0)


def best_in_order(gains: Sequence[Sequence[int]]) -> Pairs:
    """The pairs with the greatest total gain that do not cross each other."""
    rows, columns = len(gains), len(gains[0]) if gains else 0
    totals = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        here, below, own = totals[row], totals[row + 1], gains[row]
        for column in range(columns - 1, -1, -1):
            here[column] = max(below[column], here[column + 1], own[column] + below[column + 1])
    pairs: Pairs = []
    row = column = 0
    while row < rows and column < columns:
        total, gain = totals[row][column], gains[row][column]
        if gain > 0 and total == gain + totals[row + 1][column + 1]:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif total == totals[row + 1][column]:
            row += 1
        else:
            column += 1
    return pairs


def greedy(gains: Sequence[Sequence[int]], held: Pairs) -> Pairs:
    """The pairs in `held`, then repeatedly the pair with the greatest gain of the remaining ones."""
    taken_rows, taken_columns = {row for row, _ in held}, {column for _, column in held}
    candidates = [
        (-gain, row, column)
        for row, each in enumerate(gains)
        if row not in taken_rows
        for column, gain in enumerate(each)
        if gain > 0 and column not in taken_columns
    ]
    pairs = list(held)
    for _, row, column in sorted(candidates):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            pairs.append((row, column))
    return sorted(pairs)


def most(columns_of: Sequence[Sequence[int]]) -> Pairs:
    """As many pairs as possible. Each row lists the columns that it may have, the preferred first."""
    row_of: dict[int, int] = {}
    column_of: dict[int, int] = {}
    for start in range(len(columns_of)):
        came_from: dict[int, int] = {}  # column to the row that reached it
        rows = [start]
        free = None
        for row in rows:  # grows as it goes: breadth first over alternating paths
            for column in columns_of[row]:
                if column in came_from:
                    continue
                came_from[column] = row
                if column not in row_of:
                    free = column
                    break
                rows.append(row_of[column])
            if free is not None:
                break
        while free is not None:
            row = came_from[free]
            left = column_of.get(row)
            row_of[free], column_of[row] = row, free
            free = left
    return sorted(column_of.items())


def longest_common(masks: Sequence[int], columns: int) -> Pairs:
    """A longest sequence of pairs that do not cross. Bit `c` of a row's mask says that column c equals it.

    Crochemore's method: one addition of `columns` bits for each row. The sums are kept, and the pairs
    are read from them, last row first.
    """
    everything = (1 << columns) - 1
    state, states = everything, [everything]
    for mask in masks:
        hits = state & mask
        state = ((state + hits) | (state - hits)) & everything
        states.append(state)
    pairs: Pairs = []
    row, column = len(masks), columns
    while row and column:
        bit = 1 << (column - 1)
        if states[row] & bit:
            column -= 1
        elif not states[row - 1] & bit:
            row -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return pairs[::-1]


def increasing(values: Sequence[int]) -> set[int]:
    """The positions of a longest increasing subsequence of distinct values."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for position, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [value]
        ends[length : length + 1] = [position]
    kept: set[int] = set()
    position = ends[-1] if ends else -1
    while position >= 0:
        kept.add(position)
        position = before[position]
    return kept
