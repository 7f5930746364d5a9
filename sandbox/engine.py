"""The one path: compose, check, build, send, log, compare, report. Every face runs scenarios through here.

`Run.events()` yields what happens as it happens; whoever listens only listens. Nothing here knows a file,
a socket or a clock: it declares the ports it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from sandbox import compare, compose, pointer, redact, scenario, source
from sandbox.contract import Contract
from sandbox.errors import SandboxError, UsageError
from sandbox.model import (
    Connection,
    Delivery,
    Exchange,
    Expectation,
    HttpRequest,
    Json,
    Judgement,
    Receiver,
    Step,
    Verdict,
    Violation,
)
from sandbox.scenario import Plan

# --- Ports ---------------------------------------------------------------------------------------------


class Transport(Protocol):
    """Sends bytes. Network trouble comes back as a fault in the exchange."""

    async def send(self, request: HttpRequest, connection: Connection, *, key: str = "") -> Exchange: ...

    def cancel(self, key: str) -> bool:
        """Make the send of this key end with the fault *cancelled*; False if it is not under way."""


class DeliveryLog(Protocol):
    """Keeps what happened. An appended record survives the process."""

    def next_id(self) -> str: ...

    def append(self, record: Delivery | Judgement) -> None: ...


class Clock(Protocol):
    def now(self) -> str:
        """The instant, UTC, RFC 3339."""

    def uuid(self) -> str: ...

    def seconds(self) -> float:
        """A monotonic clock."""


class Ports(msgspec.Struct, frozen=True):
    """What a run needs from outside."""

    transport: Transport
    log: DeliveryLog
    clock: Clock
    fixture: Callable[[str, str, str], compose.Template]
    """Action, edition and name to the fixture; SandboxError where there is none."""
    contract: Callable[[str, str], Contract]
    environment: Mapping[str, str]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to run."""

    receiver: Receiver
    jobs: int = 8
    retries: int = 0
    """How often a delivery is sent again after a fault."""
    variables: Mapping[str, Json] = {}
    timeout_ms: int | None = None
    confirmed: bool = False
    """Somebody said yes to sending to a protected receiver."""
    parent: str = ""
    """The delivery that this run resends."""
    secret_env: tuple[str, ...] = ()
    """Environment variables whose values are secret, whoever the receiver is."""


# --- Events --------------------------------------------------------------------------------------------


class DeliveryStarted(msgspec.Struct, frozen=True):
    id: str
    plan: Plan
    step: str
    url: str


class DeliveryFinished(msgspec.Struct, frozen=True):
    plan: Plan
    delivery: Delivery
    judgement: Judgement | None
    """None where it is not to be judged: dropped on purpose, or another attempt follows."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a step: the worst of its deliveries."""

    number: int
    """From 0."""
    name: str
    verdict: Verdict
    reason: str = ""
    judgements: tuple[Judgement, ...] = ()
    attempts: int = 1
    """The most attempts that a delivery of it took."""
    seconds: float = 0.0
    unreadable: bool = False
    """It errored because of what it is made of: a fixture, a placeholder, a header."""
    sent: int = 0
    faults: int = 0


class ScenarioResult(msgspec.Struct, frozen=True):
    """The outcome of a scenario: the worst of its steps."""

    plan: Plan
    verdict: Verdict
    steps: tuple[StepResult, ...]
    seconds: float


Event: TypeAlias = DeliveryStarted | DeliveryFinished | StepResult | ScenarioResult

LARGE_BODY = 64 * 1024
"""Bytes; the work on a larger answer leaves the event loop."""

_Result = TypeVar("_Result")
_WORST: tuple[Verdict, ...] = ("errored", "failed", "recorded", "passed")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; skipped only where there is nothing else."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST if verdict in found), "skipped")


# --- The run -------------------------------------------------------------------------------------------


