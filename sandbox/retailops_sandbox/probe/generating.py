"""The probes of a contract, in the order in which they are sent. The same options give the same requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.probe.orders import Order
from retailops_sandbox.probe.probes import Area, Probe
from retailops_sandbox.probe.sampling import sample
from retailops_sandbox.probe.trials import auth, repetition, speed, transport
from retailops_sandbox.probe.trials import contract as contract_trials
from retailops_sandbox.probe.trials.making import Attempt, GenerateOptions, Making, requests

__all__ = ["GenerateOptions", "baselines", "generate", "requests", "sample"]

BASELINE = "baseline"
"""What a step tries whose answer may become the baseline."""


def generate(contract: Contract, options: GenerateOptions) -> list[Probe]:
    """All that is tried. Raises UsageError where the range of order ids is too small.

    The steps of a probe are independent of each other, except where a trial says `after` and where a step is
    sent together with the one before.
    """
    making = Making(contract, options)
    _baseline_orders(making)
    found = [probe for area, make in _IN_ORDER if area in options.areas for probe in make(making)]
    making.orders.check()
    return found


_IN_ORDER: tuple[tuple[Area, Callable[[Making], Iterator[Probe]]], ...] = (
    ("contract", contract_trials.fixtures),
    ("auth", auth.probes),
    ("repetition", repetition.probes),
    ("transport", transport.probes),
    ("speed", speed.probes),
    ("contract", contract_trials.probes),
)
"""What makes the probes of each area. What is many comes last: there may be too little time for all."""


def baselines(contract: Contract, options: GenerateOptions) -> list[Probe]:
    """What may be accepted as the baseline, in the order in which it is tried.

    First an order of its own, the same again, and another one, which show how a receiver answers to a fresh
    order and to a known one; then the fixture as it is, twice. Raises UsageError where the range of order ids
    is too small.
    """
    found: list[Probe] = []
    making = Making(contract, options)
    if making.orders.are_own:
        first, second = _baseline_orders(making)
        attempts = [
            _baseline(making, "a valid request", first),
            _baseline(making, "the same request again", first, after="a valid request"),
            _baseline(making, "a valid request about another", second),
        ]
        making.orders.check()
        found.append(making.probe("baseline/own-order", "contract", "An order is accepted", attempts))
    making = Making(contract, msgspec.structs.replace(options, orders=None))
    own = making.orders.next()
    attempts = [
        _baseline(making, "the fixture", own),
        _baseline(making, "the fixture again", own, after="the fixture"),
    ]
    found.append(making.probe("baseline/fixture", "contract", "The fixture is accepted", attempts))
    return found


def _baseline(making: Making, name: str, order: Order, *, after: str = "") -> Attempt:
    return making.attempt(name, BASELINE, "accept", order=order, after=after, is_check=True)


def _baseline_orders(making: Making) -> tuple[Order, Order]:
    """The first orders, which are no other trial's."""
    return making.orders.next(), making.orders.next()
