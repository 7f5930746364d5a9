"""What a probe is asked to do, and what it tells before and while it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from retailops_sandbox.probe.generating import GenerateOptions
from retailops_sandbox.probe.probes import AREAS, Area, Probe
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.probe.sending import PROVIDER_MS
from retailops_sandbox.scenarios.scenario import Plan

MAX_SECONDS = 90.0
"""How long a probe takes at most, unless it is told."""


class MadeProbes(msgspec.Struct, frozen=True):
    """All probes of a contract, and what they were made from."""

    options: GenerateOptions
    probes: Sequence[Probe]


class ProbeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe tries, in which bounds."""

    fixtures: tuple[str, ...]
    """The names of the action's fixtures, in the order in which they are tried as baseline."""
    areas: tuple[Area, ...] = AREAS
    seed: int | None = None
    """From it come the requests; None draws one, which the report tells."""
    max_requests: int | None = None
    """About so many requests are sent: a sample that covers every field and every kind. None sends all."""
    max_seconds: float = MAX_SECONDS
    orders: str = ""
    """The range of order ids, `FIRST-LAST`; empty for `9` and eight digits."""
    provider_ms: int = PROVIDER_MS
    """How long the provider waits for an answer, in milliseconds."""
    scenarios: Sequence[Plan] = ()
    """Scenarios that are run first; one that fails is a finding."""
    earlier: Callable[[ProbeReport], ProbeReport | None] = lambda report: None
    """Finds the report to compare with, from a report that has nothing yet but what it is of."""
    resumed: ProbeReport | None = None
    """A report of the same receiver that this probe goes on with: what was done is not sent again."""
    made: MadeProbes | None = None
    """What the outline of this probe made: it is sent, where that is what the receiver's answers ask for."""


class ProbeOutline(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe would send."""

    url: str
    """Where it would be sent to, without user and password."""
    requests: int
    """The number of requests, as far as it is known before the receiver's first answer."""
    scenarios: int
    """The number of scenarios that are run first."""
    areas: dict[Area, int]
    """The number of requests of each area."""
    left_out: dict[Area, int]
    """How many trials of each area are left out by the number of requests."""
    orders: str
    """The range of order ids, `FIRST-LAST`."""
    seed: int
    max_seconds: float
    made: MadeProbes | None = None
    """All that there is, for the probe that is outlined; None where no fixture can be composed."""


class ProbeProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a probe is, a few times a second."""

    report: ProbeReport
    """The report so far."""
    sent: int
    """The number of requests that were sent."""
    total: int
    """The number of requests that there will be, as far as it is known."""
    seconds: float
    """How long it has taken."""
    left: float | None
    """How many seconds it will still take, as far as can be told; None where it cannot."""
    is_checking: bool = False
    """Whether all that was planned is sent, and what failed is sent again, or made smaller."""
