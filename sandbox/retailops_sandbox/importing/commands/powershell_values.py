"""Values of PowerShell: what literals and a few of .NET's methods give, and a value as text or as JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.importing.found import refer
from retailops_sandbox.model import Json, Number

MOST_CHARACTERS = 32 * 1024 * 1024
"""The most characters of all the texts that the statements of a text make."""


_NODE = 100
"""How many characters of that each value of a table or an array uses up: it takes as long to write."""


class Session(msgspec.Struct):
    """A web session or a part of it, with what is set on it that a request sends."""

    user_agent: str = ""
    cookies: list[str] = []
    """The values of its cookies."""


class Answer(msgspec.Struct):
    """The answer to a request, of which nothing is known."""


Value: TypeAlias = "bool | int | Number | str | list[Value] | dict[str, Value] | Session | Answer | None"


def as_text(value: Value) -> str:
    """The value as PowerShell writes it into a text."""
    if value is None or isinstance(value, Session | Answer):
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return " ".join("System.Object[]" if isinstance(each, list) else as_text(each) for each in value)
    if isinstance(value, dict):
        return "System.Collections.Hashtable"
    return value.spelling if isinstance(value, Number) else str(value)


class TooLarge(Exception):
    """A value that is larger or deeper than any that a request sends."""


class JsonText:
    """A value as ConvertTo-Json writes it, with all of its levels; TooLarge for one that has too much in it.

    A value may hold another one in many places, or itself.
    """

    def __init__(self, value: Value) -> None:
        self._left = MOST_CHARACTERS
        self.levels = 0
        """The number of levels of objects and arrays."""
        self.text = jsontext.compact(self._json(value, 0)).decode()

    def _json(self, value: Value, level: int) -> Json:
        self.levels = max(self.levels, level)
        self._left -= _NODE + (len(value) if isinstance(value, str) else 0)
        if self._left < 0 or level > jsontext.MAX_DEPTH:
            raise TooLarge
        if isinstance(value, Session | Answer):
            return None
        if isinstance(value, dict):
            return {key: self._json(each, level + 1) for key, each in value.items()}
        return [self._json(each, level + 1) for each in value] if isinstance(value, list) else value


def member(value: Value, name: str) -> Value:
    """The member of an object; KeyError where it is not known."""
    if isinstance(value, dict):
        names = {key.lower(): key for key in value}
        return value[names[name.lower()]]
    if isinstance(value, Session):
        return value
    if isinstance(value, Answer):
        return refer(name)
    if isinstance(value, str | list) and name.lower() in ("length", "count"):
        return len(value)
    raise KeyError(name)


def put(value: Value, name: str, member: Value) -> None:
    """Set the member of an object; KeyError where that is not known."""
    if isinstance(value, dict):
        value[name] = member
    elif isinstance(value, Session):
        if name.lower() == "useragent":
            value.user_agent = as_text(member)
    else:
        raise KeyError(name)


def call(value: Value, name: str, arguments: Sequence[Value]) -> Value:
    """What a method gives; KeyError where it is not known."""
    lower = name.lower()
    if isinstance(value, dict) and lower == "add" and len(arguments) == 2:
        value[as_text(arguments[0])] = arguments[1]
        return None
    if isinstance(value, Session) and lower == "add":
        value.cookies += [each for one in arguments if isinstance(one, Session) for each in one.cookies]
        return None
    if isinstance(value, str | int | Number) and lower in ("tostring", "toarray"):
        return as_text(value)
    if isinstance(value, str) and lower in _OF_TEXT and not arguments:
        return _OF_TEXT[lower](value)
    raise KeyError(name)


_OF_TEXT: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "tolower": str.lower,
    "toupper": str.upper,
}


def static(type: str, name: str, arguments: Sequence[Value]) -> Value:
    """The result of a static method; KeyError where only running it would show that.

    The bytes of a text stay text here, as nothing but a request's body is made of them.
    """
    short = type.lower().removeprefix("system.")
    lower = name.lower()
    if short.startswith("text.encoding") and lower in ("getbytes", "getstring") and arguments:
        return arguments[0]
    if short == "convert" and lower == "tobase64string" and arguments:
        return b64encode(as_text(arguments[0]).encode()).decode()
    if lower == "new":
        return new(type, arguments)
    raise KeyError(name)


def new(type: str, arguments: Sequence[Value]) -> Value:
    """An object of a type: a web session, or a cookie for one; KeyError for any other."""
    lower = type.lower()
    if "cookie" in lower or "websession" in lower or "webrequestsession" in lower:
        return Session(cookies=[as_text(arguments[1])] if len(arguments) > 1 else [])
    raise KeyError(type)


def cast(type: str, value: Value) -> Value:
    """The value as a type of PowerShell; unchanged for the types that a request does not show."""
    lower = type.lower()
    if lower in ("string", "system.string"):
        return as_text(value)
    if lower == "char" and isinstance(value, int):
        return chr(value) if 0 <= value < 0xD800 or 0xDFFF < value < 0x110000 else ""
    return value
