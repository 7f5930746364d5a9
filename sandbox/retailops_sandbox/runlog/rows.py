"""The row of a delivery: what lists show of it, and what it is found by.

A new column is a field of `DeliveryRow`, its value in `row_of` or `judged_row`, its name in `COLUMNS`, and a
column in `sql/tables.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Delivery, Judgement, Number, Verdict

SortKey = tuple[str, str]
"""When a delivery was sent, and its id."""
Sort = tuple[int, str]
"""`sort_of` the instant at which a delivery was sent, and its id: the order of all lists."""

NOT_JUDGED = "not judged"
EDITED = " (edited)"
"""The suffix of a fixture's name where the payload was edited before it was sent."""
_MOST_CODES = 20
"""The most codes that are kept of an answer; a receiver can send thousands."""
_MOST_IDS = 500
"""The most ids that are kept of a delivery; a payload can be about thousands of things."""
_LONGEST = 200
"""The most characters that are kept of a code or an id; a receiver chooses its codes."""


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a delivery with its latest verdict.

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
    fault: str = ""
    total_ms: float = 0.0
    orders: tuple[str, ...] = ()
    """The ids that the delivery is about, by the contract's `subject`."""
    subjects: int = 0
    """The number of things that the delivery is about, each of which may have several ids."""
    codes: tuple[str, ...] = ()
    """The codes of the answer's events, by the contract's `codes`."""
    events: int | None = None
    """The number of items at the contract's `events`; None where the answer has no such array."""
    off_contract: bool = False
    """Whether the step allowed a payload that breaks the contract."""
    breaks_contract: bool = False
    """Whether the payload was sent although it breaks the contract."""
    verdict: Verdict | None = None
    """The latest verdict; None where the delivery was not judged."""
    first_verdict: Verdict | None = None
    """The first verdict, which stays visible where the delivery was judged again."""
    differences: int = 0
    """The number of differences in the latest judgement."""

    @property
    def key(self) -> SortKey:
        """The key by which deliveries are sorted."""
        return self.sent_at, self.id

    @property
    def sort(self) -> Sort:
        """The key by which the index has them in order."""
        return sort_of(self.sent_at), self.id

    @property
    def run(self) -> str:
        """The run's id."""
        return self.id.rpartition(".")[0]

    @property
    def verdict_word(self) -> str:
        """The latest verdict, or `not judged`."""
        return self.verdict or NOT_JUDGED

    @property
    def was(self) -> str:
        """The first verdict where it is another than the latest; else empty."""
        return self.first_verdict if self.first_verdict and self.first_verdict != self.verdict else ""

    @property
    def status_class(self) -> str:
        """The class of the status, such as `5xx`; empty where there is no status."""
        return "" if self.status is None else f"{self.status // 100}xx"

    @property
    def unedited_fixture(self) -> str:
        """The fixture's name, also where the payload was edited before it was sent."""
        return self.fixture.removesuffix(EDITED)

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

    @property
    def order(self) -> str:
        """The first id that the delivery is about; empty where it names none."""
        return self.orders[0] if self.orders else ""

    @property
    def can_repeat(self) -> bool:
        """Whether the delivery has ended, and can be sent again, exported or recorded."""
        return True


COLUMNS = (
    *("id", "run", "sent_at", "action", "edition", "receiver", "stand_in", "scenario", "step", "fixture"),
    *("number", "attempt", "parent", "dropped", "off_contract", "verdict", "status", "fault", "total_ms"),
    *("orders", "subjects", "codes", "events", "differences", "first_verdict"),
)
"""The fields of a row in `--format json`, in order. They are documented, so their names must not change."""


