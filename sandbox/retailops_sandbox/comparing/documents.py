"""Comparing two documents."""

from __future__ import annotations

from collections.abc import Mapping

from retailops_sandbox.comparing.comparison import CLEAN, Comparison
from retailops_sandbox.comparing.rules import NO_RULES, Rules, Scope, whole_scope
from retailops_sandbox.comparing.values import same
from retailops_sandbox.model import Json

NO_SETS: Mapping[str, tuple[str, ...]] = {}


def compare(
    expected: Json, actual: Json, rules: Rules = NO_RULES, sets: Mapping[str, tuple[str, ...]] = NO_SETS
) -> Comparison:
    """How a document departs from the expected one.

    `sets` maps the paths of set-like arrays to the fields that identify their items.
    """
    if not rules and same(expected, actual):
        return CLEAN
    return compare_in(whole_scope(rules, sets), expected, actual)


def compare_in(whole: Scope | None, expected: Json, actual: Json) -> Comparison:
    """As `compare`, with the scope of the rules and sets."""
    if (whole is None or not whole.ruled) and same(expected, actual):
        return CLEAN
    from retailops_sandbox.comparing.aligning import align  # only what differs is aligned
    from retailops_sandbox.comparing.differences import listed

    return listed(align(expected, actual, whole))
