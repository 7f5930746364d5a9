"""Sends probes through the engine, and hands back what was answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.engine import DeliveryFinished, Event, Options, Ports, Run, StepResult
from retailops_sandbox.model import Delivery, Scenario, encoder
from retailops_sandbox.probe.observers.serving import TOO_MANY
from retailops_sandbox.probe.observing import Answered
from retailops_sandbox.probe.probes import Probe
from retailops_sandbox.scenarios.scenario import SUFFIX, Plan

_GENERATED = "probe/"
"""What the id of a generated scenario begins with."""

PROVIDER_MS = 15_000
"""How long the provider's `verify` tool waits for an answer, as the notes of the published contracts say."""

LONGEST_PAUSE = 2.0
"""The most seconds to wait after a receiver said that too many requests came."""
AWAY = frozenset({"dns", "refused", "tls", "connect timeout"})
"""The faults of a receiver that is not there."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a probe, or of the rest of one."""

    answered: Sequence[Answered]
    """One for each delivery, in the order in which they ended."""
    reached: int
    """The first step that was not done; the number of steps where all were."""
    problem: str = ""
    """Why the last of them was not sent, where it could not be."""


class Sender:
    """Sends to the receiver of one probe, and counts."""

    def __init__(
        self, ports: Ports, options: Options, on_answer: Callable[[], None], *, provider_ms: int
    ) -> None:
        """`on_answer` is called after each delivery; `provider_ms` is how long an answer may take."""
        self._ports = ports
        # A second attempt would hide what the first one shows.
        self._options = msgspec.structs.replace(options, retries=0, max_failures=None)
        self._on_answer = on_answer
        self.provider_ms = provider_ms
        self._runs: set[Run] = set()
        self._sequence = options.first_sequence
        self._stop = asyncio.Event()
        self.requests = 0
        self.faults = 0

    def interrupt(self) -> None:
        """Cancel what is in flight."""
        for run in self._runs:
            run.stop()

    def stop(self) -> None:
        """Cancel what is in flight, and send nothing more."""
        self._stop.set()
        self.interrupt()

    @property
    def is_stopped(self) -> bool:
        """Whether nothing more is sent."""
        return self._stop.is_set()

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until it is stopped."""
        if not seconds:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def scenarios(self, plans: Sequence[Plan], on_event: Callable[[Event], None]) -> None:
        """Run scenarios, several at once."""

        def counted(event: Event) -> None:
            if isinstance(event, DeliveryFinished):
                self._count(event)
            on_event(event)

        await self._execute(plans, counted, jobs=self._options.jobs, timeout_ms=None)

    async def send(
        self, probe: Probe, *, timeout_ms: int | None = None, first: int = 0, last: int | None = None
    ) -> Sent:
        """Send the steps of a probe from `first` to before `last`, in their order, up to one that errors.

        `timeout_ms` is the deadline of each request; None is the provider's.
        """
        scenario = msgspec.structs.replace(probe.scenario, steps=probe.scenario.steps[first:last])
        trials = {trial.step: trial for trial in probe.trials}
        answered: list[Answered] = []
        cancelled: set[str] = set()
        reached, problem = first, ""

        def on_event(event: Event) -> None:
            nonlocal reached, problem
            if isinstance(event, DeliveryFinished):
                self._count(event)
                delivery, judgement = event.delivery, event.judgement
                if is_cancelled(delivery):
                    cancelled.add(delivery.step)
                    return
                trial = trials[delivery.step]
                answered.append(Answered(probe=probe, trial=trial, delivery=delivery, judgement=judgement))
            elif isinstance(event, StepResult) and event.verdict != "skipped" and event.name not in cancelled:
                reached = first + event.number + 1
                problem = "" if event.sent else event.reason

        await self._execute(
            [plan(scenario, f"{_GENERATED}{probe.id}")],
            on_event,
            jobs=1,
            timeout_ms=timeout_ms or self.provider_ms,
        )
        await self.pause(max(map(wanted_pause, answered), default=0.0))
        return Sent(answered=answered, reached=reached, problem=problem)

    async def _execute(
        self, plans: Sequence[Plan], on_event: Callable[[Event], None], *, jobs: int, timeout_ms: int | None
    ) -> None:
        if self.is_stopped:
            return
        options = msgspec.structs.replace(
            self._options,
            jobs=jobs,
            timeout_ms=timeout_ms or self._options.timeout_ms,
            first_sequence=self._sequence,
        )
        self._sequence += sum(len(each.scenario.steps) for each in plans)
        run = Run(plans, self._ports, options)
        self._runs.add(run)
        try:
            await run.execute(on_event)
        finally:
            self._runs.discard(run)

    def _count(self, event: DeliveryFinished) -> None:
        self.requests += 1
        self.faults += event.delivery.fault is not None and not event.delivery.dropped
        self._on_answer()


def wanted_pause(answered: Answered) -> float:
    """The seconds for which a receiver wants to be left alone; 0 where it does not say so."""
    response = answered.delivery.response
    if response is None or response.status != TOO_MANY:
        return 0.0
    wait = next((value for name, value in response.headers if name.lower() == "retry-after"), "")
    return min(float(wait), LONGEST_PAUSE) if wait.isdecimal() else LONGEST_PAUSE / 2


def plan(scenario: Scenario, id: str) -> Plan:
    """The plan of a scenario that is in no file."""
    text = encoder.encode(scenario).decode()
    return Plan(id, "", scenario, composing.has_placeholder(text), text)


def is_of_probe(delivery: Delivery) -> bool:
    """Whether a delivery is of a generated scenario, and not of a file, whatever folder that is in."""
    return delivery.scenario.startswith(_GENERATED) and not delivery.scenario.endswith(SUFFIX)


def is_cancelled(delivery: Delivery) -> bool:
    """Whether a delivery was ended by the sandbox, not by its scenario."""
    return delivery.fault is not None and delivery.fault.kind == "cancelled" and not delivery.dropped


def fault_kind(answered: Answered) -> str:
    """The kind of fault of a delivery; empty where there is an answer, or where it was dropped on purpose."""
    delivery = answered.delivery
    return delivery.fault.kind if delivery.fault is not None and not delivery.dropped else ""


def is_accepted(answered: Answered) -> bool:
    """Whether a request was answered with a 2xx."""
    delivery = answered.delivery
    if delivery.fault is not None or delivery.response is None:
        return False
    return 200 <= delivery.response.status < 300


def is_crash(answered: Answered) -> bool:
    """Whether a request was answered with a 5xx."""
    delivery = answered.delivery
    return delivery.fault is None and delivery.response is not None and delivery.response.status >= 500


def is_whole(probe: Probe) -> bool:
    """Whether its requests only tell something together, so that none of them is sent again alone."""
    return probe.alone or any(trial.after for trial in probe.trials)
