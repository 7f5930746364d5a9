"""How a request is spelled on the wire, in words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from retailops_sandbox.model import Delivery, Request, Wire

CHARSETS = {
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16 with a byte order mark",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "latin-1": "Latin-1",
}
WRONG_PROOFS = {
    "shortened": "a character short",
    "shortened-in-front": "a character short in front",
    "lengthened": "a character too long",
    "lengthened-in-front": "a character too long in front",
    "altered": "wrong in its last character",
    "other-case": "in the other case",
    "spaced": "between blanks",
    "in-array": "in an array",
}
"""How a proof of the sender is made wrong."""


def spelled(wire: Wire) -> str:
    """What is unusual, such as `in chunks of 7 bytes, gzip, HTTP/1.0`, to go on from `sent`."""
    return ", ".join(_parts(wire)) or "in the usual way"


def request_line(sent: Delivery) -> str:
    """The method of a delivery and the URL that it asked, with what else the first line says unusually."""
    return line_of(sent.request, sent.wire)


def line_of(request: Request, wire: Wire | None) -> str:
    """As `request_line`, of a request that is spelled so."""
    if wire is None:
        return f"{request.method} {request.url}"
    is_in_url = wire.path is None or wire.path.startswith("/")
    target = request.url if is_in_url else f"{wire.path} at {request.url}"
    version = f" HTTP/{wire.http}" if wire.http != "1.1" else ""
    return f"{request.method} {target}{version}"


def body_note(sent: Delivery) -> str:
    """Why the body that the log keeps is not byte for byte what was sent; empty where it is."""
    wire = sent.wire
    if wire is None:
        return ""
    of_body = msgspec.structs.replace(
        wire,
        method=None,
        path=None,
        http="1.1",
        headers=[],
        lower_case=False,
        expect_continue=False,
        bytes_per_second=None,
        proof=None,
    )
    return f"The body as it was composed. It was sent {spelled(of_body)}." if of_body != Wire() else ""


def _parts(wire: Wire) -> Iterator[str]:
    if wire.method is not None:
        yield f"by {wire.method}"
    if wire.path is not None:
        yield f"to {wire.path}"
    if wire.twice is not None:
        yield f"with {wire.twice} twice"
    if wire.charset is not None:
        yield f"in {CHARSETS[wire.charset]}"
    if wire.chunked is not None:
        yield f"in chunks of {_bytes(wire.chunked)}"
    if wire.compressed is not None:
        yield wire.compressed
    if wire.http != "1.1":
        yield f"HTTP/{wire.http}"
    if wire.expect_continue:
        yield "with Expect: 100-continue"
    if lines := len(wire.headers):
        yield "with a header line as written" if lines == 1 else f"with {lines} header lines as written"
    if wire.lower_case:
        yield "with header names in lower case"
    if wire.proof is not None:
        yield f"with a proof of the sender that is {WRONG_PROOFS[wire.proof]}"
    if wire.bytes_per_second is not None:
        yield f"at {_bytes(wire.bytes_per_second)} a second"
    if wire.break_off_after is not None:
        yield f"broken off after {_bytes(wire.break_off_after)} of the body"


def _bytes(number: int) -> str:
    return "1 byte" if number == 1 else f"{number:,} bytes"
