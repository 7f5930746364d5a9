"""Trials of speed: orders one after another, and several at once."""

from __future__ import annotations

from collections.abc import Iterator

from retailops_sandbox.probe.probes import Probe
from retailops_sandbox.probe.trials.making import Attempt, Making

SINGLE = 8
"""The number of orders that come one after another."""
AT_ONCE = {4: "four", 16: "sixteen"}
"""The numbers of orders that come at once, in words."""


def probes(making: Making) -> Iterator[Probe]:
    """A probe for each number of orders at once. Nothing else may be sent meanwhile."""
    single = (
        _attempt(making, f"order {number + 1} of {SINGLE}, one by one", "one-at-a-time")
        for number in range(SINGLE)
    )
    yield making.probe("speed/one-at-a-time", "speed", "An answer takes no long time", single, alone=True)
    for count, word in AT_ONCE.items():
        attempts = (
            _attempt(making, f"order {number + 1} of {count} at once", f"{word}-at-once", together=number > 0)
            for number in range(count)
        )
        name = f"{word.capitalize()} orders at once do not wait for each other"
        yield making.probe(f"speed/{word}-at-once", "speed", name, attempts, alone=True)


def _attempt(making: Making, name: str, what: str, *, together: bool = False) -> Attempt:
    order = making.orders.next()
    return making.attempt(name, what, "accept", order=order, together=together)
