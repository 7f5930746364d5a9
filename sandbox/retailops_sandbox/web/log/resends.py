"""Sends deliveries of the log again: one, or many one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.shell import resending
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.recent import Recent
from retailops_sandbox.web.shell.send_form import Refused, resend_form
from retailops_sandbox.web.shell.sending import Flight, SendRequest
from retailops_sandbox.web.shell.sends import lacking, send_request

_KEPT = 50
"""The number of batches that are remembered."""


class Resend(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it would be sent again."""

    row: DeliveryRow
    target: Target
    request: SendRequest


def resend(context: AppContext, receivers: KnownReceivers, entry: Entry) -> Resend:
    """The delivery's payload for its receiver, with its latest expectation. Blocks.

    Refused or SandboxError where it cannot be sent again. The caller calls `permit` before it sends.
    """
    sent = entry.delivery
    own = not context.log.opened_from(sent.id)
    form = resend_form(entry, own=own)
    receiver = receivers.named(form.receiver)
    lost = resending.lost(sent, form.payload)
    if lack := lacking([*lost, *resending.lost_headers(sent, own=own)]):
        raise Refused("send", lack)
    expectation = scenario.expectation(form.expectation) if form.expectation else None
    return Resend(
        row=entry.row(context.contracts),
        target=context.target(receiver, form.action, form.edition),
        request=send_request(
            context, form, receiver, context.policy(receivers), expectation=expectation, resent=sent
        ),
    )


@dataclass
class Batch:
    """Deliveries that are sent again one after another."""

    rows: Sequence[DeliveryRow]
    sent: dict[str, str] = field(default_factory=dict)
    """The ids of the new deliveries, by the ids of those that they repeat."""
    problems: dict[str, str] = field(default_factory=dict)
    """Why a delivery was not sent again, by its id."""
    is_stopped: bool = False
    is_done: bool = False


class Batches:
    """Starts batches, one for each form."""

    def __init__(
        self,
        send: Callable[[str, SendRequest], Awaitable[tuple[str, bool]]],
        flight: Callable[[str], Flight | None],
    ) -> None:
        """`send` sends once for a key; `flight` is the delivery of an id, if it is in flight."""
        self._send = send
        self._flight = flight
        self._batches: Recent[Batch] = Recent(_KEPT)
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, key: str) -> Batch | None:
        """The batch of a form; None where there is none any more."""
        return self._batches.get(key)

    def start(self, key: str, resends: Sequence[Resend]) -> None:
        """Send these deliveries in order; nothing where the form has started them already."""
        if key in self._batches:
            return
        batch = self._batches[key] = Batch([each.row for each in resends])
        task = asyncio.create_task(self._send_all(key, batch, resends))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Begin no further send; those in flight end by themselves or are cancelled elsewhere."""
        for batch in self._batches.values():
            batch.is_stopped = True
        if self._tasks:
            await asyncio.gather(*self._tasks)

    async def _send_all(self, key: str, batch: Batch, resends: Sequence[Resend]) -> None:
        for number, each in enumerate(resends):
            if batch.is_stopped:
                break
            try:
                id, _ = await self._send(f"{key}:{number}", each.request)
            except SandboxError as error:
                batch.problems[each.row.id] = str(error)
                continue
            batch.sent[each.row.id] = id
            if flight := self._flight(id):
                await flight.landed.wait()
        batch.is_done = True


def by_receiver(resends: Sequence[Resend]) -> Mapping[str, list[Resend]]:
    """The resends by the names of their receivers."""
    found: dict[str, list[Resend]] = {}
    for each in resends:
        found.setdefault(each.target.receiver.name, []).append(each)
    return found
