"""A body as text, and the places in it whose values are secret: those at a contract's secret pointers."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json
from retailops_sandbox.redaction.marks import is_mark
from retailops_sandbox.redaction.secrets import Secrets


class Place(msgspec.Struct, frozen=True):
    """A value at a secret pointer; `start` and `end` are offsets in the body's text."""

    start: int
    end: int
    name: str
    value: Json


class Body(msgspec.Struct, frozen=True):
    """A body as text, even where it is not UTF-8, and the places in it that are secret."""

    text: str
    binary: bool
    places: list[Place]

    @classmethod
    def of(cls, body: bytes, secret_pointers: tuple[str, ...]) -> Body:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return cls(body.decode("utf-8", "surrogateescape"), True, [])
        return cls(text, False, _places(text, secret_pointers))

    def kept(self, secrets: Secrets) -> str:
        """The body as it may be kept: redacted, and in base64 where it is not UTF-8."""
        if not self.places and not self.binary:
            return secrets.document(self.text)
        if self.binary:
            return b64encode(secrets.plain(self.text).encode("utf-8", "surrogateescape")).decode()
        parts: list[str] = []
        done = 0
        for place in self.places:
            if place.start >= done:
                written = self.text[place.start : place.end]
                mark = secrets.place(place.value if isinstance(place.value, str) else written, place.name)
                parts += self.text[done : place.start], f'"{mark}"'
                done = place.end
        return secrets.document("".join(parts) + self.text[done:])


def leaves(value: Json) -> Iterator[str]:
    """The strings and numbers in a value, as text."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield value
    else:
        yield jsontext.compact(value).decode()


def _places(text: str, secret_pointers: tuple[str, ...]) -> list[Place]:
    """The places of the secret pointers, outer ones first; null, "" and marks are no secrets."""
    if not secret_pointers:
        return []
    named = [(pointer, name) for pointer, name in _named(secret_pointers) if name in text or "\\" in text]
    if not named:
        return []
    try:
        document = jsontext.parse(text)
    except SourceError:
        loose = [place for _, name in named for place in _loose_places(text, name)]
        return sorted(loose, key=_position)
    spans = [(jsontext.span(text, pointer, document), pointer, name) for pointer, name in named]
    places = [
        Place(*span, name, pointers.resolve(document, pointer)) for span, pointer, name in spans if span
    ]
    return sorted((place for place in places if _is_secret(place.value)), key=_position)


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
            yield Place(*match.span(1), name, value)


def _is_secret(value: Json) -> bool:
    return value is not None and value != "" and not is_mark(value)
