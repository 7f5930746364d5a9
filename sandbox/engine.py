"""The one path: compose, check, build, send, log, compare, report. Every face runs scenarios through here.

`Run.events()` yields what happens as it happens; whoever listens only listens. Nothing here knows a file,
a socket or a clock: it declares the ports it needs.
"""

from __future__ import annotations

import asyncio
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
            compose.base_url(options.receiver)
        self._fixed = None if varies else _Target(options.receiver, options.receiver, ports.environment)
        self.stopped = False

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
            for task in (*workers, ending):
                task.cancel()

    def stop(self) -> None:
        """End what is in flight as cancelled and skip the rest; what was done is still reported."""
        self.stopped = True
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
        written = self._options.receiver
        return _Target(written, compose.resolve(written, names), self._ports.environment)

    async def send(self, delivery_id: str, request: HttpRequest, connection: Connection) -> Exchange:
        self._in_flight.add(delivery_id)
        try:
            return await self._ports.transport.send(request, connection, key=delivery_id)
        finally:
            self._in_flight.discard(delivery_id)


class _Target:
    """A receiver with its placeholders filled, its secrets, and how requests to it begin."""

    def __init__(self, written: Receiver, resolved: Receiver, environment: Mapping[str, str]) -> None:
        self.receiver = resolved
        self.secrets = redact.Secrets(compose.secrets(written, resolved, environment))
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
    judge: compare.Judge


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
            return self._result("skipped", error.what)
        except SandboxError as error:
            return self._result("errored", scenario.describe(error, self._plan, self._number))
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
        except UsageError as error:
            # What libcurl cannot send at all, such as a certificate and a key that do not fit.
            return self._result("errored", scenario.describe(error, self._plan, self._number))
        verdict = worst(each.judgement.verdict for each in done)
        reason = next((each.judgement.reason for each in done if each.judgement.verdict == verdict), "")
        lost = self._capture(done)
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

    def _result(self, verdict: Verdict, reason: str) -> StepResult:
        return StepResult(number=self._number, name=self._step.name, verdict=verdict, reason=reason)

    # --- compose, check, build ---

    def _prepare(self) -> _Ready:
        plan, step, names = self._plan, self._step, self._names
        clock = self._ports.clock
        if plan.placeholders or not self._run.target_is_fixed:
            names.built_in = {"uuid": clock.uuid(), "now": clock.now(), "sequence": self._sequence}
        contract = self._ports.contract(plan.scenario.action, plan.scenario.edition)
        target = self._run.target(names)
        head = target.head(contract)
        headers = self._headers()
        payload = None
        violations: tuple[Violation, ...] = ()
        if step.raw is not None:
            request = compose.build_raw(head, compose.raw_bytes(step.raw), headers)
        else:
            payload = compose.compose(step, self._fixture(contract), names, placeholders=plan.placeholders)
            violations = contract.check_request(payload.value)
            request = compose.build(head, payload, contract, target.receiver.token, headers)
        expectations = self._expectations(target.secrets)
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
        own = {name: compose.fill_text(value, self._names) for name, value in deliver.headers.items()}
        return {"Content-Type": deliver.content_type, **own} if deliver.content_type else own

    def _expectations(self, secrets: redact.Secrets) -> list[Expectation | None]:
        """One for each delivery, placeholders filled and redacted as the delivery will be."""
        expect = self._step.expect
        each = expect if isinstance(expect, list) else [expect] * self._step.deliver.times
        filled: dict[int, Expectation | None] = {}
        for one in each:
            if id(one) not in filled:
                filled[id(one)] = self._filled(one, secrets)
        return [filled[id(one)] for one in each]

    def _filled(self, expectation: Expectation | None, secrets: redact.Secrets) -> Expectation | None:
        if expectation is None or not (self._plan.placeholders or secrets):
            return expectation
        parts = {"body": expectation.body, "headers": expectation.headers, "rules": expectation.rules}
        filled = {
            part: secrets.json(compose.fill(value, self._names, f"/expect/{part}"))
            for part, value in parts.items()
            if value is not msgspec.UNSET
        }
        return msgspec.structs.replace(expectation, **filled)

    # --- send, log, compare ---

    async def _deliver(self, ready: _Ready) -> list[_Attempted]:
        deliver = self._step.deliver
        if deliver.drop_after_ms is not None:
            await self._attempt(ready, 0, 1, None, drop_after_ms=deliver.drop_after_ms)
        done: list[_Attempted] = []
        for first in range(0, deliver.times, deliver.parallel):
            if self._run.stopped and done:
                break
            if deliver.delay_ms and (first or deliver.drop_after_ms is not None):
                await asyncio.sleep(deliver.delay_ms / 1000)
            numbers = range(first, min(first + deliver.parallel, deliver.times))
            if len(numbers) == 1:
                done.append(await self._delivery(ready, numbers[0]))
            else:
                done += await asyncio.gather(*(self._delivery(ready, number) for number in numbers))
        return done

    async def _delivery(self, ready: _Ready, index: int) -> _Attempted:
        """Send one delivery, again after faults as often as retries allow; the last attempt counts."""
        expectation = ready.expectations[index]
        attempts = 1 + self._options.retries
        for attempt in range(1, attempts + 1):
            done = await self._attempt(ready, index + 1, attempt, expectation, last=attempt == attempts)
            if done is not None:
                return done
        raise AssertionError("the last attempt is always judged")

    async def _attempt(
        self,
        ready: _Ready,
        number: int,
        attempt: int,
        expectation: Expectation | None,
        *,
        last: bool = True,
        drop_after_ms: int | None = None,
    ) -> _Attempted | None:
        """Send once, log, judge. None where it is not judged: it was dropped, or another follows."""
        delivery_id = self._ports.log.next_id()
        self._run._events.put_nowait(
            DeliveryStarted(delivery_id, self._plan, self._step.name, ready.request.url)
        )
        connection = compose.connection(
            ready.target.receiver,
            timeout_ms=self._step.deliver.timeout_ms or self._options.timeout_ms,
            drop_after_ms=drop_after_ms,
        )
        sent_at = self._ports.clock.now()
        exchange = await self._run.send(delivery_id, ready.request, connection)
        delivery = await _beside(
            exchange,
            partial(
                self._fact, ready, exchange, delivery_id, sent_at, number, attempt, drop_after_ms is not None
            ),
        )
        self._ports.log.append(delivery)
        retry = exchange.fault is not None and not last and not self._run.stopped
        if delivery.dropped or (retry and not (expectation and expectation.fault)):
            self._run._events.put_nowait(DeliveryFinished(self._plan, delivery, None))
            return None
        judge = partial(
            ready.judge,
            delivery,
            expectation,
            at=self._ports.clock.now(),
            payload_violations=ready.violations,
        )
        judgement = await _beside(exchange, judge)
        self._ports.log.append(judgement)
        self._run._events.put_nowait(DeliveryFinished(self._plan, delivery, judgement))
        return _Attempted(delivery, judgement, exchange)

    def _fact(
        self,
        ready: _Ready,
        exchange: Exchange,
        delivery_id: str,
        sent_at: str,
        number: int,
        attempt: int,
        dropped: bool,
    ) -> Delivery:
        kept = redact.exchange(ready.request, exchange, ready.target.secrets, ready.contract.secrets)
        composed = ""
        if ready.payload is not None and (
            ready.payload.template is not ready.payload.value or ready.contract.auth
        ):
            template = source.compact(ready.payload.template)
            composed = redact.template(template, ready.target.secrets, ready.contract.secrets)
        return Delivery(
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

    # --- captures ---

    def _capture(self, done: list[_Attempted]) -> str:
        """Take values from the last judged answer for later steps; what could not be taken, in one line."""
        if not self._step.capture:
            return ""
        response = done[-1].exchange.response
        lost = []
        try:
            body = source.parse(response.body) if response is not None else None
        except SandboxError:
            # That it is not JSON is among the delivery's violations; here it means nothing to capture.
            body = None
        for name, path in self._step.capture.items():
            try:
                self._names.captured[name] = pointer.resolve(body, path)
            except pointer.PointerError as error:
                self._names.lost |= {name}
                lost.append(f"{name} could not be captured from {path}: {error}")
        return "; ".join(lost)
