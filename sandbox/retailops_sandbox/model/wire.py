"""Requests and responses as bytes, how to connect, and what can go wrong on the way."""

# No `from __future__ import annotations`: msgspec would compile each string when the first file is read.

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

LONGEST_MS = 24 * 60 * 60 * 1000
"""The longest time limit or pause that can be set, in milliseconds."""

Headers: TypeAlias = tuple[tuple[str, str], ...]
Status: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=999)]
"""A status. In what is decoded, another number is a mistake."""

_Number: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Member: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": r"^(/([^~/]|~[01])*)+$"})]
"""A JSON Pointer that names something. The pattern is in the JSON Schema alone."""

WrongProof: TypeAlias = Literal[
    "shortened",
    "shortened-in-front",
    "lengthened",
    "lengthened-in-front",
    "altered",
    "other-case",
    "spaced",
    "in-array",
]
"""How a proof of the sender is made wrong: without its last or its first character, with one more behind or
in front, with another last one, in the other case, with a blank on both sides, as the item of an array."""

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


class Wire(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """How a request is spelled on the wire, where it is not the usual way."""

    method: Annotated[str | None, Meta(description="The HTTP method, instead of the contract's.")] = None
    path: Annotated[
        str | None,
        Meta(description="Path and query as they are sent, instead of those of the receiver's URL."),
    ] = None
    http: Annotated[Literal["1.0", "1.1"], Meta(description="The version of HTTP.")] = "1.1"
    headers: Annotated[
        list[str],
        Meta(
            description="Header lines, sent as they are and in this order, instead of all headers of their "
            "names: in their case, also one name twice."
        ),
    ] = []
    lower_case: Annotated[
        bool, Meta(description="Write the names of all headers in lower case, but for those in headers.")
    ] = False
    chunked: Annotated[
        _Number | None, Meta(description="Send the body in chunks of so many bytes, without its length.")
    ] = None
    compressed: Annotated[
        Literal["gzip", "deflate"] | None,
        Meta(description="Compress the body, and say so in Content-Encoding."),
    ] = None
    charset: Annotated[
        Literal["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"] | None,
        Meta(
            description="Write the body in this encoding. utf-8-sig and utf-16 begin with a byte order mark; "
            "what latin-1 has not is escaped."
        ),
    ] = None
    twice: Annotated[
        _Member | None,
        Meta(description="Pointer to a member of the payload that is written twice in its object."),
    ] = None
    expect_continue: Annotated[
        bool,
        Meta(
            description="Send Expect: 100-continue, and the body when the receiver says so, "
            "after a second at the latest."
        ),
    ] = False
    bytes_per_second: Annotated[
        _Number | None, Meta(description="The greatest speed at which the request is sent.")
    ] = None
    proof: Annotated[
        WrongProof | None,
        Meta(
            description="Make the proof of the sender wrong, which is the receiver's token or a signature: "
            "one character less, one more or another one, the other case, blanks around it, in an array."
        ),
    ] = None
    break_off_after: Annotated[
        _Count | None,
        Meta(
            description="Hang up after so many bytes of the body were sent, at its end at the latest. "
            "Such a delivery is not judged."
        ),
    ] = None


class HttpRequest(msgspec.Struct, frozen=True):
    """The exact request. Nothing alters it after *build*."""

    method: str
    url: str
    headers: Headers
    body: bytes
    wire: Wire | None = None
    """How it is spelled, where that is not the usual way: `headers` and `body` are so already, and the
    transport does the rest."""
    composed: bytes | None = None
    """The body before `wire` made others of its bytes; None where it is the body as it is."""
    left_out: tuple[str, ...] = ()
    """The names in lower case of headers that are not sent although every request has them, as Host.
    With a `wire` only."""


class Connection(msgspec.Struct, frozen=True):
    """How to connect to a receiver, and the limits: times in milliseconds, sizes in bytes."""

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
    """Whether the answer's content-encoding is undone; otherwise its body is kept as it came."""
    drop_after_ms: int | None = None
    """When to hang up on purpose, counted from the start; None means never."""


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
    """A response, content-decoded unless the connection's `decode` is false."""

    status: int
    http_version: str
    headers: Headers
    body: bytes


class Redirect(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer that leads elsewhere, of a delivery that follows redirects."""

    status: Status
    location: str
    """Its Location, as it came."""
    url: str = ""
    """The URL that was asked next; empty where it was not followed."""
    not_followed: str = ""
    """Why it was not followed."""


class Exchange(msgspec.Struct, frozen=True):
    """One attempt to send, as bytes. With a fault, `response` is what had arrived by then."""

    request_headers: Headers
    """The headers that were really sent, with those that the transport added; empty if nothing was sent."""
    response: HttpResponse | None
    fault: Fault | None
    timings: Timings
    reused: bool = False
    """Whether the connection was open already."""
    redirects: tuple[Redirect, ...] = ()
    """The redirects on the way to the response, in order. The headers sent are those of the first request."""
