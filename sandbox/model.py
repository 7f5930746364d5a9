"""The types that travel through the layers. Nothing here does anything but hold, spell and name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, field


class Number(Decimal):
    """A JSON number that is not a plain integer: compared by value, written back as it was spelled."""

    __slots__ = ("spelling",)
    spelling: str

    def __new__(cls, spelling: str) -> Number:
        self = super().__new__(cls, spelling)
        self.spelling = spelling
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Number, (self.spelling,)

    def __deepcopy__(self, memo: Any) -> Number:
        return self


Json: TypeAlias = "bool | int | Number | str | list[Json] | dict[str, Json] | None"
Headers: TypeAlias = tuple[tuple[str, str], ...]

Verdict = Literal["passed", "failed", "errored", "recorded", "skipped"]
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


# --- What is sent, and what comes back -------------------------------------------------------------


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


# --- The receiver under test ------------------------------------------------------------------------


class Basic(msgspec.Struct, frozen=True, tag="basic", tag_field="kind", forbid_unknown_fields=True):
    username: str
    password: str


class Bearer(msgspec.Struct, frozen=True, tag="bearer", tag_field="kind", forbid_unknown_fields=True):
    token: str


class Netrc(msgspec.Struct, frozen=True, tag="netrc", tag_field="kind", forbid_unknown_fields=True):
    """User and password come from the user's netrc file."""


