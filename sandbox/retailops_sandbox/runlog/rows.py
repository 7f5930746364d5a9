"""The row of a delivery: what lists show of it, and what it is looked up by.

The rows of 100,000 deliveries are 25 MB and their records 400 MB, so lists and lookups read rows alone.
A new column is a field of `DeliveryRow`, its value in `row_of`, its name in `COLUMNS`, and another `FORMAT`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Delivery, Judgement, Number, Verdict

FORMAT = 1
"""Of the index that keeps rows: one of another format is made anew."""
Span = tuple[int, int]
"""The place of a record in its file: the offset of its first byte, and its size in bytes."""
NOWHERE: Span = (0, 0)
"""The place of a record that is in no file."""
SortKey = tuple[str, str]
"""When a delivery was sent, and its id."""

NOT_JUDGED = "not judged"
_MOST_CODES = 20
"""The most codes that are kept of an answer; a receiver can send thousands."""
_LONGEST = 200
"""The most characters that are kept of a code or an id; a receiver chooses its codes."""


class Judged(NamedTuple):
    """The part of a judgement that a row keeps."""

    at: str
    verdict: Verdict
    span: Span


class DeliveryRow(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The row of a delivery and its judgements. The index keeps it as an array, in this order.

    What has a default is not known of every row: a delivery in flight has one, too.
    """

    sent_at: str
    id: str
    action: str
    edition: str
    receiver: str
    stand_in: bool
    scenario: str = ""
    step: str = ""
    fixture: str = ""
    number: int = 1
    attempt: int = 1
    parent: str = ""
    dropped: bool = False
    status: int | None = None
    status_class: str = ""
    """The class of the status, such as `5xx`: kept so that rows are found by it."""
    fault: str = ""
    total_ms: float = 0.0
    orders: tuple[str, ...] = ()
    """The ids that the payload is about, by the contract's `subject`."""
    codes: tuple[str, ...] = ()
    """The codes of the answer's events, by the contract's `codes`."""
    off_contract: bool = False
    """Whether the step allowed a payload that breaks the contract."""
    breaks_contract: bool = False
    """Whether the payload was sent although it breaks the contract."""
    judged: tuple[Judged, ...] = ()
    """The oldest first."""
    span: Span = NOWHERE

    @property
    def key(self) -> SortKey:
        """The key by which deliveries are sorted."""
        return self.sent_at, self.id

    @property
    def run(self) -> str:
        """The run's id."""
        return self.id.rpartition(".")[0]

    @property
    def verdict(self) -> Verdict | None:
        """The latest verdict; None where the delivery was not judged."""
        return self.judged[-1].verdict if self.judged else None

    @property
    def verdict_word(self) -> str:
        """The latest verdict, or `not judged`."""
        return self.verdict or NOT_JUDGED

    @property
    def answer(self) -> str:
        """The status or the fault, in a word."""
        return self.fault or (str(self.status) if self.status is not None else "no answer")

    @property
    def label(self) -> str:
        """What was sent: the scenario and its step, or the fixture."""
        if self.scenario:
            return f"{self.scenario.removesuffix('.scenario.json')} / {self.step}"
        # What passed through a relay belongs to no step.
        return self.fixture or ("typed" if self.step else "relayed")


COLUMNS = (
    *("id", "run", "sent_at", "action", "edition", "receiver", "stand_in", "scenario", "step", "fixture"),
    *("number", "attempt", "parent", "dropped", "off_contract", "verdict", "status", "fault", "total_ms"),
    *("orders", "codes"),
)
"""The fields of a row in `--format json`, in order. They are documented, so their names must not change."""


def with_judgements(row: DeliveryRow, more: list[Judged]) -> DeliveryRow:
    """A row with further judgements, in order of time among its own."""
    return msgspec.structs.replace(row, judged=tuple(sorted((*row.judged, *more))))


def judged_row(row: DeliveryRow, judgement: Judgement, span: Span = NOWHERE) -> DeliveryRow:
    """A row with one more judgement."""
    breaks = row.off_contract and not row.judged and bool(judgement.payload_violations)
    row = with_judgements(row, [Judged(judgement.at, judgement.verdict, span)])
    return msgspec.structs.replace(row, breaks_contract=row.breaks_contract or breaks)


@cache
def lookups() -> int:
    """A digest of the contracts' `subject` and `codes`: rows that were made with others are stale."""
    known = [contract.load(*name) for name in contract.available()]
    said = [(each.action, each.edition, each.subject, each.codes) for each in known]
    return zlib.crc32(msgspec.json.encode(said))


def row_of(delivery: Delivery, span: Span = NOWHERE) -> DeliveryRow:
    """The row of a delivery that was not judged."""
    response, fault = delivery.response, delivery.fault
    payload, is_json = _parsed(delivery.request.body)
    orders: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    try:
        agreed = contract.load(delivery.action, delivery.edition)
    except UsageError:
        pass  # A log may hold deliveries of a removed contract: their rows lack ids and codes.
    else:
        orders = _named(payload, agreed.subject)
        codes = _named(_parsed(response.body)[0], agreed.codes) if response is not None else ()
    status = response.status if response is not None and fault is None else None
    return DeliveryRow(
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
        total_ms=delivery.timings.total,
        orders=orders,
        codes=codes,
        off_contract=delivery.off_contract,
        breaks_contract=delivery.off_contract and not is_json,
        judged=(),
        span=span,
    )


def _parsed(text: str) -> tuple[Any, bool]:
    """The value of a body, and whether it is JSON."""
    try:
        return _json.decode(text), True
    except (msgspec.DecodeError, RecursionError):
        return None, False


def _named(value: Any, paths: tuple[str, ...]) -> tuple[str, ...]:
    """The distinct texts and numbers at these paths, as they are spelled."""
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
