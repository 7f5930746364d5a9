"""The probe of one receiver: from an accepted baseline to a report, all through the one engine."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import DeliveryFinished, Event, Options, Ports, ScenarioResult, require_yes
from retailops_sandbox.engine.preview import preview
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.model import RunInfo, Step
from retailops_sandbox.probe.baseline import (
    MOST_REQUESTS,
    Baseline,
    BaselineSearch,
    NoBaseline,
    ValidRequests,
)
from retailops_sandbox.probe.checking import ScenarioCheck
from retailops_sandbox.probe.confirming import Confirmation, Confirmed
from retailops_sandbox.probe.generating import GenerateOptions, generate, requests, sample
from retailops_sandbox.probe.observing import Answered, Observer
from retailops_sandbox.probe.options import (
    MAX_SECONDS,
    MadeProbes,
    ProbeOptions,
    ProbeOutline,
    ProbeProgress,
)
from retailops_sandbox.probe.orders import OrderIds
from retailops_sandbox.probe.probes import Area, Probe
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.probe.results import Results
from retailops_sandbox.probe.sending import (
    Sender,
    Sent,
    fault_kind,
    is_accepted,
    is_cancelled,
    is_crash,
    is_whole,
)
from retailops_sandbox.probe.smallest import SmallestRequests, with_scenario
from retailops_sandbox.scenarios import scenario

__all__ = ["MAX_SECONDS", "ProbeOptions", "ProbeOutline", "ProbeProgress", "Prober"]

_PROGRESS = 0.3
"""Seconds between two reports on the progress."""
_ORDER: tuple[Area, ...] = ("auth", "repetition", "contract", "transport", "speed")
"""The areas in the order in which they are sent: what tells most with the fewest requests comes first."""
_SHRINKING = 0.1
"""The part of the time that is kept for making requests smaller, and that it may take."""
GOOD_TIME = 30.0
"""Seconds: a probe that takes longer than that one after the other sends several probes at once."""
_MOST_AT_ONCE = 8
_SHORTEST_REQUEST = 0.002
"""Seconds that a request takes at least, with what the sandbox does for it."""
_FOR_TRIALS = 0.7
"""The part of the time that trials may take as planned: some of them take longer than valid requests."""
_SHARE = 20
"""A report on the progress may take one part in so many of the time."""
_SHORTEST_MS = 2_000
_TIMES = 10
"""A trial's deadline: so many times what a valid request takes, at least `_SHORTEST_MS`."""
_MOST_SHRUNK = 30
"""The number of findings, the worst ones, whose requests are made smaller."""
_BASELINE = 2
"""How many ids a baseline takes."""
_OWN = 64
"""How many ids of the range the probe keeps for its own valid requests."""
_UNSURE = frozenset({"dns", "refused", "tls", "connect timeout", "deadline", "closed"})
"""The faults that may come from another request, or from a deadline that was too short."""

_ALL_FAILED = "every valid request was told as failed: nothing was seen done"
_KNOWN_ORDERS = "Give --orders, or a --fixture, of orders that the receiver knows."


