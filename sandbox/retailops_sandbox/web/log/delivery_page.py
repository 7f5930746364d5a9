"""What the page of one delivery shows, read from the log once for each request."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec
from msgspec import UNSET
from starlette.requests import Request

from retailops_sandbox import redaction
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Judgement, record
from retailops_sandbox.reporting.exporters import curl
from retailops_sandbox.reporting.render import compared
from retailops_sandbox.reporting.render.compared import ComparedAnswer
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.log import filters
from retailops_sandbox.web.log.filters import FilterTerm
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.choices import chosen_name
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import expectation_text, problems
from retailops_sandbox.web.shell.rows import FlightRow, flight_row, newest_first
from retailops_sandbox.web.shell.sending import Flight

_ATTEMPTS = 50
"""The most other deliveries of the same step, and the most resends, that the page of a delivery lists."""
_NEIGHBOURS = 20
"""The most deliveries before, and after, that the page of a delivery lists."""


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """The deliveries beside one, in the list that it was opened from."""

    rows: list[DeliveryRow]
    """The rows, newest first, with the delivery itself."""
    newer: DeliveryRow | None
    older: DeliveryRow | None
    terms: list[FilterTerm]
    """The terms of the filter that the list has."""
    address: str
    """The query string of that filter; empty for the whole log."""


class InFlight(msgspec.Struct, frozen=True):
    """A delivery in flight, or one that could not be logged."""

    url: str
    elapsed_ms: float
    payload: str


class WholeBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a delivery's request or response, as a part of its page."""

    message: record.Request | record.Response
    side: str
    delivery: str
    most: int
    """The most of its characters that are shown."""


