"""The outcome of comparing two documents."""

from __future__ import annotations

import msgspec

from retailops_sandbox.model import Difference


class Comparison(msgspec.Struct, frozen=True):
    """How an actual document departs from the expected one."""

    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    """The pointers of places that are struck out on one of the sides, so that nobody can compare them."""


CLEAN = Comparison()
