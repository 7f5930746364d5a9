"""A delivery in one line: what lists show of it, and what it is looked up by.

Of 100,000 deliveries these lines are 25 MB where the records are 400, so that a list or a lookup reads them
alone. `Records` makes them, from records in the order in which they were appended.
"""

from __future__ import annotations

import zlib
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Delivery, Judgement, Number, Result, Verdict

Span = tuple[int, int]
"""Where a record lies in its file: the offset of its first byte, and how many bytes."""
SortKey = tuple[str, str]
"""When a delivery was sent, and its id."""

_MOST_CODES = 20
"""So many codes of one answer; a receiver can send thousands."""
_LONGEST = 200
"""Characters of what a delivery is looked up by; a receiver chooses its codes."""


class Judged(NamedTuple):
    """A judgement in one line."""

    at: str
    verdict: Verdict
    span: Span


class DeliverySummary(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A delivery and its judgements in one line."""

    sent_at: str
    id: str
    action: str
    edition: str
    receiver: str
    stand_in: bool
    scenario: str
    step: str
    fixture: str
    number: int
    attempt: int
    parent: str
    dropped: bool
    status: int | None
    status_class: str
    """Such as `5xx`: here so that its line can be found by it."""
    fault: str
    total: float
    """Milliseconds."""
    subject: tuple[str, ...]
    """Which order it is about."""
    codes: tuple[str, ...]
    """Of the events that came back."""
    off_contract: bool
    """It was to be sent whatever the contract says."""
    breaks_contract: bool
    """And it does break it."""
    judged: tuple[Judged, ...]
    """The oldest first."""
    span: Span

    @property
    def key(self) -> SortKey:
        """What deliveries are ordered by."""
        return self.sent_at, self.id

    @property
    def run(self) -> str:
        """The run's id."""
        return self.id.rpartition(".")[0]

    @property
    def verdict(self) -> Verdict | None:
        """The latest; None where it was not judged."""
        return self.judged[-1].verdict if self.judged else None

    @property
    def answer(self) -> str:
        """The status or the fault, in a word."""
        return self.fault or (str(self.status) if self.status is not None else "no answer")


class Records:
    """The records of one file, each as a line and the place where it lies."""

    def __init__(self) -> None:
        self.rows: dict[str, DeliverySummary] = {}
        """By the delivery's id."""
        self.order: list[SortKey] = []
        self.elsewhere: dict[str, list[Judged]] = {}
        """Judgements of deliveries that lie in other files, by the delivery's id."""
        self.results: list[Span] = []
        self.outcomes: Counter[Verdict] = Counter()
        """Of the results."""

    def add_delivery(self, delivery: Delivery, span: Span) -> None:
        row = _sent(delivery, span)
        is_new = row.id not in self.rows
        # In this order: another thread may be listing them, and what it meets in `order` it looks up.
        self.rows[row.id] = row
        if is_new:
            insort(self.order, row.key)

    def add_judgement(self, judgement: Judgement, span: Span) -> None:
        row = self.rows.get(judgement.delivery)
        if row is None:
            judged = Judged(judgement.at, judgement.verdict, span)
            self.elsewhere.setdefault(judgement.delivery, []).append(judged)
        else:
            self.rows[row.id] = _judged(row, judgement, span)

    def add_result(self, result: Result, span: Span) -> None:
        self.results.append(span)
        self.outcomes[result.verdict] += 1

    def ordered(self) -> list[DeliverySummary]:
        """The rows, the oldest first."""
        return [self.rows[id] for _, id in self.order.copy()]


def with_judgements(row: DeliverySummary, more: list[Judged]) -> DeliverySummary:
    """A row with further judgements among its own."""
    return msgspec.structs.replace(row, judged=tuple(sorted((*row.judged, *more))))


def of(delivery: Delivery, judgements: Iterable[Judgement]) -> DeliverySummary:
    """A delivery and its judgements, the oldest first, as a line that lies nowhere."""
    row = _sent(delivery, (0, 0))
    for judgement in judgements:
        row = _judged(row, judgement, (0, 0))
    return row


def _judged(row: DeliverySummary, judgement: Judgement, span: Span) -> DeliverySummary:
    breaks = row.off_contract and not row.judged and bool(judgement.payload_violations)
    row = with_judgements(row, [Judged(judgement.at, judgement.verdict, span)])
    return msgspec.structs.replace(row, breaks_contract=row.breaks_contract or breaks)


@cache
def lookups() -> int:
    """A digest of what contracts say that deliveries are looked up by: another one needs other lines."""
    known = [contract.load(*name) for name in contract.available()]
    said = [(each.action, each.edition, each.subject, each.codes) for each in known]
    return zlib.crc32(msgspec.json.encode(said))


def _sent(delivery: Delivery, span: Span) -> DeliverySummary:
    response, fault = delivery.response, delivery.fault
    payload, is_json = _parsed(delivery.request.body)
    subject: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    try:
        agreed = contract.load(delivery.action, delivery.edition)
    except UsageError:
        pass  # A log may outlive a contract: it is then not looked up by what only that knows.
    else:
        subject = _named(payload, agreed.subject)
        codes = _named(_parsed(response.body)[0], agreed.codes) if response is not None else ()
    status = response.status if response is not None and fault is None else None
    return DeliverySummary(
        sent_at=delivery.sent_at,
        id=delivery.id,
        action=delivery.action,
        edition=delivery.edition,
        receiver=delivery.receiver,
        stand_in=delivery.stand_in,
        scenario=delivery.scenario,
        step=delivery.step,
        fixture=delivery.fixture,
        number=delivery.number,
        attempt=delivery.attempt,
        parent=delivery.parent,
        dropped=delivery.dropped,
        status=status,
        status_class="" if status is None else f"{status // 100}xx",
        fault=fault.kind if fault is not None else "",
        total=delivery.timings.total,
        subject=subject,
        codes=codes,
        off_contract=delivery.off_contract,
        breaks_contract=delivery.off_contract and not is_json,
        judged=(),
        span=span,
    )


def _parsed(text: str) -> tuple[Any, bool]:
    """A body's value, and whether it is JSON at all."""
    try:
        return _json.decode(text), True
    except (msgspec.DecodeError, RecursionError):
        return None, False


def _named(value: Any, paths: tuple[str, ...]) -> tuple[str, ...]:
    """The different texts and numbers that paths lead to, as they are written."""
    found: dict[str, None] = {}
    for path in paths:
        for each in _at(value, pointers.parse(path)):
            if isinstance(each, (str, int, Number)) and not isinstance(each, bool) and each != "":
                text = each.spelling if isinstance(each, Number) else str(each)
                found[text[:_LONGEST]] = None
                if len(found) == _MOST_CODES:
                    return tuple(found)
    return tuple(found)


def _at(value: Any, tokens: tuple[str, ...]) -> Iterator[Any]:
    if not tokens:
        yield value
    elif isinstance(value, dict):
        if tokens[0] in value:
            yield from _at(value[tokens[0]], tokens[1:])
    elif isinstance(value, list) and tokens[0] == "*":
        for each in value:
            yield from _at(each, tokens[1:])


_json = msgspec.json.Decoder(float_hook=Number)
