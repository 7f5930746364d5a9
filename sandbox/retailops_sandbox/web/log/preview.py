"""The preview of a delivery, beside the list of the log."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.reporting.render.compared import ComparedAnswer
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.log import filters
from retailops_sandbox.web.log.delivery_page import comparison_of
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.rows import flight_row


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery in brief."""

    row: DeliveryRow
    address: str
    """The query string of the list's filter."""
    delivery: Delivery | None = None
    """None where it is not in the log: in flight, or lost."""
    latest: Judgement | None = None
    comparison: ComparedAnswer | None = None
    """None where nothing was expected."""


def of_id(context: AppContext, request: Request, id: str) -> Preview | None:
    """The preview of a delivery, in flight or ended; None where there is none of that id. Blocks."""
    address = query_string(filters.query_of(request))
    flight = context.sending.flight(id)
    if flight is not None:
        return Preview(row=flight_row(flight), address=address)
    entry = context.log.delivery(id)
    if entry is not None:
        return _of_entry(entry, address, context.contracts)
    elsewhere = context.elsewhere(id)
    return None if elsewhere is None else Preview(row=elsewhere, address=address)


def _of_entry(entry: Entry, address: str, contracts: Contracts) -> Preview:
    return Preview(
        row=entry.row(contracts),
        address=address,
        delivery=entry.delivery,
        latest=entry.judgement,
        comparison=comparison_of(entry.delivery, entry.judgement, contracts),
    )
