"""The rows of a list of deliveries: of the log, and of what is in flight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeAlias

import msgspec

from retailops_sandbox.runlog.rows import DeliveryRow, SortKey
from retailops_sandbox.web.shell.sending import Flight


class FlightRow(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is in flight, or could not be logged, with what a list shows of a `DeliveryRow`."""

    id: str
    sent_at: str
    receiver: str
    stand_in: bool
    action: str
    edition: str
    fixture: str
    parent: str
    verdict_word: str
    """`in flight` or `not logged`."""
    answer: ClassVar[str] = ""
    fault: ClassVar[str] = ""
    total_ms: ClassVar[float | None] = None
    scenario: ClassVar[str] = ""
    step: ClassVar[str] = ""
    breaks_contract: ClassVar[bool] = False

    @property
    def key(self) -> SortKey:
        """What deliveries are ordered by."""
        return self.sent_at, self.id

    @property
    def label(self) -> str:
        """The fixture, or that it was typed."""
        return self.fixture or "typed"

    @property
    def run(self) -> str:
        """The run's id."""
        return self.id.rpartition(".")[0]


Row: TypeAlias = DeliveryRow | FlightRow


def flight_row(flight: Flight) -> FlightRow:
    """The row of a delivery that is in flight, or could not be logged."""
    request = flight.request
    return FlightRow(
        id=flight.id,
        sent_at=flight.sent_at,
        receiver=request.options.receiver.name,
        stand_in=request.options.receiver.stand_in,
        action=request.plan.scenario.action,
        edition=request.plan.scenario.edition,
        fixture=request.label,
        parent=request.options.parent,
        verdict_word="not logged" if flight.problem else "in flight",
    )


def newest_first(rows: Iterable[Row]) -> list[Row]:
    """The rows in the order of the log's pages."""
    return sorted(rows, key=lambda row: row.key, reverse=True)
