"""The cause of a failure that others may share: a fault, a status or a violation of the contract."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.reporting.render import lines


class Cause(msgspec.Struct, frozen=True):
    """Why a delivery, step or scenario failed, in a way that can be the same elsewhere."""

    key: tuple[str, ...]
    """Equal for causes that are the same, whatever numbers their words have."""
    text: str
    """The cause in one line."""

    @property
    def is_fault(self) -> bool:
        return self.key[0] == "fault"


class CommonCause(msgspec.Struct, frozen=True):
    """A cause that most failures share."""

    cause: Cause
    count: int
    """The number of failures that it has."""


def of_delivery(sent: Delivery, judgement: Judgement | None) -> Cause | None:
    """The cause for which a delivery failed; None where it passed, or only differs from what was expected."""
    if judgement is None or judgement.verdict not in ("failed", "errored"):
        return None
    if sent.fault is not None:
        return Cause(("fault", sent.fault.kind), f"{sent.fault.kind}: {sent.fault.message}")
    if judgement.expectation is not None and not judgement.expectation.contract:
        return None
    if not judgement.violations:
        return None
    first = judgement.violations[0]
    if first.part == "status" and sent.response is not None:
        return Cause(("status", str(sent.response.status)), first.message)
    place = re.sub("/[0-9]+", "/*", first.pointer)
    return Cause(("contract", first.part, place, first.keyword), lines.violation(first))


def of_reason(reason: str) -> Cause:
    """The cause of a step that sent nothing."""
    return Cause(("reason", reason), reason)


def shared(found: Sequence[Cause | None]) -> Cause | None:
    """The cause that all failures of one thing have; None where they have several, or one has none."""
    keys = {each.key if each is not None else None for each in found}
    return found[0] if len(keys) == 1 else None


def common(found: Sequence[Cause | None]) -> CommonCause | None:
    """The cause that more than half of several failures have; None where there is none."""
    counts = Counter(each.key for each in found if each is not None)
    for key, count in counts.most_common(1):
        if count > 1 and 2 * count > len(found):
            first = next(each for each in found if each is not None and each.key == key)
            return CommonCause(first, count)
    return None
