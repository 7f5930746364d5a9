"""Receivers with one fault each, as real ones have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.support.probed.receiving import (
    Right,
)


class Wrong(NamedTuple):
    """A receiver with one fault, and what a probe should say of it."""

    receiver: type[Right]
    kinds: tuple[str, ...]
    """The kinds of finding of which at least one fits."""
    also: tuple[str, ...]
    """Other kinds that are true of it, too."""
    area: str
    """The area whose trials show it."""


WRONG: dict[str, Wrong] = {}


def wrong(area: str, *kinds: str, also: tuple[str, ...] = ()) -> Callable[[type[Right]], type[Right]]:
    """Lists a receiver under its class's name."""

    def listed(receiver: type[Right]) -> type[Right]:
        WRONG[receiver.__name__] = Wrong(receiver, kinds, also, area)
        return receiver

    return listed
