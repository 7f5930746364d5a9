"""A delivery in one line: of the log, of a run, or in flight."""

from __future__ import annotations

import msgspec

from retailops_sandbox.reporting.render import shown
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.query import NOT_JUDGED
from retailops_sandbox.runlog.rows import DeliverySummary
from retailops_sandbox.runlog.rows import of as summary_of
from retailops_sandbox.web.shell.sending import Flight


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery in one line, in flight or landed."""

    id: str
    sent_at: str
    receiver: str
    stand_in: bool
    action: str
    edition: str
    label: str
    """The fixture, or the scenario and step that it was sent for."""
    url: str = ""
    fixture: str = ""
    run: str = ""
    scenario: str = ""
    step: str = ""
    verdict: str
    answer: str
    """Status or fault."""
    fault: bool = False
    total: float | None = None
    number: int = 1
    attempt: int = 1
    parent: str = ""
    off_contract: bool = False
    """It was sent although it breaks the contract."""

    @property
    def key(self) -> tuple[str, str]:
        """What rows are ordered by."""
        return self.sent_at, self.id

    @staticmethod
    def of_entry(entry: Entry) -> Row:
        """With the URL, which only the page of one delivery shows."""
        row = Row.of_summary(summary_of(entry.delivery, entry.judgements))
        return msgspec.structs.replace(row, url=entry.delivery.request.url)

    @staticmethod
    def of_summary(sent: DeliverySummary) -> Row:
        return Row(
            id=sent.id,
            sent_at=sent.sent_at,
            receiver=sent.receiver,
            stand_in=sent.stand_in,
            action=sent.action,
            edition=sent.edition,
            label=shown.label(sent),
            fixture=sent.fixture,
            run=sent.run,
            scenario=sent.scenario,
            step=sent.step,
            verdict=sent.verdict or NOT_JUDGED,
            answer=sent.answer,
            fault=bool(sent.fault),
            total=sent.total,
            number=sent.number,
            attempt=sent.attempt,
            parent=sent.parent,
            off_contract=sent.breaks_contract,
        )

    @staticmethod
    def of_flight(flight: Flight) -> Row:
        request = flight.request
        return Row(
            id=flight.id,
            sent_at=flight.sent_at,
            receiver=request.options.receiver.name,
            stand_in=request.options.receiver.stand_in,
            action=request.plan.scenario.action,
            edition=request.plan.scenario.edition,
            label=request.label or "typed",
            url=flight.url,
            fixture=request.label,
            verdict="not logged" if flight.problem else "in flight",
            answer="",
            parent=request.options.parent,
        )


def newest_first(rows: list[Row]) -> list[Row]:
    """The rows in the order of the log's pages."""
    return sorted(rows, key=lambda row: row.key, reverse=True)
