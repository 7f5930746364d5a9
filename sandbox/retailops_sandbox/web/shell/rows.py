"""The rows of a list of deliveries, logged ones and those in flight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.sending import Flight


class FlightRow(DeliveryRow, frozen=True, kw_only=True):
    """The row of a delivery that is in flight, or could not be logged."""

    state: Literal["in flight", "in flight elsewhere", "not logged"]
    """`elsewhere` is in another process, which alone can cancel it."""

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
        return self.state == "not logged"

    @property
    def label(self) -> str:
        """What is sent: the scenario and its step, the fixture's name, or `typed` for a typed payload."""
        return super().label if self.state == "in flight elsewhere" else self.fixture or "typed"


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


def row_elsewhere(row: DeliveryRow) -> FlightRow:
    """The row of a delivery that another process sends."""
    fields = {name: getattr(row, name) for name in DeliveryRow.__struct_fields__}
    return FlightRow(**fields, state="in flight elsewhere")


def newest_first(rows: Iterable[DeliveryRow]) -> list[DeliveryRow]:
    """The rows in the order of the log's pages."""
    return sorted(rows, key=lambda row: row.key, reverse=True)