class Run:
    """One execution of some plans against one receiver."""

    def __init__(self, plans: Sequence[Plan], ports: Ports, options: Options) -> None:
        """Raises UsageError for a protected receiver without a yes, and for a URL that cannot be called."""
        if options.receiver.protected and not options.confirmed:
            raise UsageError(
                f"the receiver {options.receiver.name!r} is protected: sending needs an explicit yes",
                mend="confirm this send",
            )
        self._plans = plans
        self._ports = ports
        self._options = options
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._in_flight: set[str] = set()
        self._judges: dict[tuple[str, str], compare.Judge] = {}
        varies = compose.varies(options.receiver)
        if not varies:
            compose.check(options.receiver)
        self._fixed = None if varies else self._target(options.receiver)
        self._stop = asyncio.Event()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    async def events(self) -> AsyncIterator[Event]:
        """Run the plans, up to `jobs` at once and each one's steps in order, telling what happens."""
        numbered = iter(list(self._numbered()))
        workers = [
            asyncio.create_task(self._work(numbered))
            for _ in range(max(1, min(self._options.jobs, len(self._plans))))
        ]
        ending = asyncio.create_task(self._end(workers))
        try:
            while (event := await self._events.get()) is not None:
                yield event
            await ending
        finally:
            # Whoever stops listening stops the run; what is in flight is still logged.
            self.stop()
            await asyncio.gather(*workers, ending, return_exceptions=True)

    def stop(self) -> None:
        """End what is in flight as cancelled and skip the rest; what was done is still reported."""
        self._stop.set()
        for key in tuple(self._in_flight):
            self._ports.transport.cancel(key)

    def _numbered(self) -> Iterable[tuple[Plan, int]]:
        """Each plan with the `${sequence}` number of its first step: steps are counted in file order."""
        sequence = 1
        for plan in self._plans:
            yield plan, sequence
            sequence += len(plan.scenario.steps)

    async def _work(self, numbered: Iterable[tuple[Plan, int]]) -> None:
        for plan, sequence in numbered:
            self._events.put_nowait(await self._scenario(plan, sequence))

    async def _end(self, workers: list[asyncio.Task[None]]) -> None:
        try:
            await asyncio.gather(*workers)
        finally:
            self._events.put_nowait(None)

    async def _scenario(self, plan: Plan, sequence: int) -> ScenarioResult:
        start = self._ports.clock.seconds()
        names = compose.Names(
            given=self._options.variables,
            environment=self._ports.environment,
            receiver=self._options.receiver.variables,
            scenario=plan.scenario.variables,
        )
        results: list[StepResult] = []
        skip = ""
        for number, step in enumerate(plan.scenario.steps):
            if self.stopped:
                skip = "the run was stopped"
            if skip:
                result = StepResult(number=number, name=step.name, verdict="skipped", reason=skip)
            else:
                result = await _StepRun(self, plan, number, step, names, sequence + number).run()
            if result.verdict == "errored":
                skip = f"step {step.name!r} errored"
            self._events.put_nowait(result)
            results.append(result)
        seconds = self._ports.clock.seconds() - start
        return ScenarioResult(plan, worst(result.verdict for result in results), tuple(results), seconds)

    async def pause(self, milliseconds: int) -> None:
        """Wait, but not longer than the run."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), milliseconds / 1000)

    def judge(self, contract: Contract) -> compare.Judge:
        key = (contract.action, contract.edition)
        if key not in self._judges:
            self._judges[key] = compare.Judge(contract)
        return self._judges[key]

    @property
    def target_is_fixed(self) -> bool:
        """Whether the receiver is the same for every step: nothing in it is to be filled."""
        return self._fixed is not None

    def target(self, names: compose.Names) -> _Target:
        """The receiver as one step sees it."""
        if self._fixed is not None:
            return self._fixed
        resolved = compose.resolve(self._options.receiver, names)
        compose.check(resolved)
        return self._target(resolved)

    def _target(self, resolved: Receiver) -> _Target:
        environment, written = self._ports.environment, self._options.receiver
        named = {name: environment[name] for name in self._options.secret_env if environment.get(name)}
        return _Target(resolved, {**named, **compose.secrets(written, resolved, environment)})

    def tell(self, event: Event) -> None:
        """Let the listener know."""
        self._events.put_nowait(event)

    async def send(self, delivery_id: str, request: HttpRequest, connection: Connection) -> Exchange:
        self._in_flight.add(delivery_id)
        try:
            return await self._ports.transport.send(request, connection, key=delivery_id)
        finally:
            self._in_flight.discard(delivery_id)


class _Target:
    """A receiver with its placeholders filled, its secrets, and how requests to it begin."""

    def __init__(self, resolved: Receiver, secrets: Mapping[str, str]) -> None:
        self.receiver = resolved
        self.secrets = redact.Secrets(secrets)
        self._heads: dict[str, compose.Head] = {}

    def head(self, contract: Contract) -> compose.Head:
        key = f"{contract.action}/{contract.edition}"
        if key not in self._heads:
            self._heads[key] = compose.head(contract, self.receiver)
        return self._heads[key]


class _Ready(msgspec.Struct):
    """A step's request, ready to send, and how each answer will be judged."""

    contract: Contract
    target: _Target
    request: HttpRequest
    payload: compose.Payload | None
    violations: tuple[Violation, ...]
    expectations: list[Expectation | None]
    """One for each delivery, placeholders filled; each is redacted as the answer it is compared with."""
    judge: compare.Judge


