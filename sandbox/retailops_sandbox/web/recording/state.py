"""The recordings of this process, by the switch and by a relay, and their reviews."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Literal

import msgspec

from retailops_sandbox import recording
from retailops_sandbox.errors import UsageError
from retailops_sandbox.httpserver import is_loopback
from retailops_sandbox.model import Delivery, Receiver
from retailops_sandbox.recording import Recorded, ScenarioDraft
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.relay.relay import Relay
from retailops_sandbox.runlog.opening import logged_run, open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import RecordSwitch
from retailops_sandbox.web.shell.recent import Recent
from retailops_sandbox.workspace.cases import CaseReader

_KEPT_REVIEWS = 100


class RecordingReview(msgspec.Struct, kw_only=True):
    """Deliveries that may become a scenario."""

    id: str
    origin: str
    """The recorder, in words."""
    contracts: tuple[tuple[str, str], ...]
    """The actions and editions of the deliveries, each once."""
    deliveries: tuple[str, ...]
    state: Literal["open", "saved", "discarded"] = "open"
    file: str = ""
    """The scenario's id, once it is saved."""
    text: str = ""
    """The text of the file that was written."""

    @property
    def contract_words(self) -> str:
        return recording.contract_words(self.contracts)


class Drafted(msgspec.Struct, frozen=True):
    """The draft of a review."""

    draft: ScenarioDraft | None
    """None where no delivery has ended yet."""
    landed: dict[str, Delivery]
    waiting: int
    """The number of deliveries still in flight."""


class RunningRelay(msgspec.Struct, frozen=True):
    """A relay that was started from the browser."""

    relay: Relay
    log: AsyncExitStack
    """The exit stack that finishes the relay's run."""
    url: str
    receiver: Receiver


class Recording:
    """The recordings of a process. It holds ids of deliveries, which are in the log."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._is_on = False
        self.relay: RunningRelay | None = None
        self._switched: list[str] = []
        self._reviews: Recent[RecordingReview] = Recent(_KEPT_REVIEWS)

    # --- the switch ---

    def switch(self) -> RecordSwitch:
        """The record switch as pages show it now."""
        return RecordSwitch(self._is_on, len(self._switched))

    def switch_on(self) -> None:
        """Record each send by hand from now on."""
        self._is_on = True

    def add(self, delivery: str) -> None:
        """Record a delivery that was sent by hand, where the switch is on."""
        if self._is_on:
            self._switched.append(delivery)

    async def switch_off(self) -> RecordingReview | None:
        """Stop recording; the review of what was recorded, None where nothing was."""
        self._is_on = False
        recorded, self._switched = self._switched, []
        return await asyncio.to_thread(self.review, recorded, "by the switch")

    # --- the relay ---

    async def start_relay(self, receiver: Receiver, policy: SecretPolicy, host: str, port: int) -> None:
        """Start the relay; SandboxError where it cannot start, OSError for an address that it cannot have."""
        if self.relay is not None:
            raise UsageError("a relay is running already", mend="stop it first")
        clock = self._context.clock
        workspace = self._context.workspace
        info = new_run("record", clock.now(), receiver)
        run = open_run(workspace.log_place, info, lambda: workspace.contracts)
        relay = Relay(
            receiver,
            transport=self._context.transport,
            log=run,
            clock=clock,
            contracts=self._context.contracts,
            environment=self._context.environment,
            policy=policy,
        )
        url = await relay.start(host, port, secret_path=not is_loopback(host))
        async with AsyncExitStack() as undo:
            undo.push_async_callback(relay.stop)
            if self.relay is not None:  # another request started one meanwhile
                raise UsageError("a relay is running already", mend="stop it first")
            run.begin()
            log = AsyncExitStack()
            await log.enter_async_context(logged_run(run, clock.now))
            self.relay = RunningRelay(relay, log, url, receiver)
            undo.pop_all()

    async def stop_relay(self) -> RecordingReview | None:
        """Stop the relay; the review of what passed through it, None where nothing did."""
        if self.relay is None:
            return None
        running, self.relay = self.relay, None
        await running.relay.stop()
        passed = [each.delivery.id for each in running.relay.records]
        made = await asyncio.to_thread(self.review, passed, f"by the relay to {running.receiver.name}")
        # Closed last: it raises where the disk is full, and the review is to be made all the same.
        await running.log.aclose()
        return made

    async def stop(self) -> None:
        """Stop the relay, as the process ends."""
        await self.stop_relay()

    # --- reviews ---

    @property
    def reviews(self) -> list[RecordingReview]:
        """The open reviews, the newest first."""
        # A copy: pages are made in threads of their own.
        return [each for each in reversed(list(self._reviews.values())) if each.state == "open"]

    def review(self, deliveries: Iterable[str], origin: str) -> RecordingReview | None:
        """A new review of those of these deliveries that are known; None where none is. Blocks."""
        # In order of time, as in the scenario.
        contracts = {id: name for id in sorted(set(deliveries)) if (name := self._contract_of(id))}
        if not contracts:
            return None
        made = RecordingReview(
            id=secrets.token_hex(8),
            origin=origin,
            contracts=tuple(dict.fromkeys(contracts.values())),
            deliveries=tuple(contracts),
        )
        self._reviews[made.id] = made
        return made

    def find(self, id: str) -> RecordingReview | None:
        return self._reviews.get(id)

    def _contract_of(self, id: str) -> tuple[str, str] | None:
        """Action and edition of a delivery, in flight or ended; None for an unknown id."""
        flight = self._context.sending.flight(id)
        if flight is not None:
            if flight.problem:
                return None
            return flight.request.plan.scenario.contracts[0]
        entry = self._context.log.delivery(id)
        return (entry.delivery.action, entry.delivery.edition) if entry else None

    def draft(self, review: RecordingReview) -> Drafted:
        """The draft of a review, made of the log as it is now. Blocks."""
        flights = [self._context.sending.flight(id) for id in review.deliveries]
        entries = [self._context.log.delivery(id) for id in review.deliveries]
        landed = [Recorded(each.delivery, each.judgement) for each in entries if each is not None]
        fixture = CaseReader(self._context.workspace).payload_if_any
        draft = recording.draft(landed, fixture, self._context.contracts)
        by_id = {each.delivery.id: each.delivery for each in landed}
        waiting = sum(
            flight is not None and not flight.problem and flight.id not in by_id for flight in flights
        )
        return Drafted(draft if draft.scenario.steps or draft.notes else None, by_id, waiting)
