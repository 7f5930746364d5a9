"""A query of the log: which deliveries to list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import get_args

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, FaultKind, Verdict
from retailops_sandbox.runlog.rows import NOT_JUDGED, DeliveryRow, sort_of

VERDICTS = (*get_args(Verdict), NOT_JUDGED)
FAULTS = ("any", *get_args(FaultKind))
_CLASS = re.compile(r"[1-5]xx", re.ASCII)
_STATUS = re.compile(r"[1-9][0-9]{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?", re.ASCII)

_DAY = 24 * 60 * 60 * 1_000_000
"""The microseconds of a day, in which `sort_of` counts."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries to list. All fields must fit; an empty one fits every delivery."""

    receiver: str = ""
    action: str = ""
    edition: str = ""
    scenario: str = ""
    fixture: str = ""
    """A fixture's name: sent as it is, or edited."""
    run: str = ""
    verdict: str = ""
    """A verdict, or `not judged`."""
    status: str = ""
    """A status, or a class of them such as `5xx`."""
    fault: str = ""
    """A kind of fault, or `any`."""
    order: str = ""
    """An id that the payload is about."""
    code: str = ""
    """A code of an event in the answer."""
    since: str = ""
    """A day or an instant, UTC: sent then or later."""
    until: str = ""
    """A day or an instant, UTC: sent before. A day includes all of it."""
    parent: str = ""
    """The id of a delivery: resends of it."""
    text: str = ""
    """A text in request or response, as written there; case counts only if it has a capital of A to Z."""

    def checked(self) -> Query:
        """The query itself; UsageError where a field has a value that is not possible."""
        if self.status and not (_CLASS.fullmatch(self.status) or _STATUS.fullmatch(self.status)):
            raise UsageError(
                f"status {self.status!r} is no status", mend="such as 404, or a class of them such as 4xx"
            )
        for name, known in (("verdict", VERDICTS), ("fault", FAULTS)):
            asked = getattr(self, name)
            if asked and asked not in known:
                raise UsageError(f"there is no {name} {asked!r}", mend=f"there are {', '.join(known)}")
        for name in ("since", "until"):
            instant = getattr(self, name)
            if instant and not _is_instant(instant):
                raise UsageError(
                    f"{name} {instant!r} is no time in UTC", mend="such as 2024-05-01 or 2024-05-01T12:00Z"
                )
        return self

    def accepts(self, row: DeliveryRow) -> bool:
        """Whether all fields fit a row, but for `text`, which `is_in` compares."""
        return (
            self.verdict in ("", row.verdict_word)
            and self.receiver in ("", row.receiver)
            and self.action in ("", row.action)
            and self.edition in ("", row.edition)
            and self.scenario in ("", row.scenario)
            and self.fixture in ("", row.unedited_fixture)
            and self.run in ("", row.run)
            and self.parent in ("", row.parent)
            and (not self.order or self.order in row.orders)
            and (not self.code or self.code in row.codes)
            and (not self.fault or self.fault == row.fault or (self.fault == "any" and bool(row.fault)))
            and self.status in ("", row.status_class, str(row.status))
            and ((not self.since and not self.until) or self._includes(row.sort[0]))
        )

    @property
    def first_sort(self) -> int | None:
        """`sort_of` the first instant that `since` includes; None where it includes every one."""
        return sort_of(self.since) if self.since else None

    @property
    def end_sort(self) -> int | None:
        """`sort_of` the first instant that `until` no longer includes; None where there is no end."""
        if not self.until:
            return None
        is_day = len(self.until) == len("2024-05-01")
        return sort_of(self.until) + (_DAY if is_day else 0)

    def _includes(self, sort: int) -> bool:
        first, end = self.first_sort, self.end_sort
        return (first is None or sort >= first) and (end is None or sort < end)

    def is_in(self, delivery: Delivery) -> bool:
        """Whether `text` is in a delivery's request or response."""
        # What is no character, as from a name that is not UTF-8, is in none.
        wanted = self.text.encode(errors="surrogatepass")
        if wanted != wanted.lower():
            return any(wanted in each.encode() for each in _written(delivery))
        return any(wanted in each.encode().lower() for each in _written(delivery))


def _is_instant(text: str) -> bool:
    """Whether a text spells a day or an instant that exists."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return False
    return True


EVERYTHING = Query()


def spelled(text: str) -> bytes:
    """A text as the sandbox spells it inside a JSON string."""
    return msgspec.json.encode(text.encode(errors="replace").decode())[1:-1]


def _written(delivery: Delivery) -> Iterator[str]:
    """Every text of a delivery's request and response, as the record has it."""
    sent, came, fault = delivery.request, delivery.response, delivery.fault
    yield from (sent.method, sent.url, *chain.from_iterable(sent.headers), sent.body)
    if came is not None:
        yield from (str(came.status), *chain.from_iterable(came.headers), came.body)
    if fault is not None:
        yield from (fault.kind, fault.message)