class Receiver(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The integrator's endpoint under test, as `receivers.json` holds it. Strings may hold placeholders."""

    name: str
    base_url: str
    paths: dict[str, str] = {}
    """Action to path, where it is not the contract's; may be empty."""
    headers: dict[str, str] = {}
    auth: Basic | Bearer | Netrc | None = None
    token: str = ""
    """The shared secret that *build* puts at the contract's auth pointer."""
    variables: dict[str, Any] = {}
    secret_env: tuple[str, ...] = ()
    """Names of further environment variables whose values are secret."""
    timeout_ms: int = 15_000
    connect_timeout_ms: int = 5_000
    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    proxy: str = ""
    follow_redirects: bool = False
    protected: bool = False
    """Nothing is sent without an explicit yes for that send."""
    stand_in: bool = False


# --- Scenarios ---------------------------------------------------------------------------------------

Rule: TypeAlias = str | dict[str, Any]
"""A matcher as it stands in a file: `"ignore"` or `{"regex": "^ERR"}`; match.py knows them."""


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """The expected response. What is absent is not compared; status then means the contract's ok_statuses."""

    status: int | list[int] | None = None
    max_ms: float | None = None
    headers: dict[str, Rule] = {}
    body: Any = UNSET
    rules: dict[str, Rule] = {}
    contract: bool = True
    """Whether a violation of the response schema fails the delivery."""
    fault: FaultKind | None = None


class Deliver(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """How a step's bytes are delivered."""

    times: int = 1
    parallel: int = 1
    delay_ms: int = 0
    timeout_ms: int | None = None
    headers: dict[str, str] = {}
    content_type: str | None = None
    drop_after_ms: int | None = None
    """Hang up on the first delivery after this long; the redelivery that follows is the one judged."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One item of a scenario: compose once, deliver, judge each delivery against one expectation."""

    name: str = ""
    fixture: str | None = None
    payload: Any = UNSET
    raw: str | None = None
    """Bytes to send as they are, as text or, with the prefix `base64:`, encoded."""
    remove: list[str] = []
    set: dict[str, Any] = {}
    deliver: Deliver = Deliver()
    expect: Expectation | list[Expectation] | None = None
    capture: dict[str, str] = {}
    off_contract: bool = False


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """An ordered plan in a file."""

    schema: str = field(default="", name="$schema")
    format: Literal[1] = 1
    name: str = ""
    description: str = ""
    tags: list[str] = []
    action: str = "order_cancel"
    edition: str = "draft"
    variables: dict[str, Any] = {}
    steps: list[Step]


# --- Judging -----------------------------------------------------------------------------------------


class Violation(msgspec.Struct, frozen=True):
    """A payload or response breaks its contract."""

    pointer: str
    keyword: str
    message: str


DifferenceKind = Literal["missing", "unexpected", "changed", "type", "moved"]
Part = Literal["status", "headers", "body", "latency", "fault"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a response departs from its expectation.

    Pointers are into the body of the side they name, None where that side has nothing there. For
    `headers` they are `/Name`, for the other parts empty.
    """

    kind: DifferenceKind
    part: Part = "body"
    expected_pointer: str | None = None
    actual_pointer: str | None = None
    expected: Any = UNSET
    actual: Any = UNSET
    rule: Rule | None = None
    """The matcher that applied instead of equality."""
    rule_path: str = ""
    within: str = ""
    """Of what is missing or unexpected: what would hold it on the side that lacks it, as a pointer."""
    hint: str = ""
    """For a missing item of a set-like array: the nearest candidate, and what spoiled it."""


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The comparison derived from a delivery and an expectation, with the expectation as it was."""

    delivery: str
    verdict: Verdict
    at: str
    """UTC, RFC 3339."""
    reason: str = ""
    payload_violations: tuple[Violation, ...] = ()
    violations: tuple[Violation, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    expectation: Expectation | None = None


# --- The log -----------------------------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request as it is kept: redacted, its body as text, or as base64 where it is not UTF-8."""

    method: str
    url: str
    headers: Headers
    body: str = ""
    base64: bool = False


class Response(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A response as it is kept: redacted, content-decoded."""

    status: int
    http_version: str = "1.1"
    headers: Headers = ()
    body: str = ""
    base64: bool = False


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One attempt to send, and all its evidence. Pure fact: nothing here is a judgement."""

    id: str
    """`<run>.<n>`: unique, and sorts by time within a run."""
    run: str
    sent_at: str
    """UTC, RFC 3339, when the attempt began."""
    action: str
    edition: str
    receiver: str
    """The receiver's name."""
    stand_in: bool = False
    scenario: str = ""
    """The scenario's id, its path in the workspace; empty for a send by hand."""
    step: str = ""
    fixture: str = ""
    number: int = 1
    """Which of the step's deliveries this is, from 1."""
    attempt: int = 1
    dropped: bool = False
    """Hung up on purpose (`drop_after_ms`): not judged."""
    off_contract: bool = False
    composed: str = ""
    """The payload's JSON text before placeholders were filled and the token put in: what a resend composes
    from. Empty where the request's body says the same."""
    own_headers: dict[str, str] = {}
    """The headers that the step added or replaced: as they were written where they refer to the environment,
    which the request's do not show any more; else empty."""
    parent: str = ""
    """The delivery that this one resends."""
    request: Request
    response: Response | None = None
    fault: Fault | None = None
    timings: Timings = Timings()


class ResultStep(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a step of a scenario came out. Its deliveries are those of the run with its name."""

    number: int
    """From 0."""
    name: str
    verdict: Verdict
    reason: str = ""
    attempts: int = 1
    """The most attempts that a delivery of it took."""
    sent: int = 0
    seconds: float = 0.0


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a scenario of a file came out in a run."""

    scenario: str
    """The scenario's id, its path in the workspace."""
    name: str
    file: str = ""
    tags: tuple[str, ...] = ()
    verdict: Verdict
    at: str
    """UTC, RFC 3339, when it ended."""
    seconds: float = 0.0
    stopped: bool = False
    """The run was stopped before all of it was done."""
    steps: tuple[ResultStep, ...] = ()


Record: TypeAlias = Delivery | Judgement | Result
"""What the log keeps."""

RunKind = Literal["run", "serve", "send", "record", "pytest"]


class RunInfo(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a run file says of itself."""

    id: str
    """`<UTC date and time>-<random>`: unique, and sorts by time."""
    kind: RunKind = "run"
    started_at: str
    finished_at: str = ""
    receiver: str = ""
    stand_in: bool = False
    tool: str = ""
    """Name and version of the program that wrote it."""
    scenarios: int = 0
    """How many were to be run."""
    unreadable: tuple[str, ...] = ()
    """The files that could not be read, and so were not run: each in one line."""
    stopped: bool = False
    """It was stopped before all was done."""


def _encode(value: object) -> object:
    if isinstance(value, Number):
        return msgspec.Raw(value.spelling.encode())
    raise TypeError(f"{type(value).__name__} is not JSON")


encoder = msgspec.json.Encoder(enc_hook=_encode)
"""Compact UTF-8 JSON of any of these types, numbers as they were spelled."""
