"""What a verdict says of the parts of an answer: a line for status, contract and what the answer tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from retailops_sandbox.comparing import coverage
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.reporting.render import lines

State = Literal["held", "broken", "unchecked"]


class Check(msgspec.Struct, frozen=True):
    """A part of an answer, and what came of checking it."""

    name: str
    """`status`, `contract`, or the contract's word for what answers tell, such as `events`."""
    state: State
    said: str
    """The outcome in a few words."""


def checklist(sent: Delivery, found: Judgement, agreed: Contract) -> Sequence[Check]:
    """The checklist beside the verdict on an answer; empty where there is no answer to judge.

    A page shows it with every verdict *recorded*, and wherever `lines.remarks` says something.
    """
    if sent.response is None or sent.fault is not None or sent.dropped:
        return ()
    word = coverage.Coverage(agreed.arrays, agreed.ok_statuses).word
    return (
        _status(sent.response.status, found),
        _contract(sent.response.status, found, agreed),
        _told(word, found),
    )


def _status(status: int, found: Judgement) -> Check:
    if any(each.part == "status" for each in found.differences):
        return Check("status", "broken", f"{status}, which was not expected")
    if any(each.part == "status" for each in found.violations):
        return Check("status", "broken", f"{status}, which the contract does not allow")
    is_said = found.expectation is not None and found.expectation.status is not None
    return Check("status", "held", f"{status}, as {'expected' if is_said else 'the contract wants'}")


def _contract(status: int, found: Judgement, agreed: Contract) -> Check:
    violations = [each for each in found.violations if each.part != "status"]
    count = f"{len(violations):,} violation{'' if len(violations) == 1 else 's'}"
    if coverage.CONTRACT in found.unchecked:
        return Check("contract", "unchecked", f"not enforced, as the expectation says ({count})")
    if violations:
        return Check("contract", "broken", count)
    if status not in agreed.ok_statuses:
        return Check("contract", "unchecked", f"it says nothing of an answer with {status}")
    parting = lines.parting(found.sources)
    return Check("contract", "held", f"kept: {parting}" if parting else "kept")


def _told(word: str, found: Judgement) -> Check:
    left_out = [each for each in found.unchecked if each != coverage.CONTRACT]
    if not left_out and found.expectation is None:
        left_out = [word]  # An older judgement does not say what it left out.
    if left_out:
        why = "nothing was expected" if found.expectation is None else "the expectation leaves them out"
        why = why.replace("them", "it") if left_out == [coverage.BODY] else why
        return Check(left_out[0], "unchecked", f"not compared: {why}")
    if count := sum(each.part == "body" for each in found.differences):
        return Check(word, "broken", f"{count:,} difference{'' if count == 1 else 's'}")
    return Check(word, "held", "as expected")