class _Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a receiver can be probed."""

    at_once: int
    """How many probes are sent at once."""
    affordable: int
    """How many requests there is time for."""


class _Work(msgspec.Struct, frozen=True):
    """A probe, from one of its steps on."""

    probe: Probe
    first: int = 0


class Prober:
    """One probe of one receiver."""

    def __init__(
        self, contract: Contract, ports: Ports, options: Options, probe: ProbeOptions, info: RunInfo
    ) -> None:
        """`info` is the run to which the log of the ports belongs.

        Raises UsageError for a protected receiver without confirmation, an impossible URL or range of orders.
        """
        require_yes(options.receiver, confirmed=options.confirmed)
        self._contract = contract
        self._options = options
        self._probe = probe
        self._clock = ports.clock
        resumed = probe.resumed
        seed = resumed.seed if resumed is not None else probe.seed
        self._seed = random.randrange(2**32) if seed is None else seed
        orders = resumed.orders if resumed is not None else probe.orders
        self._ids = OrderIds.read(orders) if orders else OrderIds.drawn(random.Random(self._seed))
        self._own_ids, generated = _divided(self._ids)
        self._sender = Sender(ports, options, self._answered, provider_ms=probe.provider_ms)
        self._search = BaselineSearch(
            contract,
            ports,
            options,
            probe.fixtures,
            GenerateOptions(
                payload=None,
                orders=generated,
                token=bool(options.receiver.token),
                areas=probe.areas,
            ),
            # A probe that goes on has sent the first ones already.
            fresh=generated if resumed is None else _unlike_before(self._own_ids, info.id),
        )
        self._observer = Observer(contract)
        self._results = Results(contract, self._begun(ports, info), resumed)
        self._valid: Callable[[], Probe]
        self._confirmation: Confirmation
        self._last: Answered | None = None
        """The last trial that was answered."""
        self._deadline_ms = probe.provider_ms
        self._unwritten: FileError | None = None
        self._on_progress: Callable[[ProbeProgress], None] = lambda progress: None
        self._started = self._told = 0.0
        self._wait = _PROGRESS
        self._total = self._passed = 0
        self._is_late = self._is_checking = False

    @property
    def stopped(self) -> bool:
        """Whether it ended before it was done."""
        return bool(self._results.stopped)

    @property
    def begun(self) -> ProbeReport:
        """The report that has nothing yet but what it is of."""
        return self._results.begun

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        return self._sender.requests

    @property
    def unwritten(self) -> FileError | None:
        """Why the probe ended because nothing more could be logged; None where it did not."""
        return self._unwritten

    def outline(self) -> ProbeOutline:
        """What would be sent. Nothing is sent for it.

        It supposes that the first fixture that can be composed is accepted, with orders of the range.
        """
        supposed = self._search.supposed()
        made = MadeProbes(supposed, self._made(supposed)) if supposed is not None else None
        everything = self._results.left_of(made.probes if made is not None else ())
        chosen = self._chosen(everything, self._probe.max_requests)
        left = _trials(everything) - _trials(chosen)
        areas: Counter[Area] = Counter()
        for probe in chosen:
            areas[probe.area] += deliveries(probe)
        return ProbeOutline(
            url=self._results.begun.url,
            requests=areas.total() + MOST_REQUESTS,
            scenarios=len(self._probe.scenarios),
            areas=dict(areas),
            left_out=dict(left),
            orders=str(self._ids),
            seed=self._seed,
            max_seconds=self._probe.max_seconds,
            made=made,
        )

    def _made(self, options: GenerateOptions) -> Sequence[Probe]:
        """All probes made from these options; those of the outline where it supposed the same."""
        made = self._probe.made
        if made is not None and made.options == options:
            return made.probes
        return generate(self._contract, options)

    async def execute(self, on_progress: Callable[[ProbeProgress], None]) -> ProbeReport:
        """Probe to the end; the report is whole also where the probe was stopped."""
        self._on_progress = on_progress
        self._started = self._clock.seconds()
        self._results.earlier = self._probe.earlier(self._results.begun)
        longest, loop = self._probe.max_seconds, asyncio.get_running_loop()
        timers = (
            loop.call_later(longest * (1 - _SHRINKING), self._be_late),
            loop.call_later(longest, self._sender.stop),
        )
        try:
            await self._run()
        except FileError as error:
            self._unwritten = error
            self._results.stopped = "nothing more could be logged"
        finally:
            for timer in timers:
                timer.cancel()
        self._tell()
        return self._report()

    def stop(self) -> None:
        """Cancel the deliveries in flight and send nothing more; what was found stays in the report."""
        self._results.stopped = self._results.stopped or "it was stopped"
        self._sender.stop()

    def _be_late(self) -> None:
        """End what is sent to find something out; what was found can still be made smaller."""
        self._is_late = True
        self._sender.interrupt()

    # --- the order of things ---

    async def _run(self) -> None:
        found = await self._search.run(self._sender)
        if isinstance(found, NoBaseline):
            if not self._sender.is_stopped:
                self._results.baseline = found.reason
            return
        self._tell_of(found)
        self._observer.baseline(found.answered)
        for answered in found.answered:
            if self._probe.resumed is None:  # else it is counted already
                self._results.tried(answered)
            self._results.observe(self._observer.observe(answered))
        if self._probe.scenarios:
            await self._run_scenarios()
        valid = ValidRequests(self._contract, found.generate, self._own_ids)
        self._confirmation = Confirmation(self._sender, valid.next)
        everything = self._made(found.generate)
        to_send = self._results.plan(everything)
        if self._probe.resumed is not None:
            interrupted = [each for each in to_send if each.id in self._probe.resumed.interrupted]
            self._observer.acted_on(trial.order for each in interrupted for trial in each.trials)
        pace = await self._pace(found, valid, to_send)
        work = deque(_Work(probe) for probe in self._chosen(to_send, pace.affordable))
        self._total = self._sender.requests + sum(deliveries(each.probe) for each in work)
        self._deadline_ms = int(
            min(self._probe.provider_ms, max(_SHORTEST_MS, _TIMES * found.seconds * 1000))
        )
        await self._send_all(work, pace.at_once)
        self._is_checking = True
        self._results.observe(self._observer.finish())
        await self._shrink(found, valid)
        if self._passed:
            self._results.note(
                f"{self._passed} of the requests that met a fault were answered when they were sent again"
            )
        for note in self._observer.notes:
            self._results.note(note)
        self._results.end()

    def _tell_of(self, found: Baseline) -> None:
        """Say what the baseline lets be seen, and what not."""
        if found.is_told_failed:
            self._results.doubt(_ALL_FAILED)
            self._results.note(f"{_ALL_FAILED[0].upper()}{_ALL_FAILED[1:]}. {_KNOWN_ORDERS}")
        elif found.range_is_refused:
            self._results.note(
                f"No order of the range {self._ids} is accepted: all requests are about the order of the "
                f"fixture {found.generate.fixture}, and what needs a fresh one is not tried. {_KNOWN_ORDERS}"
            )
        auth = self._contract.auth
        if auth is not None and not found.generate.token and "auth" in self._probe.areas:
            self._results.doubt(
                f"auth was tried with a made-up {auth.kind} only: the receiver's is not known"
            )
            self._results.note(
                f"The {auth.kind} of the receiver is not known, so that only a made-up one is tried. "
                "Give --receiver-token, or a receiver that has one."
            )

    async def _shrink(self, found: Baseline, valid: ValidRequests) -> None:
        """Make the requests smaller that show findings, as far as there is time."""
        seconds = self._probe.max_seconds * _SHRINKING
        timer = asyncio.get_running_loop().call_later(seconds, self._sender.stop)
        try:
            await self._shrink_each(found, valid)
        finally:
            timer.cancel()

    async def _shrink_each(self, found: Baseline, valid: ValidRequests) -> None:
        smallest = SmallestRequests(self._contract, self._sender, found, valid, timeout_ms=self._deadline_ms)
        for finding in self._results.found[:_MOST_SHRUNK]:
            probe = self._results.probe(finding.smallest.probe)
            if probe is not None:
                shown = with_scenario(finding, probe, valid.next())
                self._results.shrunk(finding, shown)
                if not self._sender.is_stopped:
                    shown = await smallest.of(finding, probe) or shown
                    self._results.shrunk(finding, shown)

    async def _pace(self, found: Baseline, valid: ValidRequests, everything: Sequence[Probe]) -> _Pace:
        """How many probes are sent at once, and how many requests there is time for."""
        seconds = max(found.seconds, _SHORTEST_REQUEST)
        asked = self._probe.max_requests
        wanted = sum(map(deliveries, everything))
        wanted = wanted if asked is None else min(wanted, asked)
        at_once = min(_MOST_AT_ONCE, math.ceil(wanted * seconds / GOOD_TIME))
        if at_once > 1 and not await self._answers_at_once(seconds, valid):
            at_once = 1
        left = self._probe.max_seconds * _FOR_TRIALS - self._seconds
        time_for = int(left / seconds * at_once)
        if time_for < wanted:
            self._results.doubt(f"there was time for about {max(time_for, 1):,} of {wanted:,} requests")
        return _Pace(at_once=at_once, affordable=min(wanted, max(time_for, 1)))

    async def _answers_at_once(self, seconds: float, valid: ValidRequests) -> bool:
        """Whether several requests at once take about as long as one."""
        sent = await self._all_of(self._sender.send(valid.next()) for _ in range(_MOST_AT_ONCE))
        took = [each.delivery.timings.total / 1000 for one in sent for each in one.answered]
        return bool(took) and max(took) < 2 * seconds

    def _chosen(self, everything: Sequence[Probe], most: int | None) -> list[Probe]:
        """What is sent of all, in the order in which it is sent."""
        wanted = sum(map(deliveries, everything))
        chosen = [*everything]
        if most is not None and most < wanted:
            chosen = sample(everything, most, self._seed)
        return sorted(chosen, key=lambda probe: _ORDER.index(probe.area))

    async def _send_all(self, work: deque[_Work], at_once: int) -> None:
        while work and not self._is_over:
            batch = [work.popleft()]
            while work and len(batch) < at_once and not batch[0].probe.alone and not work[0].probe.alone:
                batch.append(work.popleft())
            sent = await self._all_of(map(self._send, batch))
            for one, came in zip(batch, sent, strict=True):
                await self._take(one, came, work)
        if work and self._is_late and not self._results.stopped:
            self._results.stopped = f"it ended after {self._probe.max_seconds:g} s"

    async def _all_of(self, sending: Iterable[Coroutine[Any, Any, Sent]]) -> list[Sent]:
        """What comes of all that is sent at once. Where one raises, the others are stopped."""
        tasks = [asyncio.create_task(one) for one in sending]
        try:
            return await asyncio.gather(*tasks)
        except FileError:
            self._sender.stop()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    @property
    def _is_over(self) -> bool:
        return self._is_late or self._sender.is_stopped

    async def _send(self, work: _Work) -> Sent:
        probe = work.probe
        timeout_ms = None if probe.alone or _takes_time(probe) else self._deadline_ms
        return await self._sender.send(probe, first=work.first, timeout_ms=timeout_ms)

    async def _take(self, work: _Work, sent: Sent, left: deque[_Work]) -> None:
        """Observe what was answered, and look into what was not."""
        probe = work.probe
        if sent.problem:
            self._results.note(f"a request could not be sent: {sent.problem}")
        before: list[Answered] = []
        """The trials since the last valid request that was accepted."""
        for answered in sent.answered:
            self._results.tried(answered)
            fault = fault_kind(answered)
            if answered.trial.is_check and not is_accepted(answered):
                await self._look_into(self._confirmation.of_check(answered, before))
            elif fault in _UNSURE and not probe.alone:
                await self._look_into(self._confirmation.of_fault(answered, self._last))
            elif is_crash(answered) and not is_whole(probe):
                await self._look_into(self._confirmation.of_crash(answered, self._last))
            else:
                self._observe(answered)
                if fault in _UNSURE:
                    await self._look_into(self._confirmation.of_receiver())
            if answered.trial.is_check:
                before.clear()
            else:
                before.append(answered)
                self._last = answered
            if self._sender.is_stopped:
                return
        if sent.reached >= len(probe.scenario.steps):
            self._results.done(probe)
        elif not self._is_over and sent.reached > work.first and not probe.alone:
            left.appendleft(_Work(probe, sent.reached))

    async def _look_into(self, looking: Awaitable[Confirmed]) -> None:
        confirmed = await looking
        for answered in confirmed.answered:
            self._observe(answered)
        self._passed += confirmed.is_answered
        if confirmed.is_gone:
            self._results.stopped = "the receiver answered no valid request any more"
            self._sender.stop()

    def _observe(self, answered: Answered) -> None:
        self._results.tried(answered)
        self._results.observe(self._observer.observe(answered))

    async def _run_scenarios(self) -> None:
        check = ScenarioCheck(self._contract)

        def on_event(event: Event) -> None:
            if isinstance(event, DeliveryFinished) and not is_cancelled(event.delivery):
                answered = check.answered(event)
                self._results.tried(answered)
                self._results.observe(check.observe(answered))
            elif isinstance(event, ScenarioResult) and not self._sender.is_stopped:
                self._results.observe(check.failed(event))

        await self._sender.scenarios(self._probe.scenarios, on_event)
        for note in check.notes:
            self._results.note(note)

    # --- what is told ---

    def _answered(self) -> None:
        """Tell the progress, if it was not told a moment ago."""
        now = self._clock.seconds()
        if now - self._told >= self._wait:
            self._tell()
            # To make a report may take long where much was found.
            self._told = self._clock.seconds()
            self._wait = max(_PROGRESS, _SHARE * (self._told - now))

    def _tell(self) -> None:
        sent, seconds = self._sender.requests, self._seconds
        total = max(self._total, sent)
        left = None
        is_checking = self._is_checking or 0 < self._total <= sent
        if self._total and sent and not is_checking:
            left = min(seconds / sent * (total - sent), max(self._probe.max_seconds - seconds, 0.0))
        self._on_progress(
            ProbeProgress(
                report=self._report(),
                sent=sent,
                total=total,
                seconds=seconds,
                left=left,
                is_checking=is_checking,
            )
        )

    @property
    def _seconds(self) -> float:
        return self._clock.seconds() - self._started

    def _report(self) -> ProbeReport:
        return self._results.report(
            seconds=self._seconds,
            requests=self._sender.requests,
            faults=self._sender.faults,
            sdk_tool=self._observer.sdk_tool,
        )

    def _begun(self, ports: Ports, info: RunInfo) -> ProbeReport:
        """The report before anything was sent."""
        step = Step(raw="", expect=None, off_contract=True)
        single = scenario.single(step, action=self._contract.action, edition=self._contract.edition)
        shown = next(preview([single], ports, self._options))
        if shown.request is None:
            raise UsageError(f"the receiver cannot be called: {shown.mistake}")
        return ProbeReport(
            run=info.id,
            receiver=self._options.receiver.name,
            url=shown.request.url,
            stand_in=self._options.receiver.stand_in,
            action=self._contract.action,
            edition=self._contract.edition,
            started_at=info.started_at,
            seed=self._seed,
            orders=str(self._ids),
            areas_wanted=self._probe.areas,
            max_requests=self._probe.max_requests,
        )


def deliveries(probe: Probe) -> int:
    """The number of requests that a probe sends."""
    return sum(map(requests, probe.scenario.steps))


def _trials(probes: Sequence[Probe]) -> Counter[Area]:
    """The number of trials of each area."""
    return Counter(probe.area for probe in probes for trial in probe.trials if not trial.is_check)


def _takes_time(probe: Probe) -> bool:
    """Whether some request of it takes long to send."""
    wires = [step.deliver.wire for step in probe.scenario.steps]
    return any(wire is not None and (wire.bytes_per_second or wire.expect_continue) for wire in wires)


def _unlike_before(ids: OrderIds, run: str) -> OrderIds:
    """Some of the ids, at least two, from a place that differs from run to run."""
    return OrderIds(random.Random(run).randrange(ids.first, max(ids.last, ids.first + 1)), ids.last)


def _divided(ids: OrderIds) -> tuple[OrderIds, OrderIds]:
    """The ids for valid requests in between, and those for all else."""
    own = min(_OWN, len(ids) // 4)
    if own < _BASELINE:
        return ids, ids
    return OrderIds(ids.last - own + 1, ids.last), OrderIds(ids.first, ids.last - own, kept=own)
