"""A receiver that fails as a server: 5xx, no answer in time, a connection that is closed."""

from __future__ import annotations

from msgspec.structs import replace

from retailops_sandbox.answers import trace
from retailops_sandbox.model import Fault
from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation

_PROVIDER_MS = 15_000
"""How long RetailOPS' published tool waits for an answer, in milliseconds."""

_KINDS = {"deadline": "hang", "closed": "hang-up", "malformed": "malformed", "too large": "too-large"}
TOO_MANY = 429
"""The status of an answer to more requests than a receiver takes in a time."""
_GONE = frozenset({"refused", "connect timeout", "dns", "tls"})


def observe(reading: Reading) -> Observation | None:
    """How the receiver failed to serve a request; None where it answered it."""
    fault = reading.delivery.fault
    if fault is not None:
        return _of_fault(reading, fault)
    if reading.status < 500 or _is_excused(reading):
        return None
    if reading.trial.is_check:
        return _down(reading, f"the next valid request was answered {reading.status}", "crash")
    return reading.shows("crash", f"answered {reading.status}{_trace(reading)}", print=reading.print)


def limit(reading: Reading) -> Observation | None:
    """How a request was not dealt with because too many came in a time: it says nothing else."""
    response = reading.delivery.response
    if reading.status != TOO_MANY or response is None:
        return None
    wait = next((value for name, value in response.headers if name.lower() == "retry-after"), "")
    told = f" with Retry-After: {wait[:40]}" if wait else " without Retry-After"
    return reading.shows("rate-limited", f"answered 429{told}")


def _of_fault(reading: Reading, fault: Fault) -> Observation | None:
    if reading.trial.is_check or fault.kind in _GONE:
        return _down(reading, f"the next valid request was not answered ({fault.kind})", "down")
    kind = _KINDS.get(fault.kind)
    if kind is None or (kind == "hang-up" and _may_hang_up(reading)):
        return None
    if kind == "hang":
        seconds = reading.delivery.timings.total / 1000
        if reading.delivery.timings.total >= _PROVIDER_MS and reading.answered.probe.area == "speed":
            return reading.shows("too-late", f"no answer within {seconds:.0f} s", print=kind)
        return reading.shows(kind, f"no answer within {seconds:.1f} s", print=kind)
    return reading.shows(kind, fault.message[:200], print=kind)


def _down(reading: Reading, detail: str, print: str) -> Observation:
    """The observation of a check, told of the trial that came before it."""
    trials = reading.answered.probe.trials
    names = [each.step for each in trials]
    at = names.index(reading.trial.step) if reading.trial.step in names else 0
    before = next((each for each in reversed(trials[:at]) if not each.is_check), reading.trial)
    shown = reading.shows("down", detail, print=print)
    return replace(shown, step=before.step, what=before.what, field=before.field, valid=True)


def _may_hang_up(reading: Reading) -> bool:
    """Whether closing the connection is a proper answer: to a request that is no HTTP."""
    step = reading.answered.step
    wire = step.deliver.wire if step is not None else None
    names = [line.partition(":")[0].strip().lower() for line in wire.headers] if wire else []
    framing = [name for name in names if name in ("host", "content-length", "transfer-encoding")]
    no_host = step is not None and any(
        name.lower() == "host" and value is None for name, value in step.deliver.headers.items()
    )
    return bool(framing) or no_host


def _is_excused(reading: Reading) -> bool:
    """Whether a 5xx says properly that the receiver does not know a method, a version or a coding."""
    step = reading.answered.step
    wire = step.deliver.wire if step is not None else None
    if reading.trial.demand == "accept" or wire is None:
        return False
    if reading.status == 501:
        return reading.is_other_method or wire.chunked is not None or bool(wire.headers)
    return reading.status == 505 and wire.http == "1.0"


def _trace(reading: Reading) -> str:
    response = reading.delivery.response
    found = trace.find(response.body[:65_536]) if response is not None and not response.base64 else None
    return f" with {found.what}" if found else ""
