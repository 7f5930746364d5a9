"""What was struck out of a record, as the record lists it, and the record's values with marks there.

Only what a record lists is a mark. A record of format 1 lists nothing: in it, every text that looks like a
mark counts as struck out.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.comparing.judging import Answer
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Difference,
    Expectation,
    Json,
    Judgement,
    Mark,
    Request,
    Response,
    StruckOut,
    encoder,
)
from retailops_sandbox.redaction import marks, octets
from retailops_sandbox.redaction.places import leaves, mark_span

NOTHING: Mapping[str, Sequence[StruckOut]] = {}


def of(record: Delivery | Judgement) -> tuple[StruckOut, ...]:
    """All that was struck out of a record."""
    if record.struck_out is not None:
        return record.struck_out
    if isinstance(record, Delivery):
        return tuple(_of_delivery(record))
    return tuple(_in_value(jsontext.parse(encoder.encode(record)), ""))


def by_part(record: Delivery | Judgement) -> Mapping[str, Sequence[StruckOut]]:
    """What was struck out of a record, by its parts."""
    found: dict[str, list[StruckOut]] = {}
    for place in of(record):
        found.setdefault(place.part, []).append(place)
    return found


def in_part(record: Delivery | Judgement, part: str) -> list[StruckOut]:
    """What was struck out of one part of a record."""
    return [place for place in of(record) if place.part == part]


def names(record: Delivery, *parts: str) -> list[str]:
    """The names of the secrets that were struck out of parts of a delivery, such as `/request`, each once."""
    found = (place.name for place in of(record) if place.part.startswith(parts))
    return list(dict.fromkeys(found))


def spans(places: Iterable[StruckOut]) -> list[marks.Span]:
    """The spans of places in a text that is not JSON."""
    return [marks.Span(*each.span, each.name) for each in places if each.span is not None]


def text_of(sent: Delivery, place: StruckOut) -> str:
    """The mark at a place of a delivery, as it is written there; empty where it is not."""
    text: Any = pointer.get(jsontext.parse(encoder.encode(sent)), place.part, "")
    span = mark_span(text, place) if isinstance(text, str) else None
    if span is None:
        return ""
    written = text[slice(*span)]
    return written if place.pointer is None else str(jsontext.parse(f'"{written}"'))


def pieces(text: str, places: Iterable[StruckOut]) -> list[str]:
    """A part's text in pieces, those that are struck out as marks."""
    found = ((mark_span(text, place), place) for place in places)
    done = 0
    parts: list[str] = []
    for (start, end), place in sorted(((span, place) for span, place in found if span), key=_start):
        if start >= done:
            parts += [text[done:start], Mark(text[start:end], place.name, place.type)]
            done = end
    return [each for each in (*parts, text[done:]) if each]


def _start(found: tuple[tuple[int, int], StruckOut]) -> tuple[int, int]:
    return found[0]


# --- values with marks ----------------------------------------------------------------------------------


def payload(sent: Delivery) -> Json:
    """The JSON value of a delivery's request, with marks; SourceError where its body is not JSON."""
    return jsontext.with_marks(jsontext.parse(sent.request.body), in_part(sent, "/request/body"))


def composed(sent: Delivery) -> Json:
    """The JSON value of a payload before its placeholders were filled, with marks; or SourceError."""
    return jsontext.with_marks(jsontext.parse(sent.composed), in_part(sent, "/composed"))


def answered(sent: Delivery) -> Json:
    """The JSON value of a delivery's answer, with marks; SourceError where its body is not JSON."""
    response = sent.response
    if response is None or response.base64:
        raise SourceError("there is no JSON answer")
    return jsontext.with_marks(jsontext.parse_answer(response.body), in_part(sent, "/response/body"))


def answer(sent: Delivery) -> Answer:
    """What came back for a delivery of the log, to be judged again."""
    in_body, in_headers = [], {}
    for place in of(sent):
        if place.part == "/response/body":
            in_body.append(place)
        elif place.part.startswith("/response/headers/"):
            in_headers[int(pointer.parse(place.part)[2])] = place
    response = sent.response
    if response is not None and in_headers:
        response = msgspec.structs.replace(
            response,
            headers=tuple(
                (name, Mark(value, in_headers[at].name) if at in in_headers else value)
                for at, (name, value) in enumerate(response.headers)
            ),
        )
    return Answer(sent, response, tuple(in_body))


def judged(judgement: Judgement) -> Judgement:
    """A judgement of the log, with marks in its expectation and its differences."""
    places = of(judgement)
    if not places:
        return judgement
    expectation = judgement.expectation
    return msgspec.structs.replace(
        judgement,
        expectation=expectation and _marked(expectation, "/expectation", places),
        differences=tuple(
            _marked(each, f"/differences/{number}", places)
            for number, each in enumerate(judgement.differences)
        ),
    )


def expectation(judgement: Judgement | None) -> Expectation | None:
    """The expectation of a judgement of the log, with marks."""
    return None if judgement is None else judged(judgement).expectation


