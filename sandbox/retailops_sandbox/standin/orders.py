"""The stand-in's orders: a state machine from a data file, and the answers of each edition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec


class Reference(NamedTuple):
    """The id by which a payload names its order."""

    type: Literal["order_id", "order_refnum"]
    identity: str


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The event of an order in some state."""

    severity: Literal["error", "warning", "info"]
    code: str
    message: str


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state of orders: the one that a cancel leads to, if it changes, and the event of an answer."""

    cancelled: str = ""
    event: Event | None = None


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order of the data file."""

    id: str
    refnum: str
    state: str


class OrderData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data file. An order that is not in it has the state `unknown`."""

    states: dict[str, State]
    orders: tuple[Order, ...]


class Outcome(NamedTuple):
    """The outcome of a cancel: the order's state now, and the event to answer."""

    state: str
    event: Event | None


class OrderBook:
    """The orders and their present states."""

    def __init__(self, data: OrderData) -> None:
        self._data = data
        self._ids = {
            **{Reference("order_id", order.id): order.id for order in data.orders},
            **{Reference("order_refnum", order.refnum): order.id for order in data.orders},
        }
        self.reset()

    def reset(self) -> None:
        """Put every order back to its state in the data file."""
        self._states = {order.id: order.state for order in self._data.orders}

    @property
    def orders(self) -> list[Order]:
        """The orders in their present states."""
        return [Order(order.id, order.refnum, self._states[order.id]) for order in self._data.orders]

    def cancel(self, reference: Reference | None) -> Outcome:
        """Cancel an order. The event is the one of the new state, so that a duplicate is answered alike."""
        id = self._ids.get(reference) if reference else None
        if id is None:
            return Outcome("unknown", self._data.states["unknown"].event)
        state = self._states[id]
        state = self._states[id] = self._data.states[state].cancelled or state
        return Outcome(state, self._data.states[state].event)


class Language(NamedTuple):
    """How one edition of a contract names an order, and spells the outcome of a cancel."""

    reference: Callable[[Any], Reference | None]
    answer: Callable[[Reference | None, Outcome], dict[str, Any]]


def _draft_reference(payload: Any) -> Reference:
    return Reference("order_id", payload["data"]["order"]["id"])


def _draft_answer(reference: Reference | None, outcome: Outcome) -> dict[str, Any]:
    event = outcome.event
    if event is None:
        return {"events": []}
    return {
        "events": [
            {
                "status": event.severity,
                "error_code": event.code,
                "error_message": event.message,
                "diagnostic_data": [f"order state: {outcome.state}"],
                "associations": [reference._asdict()] if reference else [],
            }
        ]
    }


def _v1_reference(payload: Any) -> Reference | None:
    order = payload["order"]
    if order.get("channel_order_refnum"):
        return Reference("order_refnum", order["channel_order_refnum"])
    if order.get("retailops_order_id"):
        return Reference("order_id", str(order["retailops_order_id"]))
    return None


def _v1_answer(reference: Reference | None, outcome: Outcome) -> dict[str, Any]:
    event = outcome.event
    if event is None:
        return {"status": "success", "events": []}
    association = {"identifier_type": reference.type, "identifier": reference.identity} if reference else None
    return {
        "status": "fail" if event.severity == "error" else "success",
        "events": [
            {
                "event_type": event.severity,
                "code": event.code,
                "message": event.message,
                "diagnostic_data": f"order state: {outcome.state}",
                "associations": [association] if association else [],
            }
        ],
    }


LANGUAGES = {
    ("order_cancel", "draft"): Language(_draft_reference, _draft_answer),
    ("order_cancel", "v1"): Language(_v1_reference, _v1_answer),
}
