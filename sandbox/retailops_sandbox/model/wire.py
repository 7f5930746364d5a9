"""What is sent and what comes back, as bytes."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

LONGEST_MS = 24 * 60 * 60 * 1000
"""The longest time, in milliseconds, that anything can be told to wait."""

Headers: TypeAlias = tuple[tuple[str, str], ...]

FaultKind = Literal[
    "dns",
    "refused",
    "tls",
    "connect timeout",
    "deadline",
    "closed",
    "malformed",
    "too large",
    "cancelled",
]


class HttpRequest(msgspec.Struct, frozen=True):
    """The exact request: nothing alters it after *build*."""

    method: str
    url: str
    headers: Headers
    body: bytes


class Connection(msgspec.Struct, frozen=True):
    """How to reach a receiver, how long and how much to wait for: in milliseconds and bytes."""

    timeout_ms: int = 15_000
    connect_timeout_ms: int = 5_000
    max_body: int = 8 * 1024 * 1024
    max_headers: int = 256 * 1024
    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    proxy: str = ""
    netrc: bool = False
    follow_redirects: bool = False
    decode: bool = True
    """Undo the content-encoding of the answer; otherwise its body is as it came."""
    drop_after_ms: int | None = None
    """Hang up on purpose this long after the start; None never does."""


class Timings(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long each phase took, in milliseconds; 0 where it did not happen (a reused connection).

    `first_byte` is the wait from the connection being ready to the first byte of the answer;
    `total` is everything from start to end.
    """

    lookup: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    total: float = 0.0


class Fault(msgspec.Struct, frozen=True):
    """Why there is no usable HTTP response."""

    kind: FaultKind
    message: str


class HttpResponse(msgspec.Struct, frozen=True):
    """What came back, content-decoded."""

    status: int
    http_version: str
    headers: Headers
    body: bytes


class Exchange(msgspec.Struct, frozen=True):
    """One attempt on the wire, as bytes. With a fault, `response` is what had arrived by then."""

    request_headers: Headers
    """The headers really sent, also those that the transport added; empty if nothing went out."""
    response: HttpResponse | None
    fault: Fault | None
    timings: Timings
    reused: bool = False
    """The connection was open already."""
