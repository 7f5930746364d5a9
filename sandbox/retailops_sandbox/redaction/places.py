"""A body as text, and the places in it whose values are secret: those at a contract's secret pointers."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, StruckOut
from retailops_sandbox.redaction import marks, octets
from retailops_sandbox.redaction.secrets import Cut, Secrets, json_type


class Place(msgspec.Struct, frozen=True):
    """A value at a secret pointer; `start` and `end` are offsets in the body's text."""

    start: int
    end: int
    name: str
    value: Json
    pointer: str | None
    """None in a text that is not JSON."""


class KeptBody(msgspec.Struct, frozen=True):
    """A body as it may be kept: its text, or its base64 where it is not UTF-8, and what was struck out."""

    text: str
    base64: bool
    struck_out: tuple[StruckOut, ...]


class Body(msgspec.Struct, frozen=True):
    """A body as text, even where it is not UTF-8, and the places in it that are secret."""

    text: str
    binary: bool
    places: list[Place]
    encoded: str = ""
    """The base64 of a binary body."""

    @classmethod
    def of(cls, body: bytes, secret_pointers: tuple[str, ...], document: Any = UNSET) -> Body:
        """The body of these bytes. `document` is their JSON value, where that is known."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return cls(octets.text_of(body), True, [], b64encode(body).decode())
        return cls(text, False, _places(text, secret_pointers, document))

    @property
    def unredacted(self) -> str:
        """The body as a record has it, before anything is struck out: its text, or its base64."""
        return self.encoded if self.binary else self.text

    def kept(self, secrets: Secrets, part: str, known: tuple[StruckOut, ...] = ()) -> KeptBody:
        """The body as it may be kept, as the `part` of a record.

        `known` is what was struck out of it already.
        """
        if self.binary:
            spans = [marks.Span(*each.span, each.name) for each in known if each.span is not None]
            text, found = secrets.struck_text(self.text, spans)
            encoded = self.encoded if text is self.text else b64encode(octets.bytes_of(text)).decode()
            return KeptBody(encoded, True, tuple(in_text(part, span) for span in found))
        cuts = [*self._cuts(secrets), *(cut for each in known if (cut := _again(self.text, each)))]
        text, made = secrets.struck_document(self.text, cuts)
        return KeptBody(text, False, tuple(_listed(part, cut) for cut in made) if made else ())

    def _cuts(self, secrets: Secrets) -> Iterator[Cut]:
        for place in self.places:
            written = place.value if isinstance(place.value, str) else self.text[place.start : place.end]
            name = secrets.name_at(written, place.name)
            mark, type = f'"{marks.mark(name)}"', json_type(place.value)
            yield Cut(place.start, place.end, name, mark, place.pointer, type=type)


def in_text(part: str, span: marks.Span) -> StruckOut:
    """A mark in a text that is not JSON."""
    return StruckOut(part=part, name=span.name, span=(span.start, span.end))


def _listed(part: str, cut: Cut) -> StruckOut:
    if cut.pointer is None:
        return StruckOut(part=part, name=cut.name, span=(cut.start, cut.end))
    return StruckOut(part=part, name=cut.name, pointer=cut.pointer, key=cut.is_key, type=cut.type)


def _again(text: str, known: StruckOut) -> Cut | None:
    """The cut that leaves a known mark as it is; None where the text does not have its place."""
    if known.pointer is None:
        start, end = known.span or (0, 0)
        return Cut(start, end, known.name, text[start:end]) if text[start:end] else None
    span = mark_span(text, known)
    if span is None:
        return None
    start, end = span[0] - 1, span[1] + 1
    return Cut(start, end, known.name, text[start:end], known.pointer, known.key, known.type)


def mark_span(text: str, place: StruckOut) -> tuple[int, int] | None:
    """Where the mark of a place is in the text of its part, without quotes; None where it is not there."""
    if place.pointer is None:
        return place.span
    try:
        jsontext.parse(text)
        found = jsontext.key_span(text, place.pointer) if place.key else jsontext.span(text, place.pointer)
    except (SourceError, pointers.PointerError):
        return None
    return None if found is None or text[found[0]] != '"' else (found[0] + 1, found[1] - 1)


def leaves(value: Json) -> Iterator[str]:
    """The strings and numbers in a value, as text."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield value
    else:
        yield jsontext.compact(value).decode()


def _places(text: str, secret_pointers: tuple[str, ...], document: Any) -> list[Place]:
    """The places of the secret pointers, outer ones first; null and "" are no secrets."""
    if not secret_pointers:
        return []
    named = [(pointer, name) for pointer, name in _named(secret_pointers) if name in text or "\\" in text]
    if not named:
        return []
    try:
        document = jsontext.parse(text) if document is UNSET else document
    except SourceError:
        loose = [place for _, name in named for place in _loose_places(text, name)]
        return sorted(loose, key=_position)
    places: list[Place] = []
    for pointer, name in named:
        value = pointers.get(document, pointer, None)
        span = jsontext.span(text, pointer, document) if _is_secret(value) else None
        if span is not None:
            places.append(Place(*span, name, value, pointer))
    places.sort(key=_position)
    return places


@lru_cache
def _named(secret_pointers: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each pointer with the name of the member that it leads to."""
    return [(pointer, pointers.parse(pointer)[-1]) for pointer in secret_pointers]


def _position(place: Place) -> tuple[int, int]:
    return place.start, -place.end


def _loose_places(text: str, name: str) -> Iterator[Place]:
    """Values of members of that name in a text that is almost JSON."""
    member = re.compile(rf'"{re.escape(name)}"\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+)', re.S)
    for match in member.finditer(text):
        value = match[1].strip('"')
        if value != "null" and _is_secret(value):
            yield Place(*match.span(1), name, value, None)


def _is_secret(value: Json) -> bool:
    return value is not None and value != ""
