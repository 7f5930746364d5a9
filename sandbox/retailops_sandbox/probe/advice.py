"""The words of a cause that depend on what was tried or seen: its title, why it matters, how to mend it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import msgspec

from retailops_sandbox.probe import phrases
from retailops_sandbox.probe.grouping import FAMILIES, FIXTURE, Explanation
from retailops_sandbox.probe.kinds import Kind
from retailops_sandbox.probe.report import Observation

_AFTERWARDS = "afterwards"
"""What is tried with a valid request that comes after another one about its order."""
_AT_ONCE = frozenset(FAMILIES["at-once"]) - {_AFTERWARDS}
_AGAIN = frozenset((*FAMILIES["again"], FIXTURE, *FAMILIES["unknown-member"]))
"""What may fail because it comes again."""
_GATEWAY = re.compile(r"\b(?:502|503|504)\b")
"""What a gateway answers where the program behind it does not, or a program that has too much to do."""

_VALID = (
    "The provider sends requests like this one: what it asks for is not done, and asking again fails again."
)
_MORE_WORKERS = (
    "Where a few requests at once are too many, give the receiver more workers and connections, and let a "
    "request wait for one."
)
_REPEATED = (
    "A repetition comes where an answer was lost: by the contract's status alone the caller knows that it "
    "need not ask again."
)
_TELLS_REPETITION = (
    "Answer a repetition with the contract's status and an event that tells that the {noun} was done before."
)

_BY_MUTATION: tuple[tuple[Collection[str], str], ...] = (
    (
        _AT_ONCE,
        "Claim the {noun} by one atomic step, such as a unique key or a conditional update. A deadlock, a "
        "lock that is held and a duplicate key tell here of a repetition: try again, or answer as for an "
        "{noun} that is done.",
    ),
    (
        (*FAMILIES["again"], FIXTURE, "scenario"),
        "Look up first what was done for the {noun}, and answer a repetition with an event that tells it, "
        "not with an error.",
    ),
    (
        ("gzip",),
        "Unpack a body as its Content-Encoding says, or answer 415: do not parse the packed bytes.",
    ),
    (
        (*FAMILIES["no-json"], *FAMILIES["encoding"], "gzip"),
        "Catch the errors of decoding and of parsing the body, and answer 400 to what is no JSON in UTF-8.",
    ),
    (
        (*FAMILIES["content-type"], *FAMILIES["header"], "vendor-json"),
        "Read the body as JSON whatever its Content-Type says, or answer 415: do not count on the header "
        "being there, or being spelled in one way.",
    ),
    (
        FAMILIES["method"],
        "Let the route take the contract's method alone, and answer others with 405.",
    ),
    (
        ("chunked", "expect-continue", "slow-upload", "broken-off"),
        "Let the web server read the body whole before it is parsed: it may come in chunks, slowly, without "
        "a Content-Length. What cannot be read is answered with a 4xx.",
    ),
    (
        FAMILIES["large"],
        "Bound the size of a body, and answer 413 above it, before it is read.",
    ),
    (
        ("other-path", "unknown-action", "future-version"),
        "Answer what is meant for somebody else with a 4xx, such as 404 for a path and 400 for an action or "
        "a version that is not known.",
    ),
    (
        (*FAMILIES["length"], "quotes"),
        "Compare a text's length with what its column takes before it is stored, or make the column wider, "
        "and refuse what is too long with a 4xx.",
    ),
    (
        (*FAMILIES["script"], "latin-1"),
        "Keep texts in an encoding that has every character, such as utf8mb4 in MySQL, in the database's "
        "columns and in its connection, too.",
    ),
    (
        ("control-characters",),
        "Refuse control characters with a 4xx, or leave them out: databases do not take U+0000 in a text.",
    ),
    (
        (*FAMILIES["size"], "many-decimals", "negative", "zero"),
        "Compare a number with the range of the type that it is kept in, and refuse one outside with a 4xx. "
        "Ids may need 64 bits.",
    ),
    (
        FAMILIES["unknown-member"],
        "Leave members that nobody documented unread: contracts grow.",
    ),
)
"""How a crash is mended, by the mutations at which it happens: the first of which all are."""


def advised(kind: Kind, explanation: Explanation | None, seen: Sequence[Observation]) -> Kind:
    """A kind with the words for one cause, which it has in general only."""
    if kind.key == "crash":
        return _crash(kind, explanation, seen)
    if kind.key in ("off-contract", "html"):
        return msgspec.structs.replace(kind, **_of_answer(kind, seen[0].print))
    if kind.key == "accepts-wrong-token":
        return msgspec.structs.replace(kind, title=f"{kind.title}: {phrases.accepted(seen)}")
    whats = {each.what for each in seen}
    if kind.key == "refuses-valid" and explanation is not None and whats <= _AGAIN:
        return msgspec.structs.replace(kind, why=_REPEATED, mend=_TELLS_REPETITION)
    if kind.key == "hang" and explanation is not None and whats <= _AT_ONCE:
        mend = "Let no request wait for another one without a limit: look for locks taken in two orders."
        return msgspec.structs.replace(kind, mend=mend)
    return kind


def _crash(kind: Kind, explanation: Explanation | None, seen: Sequence[Observation]) -> Kind:
    gateway = _gateway(seen)
    whats = {each.what for each in seen}
    if explanation is not None and explanation.whats:
        whats &= {*explanation.whats}
    changes: dict[str, str] = {}
    tried = whats - {_AFTERWARDS} or whats
    mend = next((words for of, words in _BY_MUTATION if tried and tried <= {*of}), "")
    if gateway:
        is_busy = not mend or bool(tried & _AT_ONCE)
        behind = _MORE_WORKERS if is_busy else mend
        changes = {
            "title": f"Answers {gateway}{{where}}",
            "why": "A gateway answers so for a program that is gone, late or has too much to do, or that "
            "program itself does: the caller can only try again.",
            "mend": f"Look into the gateway's log for what happened behind it. {behind}",
        }
    elif explanation is not None and explanation.is_sporadic:
        changes["mend"] = (
            "Look into the receiver's log: what is answered at one time fails at another, so it depends "
            "on what the receiver keeps between requests, or on what comes at the same time."
        )
    elif whats == {FIXTURE}:
        changes["mend"] = (
            "Send the fixture again, and read the receiver's log: a value that the contract allows is "
            "not expected there."
        )
    elif all(each.area == "auth" for each in seen):
        changes["mend"] = (
            "Look whether the {proof} is there and a text before it is compared, and refuse all others with "
            "the contract's status."
        )
    else:
        if mend:
            changes["mend"] = mend
        elif explanation is not None and explanation.is_everything:
            changes["mend"] = "Look into the receiver's log: nearly every request fails, broken or not."
    if all(each.valid for each in seen) and not gateway:
        changes["why"] = _VALID
    return msgspec.structs.replace(kind, **changes)


def _of_answer(kind: Kind, print: str) -> dict[str, str]:
    """The words for what is wrong with an answer, by its print."""
    if print in _ANSWERS:
        return _ANSWERS[print]
    place = print.partition(" ")[0]
    return {"title": f"{kind.title} at {place}"} if place.startswith("/") else {}


_ANSWERS: dict[str, dict[str, str]] = {
    "no-json": {
        "title": "Answers off contract: what is no JSON",
        "mend": "Answer with JSON as the schema says, also when something goes wrong, and print no more.",
    },
    "cut-off": {
        "title": "Answers off contract: its JSON is cut off where it is not ASCII",
        "mend": "Count the bytes of the body for Content-Length, not its characters: some have several.",
    },
    "errors": {
        "title": "Answers off contract: errors of its program where JSON is wanted",
        "mend": "Write errors and warnings to the receiver's log, not into answers (display_errors in PHP), "
        "and refuse with a 4xx and JSON what cannot be read.",
    },
}


def _gateway(seen: Sequence[Observation]) -> str:
    """The status of a gateway, if nothing else was answered; empty else."""
    found = [_GATEWAY.search(each.detail) for each in seen]
    statuses = [each.group() for each in found if each is not None]
    return max({*statuses}, key=statuses.count) if len(statuses) == len(seen) > 0 else ""
