"""Mutations and requests in words, for titles and for the smallest request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.errors import shortened
from retailops_sandbox.foreign_text import place
from retailops_sandbox.model import Step
from retailops_sandbox.probe.grouping import FAMILIES, FIXTURE, Explanation
from retailops_sandbox.probe.report import Observation

_NAMED = 3
"""The most fixtures that a title names."""
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
}
"""What a member is after a mutation, by its key."""
_PROOFS = {
    "wrong": "is another one",
    "shortened": "is cut off at its end",
    "lengthened": "has more at its end",
    "altered": "has another character",
    "other-case": "is in the other case",
    "spaced": "has blanks around it",
    "in-array": "is in an array",
    "shortened-in-front": "is cut off in front",
    "lengthened-in-front": "has more in front",
    "nothing-behind": "has nothing behind its scheme",
}
"""What the proof of the sender is after a change, by its key."""
_SIMPLEST = ("wrong", *_PREDICATES, "fixture", "baseline", "check", "right")


def filled(template: str, words: Mapping[str, str]) -> str:
    """A text of a kind with its words, `a` or `an` as the noun wants it."""
    noun = words["noun"]
    article = "an" if noun[:1].lower() in "aeiou" else "a"
    text = template.replace("an {noun}", f"{article} {noun}").replace(
        "An {noun}", f"{article.title()} {noun}"
    )
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def heading(what: str) -> str:
    """What was tried, in words: `unknown member`."""
    return what.replace("-", " ")


def where(explanation: Explanation | None, seen: Sequence[Observation]) -> str:
    """Where failures happen, as the end of a title: ` where a member is null`."""
    if explanation is None:
        return ""
    if explanation.is_everything:
        return " whatever is sent"
    if explanation.is_sporadic:
        return " now and then"
    if explanation.area:
        return _AREAS[explanation.area]
    whats = explanation.whats or tuple(dict.fromkeys(each.what for each in seen))
    if not any(each.field for each in seen) or {*whats} <= {*FAMILIES["unknown-member"]}:
        return _of_request(explanation, whats, seen)
    member = place(explanation.field) if explanation.field else "a member"
    if explanation.field or explanation.whats:
        return f" where {member} {_predicate(whats, explanation.family)}"
    return " on some broken requests"


_AREAS: Mapping[str, str] = {
    "auth": " where the proof of the sender is wrong",
    "repetition": " when asked again",
    "transport": " where requests are spelled another way",
    "speed": " when asked several times at once",
}


_REQUESTS = {
    "large": "where a request is large",
    "no-json": "where the body is no JSON",
    "encoding": "where the body is not UTF-8",
    "charset": "where Content-Type names a charset",
    "content-type": "where Content-Type is another one, or missing",
    "compressed": "where the body is compressed",
    "header": "where a header is doubled or long",
    "method": "on other HTTP methods",
    "not-utf-8": "where the body is not UTF-8, or compressed",
    "no-body": "where the body cannot be read",
    "gzip": "where the body is compressed by gzip",
    "utf-16": "where the body is in UTF-16",
    "latin-1": "where the body is in Latin-1",
    "unknown-member": "where there is a member that nobody documented",
    "at-once": "when asked several times at once",
    "again": "when asked again",
    "four-at-once": "when asked about four at once",
    "sixteen-at-once": "when asked about sixteen at once",
    "not-json": "where the body is no JSON",
    "empty-body": "where the body is empty",
    "truncated": "where the body is cut off",
    "form": "where the body is a form",
    "byte-order-mark": "where the body begins with a byte order mark",
    "no-content-type": "where there is no Content-Type",
    "chunked": "where the body comes in chunks",
    "expect-continue": "where the request has Expect: 100-continue",
    "slow-upload": "where the body comes slowly",
    "lower-case": "where header names are in lower case",
    "keep-alive": "where the connection is kept open",
    "keep-alive-again": "on a connection that was kept open",
    "close": "where the request has Connection: close",
    "http-1-0": "where the request is HTTP/1.0",
    "unknown-action": "where another action is named",
    "future-version": "where another version is named",
    "other-path": "at another path",
    "same-again": "when asked again",
    "fixture-again": "when asked again",
    "five-times": "when asked five times",
    "ten-at-once": "when asked ten times at once",
    "sent-again": "when what was broken off is sent again",
    "longer-payload": "where there is a member that nobody documented",
    "other-payload": "when asked again with another value",
    "alternating": "when asked about several at once",
    "later": "when asked again later",
    "baseline": "when asked again",
    "afterwards": "when asked again",
    "doubled-header": "where a header is doubled",
    "doubled-otherwise": "where a header is doubled",
    "doubled-accept": "where a header is doubled",
    "long-header": "where a header is long",
    "64-kb": "where the body has 64 KB",
    "1-mb": "where the body has 1 MB",
    "large-fixture": "where a request is large",
    "10-mb": "where the body has 10 MB",
    "broken-off": "where the connection is broken off",
    "scenario": "in a scenario",
    "get": "on GET",
    "head": "on HEAD",
    "put": "on PUT",
    "patch": "on PATCH",
    "delete": "on DELETE",
    "options": "on OPTIONS",
    "post": "on POST",
}
"""Requests as a whole, by what is tried or by its family."""


def _of_request(explanation: Explanation, whats: Sequence[str], seen: Sequence[Observation]) -> str:
    """Where failures happen that are of requests as a whole."""
    if explanation.family == "at-once" and all(each.area == "repetition" for each in seen):
        return " when asked twice at once"
    if words := _REQUESTS.get(whats[0] if len(whats) == 1 else explanation.family):
        return f" {words}"
    if {*whats} == {FIXTURE}:
        return _of_fixtures(seen)
    if len(whats) == 1 and whats[0] in _PROOFS:
        return f" where the proof of the sender {_PROOFS[whats[0]]}"
    areas = {each.area for each in seen}
    if len(areas) == 1 and (words := _AREAS.get(seen[0].area)):
        return words
    return " on valid requests" if all(each.valid for each in seen) else " on some requests"


def _of_fixtures(seen: Sequence[Observation]) -> str:
    """Which fixtures fail as they are: ` with the fixture no-payment`."""
    names = list(dict.fromkeys(each.step.removeprefix(f"{FIXTURE} ") for each in seen))
    if len(names) == 1:
        return f" with the fixture {names[0]}"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f" with the fixtures {', '.join(names[:_NAMED])}{more}"


def _predicate(whats: Sequence[str], family: str) -> str:
    """What a member is after one of some mutations."""
    if len(whats) == 1:
        return _PREDICATES.get(whats[0]) or "is not as the contract has it"
    if family in _FAMILIES:
        return _FAMILIES[family]
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
    """How simple a mutation is: the smaller, the simpler. A valid request as it is comes behind them."""
    return _SIMPLEST.index(what) if what in _SIMPLEST else len(_SIMPLEST)


def shown(field: str, what: str, step: Step | None = None) -> str:
    """A request in a few words, such as `/data/order/id: null`, else the name of its step."""
    if what in _PROOFS and step is not None:
        proof = step.name.removesuffix(f" {heading(what)}")
        return f"another {proof}" if what == "wrong" else f"a {proof} that {_PROOFS[what]}"
    if not field:
        return step.name if step is not None else heading(what)
    value = step.set.get(field, UNSET) if step is not None else UNSET
    if value is UNSET:
        return f"{place(field)}: {heading(what)}"
    long = _LONG.fullmatch(value) if isinstance(value, str) else None
    told = f"{int(long[1]):,} characters" if long else shortened(jsontext.flat(value), _SHOWN)
    return f"{place(field)}: {told}"


def accepted(seen: Sequence[Observation]) -> str:
    """Which wrong proofs of the sender were accepted: `one that is null, one that has blanks around it`."""
    whats = sorted({each.what for each in seen}, key=simplicity)
    if "wrong" in whats:
        return "any"
    named = [f"one that {_PROOFS.get(each) or _predicate((each,), '')}" for each in whats]
    more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"


def reduced(title: str, shown: str) -> str:
    """A title with the length at which a smaller request shows the cause: `has 65 characters or more`."""
    found = _CHARACTERS.search(shown)
    return _LENGTH.sub(f"has {found[1]} characters or more", title) if found else title


_LONG = re.compile(r"\$\{text:(\d+)\}")
_CHARACTERS = re.compile(r": ([\d,]+) characters$")
_LENGTH = re.compile(r"has [\d,]+ characters(?: or more)?")
