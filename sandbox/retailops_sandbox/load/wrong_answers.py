"""What is wrong with an answer, in words that are the same for all answers that are wrong alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import shortened
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.load.counts import OTHERWISE
from retailops_sandbox.model import Delivery, Difference, Expectation, FaultKind, Judgement, Violation

_FAULTS: Mapping[FaultKind, str] = {
    "dns": "the receiver's name is not found",
    "refused": "connections are refused",
    "tls": "connections fail in TLS",
    "connect timeout": "connections are not taken in time",
    "deadline": "answers do not come in time",
    "closed": "connections are closed without an answer",
    "malformed": "answers are no HTTP",
    "too large": "answers are too large",
    "cancelled": "deliveries are cancelled",
}
_SHOWN = 60
"""The most characters of a pointer: a receiver may name members as it likes."""
LATE = frozenset(f"{_FAULTS[kind]} ({kind})" for kind in ("connect timeout", "deadline"))
"""What is said of deliveries that took too long. A busy machine that sends them may be why."""
TOO_LONG = "answers take longer than the scenario allows"
"""Likewise, and already where that machine is a little late: a scenario may allow milliseconds."""
EXCUSED = LATE | {TOO_LONG}


def wrong(delivery: Delivery, judgement: Judgement | None, contract: Contract) -> str:
    """What is wrong with the answer to a delivery: the one thing that says most; empty where nothing is."""
    if judgement is None or judgement.verdict in ("passed", "recorded", "skipped"):
        return ""
    if delivery.fault is not None:
        return f"{_FAULTS[delivery.fault.kind]} ({delivery.fault.kind})"
    differences = {each.part: each for each in reversed(judgement.differences)}
    if "status" in differences:
        return f"answers have status {differences['status'].actual}{_instead(judgement.expectation)}"
    for violation in judgement.violations:
        if violation.part in ("status", "answer"):
            return _broken(violation, delivery)
    if "body" in differences:
        return f"answers {_changed(judgement.differences, contract)}"
    for violation in judgement.violations:
        return _broken(violation, delivery)
    if "headers" in differences:
        difference = differences["headers"]
        return f"answers have another header {shortened(_place(difference)[1:], _SHOWN)}"
    if "latency" in differences:
        return TOO_LONG
    return "answers come where a fault is expected" if "fault" in differences else OTHERWISE


def _instead(expectation: Expectation | None) -> str:
    wanted = expectation.status if expectation is not None else None
    return f" instead of {wanted}" if isinstance(wanted, (int, str)) else ""


def _broken(violation: Violation, delivery: Delivery) -> str:
    if violation.part == "status":
        return f"answers have status {delivery.response.status if delivery.response is not None else 0}"
    if violation.part == "answer":
        return "answers are not the JSON that they should be"
    return (
        f"answers break the contract at {_general(violation.pointer) or 'their root'} ({violation.keyword})"
    )


def _changed(differences: tuple[Difference, ...], contract: Contract) -> str:
    """What became of the body: what was lost says more than what was added, that more than what changed."""
    body = [each for each in differences if each.part == "body"]
    for kind in ("missing", "unexpected", "type", "changed"):
        of_kind = [each for each in body if each.kind == kind]
        if of_kind:
            return _of_kind(kind, sorted({_general(_place(each)) for each in of_kind}), contract)
    return f"change the order at {_general(_place(body[0]))}"


def _of_kind(kind: str, places: list[str], contract: Contract) -> str:
    events, more = contract.events, f" and {len(places) - 1} more" if len(places) > 1 else ""
    if events and any(place in (events, f"{events}/*") for place in places):
        noun = pointers.parse(events)[-1]
        if kind == "missing":
            return f"lose their {noun}"
        if kind == "unexpected":
            return f"tell {noun} that are not expected"
        return f"tell other {noun} than expected"
    said = {"missing": "lose", "unexpected": "have an unexpected", "type": "change the type of"}
    return f"{said.get(kind, 'change')} {places[0] or 'the whole body'}{more}"


def _place(difference: Difference) -> str:
    """The pointer of a difference, on the side that has something there."""
    if difference.expected_pointer is not None:
        return difference.expected_pointer
    return difference.actual_pointer or ""


def _general(pointer: str) -> str:
    """A pointer in which each item of an array is `*`: the same place of all answers is spelled alike."""
    tokens = pointers.parse(pointer)
    general = pointers.join([pointers.WILDCARD if token.isdigit() else token for token in tokens])
    return shortened(general, _SHOWN)