class _Stopped(Exception):
    """The run was stopped before this was sent."""


class _NotDropped(Exception):
    """The receiver answered before it was hung up on."""


class _Sent(msgspec.Struct):
    """A delivery that was logged, what was struck out of it, and what it was on the wire."""

    delivery: Delivery
    secrets: redact.Secrets
    exchange: Exchange


class _Attempted(msgspec.Struct):
    """A delivery at its last attempt."""

    delivery: Delivery
    judgement: Judgement
    exchange: Exchange


async def _beside(exchange: Exchange, work: Callable[[], _Result]) -> _Result:
    """Do the work on an exchange: here, or in a thread where its answer is large and others would wait."""
    response = exchange.response
    if response is None or len(response.body) <= LARGE_BODY:
        return work()
    return await asyncio.to_thread(work)


class _StepRun:
    """One step of one scenario, from its fixture to its verdict."""

    def __init__(
        self, run: Run, plan: Plan, number: int, step: Step, names: compose.Names, sequence: int
    ) -> None:
        self._run = run
        self._ports = run._ports
        self._options = run._options
        self._plan = plan
        self._number = number
        self._step = step
        self._names = names
        self._sequence = sequence

    async def run(self) -> StepResult:
        start = self._ports.clock.seconds()
        try:
            ready = self._prepare()
        except compose.MissingCapture as error:
            self._names.lost |= self._step.capture.keys()
            return self._result("skipped", error.what)
        except SandboxError as error:
            reason = scenario.describe(error, self._plan, self._number)
            return self._result("errored", reason, unreadable=True)
        if ready.violations and not self._step.off_contract and self._step.raw is None:
            first = ready.violations[0]
            more = f", and {len(ready.violations) - 1} more" if len(ready.violations) > 1 else ""
            reason = (
                f"nothing was sent: the payload breaks the contract: "
                f"{first.pointer or '(root)'} {first.message}{more} (correct it, or say off_contract)"
            )
            return self._result("errored", reason)
        try:
            done = await self._deliver(ready)
        except _Stopped:
            return self._result("skipped", "the run was stopped")
        except _NotDropped:
            reason = "it answered before it was hung up on, so nothing was dropped (shorten drop_after_ms)"
            return self._result("errored", reason)
        except UsageError as error:
            # What libcurl cannot send at all, such as a certificate and a key that do not fit.
            return self._result("errored", scenario.describe(error, self._plan, self._number))
        verdict = worst(each.judgement.verdict for each in done)
        reason = next((each.judgement.reason for each in done if each.judgement.verdict == verdict), "")
        lost = await self._capture(done)
        if lost and verdict != "errored":
            verdict, reason = "failed", lost
        return StepResult(
            number=self._number,
            name=self._step.name,
            verdict=verdict,
            reason=reason,
            judgements=tuple(each.judgement for each in done),
            attempts=max(each.delivery.attempt for each in done),
            seconds=self._ports.clock.seconds() - start,
            sent=len(done),
            faults=sum(each.delivery.fault is not None for each in done),
        )

    def _result(self, verdict: Verdict, reason: str, *, unreadable: bool = False) -> StepResult:
        return StepResult(
            number=self._number, name=self._step.name, verdict=verdict, reason=reason, unreadable=unreadable
        )

    # --- compose, check, build ---

    def _prepare(self) -> _Ready:
        plan, step, names = self._plan, self._step, self._names
        clock = self._ports.clock
        contract = self._ports.contract(plan.scenario.action, plan.scenario.edition)
        base = self._fixture(contract)
        if plan.placeholders or not self._run.target_is_fixed or (base is not None and base.placeholders):
            names.built_in = {"uuid": clock.uuid(), "now": clock.now(), "sequence": self._sequence}
        target = self._run.target(names)
        head = target.head(contract)
        headers = self._headers()
        payload = None
        violations: tuple[Violation, ...] = ()
        if step.raw is not None:
            request = compose.build_raw(head, compose.raw_bytes(step.raw), headers)
        else:
            token_at = contract.auth.pointer if contract.auth else ""
            payload = compose.compose(step, base, names, placeholders=plan.placeholders, token_at=token_at)
            violations = contract.check_request(payload.value)
            request = compose.build(head, payload, contract, target.receiver.token, headers)
        expectations = self._expectations()
        judge = self._run.judge(contract)
        return _Ready(contract, target, request, payload, violations, expectations, judge)

    def _fixture(self, contract: Contract) -> compose.Template | None:
        name = self._step.fixture
        return None if name is None else self._ports.fixture(contract.action, contract.edition, name)

    def _headers(self) -> Mapping[str, str]:
        """The headers that the step adds or replaces."""
        deliver = self._step.deliver
        if not deliver.headers and not deliver.content_type:
            return {}
        own = {
            name: compose.fill_text(value, self._names, f"/deliver/headers/{pointer.escape(name)}")
            for name, value in deliver.headers.items()
        }
        return {"Content-Type": deliver.content_type, **own} if deliver.content_type else own

    def _expectations(self) -> list[Expectation | None]:
        """One for each delivery, placeholders filled."""
        expect = self._step.expect
        each = expect if isinstance(expect, list) else [expect] * self._step.deliver.times
        filled: dict[int, Expectation | None] = {}
        for one in each:
            if id(one) not in filled:
                filled[id(one)] = self._filled(one)
        return [filled[id(one)] for one in each]

    def _filled(self, expectation: Expectation | None) -> Expectation | None:
        if expectation is None or not self._plan.placeholders:
            return expectation
        names = self._names
        parts = {"body": expectation.body, "rules": expectation.rules}
        filled = {
            part: compose.fill(value, names, f"/expect/{part}")
            for part, value in parts.items()
            if value is not msgspec.UNSET
        }
        filled["headers"] = {
            name: compose.fill_text(rule, names, f"/expect/headers/{pointer.escape(name)}")
            if isinstance(rule, str)
            else compose.fill(rule, names, f"/expect/headers/{pointer.escape(name)}")
            for name, rule in expectation.headers.items()
        }
        expectation = msgspec.structs.replace(expectation, **filled)
        scenario.check_rules(expectation)
        return expectation

    # --- send, log, compare ---

    async def _deliver(self, ready: _Ready) -> list[_Attempted]:
        deliver = self._step.deliver
        if deliver.drop_after_ms is not None:
            await self._drop(ready, deliver.drop_after_ms)
        done: list[_Attempted] = []
        for first in range(0, deliver.times, deliver.parallel):
            if deliver.delay_ms and (first or deliver.drop_after_ms is not None):
                await self._run.pause(deliver.delay_ms)
            if self._run.stopped:
                if not done:
                    raise _Stopped
                break
            numbers = range(first, min(first + deliver.parallel, deliver.times))
            if len(numbers) == 1:
                done.append(await self._delivery(ready, numbers[0]))
            else:
                done += await asyncio.gather(*(self._delivery(ready, number) for number in numbers))
        return done

    async def _drop(self, ready: _Ready, after_ms: int) -> None:
        """Send, and hang up on purpose: what is delivered next is a duplicate."""
        sent = await self._send(ready, 1, 1, drop_after_ms=after_ms)
        self._tell(DeliveryFinished(self._plan, sent.delivery, None))
        if not sent.delivery.dropped:
            raise _Stopped if self._run.stopped else _NotDropped

    async def _delivery(self, ready: _Ready, index: int) -> _Attempted:
        """Send one delivery, again after faults as often as retries allow; the last attempt counts."""
        expectation = ready.expectations[index]
        number = index + (1 if self._step.deliver.drop_after_ms is None else 2)
        attempt = 1
        while True:
            sent = await self._send(ready, number, attempt)
            expected = expectation is not None and expectation.fault is not None
            last = attempt > self._options.retries or self._run.stopped
            if sent.exchange.fault is None or expected or last:
                return await self._judge(ready, sent, expectation)
            self._tell(DeliveryFinished(self._plan, sent.delivery, None))
            attempt += 1

    async def _send(
        self, ready: _Ready, number: int, attempt: int, *, drop_after_ms: int | None = None
    ) -> _Sent:
        """Send once, and log what came of it."""
        delivery_id = self._ports.log.next_id()
        self._tell(DeliveryStarted(delivery_id, self._plan, self._step.name, ready.request.url))
        connection = compose.connection(
            ready.target.receiver,
            timeout_ms=self._step.deliver.timeout_ms or self._options.timeout_ms,
            drop_after_ms=drop_after_ms,
        )
        sent_at = self._ports.clock.now()
        exchange = await self._run.send(delivery_id, ready.request, connection)
        fault = exchange.fault
        dropped = drop_after_ms is not None and fault is not None and fault.kind == "cancelled"
        dropped = dropped and not self._run.stopped
        fact = partial(self._fact, ready, exchange, delivery_id, sent_at, number, attempt, dropped)
        delivery, secrets = await _beside(exchange, fact)
        self._ports.log.append(delivery)
        return _Sent(delivery, secrets, exchange)

    async def _judge(self, ready: _Ready, sent: _Sent, expectation: Expectation | None) -> _Attempted:
        """Compare the redacted pair, and log the judgement."""

        def judged() -> Judgement:
            expected = None if expectation is None else redact.expectation(expectation, sent.secrets)
            at = self._ports.clock.now()
            return ready.judge(sent.delivery, expected, at=at, payload_violations=ready.violations)

        judgement = await _beside(sent.exchange, judged)
        self._ports.log.append(judgement)
        self._tell(DeliveryFinished(self._plan, sent.delivery, judgement))
        return _Attempted(sent.delivery, judgement, sent.exchange)

    def _tell(self, event: Event) -> None:
        self._run.tell(event)

    def _fact(
        self,
        ready: _Ready,
        exchange: Exchange,
        delivery_id: str,
        sent_at: str,
        number: int,
        attempt: int,
        dropped: bool,
    ) -> tuple[Delivery, redact.Secrets]:
        kept = redact.exchange(ready.request, exchange, ready.target.secrets, ready.contract.secrets)
        composed = ""
        if ready.payload is not None and (
            ready.payload.template is not ready.payload.value or ready.contract.auth
        ):
            template = source.compact(ready.payload.template)
            composed = redact.template(template, ready.target.secrets, ready.contract.secrets)
        delivery = Delivery(
            id=delivery_id,
            run=delivery_id.rpartition(".")[0],
            sent_at=sent_at,
            action=ready.contract.action,
            edition=ready.contract.edition,
            receiver=ready.target.receiver.name,
            stand_in=ready.target.receiver.stand_in,
            scenario=self._plan.id,
            step=self._step.name,
            fixture=self._step.fixture or "",
            number=number,
            attempt=attempt,
            dropped=dropped,
            off_contract=self._step.off_contract,
            composed=composed,
            parent=self._options.parent,
            request=kept.request,
            response=kept.response,
            fault=kept.fault,
            timings=exchange.timings,
        )
        return delivery, kept.secrets

    # --- captures ---

    async def _capture(self, done: list[_Attempted]) -> str:
        """Take values from the last judged answer for later steps; what could not be taken, in one line."""
        captures = self._step.capture
        if not captures:
            return ""
        exchange = done[-1].exchange
        try:
            body = await _beside(exchange, lambda: _body(exchange))
        except SandboxError as error:
            self._names.lost |= captures.keys()
            return f"nothing could be captured: {error.what}"
        problems = []
        for name, path in captures.items():
            try:
                self._names.captured[name] = pointer.resolve(body, path)
                self._names.lost -= {name}
            except pointer.PointerError as error:
                self._names.lost |= {name}
                problems.append(f"{name} could not be captured from {path}: {error}")
        return "; ".join(problems)


def _body(exchange: Exchange) -> Json:
    """The answer's JSON; SandboxError where there is none."""
    if exchange.response is None or exchange.fault is not None:
        raise SandboxError("there was no answer")
    return source.parse(exchange.response.body)
