"""The records that the log keeps."""

# No `from __future__ import annotations`: msgspec would compile each string when the first run file is read.

from typing import Annotated, Literal, TypeAlias

import msgspec

from retailops_sandbox.model.judging import Judgement, SourceCheck, Verdict
from retailops_sandbox.model.struckout import StruckOut
from retailops_sandbox.model.wire import Fault, Headers, Redirect, Status, Timings, Wire

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""A number that counts. In what is decoded, one that no sandbox counts to is a mistake."""


MOST_SHARDS = 9_999
"""The most shards of a run."""
ShardCount: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MOST_SHARDS)]
"""A number of shards, or that of one."""


class Request(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request in the log: redacted, its body as text, or as base64 where it is not UTF-8."""

    method: str
    url: str
    headers: Headers
    body: str = ""
    base64: bool = False


class Response(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A response in the log: redacted, content-decoded, its body as that of a request."""

    status: Status
    http_version: str = "1.1"
    headers: Headers = ()
    body: str = ""
    base64: bool = False


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One attempt to send, and all its evidence. No judgement is part of it."""

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
    number: Count = 1
    """The delivery's number among those of its step, from 1."""
    attempt: Count = 1
    dropped: bool = False
    """Whether the sandbox hung up on purpose (`drop_after_ms`); such a delivery is not judged."""
    off_contract: bool = False
    composed: str = ""
    """The payload's JSON text before placeholders were filled and the token was added, from which a resend is
    composed. Empty where the request's body is the same."""
    own_headers: dict[str, str | None] = {}
    """The headers that the step added, replaced or left out, by name. A value is the text as written where
    that refers to the environment, which the request's headers do not show, null where the step left the
    header out, and else empty."""
    wire: Wire | None = None
    """How its step spells it on the wire, with placeholders filled that do not refer to the environment. The
    request's headers are those that were sent; its body is as it was composed, before it was encoded,
    compressed and cut into chunks, and each of its members is there once."""
    parent: str = ""
    """The delivery that this one resends."""
    request: Request
    response: Response | None = None
    fault: Fault | None = None
    redirects: tuple[Redirect, ...] = ()
    """The redirects that came before the response, or that is the response and was not followed."""
    timings: Timings = Timings()
    struck_out: tuple[StruckOut, ...] | None = None
    """What was struck out of it. None in a record of format 1, in which every text like a mark is one."""


class DeliveryInFlight(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A delivery that was sent and has not ended; its fields are those of the `Delivery` that it becomes."""

    id: str
    sent_at: str
    action: str
    edition: str
    receiver: str
    stand_in: bool = False
    scenario: str = ""
    step: str = ""
    fixture: str = ""
    number: Count = 1
    attempt: Count = 1
    off_contract: bool = False
    parent: str = ""


class ResultStep(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The result of a scenario's step. Its deliveries are those of the run that have its name."""

    number: Count
    """From 0."""
    name: str
    verdict: Verdict
    reason: str = ""
    attempts: Count = 1
    """The most attempts that one of its deliveries took."""
    sent: Count = 0
    times: Count = 1
    """How often the step was done: more than once only where it says `repeat_while`."""
    together: bool = False
    """Whether it was done at the same time as the step before."""
    seconds: float = 0.0
    faults: Count = 0
    """The number of its deliveries that ended in a fault."""
    unreadable: bool = False
    """Whether it errored because the step could not be composed."""
    line: Count = 0
    """The line of its file at which it begins; 0 where its scenario did not fail or error."""
    unchecked: tuple[str, ...] = ()
    """The parts of its answers that were not compared, as in judgements."""
    sources: tuple[SourceCheck, ...] = ()
    """The sources of the contract, where they part about one of its answers, as in judgements."""


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The result of a scenario file in a run."""

    scenario: str
    """The scenario's id, its path in the workspace."""
    name: str
    file: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    verdict: Verdict
    at: str
    """UTC, RFC 3339, when it ended."""
    seconds: float = 0.0
    stopped: bool = False
    """Whether the run was stopped before the scenario was done."""
    shard: ShardCount = 0
    """The shard that ran it, in a merged run; 0 in any other."""
    steps: tuple[ResultStep, ...] = ()


Record: TypeAlias = Delivery | Judgement | Result
"""A record of the log."""

RunKind = Literal["run", "serve", "send", "record", "pytest", "probe", "load"]


class Shard(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Which shard of a divided run a run is."""

    number: ShardCount
    """From 1."""
    count: ShardCount
    """The number of shards."""
    scenarios: Count = 0
    """The number of scenarios in all shards."""
    division: str = ""
    """A digest of these scenarios and the shard of each, by which shards of one run are told from others."""

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


class MergedShard(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A shard that a merged run was made of."""

    number: ShardCount
    run: str
    """The id that its run had."""
    started_at: str
    finished_at: str = ""
    """Empty where its process ended before the run did."""
    stopped: bool = False
    scenarios: Count = 0
    """The number of scenarios that it was to run."""
    results: Count = 0
    """The number of scenarios that have a result."""
    tool: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it ended, and all of its scenarios have a result."""
        return bool(self.finished_at) and self.results >= self.scenarios


class RunInfo(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The facts about a run as a whole."""

    id: str
    """`<UTC date and time>-<random>`: unique, and sorts by time."""
    kind: RunKind = "run"
    started_at: str
    finished_at: str = ""
    receiver: str = ""
    stand_in: bool = False
    tool: str = ""
    """Name and version of the program that wrote it."""
    host: str = ""
    """What the machine calls itself that wrote it into a log of many machines; empty elsewhere."""
    scenarios: Count = 0
    """The number of scenarios to run."""
    unreadable: tuple[str, ...] = ()
    """The files that were not run because they could not be read, with the reason, each in one line."""
    stopped: bool = False
    """Whether the run was stopped before it was done."""
    max_failures: Count = 0
    """The number of failures after which it was to send nothing more; 0 for no limit."""
    shard: Shard | None = None
    """Which shard it is; None of a run that was not divided, and of a merged one."""
    shards: tuple[MergedShard, ...] = ()
    """The shards that it was merged of, by number."""
    divided_into: ShardCount = 0
    """The number of shards that there should be of a merged run; 0 of any other."""

    @property
    def missing_shards(self) -> tuple[int, ...]:
        """The numbers of the shards that a merged run lacks."""
        there = {each.number for each in self.shards}
        return tuple([number for number in range(1, self.divided_into + 1) if number not in there])

    @property
    def incomplete_shards(self) -> int:
        """The number of shards that a merged run lacks, or of which it lacks results."""
        return len(self.missing_shards) + sum(not shard.is_whole for shard in self.shards)
