"""Trials of repetition: the same order again, one by one and at once, and several orders at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from retailops_sandbox.model import Deliver, Json, Number, Wire
from retailops_sandbox.probe.fields import Field
from retailops_sandbox.probe.mutations import UNKNOWN_MEMBER
from retailops_sandbox.probe.orders import Orders
from retailops_sandbox.probe.probes import Probe
from retailops_sandbox.probe.trials.making import AFTERWARDS, Attempt, Making

_ALTERNATING = 4
"""The number of orders that are sent at the same time, each twice."""
_OTHERS = 3
"""The number of orders that come between two requests about one."""
_WHOLE_BODY = 2**31 - 1
"""More bytes than a body has: it is hung up on when all of it was sent."""


def probes(making: Making) -> Iterator[Probe]:
    """A probe for each way in which an order comes again."""
    yield making.probe("repetition/twice", "repetition", "What comes twice is done once", _twice(making))
    yield making.probe(
        "repetition/five-times", "repetition", "What comes five times is done once", _five_times(making)
    )
    yield making.probe(
        "repetition/at-once",
        "repetition",
        "What comes ten times at once is done once",
        _at_once(making),
        alone=True,
    )
    yield making.probe(
        "repetition/dropped",
        "repetition",
        "What comes again because the connection was dropped is done once",
        _dropped(making),
    )
    yield making.probe(
        "repetition/two-payloads",
        "repetition",
        "An order that comes in two payloads is done once",
        _two_payloads(making),
    )
    if making.orders.are_own:
        name = "The order of the fixture is done once when it comes twice"
        yield making.probe("repetition/fixture", "repetition", name, _fixture(making))
        name = "Orders that come at the same time are not mixed up"
        yield making.probe("repetition/alternating", "repetition", name, _alternating(making), alone=True)
        name = "What comes again after other orders is done once"
        yield making.probe("repetition/later", "repetition", name, _later(making))


def _twice(making: Making) -> Iterator[Attempt]:
    order = making.orders.next()
    yield making.attempt("first", "first", "accept", order=order)
    yield making.attempt("the same again", "same-again", "accept", order=order, after="first")


def _fixture(making: Making) -> Iterator[Attempt]:
    """The fixture as it is: a receiver may know no other order, and do nothing about the others."""
    order = Orders(making.contract, making.options.payload, None).next()
    first = f"fixture {making.options.fixture}".strip()
    # Its order may have been asked about long before: where it fails, it is no new one that does.
    yield making.attempt(first, "fixture", "accept", order=order)
    yield making.attempt("the fixture again", "fixture-again", "accept", order=order, after=first)


def _five_times(making: Making) -> Iterator[Attempt]:
    order = making.orders.next()
    yield making.attempt("five times", "five-times", "accept", order=order, deliver=Deliver(times=5))


def _at_once(making: Making) -> Iterator[Attempt]:
    order = making.orders.next()
    at_once = Deliver(times=10, parallel=10)
    yield making.attempt("ten at once", "ten-at-once", "accept", order=order, deliver=at_once)
    yield making.attempt("the same order once more", AFTERWARDS, "accept", order=order, after="ten at once")


def _dropped(making: Making) -> Iterator[Attempt]:
    order = making.orders.next()
    broken_off = Wire(break_off_after=_WHOLE_BODY)
    first = "dropped before the answer"
    yield making.attempt(first, "dropped", "either", order=order, wire=broken_off)
    yield making.attempt("sent again", "sent-again", "accept", order=order, after=first)
    yield making.attempt("the same order once more", AFTERWARDS, "accept", order=order, after="sent again")


def _two_payloads(making: Making) -> Iterator[Attempt]:
    order = making.orders.next()
    yield making.attempt("first", "first", "accept", order=order)
    longer = {f"/{UNKNOWN_MEMBER}": "unknown"}
    if not making.breaks_contract(longer):
        yield making.attempt(
            "with one more member", "longer-payload", "accept", order=order, set=longer, after="first"
        )
    other = _other_value(making)
    if other is not None:
        name = f"with another {other[0].name}"
        sent = {other[0].pointer: other[1]}
        yield making.attempt(name, "other-payload", "either", order=order, set=sent, after="first")


def _other_value(making: Making) -> tuple[Field, Json] | None:
    """A field that names no order, with another value than the fixture's; the innermost and last one."""
    for field in reversed(making.fields):
        is_number = isinstance(field.value, (int, Number)) and not isinstance(field.value, bool)
        if not (field.is_there and field.is_member and is_number) or making.is_subject([field.pointer]):
            continue
        value = int(str(field.value)) + 1 if isinstance(field.value, int) else Number("1.25")
        if not making.breaks_contract({field.pointer: value}):
            return field, value
    return None


def _alternating(making: Making) -> Iterator[Attempt]:
    orders = [making.orders.next() for _ in range(_ALTERNATING)]
    first = [f"order {number + 1} of {_ALTERNATING} at once" for number in range(_ALTERNATING)]
    for turn in ("", " again"):
        for number, order in enumerate(orders):
            yield making.attempt(
                f"{first[number]}{turn}",
                "alternating",
                "accept",
                order=order,
                together=bool(turn or number),
                after=first[number] if turn else "",
            )


def _later(making: Making) -> Iterator[Attempt]:
    order = making.orders.next()
    yield making.attempt("first", "first", "accept", order=order)
    for number in range(_OTHERS):
        yield making.attempt(f"another order {number + 1}", "between", "accept", order=making.orders.next())
    yield making.attempt("the first order again", "later", "accept", order=order, after="first")
