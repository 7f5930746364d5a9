"""What is asked of the log: which deliveries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import get_args

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, FaultKind, Verdict
from retailops_sandbox.runlog.rows import NOT_JUDGED, DeliveryRow

VERDICTS = (*get_args(Verdict), NOT_JUDGED)
FAULTS = ("any", *get_args(FaultKind))
_CLASS = re.compile(r"[1-5]xx", re.ASCII)
_STATUS = re.compile(r"[1-9][0-9]{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?", re.ASCII)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries are wanted; what is empty does not matter."""

    receiver: str = ""
    action: str = ""
    edition: str = ""
    scenario: str = ""
    run: str = ""
    verdict: str = ""
    """A verdict, or `not judged`."""
    status: str = ""
    """A status, or a class of them such as `5xx`."""
    fault: str = ""
    """A kind of fault, or `any`."""
    order: str = ""
    """What a payload says which order it is about."""
    code: str = ""
    """A code of an event that came back."""
    since: str = ""
    """UTC, a day or an instant: what was sent then or later."""
    until: str = ""
    """UTC, a day or an instant: what was sent before; a day is meant to its end."""
    parent: str = ""
    """The id of a delivery: what repeats it."""
    text: str = ""
    """Anywhere in request or response, as written; without capitals it finds those of A to Z, too."""

    def checked(self) -> Query:
        """Itself; UsageError where it asks for what cannot be."""
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

    def needles(self) -> list[bytes]:
        """What must stand in the line of each delivery that is wanted, the rarest first."""
        exact = [self.parent, self.order, self.code, "" if self.fault == "any" else self.fault]
        exact += [f"{self.status[0]}xx" if self.status else ""]
        exact += ["" if self.verdict == NOT_JUDGED else self.verdict]
        exact += [self.scenario, self.receiver, self.edition, self.action]
        return [msgspec.json.encode(value) for value in exact if value]

    def accepts(self, row: DeliveryRow) -> bool:
        """Whether this one is wanted, as far as its line tells: all but `text`."""
        return (
            self.verdict in ("", row.verdict_word)
            and self.receiver in ("", row.receiver)
            and self.action in ("", row.action)
            and self.edition in ("", row.edition)
            and self.scenario in ("", row.scenario)
            and self.run in ("", row.run)
            and self.parent in ("", row.parent)
            and (not self.order or self.order in row.orders)
            and (not self.code or self.code in row.codes)
            and (not self.fault or self.fault == row.fault or (self.fault == "any" and bool(row.fault)))
            and self.status in ("", row.status_class, str(row.status))
            and (not self.since or row.sent_at >= self.first_instant)
            and (not self.until or row.sent_at < self.end)
        )

    @property
    def first_instant(self) -> str:
        """What `since` begins with, to be compared with when something was sent; empty sorts before all."""
        return self.since.replace(" ", "T").removesuffix("Z")

    @property
    def end(self) -> str:
        """What comes after all that `until` means; compared as text, as instants are."""
        if not self.until:
            return "~"
        instant = self.until.replace(" ", "T").removesuffix("Z")
        return instant if "T" in instant else f"{instant}~"

    def is_in(self, delivery: Delivery) -> bool:
        """Whether `text` is in what went out or came back."""
        wanted = self.text.encode(errors="replace")
        if wanted != wanted.lower():
            return any(wanted in each.encode() for each in _written(delivery))
        return any(wanted in each.encode().lower() for each in _written(delivery))


def _is_instant(text: str) -> bool:
    """Whether a text spells a day or an instant that there is."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return False
    return True


EVERYTHING = Query()


def spelled(text: str) -> bytes:
    """A text as it stands inside a string of JSON as the sandbox writes it."""
    return msgspec.json.encode(text.encode(errors="replace").decode())[1:-1]


def _written(delivery: Delivery) -> Iterator[str]:
    """Every text of a record's request and response, each as the record has it."""
    sent, came, fault = delivery.request, delivery.response, delivery.fault
    yield from (sent.method, sent.url, *chain.from_iterable(sent.headers), sent.body)
    if came is not None:
        yield from (str(came.status), *chain.from_iterable(came.headers), came.body)
    if fault is not None:
        yield from (fault.kind, fault.message)
