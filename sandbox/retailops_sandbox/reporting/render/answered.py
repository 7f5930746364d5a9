"""What came of a delivery, as a list says it: the codes of its events, or its fault in words."""

from __future__ import annotations

from collections.abc import Mapping

from retailops_sandbox.model import FaultKind
from retailops_sandbox.runlog.rows import DeliveryRow

FAULTS: Mapping[FaultKind, str] = {
    "dns": "dns: the host has no address",
    "refused": "refused: nothing listens",
    "tls": "tls: no secure connection",
    "connect timeout": "connect timeout: nobody answers",
    "deadline": "deadline: no answer in time",
    "closed": "closed: hung up without an answer",
    "malformed": "malformed: the answer is no HTTP",
    "too large": "too large: the answer was cut",
    "cancelled": "cancelled: ended by hand",
}
"""Each fault and what it means, in a few words."""
NO_EVENTS = "none"
NO_LIST = "no list of events"


def events(row: DeliveryRow) -> str:
    """The codes of a delivery's events, `none`, or the fault in words; empty while it is in flight."""
    if row.fault:
        return next((words for kind, words in FAULTS.items() if kind == row.fault), row.fault)
    if row.status is None:
        return ""
    if row.events is None:
        return NO_LIST
    if not row.events:
        return NO_EVENTS
    count = f"{row.events} {'event' if row.events == 1 else 'events'}"
    if not row.codes:
        return f"{count} without a code"
    codes = ", ".join(row.codes)
    return codes if row.events == len(row.codes) else f"{codes} ({count})"
