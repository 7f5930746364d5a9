"""What a probe of a receiver found, as it is kept, shown and compared with another."""

# No `from __future__ import annotations`: msgspec would compile each string when the first report is read.

from typing import Literal, TypeAlias

import msgspec

from retailops_sandbox.probe.probes import Area

Label: TypeAlias = Literal["contract", "documentation", "advice"]
"""What a finding rests on: the contract, a published source beside it, or nothing but our advice."""
Outcome: TypeAlias = Literal["held", "did not", "to see"]
"""How a trial came out: `to see` is where only advice, or a published source beside the contract, objects."""
State: TypeAlias = Literal["new", "still there", "not tried before"]
"""A finding compared with another probe of the same receiver: new is what was tried there, and held."""


class Observation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one trial showed against a receiver."""

    kind: str
    """The key of the kind of finding, as in `findings`."""
    probe: str
    """The id of the probe."""
    step: str
    area: Area
    what: str
    """What was tried, as in the trial."""
    field: str = ""
    delivery: str = ""
    """The id of the delivery that shows it."""
    detail: str = ""
    """What was seen, in words: `answered 500`, or the text in an answer that gives it away."""
    valid: bool = False
    """Whether the request was one that a receiver must accept."""
    print: str = ""
    """What alike observations share of the answer, such as its text without ids and numbers."""


class Smallest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The smallest request that shows a finding."""

    probe: str
    step: str
    delivery: str = ""
    shown: str = ""
    """The request in a few words, such as `/data/order/id: null`."""
    scenario: str = ""
    """The text of a scenario file that sends it again."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One cause, and the requests that show it."""

    key: str
    """What stays the same from probe to probe: the kind, and where it happens."""
    kind: str
    area: Area
    label: Label
    server: bool = False
    """Whether the receiver failed as a server: 5xx, no answer in time, hung up."""
    title: str
    """What the receiver does, in a sentence without a full stop: `Crashes where a member is null`."""
    evidence: str
    """What was seen, with the figures."""
    why: str
    """Why it matters to a receiver."""
    mend: str
    """How to fix it."""
    source: str = ""
    """Where the demand comes from; empty for advice."""
    count: int = 1
    """How many trials show it."""
    smallest: Smallest
    deliveries: tuple[str, ...] = ()
    """The ids of deliveries that show it, the first hundred."""
    fields: tuple[str, ...] = ()
    whats: tuple[str, ...] = ()
    state: State | None = None
    """None where there is no other probe to compare with."""


class AreaScore(msgspec.Struct, frozen=True, kw_only=True):
    """How the trials of one area came out."""

    area: Area
    tried: int = 0
    held: int = 0
    did_not: int = 0
    to_see: int = 0


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One field and what was done to it."""

    field: str
    what: str
    outcome: Outcome
    delivery: str = ""
    shown: str = ""
    """What came back, in a few letters: `5xx`, `hang`; empty where it held."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a probe that were done, which a probe that goes on does not send again."""

    probe: str
    steps: tuple[str, ...] = ()


class ProbeReport(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One probe of a receiver: what was tried, and what was found."""

    format: Literal[1] = 1
    run: str
    """The id of the run in the log."""
    receiver: str
    url: str
    """Without user and password."""
    stand_in: bool = False
    action: str
    edition: str
    started_at: str
    seconds: float = 0.0
    seed: int = 0
    orders: str = ""
    """The order ids, as `FIRST-LAST`."""
    areas_wanted: tuple[Area, ...] = ()
    max_requests: int | None = None
    requests: int = 0
    """The number of requests that were sent."""
    faults: int = 0
    """How many of them ended in a fault."""
    stopped: str = ""
    """Why it ended before its end; empty where it did not."""
    baseline: str = ""
    """Why there was no accepted baseline; empty where there was one."""
    doubts: tuple[str, ...] = ()
    """Why it cannot be told that the receiver is fit, though nothing may be found against it."""
    left_out: dict[Area, int] = {}
    """How many trials of each area were left out, for want of time or by the number of requests."""
    areas: tuple[AreaScore, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Worst first."""
    cells: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()
    """What the probe could not see, and why."""
    sdk_tool: str = ""
    """What the SDK's tool would say of the valid answers; empty where the contract has no such source."""
    compared_with: str = ""
    """The run of the other probe."""
    gone: tuple[str, ...] = ()
    """The titles of findings of the other probe that are not there any more."""
    observations: tuple[Observation, ...] = ()
    done: tuple[Tried, ...] = ()
    interrupted: tuple[str, ...] = ()
    """The ids of the probes that were begun and not done: the receiver may have acted on their orders."""
