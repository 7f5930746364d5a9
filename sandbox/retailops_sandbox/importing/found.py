"""Requests as they are found in a text, before they belong to a contract."""

from __future__ import annotations

import re

import msgspec

from retailops_sandbox.errors import SourceError, shortened
from retailops_sandbox.model import Headers, HttpResponse

_REFERENCE_START, _REFERENCE_END = "\ufdd0", "\ufdd1"
"""Unicode noncharacters, which no text meant for reading holds."""

MOST_REQUESTS = 1_000
"""The most requests of one import that become steps."""

_SHOWN = 60
"""The most characters of a text that a message quotes."""

REFERENCE = re.compile(f"{_REFERENCE_START}(\\w+){_REFERENCE_END}")
"""A reference to a variable of the environment; group 1 is the variable's name."""


def refer(name: str) -> str:
    """The reference to a variable of the environment, as found texts hold it."""
    return f"{_REFERENCE_START}{name}{_REFERENCE_END}"


def shown(text: str) -> str:
    """A piece of a text that is imported, short and in one line, for a message."""
    text = shortened(text, _SHOWN)
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def has_noncharacters(text: str) -> bool:
    """Whether a text holds the noncharacters that mark references."""
    return _REFERENCE_START in text or _REFERENCE_END in text


def too_many(file: str) -> SourceError:
    """The error of a text with more requests than one import takes."""
    what = f"there are more than {MOST_REQUESTS:,} requests in it that can be imported"
    return SourceError(what, mend="import a part of it", file=file)


class FoundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request in a text, with its response where the text holds that too."""

    place: str
    """The place of the request in the text: `line 3`, `entry 2`."""
    body: bytes
    """The body, in which references may stand, as in the values of headers. Empty where `lacks` says why."""
    method: str = ""
    """Empty where the text does not say it."""
    url: str = ""
    headers: Headers = ()
    response: HttpResponse | None = None
    secrets: tuple[tuple[str, str], ...] = ()
    """Credentials outside the headers: for each a description and the value."""
    lacks: str = ""
    """Why the text does not have the request's body; empty where it does."""
    notes: tuple[str, ...] = ()
    """One line for each part of the request that is not taken over."""
