"""The fields of a step's form for how its requests are spelled on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox.model import Json, Wire
from retailops_sandbox.reporting.render import wire_words
from retailops_sandbox.web.shell import forms

_PREFIX = "f-wire-"
_NUMBERS = ("chunked", "bytes_per_second", "break_off_after")
_FLAGS = ("lower_case", "expect_continue")
_MOST_DIGITS = 18
_DEFAULT_HTTP = Wire().http


class FieldProblem(Exception):
    """The error of a field that cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class WireForm(msgspec.Struct, frozen=True, kw_only=True):
    """A `Wire` as its fields show it, which have the names of its own. Empty is the usual way."""

    method: str = ""
    path: str = ""
    http: str = _DEFAULT_HTTP
    headers: str = ""
    """A header line each."""
    lower_case: bool = False
    chunked: str = ""
    compressed: str = ""
    charset: str = ""
    twice: str = ""
    expect_continue: bool = False
    bytes_per_second: str = ""
    proof: str = ""
    break_off_after: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether nothing is spelled in another way."""
        return self == WireForm()

    @classmethod
    def of(cls, typed: FormData) -> WireForm:
        """The fields as they were typed."""
        texts: dict[str, Any] = {
            name: forms.text(typed, _PREFIX + name) for name in cls.__struct_fields__ if name not in _FLAGS
        }
        texts["http"] = texts["http"] or _DEFAULT_HTTP
        return cls(**texts | {name: _PREFIX + name in typed for name in _FLAGS})

    @classmethod
    def read(cls, wire: Mapping[str, Any]) -> WireForm:
        """The fields of a wire as a file holds it."""
        texts: dict[str, Any] = {name: str(value) for name, value in wire.items() if value is not None}
        texts["headers"] = "\n".join(wire.get("headers") or ())
        return cls(**texts | {name: bool(wire.get(name)) for name in _FLAGS})

    def applied(self, wire: Mapping[str, Json], shown: WireForm) -> dict[str, Json]:
        """A wire with what is typed otherwise than it was shown; FieldProblem for what is no number."""
        made = dict(wire)
        for name in self.__struct_fields__:
            if getattr(self, name) == getattr(shown, name):
                continue
            value = self._value(name)
            is_usual = value is False or value in ("", []) or (name == "http" and value == _DEFAULT_HTTP)
            if is_usual:
                made.pop(name, None)
            else:
                made[name] = value
        return made

    def _value(self, name: str) -> Json:
        typed = getattr(self, name)
        if isinstance(typed, bool):
            return typed
        if name == "headers":
            return [line.rstrip("\r") for line in typed.split("\n") if line.strip()]
        text: str = typed.strip()
        if name not in _NUMBERS or not text:
            return text
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
            raise FieldProblem(f"wire-{name}", "write a number of bytes, such as 64")
        return int(text)


CHOICES: Mapping[str, Sequence[tuple[str, str]]] = {
    "http": [("1.1", "HTTP/1.1"), ("1.0", "HTTP/1.0")],
    "charset": [("", "UTF-8"), *wire_words.CHARSETS.items()],
    "compressed": [("", "none"), ("gzip", "gzip"), ("deflate", "deflate")],
    "proof": [("", "the right one"), *wire_words.WRONG_PROOFS.items()],
}
"""The values of the fields that have few, each with its words."""
