"""A request as it was found in a text."""

from __future__ import annotations

import re

import msgspec

from retailops_sandbox.model import Headers, HttpResponse

_REFERENCE_START, _REFERENCE_END = "\ufdd0", "\ufdd1"
"""Noncharacters: no text that is meant to be read has them."""

REFERENCE = re.compile(f"{_REFERENCE_START}(\\w+){_REFERENCE_END}")
"""A variable of the environment in a text that was found."""


def refer(name: str) -> str:
    """What stands for a variable of the environment until the text becomes a template."""
    return f"{_REFERENCE_START}{name}{_REFERENCE_END}"


def has_noncharacters(text: str) -> bool:
    """Whether a text could be mistaken for one with references."""
    return _REFERENCE_START in text or _REFERENCE_END in text


class FoundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, and what answered it where that is known."""

    place: str
    """Where it stands: `line 3`, `entry 2`."""
    body: bytes
    """May hold references, as header values may."""
    method: str = ""
    """Empty where nothing says."""
    url: str = ""
    headers: Headers = ()
    response: HttpResponse | None = None
    secrets: tuple[tuple[str, str], ...] = ()
    """What it proved itself with beside its headers: what that is, and its value."""
    notes: tuple[str, ...] = ()
    """What of it is not carried over, each in one line."""