class DeliveryResult(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery of the log, with its judgements."""

    delivery: Delivery
    latest: Judgement | None
    judgements: list[Judgement]
    """The newest first."""
    attempts: list[DeliveryRow]
    """All deliveries of its step; empty where the step has no other."""
    resends: list[DeliveryRow]
    comparison: ComparedAnswer | None
    """None where nothing was expected."""
    curl: str
    struck_out: Sequence[str]
    typed_expectation: str
    form_id: str
    receiver_is_known: bool
    scenario_is_known: bool
    can_accept: bool
    """Whether it has an answer or a fault that is not expected as it came."""
    can_review: bool
    can_rule: bool
    """Whether its comparison can lead to a rule."""


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of one delivery."""

    row: DeliveryRow
    neighbours: Neighbours
    opened_from: str
    """The name of the file that its run was opened from; empty for a run of the workspace."""
    target: Target
    """The receiver and URL that a send from this page would go to."""
    ruled: str
    """The id of the change by which a rule was made just now, `alone` where no file changed; else empty."""
    accepted: str
    """The id of the change by which the answer was accepted just now; else empty."""
    is_sent_before: bool
    """Whether the form that led to this page had been sent before."""
    unlogged: str
    """Why the delivery is not in the log, or has no judgement there; empty where it has one."""
    problems: Mapping[str, str]
    in_flight: InFlight | None = None
    """None where it is in the log, or another process sends it."""
    result: DeliveryResult | None = None
    """None where it is not in the log."""

    @property
    def is_in_flight(self) -> bool:
        """Whether it has not ended."""
        return not self.row.can_repeat


def of_flight(
    context: AppContext, receivers: KnownReceivers, request: Request, flight: Flight
) -> DeliveryPage:
    """The page of a delivery in flight, or of one that could not be logged. Blocks."""
    in_flight = InFlight(flight.url, flight.elapsed_ms, flight.request.payload)
    return _page(context, receivers, request, flight_row(flight), in_flight=in_flight)


def of_elsewhere(
    context: AppContext, receivers: KnownReceivers, request: Request, row: FlightRow
) -> DeliveryPage:
    """The page of a delivery that another process sends: what is sent is known there alone. Blocks."""
    return _page(context, receivers, request, row)


def of_entry(
    context: AppContext,
    receivers: KnownReceivers,
    request: Request,
    entry: Entry,
    *,
    wrong: Mapping[str, str] | None = None,
    typed: str | None = None,
) -> DeliveryPage:
    """The page of a delivery of the log. `wrong` are the problems of its form by field. Blocks."""
    result = _result(context, receivers, entry, typed)
    return _page(context, receivers, request, entry.row(context.contracts), wrong, result=result)


def _page(
    context: AppContext,
    receivers: KnownReceivers,
    request: Request,
    row: DeliveryRow,
    wrong: Mapping[str, str] | None = None,
    *,
    in_flight: InFlight | None = None,
    result: DeliveryResult | None = None,
) -> DeliveryPage:
    opened_from = context.log.opened_from(row.id)
    # The receiver of a run from elsewhere says nothing about where a send from here would go.
    receiver = chosen_name(request, receivers) if opened_from else row.receiver
    return DeliveryPage(
        row=row,
        neighbours=_neighbours_in_run(context, row) if opened_from else _neighbours(context, request, row),
        opened_from=opened_from,
        target=context.target_named(receivers, receiver, row.action, row.edition),
        ruled=request.query_params.get("ruled", ""),
        accepted=request.query_params.get("accepted", ""),
        is_sent_before=request.query_params.get("sent") == "before",
        unlogged=context.sending.problem(row.id),
        problems=problems(wrong),
        in_flight=in_flight,
        result=result,
    )


def _result(
    context: AppContext, receivers: KnownReceivers, entry: Entry, typed: str | None
) -> DeliveryResult:
    sent, latest = entry.delivery, entry.judgement
    receiver = receivers.find(sent.receiver)
    agreed = context.contracts.find(sent.action, sent.edition)
    return DeliveryResult(
        delivery=sent,
        latest=latest,
        judgements=list(reversed(entry.judgements)),
        attempts=_attempts(context, sent),
        resends=_rows(context, Query(parent=sent.id)),
        comparison=comparison_of(sent, latest, context.contracts),
        curl=curl.command(
            sent.request,
            receiver,
            None if receivers.problem else context.policy(receivers),
            struck_out=redaction.listing.of(sent),
            variables=curl.Variables(own=not context.log.opened_from(sent.id)),
            proof=agreed.auth if agreed is not None else None,
            wire=sent.wire,
            left_out=curl.names_left_out(sent.own_headers),
        ),
        struck_out=redaction.listing.names(sent, "/request", "/response", "/wire"),
        typed_expectation=expectation_text(latest.expectation if latest else None)
        if typed is None
        else typed,
        form_id=secrets.token_hex(16),
        receiver_is_known=receiver is not None,
        scenario_is_known=bool(sent.scenario) and context.scenario_index.has(sent.scenario),
        can_accept=can_be_accepted(entry),
        can_review=_differs_from_its_scenario(entry),
        can_rule=_can_rule(context, entry),
    )


def can_be_accepted(entry: Entry) -> bool:
    """Whether a delivery has something that is not expected as it came."""
    sent, judgement = entry.delivery, entry.judgement
    if sent.dropped or (sent.response is None and sent.fault is None):
        return False
    if judgement is None or judgement.verdict != "passed" or judgement.expectation is None:
        return True
    # What passed without its body being compared can be expected exactly.
    return not sent.scenario and sent.fault is None and judgement.expectation.body is UNSET


def _can_rule(context: AppContext, entry: Entry) -> bool:
    """Whether what is expected of a delivery is a fixture's or was typed; a scenario's has its review."""
    judgement = entry.judgement
    if judgement is None or context.log.opened_from(entry.delivery.id):
        return False
    return not entry.delivery.scenario or bool(judgement.expected_by)


def _differs_from_its_scenario(entry: Entry) -> bool:
    return bool(entry.delivery.scenario and entry.judgements and entry.judgements[0].differences)


def comparison_of(sent: Delivery, judgement: Judgement | None, contracts: Contracts) -> ComparedAnswer | None:
    """How an answer compares with its latest expectation; None where nothing was expected."""
    if judgement is None or judgement.expectation is None:
        return None
    try:
        return compared.compared(sent, judgement, contracts.load(sent.action, sent.edition))
    except SandboxError as error:
        # The contract of an old delivery, or of one from elsewhere, may not exist here.
        return compared.of(sent, judgement, (), None, f"not shown beside each other: {error}")


def _attempts(context: AppContext, sent: Delivery) -> list[DeliveryRow]:
    """All deliveries of a step, oldest first; empty for a send by hand or a step with only one."""
    run = context.log.run(sent.run)
    if run is None or run.info is None or run.info.kind == "serve" or not sent.step:
        return []
    rows = _rows(context, Query(run=sent.run, scenario=sent.scenario), step=sent.step)
    return rows if len(rows) > 1 else []


def _rows(context: AppContext, query: Query, step: str = "") -> list[DeliveryRow]:
    """The rows of a query, perhaps of one step alone: the oldest first, and no more than a page shows."""
    found = context.log.rows(query, newest_first=False)
    return list(islice((each for each in found if step in ("", each.step)), _ATTEMPTS))


def _neighbours(context: AppContext, request: Request, row: DeliveryRow) -> Neighbours:
    query = filters.query_of(request)
    newer, older = _around(context, query, row)
    landed = {row.id, *(each.id for each in newer)}
    flying = context.flying(landed) if len(newer) < _NEIGHBOURS else []
    return Neighbours(
        rows=newest_first([*flying, *newer, row, *older]),
        newer=newer[-1] if newer else None,
        older=older[0] if older else None,
        terms=filters.terms(query),
        address=query_string(query),
    )


def _neighbours_in_run(context: AppContext, row: DeliveryRow) -> Neighbours:
    """The neighbours of a delivery whose run was opened from a file: the log does not list them."""
    newer, older = _around(context, Query(run=row.run), row)
    return Neighbours(
        rows=[*newer, row, *older],
        newer=newer[-1] if newer else None,
        older=older[0] if older else None,
        terms=[],
        address="",
    )


def _around(
    context: AppContext, query: Query, row: DeliveryRow
) -> tuple[list[DeliveryRow], list[DeliveryRow]]:
    """The deliveries after and before a delivery that the query accepts, the newest first."""
    place = (row.sent_at, row.id)
    newer = list(islice(context.log.rows(query, after=place, newest_first=False), _NEIGHBOURS))
    older = list(islice(context.log.rows(query, after=place), _NEIGHBOURS))
    return newer[::-1], older
