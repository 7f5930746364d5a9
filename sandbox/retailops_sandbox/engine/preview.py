"""The requests that the steps of some plans would send, without sending them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from retailops_sandbox import composing, redaction
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.engine.ports import Options, Sources
from retailops_sandbox.engine.preparation import Preparation, Prepared
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Exchange, Request, Step, StruckOut, Timings, Violation, Wire
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The request that a step would send, redacted, or the reason why it would send none."""

    plan: Plan
    number: int
    """From 0."""
    request: Request | None = None
    struck_out: tuple[StruckOut, ...] = ()
    """What was struck out of the request, as a delivery lists it."""
    wire: Wire | None = None
    """How the request is spelled, where that is not the usual way."""
    size: int = 0
    """Bytes of its body, before it is compressed or written in another encoding."""
    violations: tuple[Violation, ...] = ()
    """The payload's violations of the contract."""
    proof: Auth | None = None
    """How a header of it proves the sender; None where none is made of the receiver's token."""
    is_refused: bool = False
    """Whether nothing would be sent because the payload breaks the contract."""
    waits: str = ""
    """The capture of an earlier step that it needs, which is known only when the plan runs."""
    mistake: str = ""
    """Why it cannot be composed, in one line."""

    @property
    def step(self) -> Step:
        return self.plan.scenario.steps[self.number]

    @property
    def would_send(self) -> bool:
        return not self.mistake and not self.is_refused

    @property
    def deliveries(self) -> int:
        """The number of deliveries that would be sent; of a step that repeats, the first time."""
        deliver = self.step.deliver
        return deliver.times + (deliver.drop_after_ms is not None) if self.would_send else 0


def preview(plans: Sequence[Plan], sources: Sources, options: Options) -> Iterator[Preview]:
    """Compose and check every step of some plans, in order. Nothing is sent, and nothing logged.

    Raises UsageError for a receiver that cannot be called.
    """
    preparation = Preparation(sources, options)
    for plan, sequence in preparation.numbered(plans):
        names = preparation.names(plan)
        for number, step in enumerate(plan.scenario.steps):
            yield _of(preparation, plan, number, names, sequence + number)
            names.lost |= step.capture.keys()


def _of(preparation: Preparation, plan: Plan, number: int, names: composing.Names, sequence: int) -> Preview:
    try:
        prepared = preparation.step(plan, number, names, sequence)
    except composing.MissingCapture as error:
        return Preview(plan=plan, number=number, waits=error.what)
    except SandboxError as error:
        return Preview(plan=plan, number=number, mistake=scenario.describe(error, plan, number))
    nothing = Exchange(request_headers=(), response=None, fault=None, timings=Timings())
    pointers = redaction.secret_pointers(prepared.contract)
    kept = redaction.exchange(prepared.request, nothing, prepared.secrets, pointers)
    wire, struck_out = prepared.written_wire, kept.struck_out
    if wire is not None:
        wire, in_wire = redaction.wire(wire, kept.secrets)
        struck_out += (*in_wire,)
    composed = prepared.request.composed
    return Preview(
        plan=plan,
        number=number,
        request=kept.request,
        struck_out=struck_out,
        wire=wire,
        size=len(prepared.request.body if composed is None else composed),
        violations=redaction.violations(prepared.violations, prepared.secrets),
        proof=_proof(prepared),
        is_refused=prepared.is_refused,
    )


def _proof(prepared: Prepared) -> Auth | None:
    agreed = prepared.contract.auth
    if agreed is None or not agreed.header or not prepared.target.receiver.token:
        return None
    is_own = agreed.header.lower() in (name.lower() for name in prepared.step.deliver.headers)
    return None if is_own else agreed
