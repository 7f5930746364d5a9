"""Mutations and requests in words, for titles and for the smallest request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retailops_sandbox import jsontext
from retailops_sandbox.errors import shortened
from retailops_sandbox.foreign_text import place
from retailops_sandbox.model import Step
from retailops_sandbox.probe.grouping import FAMILIES, Explanation
from retailops_sandbox.probe.report import Observation

_SHOWN = 60
"""The most characters of a value that are shown."""

_PREDICATES = {
    "null": "is null",
    "missing": "is missing",
    "text": "is a text",
    "number": "is a number",
    "boolean": "is a boolean",
    "array": "is an array",
    "object": "is an object",
    "empty-text": "is an empty text",
    "empty-array": "is an empty array",
    "empty-object": "is an empty object",
    "zero": "is 0",
    "negative": "is negative",
    "twice": "is written twice",
    "beyond-32-bits": "is a number beyond 32 bits",
    "beyond-64-bits": "is a number beyond 64 bits",
    "many-decimals": "has many decimals",
    "number-as-text": "is a number written as text",
    "leading-zeros": "has leading zeros",
    "256-characters": "has 256 characters",
    "4096-characters": "has 4,096 characters",
    "other-scripts": "is in another script",
    "astral-characters": "has characters beyond U+FFFF",
    "control-characters": "has control characters",
    "quotes": "has quotes and brackets",
    "unknown-member": "has a member that nobody documented",
}
"""What a member is after a mutation, by its key."""
_SIMPLEST = ("baseline", "check", "fixture", "right", *_PREDICATES)


def filled(template: str, words: Mapping[str, str]) -> str:
    """A text of a kind with its words, `a` or `an` as the noun wants it."""
    noun = words["noun"]
    article = "an" if noun[:1].lower() in "aeiou" else "a"
    text = template.replace("an {noun}", f"{article} {noun}").replace(
        "An {noun}", f"{article.title()} {noun}"
    )
    return text.replace("{noun}", noun).replace("{where}", words.get("where", ""))


def heading(what: str) -> str:
    """What was tried, in words: `unknown member`."""
    return what.replace("-", " ")


def where(explanation: Explanation | None, seen: Sequence[Observation]) -> str:
    """Where failures happen, as the end of a title: ` where a member is null`."""
    if explanation is None:
        return ""
    if explanation.is_everything:
        return " whatever is sent"
    if explanation.area:
        return _AREAS[explanation.area]
    whats = explanation.whats or tuple(dict.fromkeys(each.what for each in seen))
    if not any(each.field for each in seen):
        return _of_request(whats, seen)
    member = place(explanation.field) if explanation.field else "a member"
    if explanation.field or explanation.whats:
        return f" where {member} {_predicate(whats)}"
    return " on some broken requests"


_AREAS: Mapping[str, str] = {
    "auth": " where the proof of the sender is wrong",
    "repetition": " when asked about one thing again",
    "transport": " where requests are spelled another way",
    "speed": " when asked several times at once",
}


def _of_request(whats: Sequence[str], seen: Sequence[Observation]) -> str:
    """Where failures happen that are of requests as a whole."""
    if len(whats) > 1 and all(each.valid for each in seen):
        return " on valid requests"
    if {*whats} <= {*FAMILIES["large"]}:
        return f" where a request is large ({heading(whats[0])})"
    named = [heading(what) for what in whats]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f" ({', '.join(named[:3])}{more})"


def _predicate(whats: Sequence[str]) -> str:
    """What a member is after one of some mutations."""
    if len(whats) == 1:
        return _PREDICATES.get(whats[0]) or f"is changed ({heading(whats[0])})"
    for family, words in _FAMILIES.items():
        if {*whats} <= {*FAMILIES[family]}:
            return words
    if {*whats} <= {*FAMILIES["type"], *FAMILIES["empty"], "null", "missing"}:
        return "is of another type, null or missing"
    return "is not as the contract has it"


_FAMILIES = {
    "type": "is of another type",
    "empty": "is empty",
    "size": "is a number beyond 32 bits",
    "length": "has 256 characters or more",
    "script": "is in another script",
}


def simplicity(what: str) -> int:
    """How simple a mutation is: the smaller, the simpler."""
    return _SIMPLEST.index(what) if what in _SIMPLEST else len(_SIMPLEST)


def shown(field: str, what: str, step: Step | None = None) -> str:
    """A request in a few words, such as `/data/order/id: null`."""
    if step is None or not field:
        return f"{place(field)}: {heading(what)}" if field else heading(what)
    if field in step.set:
        return f"{place(field)}: {shortened(jsontext.flat(step.set[field]), _SHOWN)}"
    return f"{place(field)}: {heading(what)}"
