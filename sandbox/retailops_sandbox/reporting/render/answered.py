"""What came of a delivery, as a list says it: the codes of its events, or its fault in words."""

from __future__ import annotations

from collections.abc import Mapping

from retailops_sandbox.model import FaultKind
from retailops_sandbox.reporting.render.contract_words import ContractWords
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


def told(row: DeliveryRow, words: ContractWords) -> str:
    """The codes of a delivery's events, or how many there are; or the fault in words.

    Empty while the delivery is in flight, and where its contract's answers tell no events. `words` are those
    of its contract.
    """
    if row.fault:
        return next((each for kind, each in FAULTS.items() if kind == row.fault), row.fault)
    if row.status is None or not words.events:
        return ""
    if row.events is None:
        return f"no list of {words.events}"
    if not row.events:
        return f"no {words.events}"
    count = f"{row.events} {words.event if row.events == 1 else words.events}"
    if not row.codes:
        return f"{count} without a code"
    codes = ", ".join(row.codes)
    return codes if row.events == len(row.codes) else f"{codes} ({count})"