def sort_of(instant: str) -> int:
    """The microseconds from 1970 to an instant (UTC, RFC 3339); 0 for a text that is none."""
    try:
        found = datetime.fromisoformat(instant)
    except ValueError:
        return 0
    since = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)) - _EPOCH
    # Not by a division of spans, which takes three times as long.
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def judged_row(row: DeliveryRow, judgement: Judgement) -> DeliveryRow:
    """The row of a delivery after one more judgement, later than those before."""
    # The first judgement says whether it was sent although it breaks the contract.
    is_broken = row.off_contract and row.verdict is None and bool(judgement.payload_violations)
    return msgspec.structs.replace(
        row,
        verdict=judgement.verdict,
        first_verdict=row.first_verdict or judgement.verdict,
        differences=len(judgement.differences),
        breaks_contract=row.breaks_contract or is_broken,
    )


@lru_cache(8)
def lookups(contracts: Contracts) -> int:
    """A digest of what contracts say of rows (`subject`, `events`, `codes`): rows by others are stale."""
    known = contracts.readable()
    said = [(each.action, each.edition, each.subject, each.events, each.codes) for each in known]
    return zlib.crc32(msgspec.json.encode(said))


def row_of(delivery: Delivery, contracts: Contracts) -> DeliveryRow:
    """The row of a delivery that was not judged."""
    response, fault = delivery.response, delivery.fault
    payload, is_json = _parsed(delivery.request.body)
    orders: tuple[str, ...] = ()
    subjects = 0
    codes: tuple[str, ...] = ()
    events: int | None = None
    agreed = contracts.find(delivery.action, delivery.edition)
    if agreed is not None:  # The log may hold deliveries of a removed contract: these have no ids and codes.
        answer = _answer(response.body) if response is not None else None
        if agreed.subject is not None:
            about = ((payload, agreed.subject.request), (answer, agreed.subject.response))
            by_path = [tuple(_named(value, (path,))) for value, paths in about for path in paths]
            orders = tuple(islice(dict.fromkeys(chain(*by_path)), _MOST_IDS))
            subjects = max(map(len, by_path), default=0)
        codes = tuple(islice(_named(answer, agreed.codes), _MOST_CODES))
        events = _count(answer, agreed.events)
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
        fault=fault.kind if fault is not None else "",
        total_ms=delivery.timings.total,
        orders=orders,
        subjects=subjects,
        codes=codes,
        events=events,
        off_contract=delivery.off_contract,
        breaks_contract=delivery.off_contract and not is_json,
    )


def _answer(body: str) -> Any:
    """The value of an answer's body; None of one with more values than are judged.

    That one would take seconds to decode.
    """
    return None if jsontext.has_too_many_values(body) else _parsed(body)[0]


def _count(answer: Any, events: str) -> int | None:
    """The number of items of an answer's array; None where there is no such array."""
    array = pointers.get(answer, events, msgspec.UNSET) if events else None
    return len(array) if isinstance(array, list) else None


def _parsed(text: str) -> tuple[Any, bool]:
    """The value of a body, and whether it is JSON."""
    try:
        return _json.decode(text), True
    except (msgspec.DecodeError, RecursionError):
        return None, False


def _named(value: Any, paths: tuple[str, ...]) -> Iterator[str]:
    """The distinct texts and numbers at these paths, as they are spelled."""
    found: set[str] = set()
    for path in paths:
        for each in _at(value, _tokens(path)):
            if type(each) is Number:
                text = each.spelling[:_LONGEST]
            elif each != "" and type(each) in (str, int):
                text = str(each)[:_LONGEST]
            else:
                continue
            if text not in found:
                found.add(text)
                yield text


def _at(value: Any, tokens: tuple[str, ...]) -> Sequence[Any]:
    """The values at a path; `*` stands for each item of an array."""
    for number, token in enumerate(tokens, start=1):
        if isinstance(value, dict):
            if token not in value:
                return ()
            value = value[token]
        elif isinstance(value, list) and token == "*":
            return [found for each in value for found in _at(each, tokens[number:])]
        else:
            return ()
    return (value,)


_tokens = cache(pointers.parse)


_json = msgspec.json.Decoder(float_hook=Number)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
