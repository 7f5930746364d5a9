"""Where an answer ends: by its Content-Length, by its last chunk, or by closing the connection."""

from __future__ import annotations

import re
from functools import lru_cache

from retailops_sandbox.model import Fault, Headers, HttpResponse

LARGEST = 2**63 - 1
"""The largest Content-Length, in bytes, that libcurl can count."""
NO_STATUS_LINE = "its status line is not of the form HTTP/1.1 200 OK"
NO_LENGTH = "its Content-Length is no number of bytes, or there are two of them"
_DIGITS = 40
"""The most digits of a Content-Length that are read."""

_is_status_line = re.compile(r"HTTP/1\.[01] [1-9]\d\d(?: .*)?").fullmatch
_version = re.compile(r"[A-Za-z]{2,8}/\d(?:\.\d)?(?: \d{1,3}\b)?").match


@lru_cache(maxsize=64)
def misframed(status_line: str, headers: Headers) -> Fault | None:
    """The fault of an answer that libcurl takes and other clients do not; None where there is none."""
    if not _is_status_line(status_line):
        return unreadable(f"{NO_STATUS_LINE}{_begun(status_line)}")
    lengths = _lengths(headers)
    if not all(length.isascii() and length.isdecimal() for length in lengths):
        return unreadable(NO_LENGTH)
    if any(len(length) > _DIGITS or int(length) > LARGEST for length in lengths):
        return unreadable("its Content-Length is a number that no answer can have")
    return unreadable(NO_LENGTH) if len({int(length) for length in lengths}) > 1 else None


def unreadable(why: str) -> Fault:
    """The fault of an answer whose beginning or end is not as HTTP has it."""
    return Fault("malformed", f"the answer cannot be read: {why}")


def _begun(status_line: str) -> str:
    """The version that a status line begins with: nothing else of it, which may be anything, is quoted."""
    version = _version(status_line)
    return f" (it begins with {version[0]})" if version else ""


def how_far(response: HttpResponse) -> str:
    """How much of an answer that did not end has come, and what would have ended it."""
    came = _bytes(len(response.body))
    if _value(response.headers, "transfer-encoding"):
        return f"{came} of its body came, and the chunk of size 0 that ends it did not"
    lengths = _lengths(response.headers)
    if lengths:
        return f"{came} of its body came, and its Content-Length announces {lengths[0]}"
    return ""


def has_no_end(response: HttpResponse) -> bool:
    """Whether nothing but closing the connection ends an answer."""
    return not _value(response.headers, "transfer-encoding") and not _lengths(response.headers)


def _lengths(headers: Headers) -> list[str]:
    value = _value(headers, "content-length")
    return [each.strip() for each in value.split(",")] if value else []


def _value(headers: Headers, wanted: str) -> str:
    return ", ".join(value for name, value in headers if name.lower() == wanted)


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count:,} bytes"
