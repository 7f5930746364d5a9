"""Failures that are alike: which fields and mutations explain most of them with few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple, TypeAlias

Cell: TypeAlias = tuple[str, str]
"""A field and what was done to it. The field of what is done to a request as a whole is empty."""

_MOST = 4
"""The most causes that are told of one kind; what is left then is one more."""
_COVERS_ALL = 0.8
"""The part of the failures that an explanation must cover to be the only one."""
_PURE = 0.5
"""The part of what was tried there that must have failed for an explanation to hold."""
_EVERYTHING = 0.7
"""The part of all that was tried that must have failed to say that everything does."""
_LEAST_EVERYTHING = 3
"""The fewest fields and the fewest mutations of which everything can be said."""


class Explanation(NamedTuple):
    """What failures have in common: a mutation, a field, both where it is one cell, or neither."""

    cells: frozenset[Cell]
    """The failures that it explains."""
    what: str = ""
    field: str = ""
    is_everything: bool = False
    """Whether nearly all that was tried failed."""


def explained(failed: Collection[Cell], tried: Collection[Cell]) -> list[Explanation]:
    """The explanations of failures, the widest first. Each failure is in one of them."""
    left = set(failed)
    if _is_everything(left, tried):
        return [Explanation(frozenset(left), is_everything=True)]
    per_what, per_field = _counts({*tried, *left})
    found: list[Explanation] = []
    while left and len(found) < _MOST:
        best = max(_candidates(left, per_what, per_field), key=_rank, default=None)
        if best is None:
            break
        if not found and len(best.cells) >= _COVERS_ALL * len(left):
            return [best._replace(cells=frozenset(left))]
        found.append(best)
        left -= best.cells
    if left:
        found.append(_rest(left))
    return found


def _is_everything(failed: Collection[Cell], tried: Collection[Cell]) -> bool:
    fields, whats = {field for field, _ in failed}, {what for _, what in failed}
    is_wide = len(fields) >= _LEAST_EVERYTHING and len(whats) >= _LEAST_EVERYTHING
    return is_wide and len(failed) >= _EVERYTHING * len({*tried, *failed})


def _counts(cells: Collection[Cell]) -> tuple[Counter[str], Counter[str]]:
    """How many cells each mutation and each field has."""
    return Counter(what for _, what in cells), Counter(field for field, _ in cells)


def _candidates(failed: set[Cell], per_what: Counter[str], per_field: Counter[str]) -> Iterator[Explanation]:
    """The mutations and the fields at which most of what was tried failed."""
    failed_whats, failed_fields = _counts(failed)
    for what, count in failed_whats.items():
        if count >= _PURE * per_what[what]:
            cells = frozenset(each for each in failed if each[1] == what)
            yield Explanation(cells, what=what, field=next(iter(cells))[0] if count == 1 else "")
    for field, count in failed_fields.items():
        if field and count > 1 and count >= _PURE * per_field[field]:
            yield Explanation(frozenset(each for each in failed if each[0] == field), field=field)


def _rank(found: Explanation) -> tuple[int, bool, str, str]:
    """An explanation that covers more comes first; of a mutation and a field the mutation."""
    return len(found.cells), bool(found.what), found.what, found.field


def _rest(left: set[Cell]) -> Explanation:
    """The explanation of failures that neither most of a field nor most of a mutation explains."""
    whats, fields = {what for _, what in left}, {field for field, _ in left}
    return Explanation(
        frozenset(left),
        what=whats.pop() if len(whats) == 1 else "",
        field=fields.pop() if len(fields) == 1 else "",
    )
