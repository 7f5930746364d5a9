"""The content-encoding of an answer, undone.

Here and not by libcurl, which takes compressed bytes that were cut short for whole ones, and ends a transfer
whose coding it does not know.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import msgspec

from retailops_sandbox.model import Fault, Headers, HttpResponse

UNDONE = ("gzip", "x-gzip", "deflate")
"""The codings that are undone. A body in any other one stays as it came."""
_MOST = 5
"""The most codings of one body."""
_MOST_MEMBERS = 64
"""The most members of one gzip body: zlib copies all that follows a member."""
_STEP = 1024
"""The bytes that are decoded at once where an error must be found."""
_GZIP = zlib.MAX_WBITS | 16


@lru_cache(maxsize=64)
def codings(headers: Headers) -> tuple[str, ...]:
    """The codings of a body in the order in which they were applied, without `identity`."""
    named = [value for name, value in headers if name.lower() == "content-encoding"]
    each = [coding.strip().lower() for value in named for coding in value.split(",")]
    return tuple([coding for coding in each if coding not in ("", "identity")])


def decoded(response: HttpResponse, most: int) -> tuple[HttpResponse, Fault | None]:
    """The response with the body that its Content-Encoding stands for, and the fault if there is none.

    `most` is the largest size of the body in bytes. With a fault, the body is as much as could be decoded,
    or the bytes as they came. A body in a coding that is not undone here stays as it came.
    """
    named = codings(response.headers)
    if not named or not response.body:
        return response, None
    if len(named) > _MOST:
        return response, Fault("malformed", f"its Content-Encoding names more than {_MOST} codings")
    body = response.body
    for coding in reversed(named):
        if coding not in UNDONE:
            break
        body, fault = _undone(body, coding, most)
        if fault is not None:
            return msgspec.structs.replace(response, body=body or response.body), fault
    return msgspec.structs.replace(response, body=body), None


def _undone(body: bytes, coding: str, most: int) -> tuple[bytes, Fault | None]:
    """The decoded bytes, or as many as there are before a fault."""
    parts: list[bytes] = []
    room = most
    rest = body
    while rest:
        inflating = zlib.decompressobj(_window(rest, coding))
        try:
            part = inflating.decompress(rest, room + 1)
        except zlib.error as error:
            if parts:
                return b"".join(parts), _broken(coding, "something else follows its end")
            return _before_error(rest, coding, room), _broken(coding, _reason(error))
        parts.append(part[:room])
        room -= len(part)
        if room < 0:
            return b"".join(parts), Fault("too large", f"the body is larger than {most} bytes")
        if not inflating.eof:
            return b"".join(parts), _broken(coding, "it is cut short")
        # A gzip body may have several members, and some servers pad it with zeros.
        rest = inflating.unused_data.lstrip(b"\0")
        if rest and (coding == "deflate" or len(parts) == _MOST_MEMBERS):
            return b"".join(parts), _broken(coding, "something else follows its end")
    return b"".join(parts), None


def _window(body: bytes, coding: str) -> int:
    """zlib's argument for the format: gzip, or deflate with or without zlib's header."""
    if coding != "deflate":
        return _GZIP
    has_header = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _before_error(body: bytes, coding: str, most: int) -> bytes:
    """The bytes that can be decoded before an error."""
    inflating = zlib.decompressobj(_window(body, coding))
    parts: list[bytes] = []
    size = at = 0
    step = _STEP
    while at < len(body) and size <= most:
        before = inflating.copy()
        try:
            parts.append(inflating.decompress(body[at : at + step], most - size + 1))
        except zlib.error:
            if step == 1:
                break
            inflating, step = before, 1
        else:
            size += len(parts[-1])
            at += step
    return b"".join(parts)[:most]


def _reason(error: zlib.error) -> str:
    """Why zlib cannot go on."""
    words = str(error)
    if "header" in words or "method" in words:
        return "its bytes are something else"
    return "its checksum is wrong" if "check" in words else "its bytes are damaged"


def _broken(coding: str, why: str) -> Fault:
    return Fault("malformed", f"the body is not the {coding} that its Content-Encoding says: {why}")
