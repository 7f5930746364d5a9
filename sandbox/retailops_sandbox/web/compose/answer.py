"""The pane of the workbench with what was answered: a delivery of a case, its verdict, the last answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import accepting, jsontext
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import FileError, SandboxError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.reporting.render import compared, lines
from retailops_sandbox.reporting.render.checklist import Check, checklist
from retailops_sandbox.reporting.render.compared import ComparedAnswer
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.rows import flight_row

_LAST = 8
"""The most last answers of a case that are shown."""
_SEARCHED = 400
"""The most rows that are read for them: scenarios send the same fixtures."""
_MOST_EVENTS = 50
_MOST_VIOLATIONS = 20
_MOST_READ = 200_000
"""The most characters of an answer whose events are shown one by one."""


class Case(msgspec.Struct, frozen=True):
    """A case, and the receiver that it is sent to."""

    action: str
    edition: str
    fixture: str
    """Without EDITED; empty for a payload without a fixture."""
    receiver: str


class AnsweredEvent(msgspec.Struct, frozen=True):
    """An event of an answer: its code, and its members as text."""

    code: str
    members: Sequence[tuple[str, str]]


class AnswerPanel(msgspec.Struct, frozen=True, kw_only=True):
    """What the pane shows. Without a row, nothing was sent yet."""

    case: Case
    last: Sequence[DeliveryRow] = ()
    """The last answers of the case from this receiver, the oldest first."""
    row: DeliveryRow | None = None
    elapsed_ms: float | None = None
    """How long it is in flight; None where it has ended."""
    unlogged: str = ""
    """Why the delivery is not in the log, or has no judgement there; empty where it has one."""
    delivery: Delivery | None = None
    latest: Judgement | None = None
    checks: Sequence[Check] = ()
    """What was checked of an answer, and what not, where that is not all of it."""
    can_be_expected: bool = False
    """Whether the answer keeps the contract, so that it can be expected by one button."""
    violations: Sequence[str] = ()
    """How the answer breaks the contract, unless the reason of the verdict says it already."""
    comparison: ComparedAnswer | None = None
    """None where nothing was expected."""
    events: Sequence[AnsweredEvent] | None = None
    """None where the answer has no array of events."""
    more_events: int = 0

    @property
    def id(self) -> str:
        """The id of the delivery; empty where nothing was sent yet."""
        return self.row.id if self.row is not None else ""

    @property
    def others(self) -> list[DeliveryRow]:
        """The last answers that this one can be compared with, the newest first; none while it is to come."""
        if self.row is None or self.is_in_flight:
            return []
        return [each for each in reversed(self.last) if each.id != self.id]

    @property
    def is_in_flight(self) -> bool:
        """Whether the answer is still to come."""
        return self.elapsed_ms is not None


def of(context: AppContext, case: Case, delivery: str = "") -> AnswerPanel | None:
    """The pane with a delivery, or with none where the id is empty; None for an unknown id. Blocks."""
    if not delivery:
        return AnswerPanel(case=case, last=_last(context, case))
    flight = context.sending.flight(delivery)
    if flight is not None:
        row = flight_row(flight)
        case = _case_of(row)
        return AnswerPanel(
            case=case,
            last=[*_last(context, case), row],
            row=row,
            elapsed_ms=None if flight.problem else flight.elapsed_ms,
            unlogged=flight.problem,
        )
    entry = context.log.delivery(delivery)
    return None if entry is None else _of_entry(context, entry)


def _of_entry(context: AppContext, entry: Entry) -> AnswerPanel:
    sent, latest = entry.delivery, entry.judgement
    row = entry.row(context.contracts)
    case = _case_of(row)
    agreed = context.contracts.find(sent.action, sent.edition)
    events = _events(sent, agreed)
    return AnswerPanel(
        case=case,
        last=_last(context, case),
        row=row,
        unlogged=context.sending.problem(sent.id),
        delivery=sent,
        latest=latest,
        checks=_checks(sent, latest, agreed) if latest is not None and agreed is not None else (),
        can_be_expected=latest is not None and not accepting.objections(sent, latest),
        violations=_violations(latest) if latest is not None else (),
        comparison=_comparison(sent, latest, agreed),
        events=None if events is None else events[:_MOST_EVENTS],
        more_events=max(0, len(events or ()) - _MOST_EVENTS),
    )


def _case_of(row: DeliveryRow) -> Case:
    return Case(row.action, row.edition, row.unedited_fixture, row.receiver)


def _last(context: AppContext, case: Case) -> list[DeliveryRow]:
    if not case.fixture:
        return []
    query = Query(action=case.action, edition=case.edition, fixture=case.fixture, receiver=case.receiver)
    try:
        sent = (row for row in islice(context.log.rows(query), _SEARCHED) if not row.scenario)
        return list(islice(sent, _LAST))[::-1]
    except FileError:
        # The log cannot be read, which Send and its own page say.
        return []


def _comparison(
    sent: Delivery, judgement: Judgement | None, agreed: Contract | None
) -> ComparedAnswer | None:
    if judgement is None or judgement.expectation is None:
        return None
    try:
        if agreed is not None:
            return compared.compared(sent, judgement, agreed)
    except SandboxError as error:
        return compared.of(sent, judgement, (), None, f"not shown beside each other: {error}")
    return compared.of(sent, judgement, (), None)


def _checks(sent: Delivery, latest: Judgement, agreed: Contract) -> Sequence[Check]:
    """The checklist of a verdict that may be taken for more than it says."""
    is_partial = latest.verdict == "recorded" or lines.remarks(latest)
    return checklist(sent, latest, agreed) if is_partial else ()


def _violations(latest: Judgement) -> Sequence[str]:
    found = [lines.violation(each) for each in latest.violations if each.message != latest.reason]
    more = len(found) - _MOST_VIOLATIONS
    return [*found[:_MOST_VIOLATIONS], f"and {more} more"] if more > 0 else found


def _events(sent: Delivery, agreed: Contract | None) -> list[AnsweredEvent] | None:
    """The events of an answer; None where it has no array of them, or is too long to be taken apart."""
    if sent.response is None or agreed is None or len(sent.response.body) > _MOST_READ:
        return None
    try:
        value = jsontext.parse_answer(sent.response.body)
    except SandboxError:
        return None
    events = pointers.get(value, agreed.events, UNSET) if agreed.events else UNSET
    if not isinstance(events, list):
        return None
    within = f"{agreed.events}/*/"
    member = next((path.removeprefix(within) for path in agreed.codes if path.startswith(within)), "")
    return [_event(each, member) for each in events]


def _event(value: Any, code: str) -> AnsweredEvent:
    members = value if isinstance(value, dict) else {"": value}
    return AnsweredEvent(
        _text(members[code]) if code in members else "",
        [(name, _text(each)) for name, each in members.items() if name != code],
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else jsontext.compact(value).decode()
