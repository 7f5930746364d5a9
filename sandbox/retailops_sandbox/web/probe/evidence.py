"""The deliveries behind a report: what was sent and answered in a cell, and those of a finding."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Delivery, Verdict
from retailops_sandbox.probe.report import Cell, Finding, ProbeReport
from retailops_sandbox.reporting.probes import words
from retailops_sandbox.reporting.render.lines import start_line
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.context import AppContext

_EXCERPT = 400
"""The most characters of a value or an answer beside the map."""


class CellEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent in a cell of the map, and what was answered."""

    cell: Cell
    verdict: Verdict
    """The verdict with the colour of its outcome."""
    what: str
    field: str
    sent: str
    """The value of the field, or what became of it."""
    answered: str
    """The status and the fault or the body's beginning."""
    is_logged: bool


class FindingDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """The page of the deliveries that show a finding."""

    report: ProbeReport
    finding: Finding
    rows: Sequence[DeliveryRow]
    missing: int
    """How many of them are not in the log any more."""


def of_cell(context: AppContext, cell: Cell) -> CellEvidence:
    """The evidence of a cell, from the log. Blocks."""
    entry = context.log.delivery(cell.delivery) if cell.delivery else None
    if entry is None:
        sent, answered = "", "The log does not have this delivery any more." if cell.delivery else ""
    else:
        sent, answered = _sent(entry.delivery, cell.field), _answered(entry.delivery)
    return CellEvidence(
        cell=cell,
        verdict=words.OUTCOME_VERDICTS[cell.outcome],
        what=words.heading(cell.what),
        field=words.field_name(cell.field),
        sent=sent,
        answered=answered,
        is_logged=entry is not None,
    )


def of_finding(context: AppContext, report: ProbeReport, finding: Finding) -> FindingDeliveries:
    """The deliveries of a finding, the oldest first. Blocks."""
    found = [context.log.delivery(id) for id in finding.deliveries]
    rows = [each.row(context.contracts) for each in found if each is not None]
    return FindingDeliveries(
        report=report,
        finding=finding,
        rows=sorted(rows, key=lambda row: row.key),
        missing=len(found) - len(rows),
    )


def _sent(sent: Delivery, field: str) -> str:
    """The value that a request has at a pointer; the request's beginning where it has no such place."""
    body = sent.request.body
    if not field:
        return _cut(body) or "no body"
    try:
        return _cut(jsontext.compact(pointer.resolve(jsontext.parse(body), field)).decode())
    except SandboxError:
        return _cut(body)
    except PointerError:
        return "left out"


def _answered(sent: Delivery) -> str:
    if sent.fault is not None:
        return f"{sent.fault.kind}: {sent.fault.message}"
    if sent.response is None:
        return "nothing"
    return f"{start_line(sent.response)} {_cut(sent.response.body)}".strip()


def _cut(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]} … ({len(text):,} characters)"