def secrets_at(at: str, value: Json, sent: Delivery) -> tuple[tuple[str, str], ...]:
    """The secrets, with their names, in a value of an answer, of which the log struck out some places."""
    found: list[tuple[str, str]] = []
    for place in in_part(sent, "/response/body"):
        pointed = place.pointer or ""
        if at == pointed or at.startswith(f"{pointed}/"):
            found += [(place.name, leaf) for leaf in leaves(value)]
        elif pointed.startswith(f"{at}/"):
            inner = pointer.get(value, pointed[len(at) :], None)
            found += [(place.name, leaf) for leaf in leaves(inner)] if inner is not None else []
    return tuple(found)


def kept_marks(typed: Expectation, before: Expectation) -> Expectation:
    """An expectation as it was typed, with marks where it still has the texts of those of the one before."""
    return msgspec.structs.replace(
        typed,
        body=_kept_marks(typed.body, before.body),
        rules=_kept_marks(typed.rules, before.rules),
        headers=_kept_marks(typed.headers, before.headers),
    )


def _kept_marks(typed: Any, before: Any) -> Any:
    if isinstance(before, Mark):
        return before if typed == str(before) else typed
    if isinstance(typed, dict) and isinstance(before, dict):
        return {name: _kept_marks(child, before.get(name)) for name, child in typed.items()}
    if isinstance(typed, list) and isinstance(before, list):
        rest = [None] * (len(typed) - len(before))
        return [_kept_marks(*both) for both in zip(typed, [*before, *rest], strict=False)]
    return typed


_Marked = TypeVar("_Marked", Expectation, Difference)


def _marked(struct: _Marked, at: str, places: Iterable[StruckOut]) -> _Marked:
    """An expectation or difference, with marks in its values."""
    fields: dict[str, list[StruckOut]] = {}
    for place in places:
        if place.part.startswith(f"{at}/"):
            field, _, beneath = place.part[len(at) + 1 :].partition("/")
            inner = msgspec.structs.replace(place, pointer=f"/{beneath}" if beneath else "")
            fields.setdefault(field, []).append(inner)
    known = {field: found for field, found in fields.items() if field in _WITH_MARKS}
    if not known:
        return struct
    values: dict[str, Any] = {
        field: jsontext.with_marks(getattr(struct, field), found)
        for field, found in known.items()
        if getattr(struct, field, UNSET) is not UNSET
    }
    return msgspec.structs.replace(struct, **values)


_WITH_MARKS = ("body", "rules", "headers", "expected", "actual", "rule")
"""The fields of expectations and differences in which there can be marks."""


def listed(value: Any, part: str) -> Iterator[StruckOut]:
    """The marks in a value, whose pointer in its record is `part`."""
    if isinstance(value, Mark):
        yield StruckOut(part=part, name=value.name, type=value.type)
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from listed(child, f"{part}/{pointer.escape(name)}")
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from listed(child, f"{part}/{position}")


# --- records of format 1 --------------------------------------------------------------------------------


def _of_delivery(sent: Delivery) -> Iterator[StruckOut]:
    yield from _in_text(sent.request.url, "/request/url")
    for part, side in (("/request", sent.request), ("/response", sent.response)):
        if side is not None:
            for position, header in enumerate(side.headers):
                yield from _in_text(header[0], f"{part}/headers/{position}/0")
                yield from _in_text(header[1], f"{part}/headers/{position}/1")
            yield from _in_body(side, f"{part}/body")
    if sent.fault is not None:
        yield from _in_text(sent.fault.message, "/fault/message")
    yield from _in_json(sent.composed, "/composed")
    for name, text in sent.own_headers.items():
        yield from _in_text(text or "", f"/own_headers/{pointer.escape(name)}")


def _in_body(side: Request | Response, part: str) -> Iterator[StruckOut]:
    if side.base64:
        yield from _in_text(octets.text_of(b64decode(side.body)), part)
    else:
        yield from _in_json(side.body, part)


def _in_json(text: str, part: str) -> Iterator[StruckOut]:
    looking = [each.span() for each in marks.LOOKS_LIKE.finditer(text)]
    if not looking:
        return
    try:
        jsontext.parse(text)
    except SourceError:
        yield from _in_text(text, part)
        return
    for leaf in jsontext.leaves_within(text, looking):
        found = marks.LOOKS_LIKE.search(text, leaf.start, leaf.end)
        if found is not None:
            yield StruckOut(part=part, name=found[1], pointer=leaf.pointer, key=leaf.is_key)


def _in_text(text: str, part: str) -> Iterator[StruckOut]:
    for found in marks.LOOKS_LIKE.finditer(text):
        yield StruckOut(part=part, name=found[1], span=found.span())


def _in_value(value: Json, part: str) -> Iterator[StruckOut]:
    if isinstance(value, str):
        found = marks.LOOKS_LIKE.search(value)
        if found is not None:
            yield StruckOut(part=part, name=found[1])
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _in_value(child, f"{part}/{pointer.escape(name)}")
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _in_value(child, f"{part}/{position}")
