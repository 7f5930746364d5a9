"""The rows of a list of deliveries, logged ones and those in flight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.sending import Flight


class FlightRow(DeliveryRow, frozen=True, kw_only=True):
    """The row of a delivery that is in flight, or could not be logged."""

    state: Literal["in flight", "not logged"]

    @property
    def verdict_word(self) -> str:
        """The state, which lists show in place of a verdict."""
        return self.state

    @property
    def answer(self) -> str:
        """Empty, as there is no answer yet."""
        return ""

    @property
    def can_repeat(self) -> bool:
        """Whether it has ended."""
        return self.state != "in flight"

    @property
    def label(self) -> str:
        """The fixture's name, or `typed` for a typed payload."""
        return self.fixture or "typed"


def flight_row(flight: Flight) -> FlightRow:
    """The row of a delivery that is in flight, or could not be logged."""
    request = flight.request
    ((action, edition),) = request.plan.scenario.contracts  # a send by hand has one step
    return FlightRow(
        id=flight.id,
        sent_at=flight.sent_at,
        receiver=request.options.receiver.name,
        stand_in=request.options.receiver.stand_in,
        action=action,
        edition=edition,
        fixture=request.label,
        parent=request.options.parent,
        state="not logged" if flight.problem else "in flight",
    )


def newest_first(rows: Iterable[DeliveryRow]) -> list[DeliveryRow]:
    """The rows in the order of the log's pages."""
    return sorted(rows, key=lambda row: row.key, reverse=True)
