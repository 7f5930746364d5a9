"""One step, from its fixture to its verdict: prepared, then sent, logged and compared."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import comparing, composing, jsontext, redaction
from retailops_sandbox.comparing import Answer
from retailops_sandbox.engine.context import RunContext
from retailops_sandbox.engine.events import DeliveryFinished, DeliveryStarted, StepResult, worst
from retailops_sandbox.engine.preparation import Prepared, is_large
from retailops_sandbox.errors import SandboxError, SourceError, UsageError
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    DeliveryInFlight,
    Exchange,
    Expectation,
    Fault,
    Json,
    Judgement,
    Verdict,
    Violation,
)
from retailops_sandbox.scenarios import capturing, scenario
from retailops_sandbox.scenarios.scenario import Plan


class _Stopped(Exception):
    """The run was stopped before any delivery of the step was sent."""


class _NotDropped(Exception):
    """The delivery that was to be dropped ended before the drop."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__()
        self.fault = fault


class _Sent(msgspec.Struct):
    """A logged delivery, with the secrets struck out of it and the exchange as it was."""

    delivery: Delivery
    secrets: redaction.Secrets
    exchange: Exchange
    answer: Answer


class _Attempted(msgspec.Struct):
    """A delivery at its last attempt, judged."""

    delivery: Delivery
    judgement: Judgement
    exchange: Exchange


class _Delivered(msgspec.Struct):
    """All deliveries of a step, judged."""

    prepared: Prepared
    done: list[_Attempted]
    seconds: float
    """How long preparing and delivering took."""


def _may_wait(expectation: Expectation | None) -> bool:
    """Whether judging by an expectation may wait for another process."""
    return expectation is not None and comparing.may_wait(expectation)


def _template(prepared: Prepared) -> bytes:
    """The payload before it was filled and its token added; empty where the request's body is the same."""
    payload, request = prepared.payload, prepared.request
    body = request.body if request.composed is None else request.composed
    if payload is None or (payload.template is payload.value and prepared.contract.auth is None):
        return b""
    template = jsontext.compact(payload.template)
    return b"" if template == body and payload.template is payload.value else template


class StepRun:
    """One step of one scenario, from its fixture to its verdict."""

    def __init__(
        self, context: RunContext, plan: Plan, number: int, names: composing.Names, sequence: int
    ) -> None:
        """`number` is the step's place in the plan, from 0; `sequence` the value of its `${sequence}`."""
        self._context = context
        self._ports = context.ports
        self._options = context.options
        self._plan = plan
        self._number = number
        self._step = plan.scenario.steps[number]
        self._names = names
        self._sequence = sequence
        self._delivered = 0
        """How many deliveries there were when the step was done before; it may be repeated."""
        self._joined: dict[str, list[Json]] = {}
        """The lists that were captured each time that the step was done, one behind the other."""
        self._goes_on = False
        """Whether the step is done again, by what was captured the last time."""
        self._began = 0.0

    async def run(self) -> StepResult:
        """Do the step, again and again where it says so."""
        result = await self._once()
        repetition = self._step.repeat_while
        if repetition is not None:
            results = [result]
            while self._goes_on and len(results) < repetition.at_most:
                results.append(await self._once())
            result = _repeated(results, repetition.captured if self._goes_on else "")
        return self._with_captured(result)

    async def _once(self) -> StepResult:
        return await self._conclude(await self._deliver(await self._prepare()))

    async def _prepare(self) -> Prepared | StepResult:
        """The request and what is expected, or the result of a step that sends nothing."""
        self._goes_on = False
        self._began = self._ports.clock.seconds()
        try:
            prepared = await self._compose()
        except composing.MissingCapture as error:
            self._names.lost |= self._step.capture.keys()
            return self._result("skipped", error.what)
        except SandboxError as error:
            return self._result("errored", self._described(error), unreadable=True)
        if prepared.is_refused:
            broken = redaction.violations(prepared.violations, prepared.secrets)
            return self._result("errored", _refusal(broken))
        return prepared

    async def _deliver(self, prepared: Prepared | StepResult) -> _Delivered | StepResult:
        """All deliveries, or the result of a step of which none can be judged."""
        if isinstance(prepared, StepResult):
            return prepared
        try:
            done = await self._deliveries(prepared)
        except _Stopped:
            return self._result("skipped", self._context.stop_reason)
        except _NotDropped as ended:
            reason = "it answered before it was hung up on, so nothing was dropped (shorten drop_after_ms)"
            if ended.fault is not None:
                reason = f"{ended.fault.kind}: {ended.fault.message}"
            return self._result("errored", reason, sent=1, faults=int(ended.fault is not None))
        except UsageError as error:
            # What libcurl cannot send at all, such as a certificate and a key that do not fit.
            return self._result("errored", self._described(error))
        return _Delivered(prepared, done, self._ports.clock.seconds() - self._began)

    async def _conclude(self, delivered: _Delivered | StepResult) -> StepResult:
        """The result, once values are captured from the last answer."""
        if isinstance(delivered, StepResult):
            return delivered
        prepared, done = delivered.prepared, delivered.done
        lost = await self._capture(prepared, done) if self._step.capture else ""
        verdict, reason = _outcome(done, len(prepared.expectations), lost)
        self._goes_on = self._goes_on and not lost and verdict not in ("errored", "skipped")
        self._delivered += len(done) + (self._step.deliver.drop_after_ms is not None)
        return StepResult(
            number=self._number,
            name=self._step.name,
            verdict=verdict,
            reason=reason,
            judgements=tuple([each.judgement for each in done]),
            attempts=max([each.delivery.attempt for each in done]),
            seconds=delivered.seconds,
            sent=len(done),
            faults=len(
                [each for each in done if each.delivery.fault is not None and not each.delivery.dropped]
            ),
        )

    def _with_captured(self, result: StepResult) -> StepResult:
        """The result with the values that the step captured."""
        if not self._step.capture:
            return result
        captured = self._names.captured
        found = {name: captured[name] for name in self._step.capture if name in captured}
        return msgspec.structs.replace(result, captured=found)

    async def _compose(self) -> Prepared:
        preparation = self._context.preparation
        step = (self._plan, self._number, self._names, self._sequence)
        if preparation.is_large(self._plan, self._number):
            return await asyncio.to_thread(preparation.step, *step)
        return preparation.step(*step)

    def _described(self, error: SandboxError) -> str:
        return scenario.describe(error, self._plan, self._number)

    def _result(self, verdict: Verdict, reason: str, **others: Any) -> StepResult:
        return StepResult(number=self._number, name=self._step.name, verdict=verdict, reason=reason, **others)

    # --- send, log, compare ---

    async def _deliveries(self, prepared: Prepared) -> list[_Attempted]:
        deliver = self._step.deliver
        if deliver.drop_after_ms is not None:
            await self._drop(prepared, deliver.drop_after_ms)
        done: list[_Attempted] = []
        for first in range(0, deliver.times, deliver.parallel):
            if deliver.delay_ms and (first or self._delivered or deliver.drop_after_ms is not None):
                await self._context.pause(deliver.delay_ms)
            if self._context.is_stopped:
                if not done:
                    raise _Stopped
                break
            numbers = range(first, min(first + deliver.parallel, deliver.times))
            if len(numbers) == 1:
                done.append(await self._delivery(prepared, numbers[0]))
            else:
                done += await asyncio.gather(*(self._delivery(prepared, number) for number in numbers))
        return done

    async def _drop(self, prepared: Prepared, after_ms: int) -> None:
        """Send a delivery and drop its connection, so that the next delivery is a duplicate."""
        sent = await self._send(prepared, self._delivered + 1, 1, drop_after_ms=after_ms)
        self._context.telling.tell(DeliveryFinished(self._plan, sent.delivery, None, prepared.contract))
        if not sent.delivery.dropped:
            raise _Stopped if self._context.is_stopped else _NotDropped(sent.delivery.fault)

    async def _delivery(self, prepared: Prepared, index: int) -> _Attempted:
        """Send one delivery, and again after a fault while retries are left; the last attempt is judged."""
        expectation = prepared.expectations[index]
        number = self._delivered + index + (1 if self._step.deliver.drop_after_ms is None else 2)
        attempt = 1
        while True:
            sent = await self._send(prepared, number, attempt)
            expected = expectation is not None and expectation.fault is not None
            last = attempt > self._options.retries or self._context.is_stopped
            if sent.exchange.fault is None or expected or last or sent.delivery.dropped:
                return await self._judge(prepared, sent, expectation)
            self._context.telling.tell(DeliveryFinished(self._plan, sent.delivery, None, prepared.contract))
            attempt += 1

    async def _send(
        self, prepared: Prepared, number: int, attempt: int, *, drop_after_ms: int | None = None
    ) -> _Sent:
        """Send once, and log the delivery."""
        delivery_id = self._ports.log.next_id()
        url = prepared.secrets.url(prepared.request.url)
        self._context.telling.tell(DeliveryStarted(delivery_id, self._plan, self._step.name, url))
        timeout_ms = self._step.deliver.timeout_ms or self._options.timeout_ms
        connection = prepared.target.connection(timeout_ms, drop_after_ms)
        sent_at = self._ports.clock.now()
        with self._ports.log.sending(self._flight(prepared, delivery_id, sent_at, number, attempt)):
            exchange = await self._context.send(delivery_id, prepared.request, connection)
            fault = exchange.fault
            wire = prepared.request.wire
            drops = drop_after_ms is not None or (wire is not None and wire.break_off_after is not None)
            dropped = drops and fault is not None and fault.kind == "cancelled"
            dropped = dropped and not self._context.is_stopped
            seen = (prepared, exchange, delivery_id, sent_at, number, attempt, dropped)
            if is_large(prepared.request, exchange):
                return await asyncio.to_thread(self._logged_sent, *seen)
            return self._logged_sent(*seen)

    def _flight(
        self, prepared: Prepared, delivery_id: str, sent_at: str, number: int, attempt: int
    ) -> DeliveryInFlight:
        return DeliveryInFlight(
            id=delivery_id,
            sent_at=sent_at,
            action=prepared.contract.action,
            edition=prepared.contract.edition,
            receiver=prepared.target.receiver.name,
            stand_in=prepared.target.receiver.stand_in,
            scenario=self._plan.id,
            step=self._step.name,
            fixture=self._step.fixture or "",
            number=number,
            attempt=attempt,
            off_contract=self._step.off_contract,
            parent=self._options.parent,
        )

    async def _judge(self, prepared: Prepared, sent: _Sent, expectation: Expectation | None) -> _Attempted:
        """Compare what was really answered, and log the judgement redacted."""
        pair = (prepared, sent, expectation)
        judgement = (
            await asyncio.to_thread(self._logged_judgement, *pair)
            if is_large(prepared.request, sent.exchange) or _may_wait(expectation)
            else self._logged_judgement(*pair)
        )
        self._context.telling.tell(DeliveryFinished(self._plan, sent.delivery, judgement, prepared.contract))
        return _Attempted(sent.delivery, judgement, sent.exchange)

    def _logged_judgement(
        self, prepared: Prepared, sent: _Sent, expectation: Expectation | None
    ) -> Judgement:
        found = self._context.judge(prepared.contract)(
            sent.answer,
            expectation,
            at=self._ports.clock.now(),
            payload_violations=prepared.violations,
            expected_by=prepared.expected_by,
        )
        pointers = redaction.secret_pointers(prepared.contract)
        judgement = redaction.judgement(found, sent.delivery, sent.secrets, pointers)
        self._ports.log.append(judgement)
        return judgement

    def _logged_sent(
        self,
        prepared: Prepared,
        exchange: Exchange,
        delivery_id: str,
        sent_at: str,
        number: int,
        attempt: int,
        dropped: bool,
    ) -> _Sent:
        """Log what was sent and came back, redacted."""
        secrets, pointers = prepared.secrets, redaction.secret_pointers(prepared.contract)
        kept = redaction.exchange(prepared.request, exchange, secrets, pointers, prepared.document)
        composed, struck_out = "", kept.struck_out
        template = _template(prepared)
        if template:
            document = UNSET if prepared.payload is None else prepared.payload.template
            payload = redaction.template(template, secrets, pointers, document)
            composed, struck_out = payload.text, struck_out + payload.struck_out
        own_headers: dict[str, str | None] = {}
        if self._step.deliver.headers or self._step.deliver.content_type:
            own_headers, in_own = redaction.own_headers(self._written_headers(), kept.secrets)
            struck_out += (*in_own,)
        wire = None
        if prepared.written_wire is not None:
            wire, in_wire = redaction.wire(prepared.written_wire, kept.secrets)
            struck_out += (*in_wire,)
        rare = {
            "stand_in": prepared.target.receiver.stand_in,
            "dropped": dropped,
            "off_contract": self._step.off_contract,
            "composed": composed,
            "own_headers": own_headers,
            "wire": wire,
            "redirects": kept.redirects,
            "parent": self._options.parent,
        }
        delivery = Delivery(
            id=delivery_id,
            run=delivery_id.rpartition(".")[0],
            sent_at=sent_at,
            action=prepared.contract.action,
            edition=prepared.contract.edition,
            receiver=prepared.target.receiver.name,
            scenario=self._plan.id,
            step=self._step.name,
            fixture=self._step.fixture or "",
            number=number,
            attempt=attempt,
            request=kept.request,
            response=kept.response,
            fault=kept.fault,
            timings=exchange.timings,
            struck_out=struck_out,
        )
        # Apart, because Python is slow with more than 15 names in one call.
        if any(rare.values()):
            delivery = msgspec.structs.replace(delivery, **rare)
        self._ports.log.append(delivery)
        return _Sent(delivery, kept.secrets, exchange, Answer(delivery, kept.answered))

    def _written_headers(self) -> dict[str, str | None]:
        """The headers of the step, those that refer to the environment as they are written, else empty.

        None for one that the step leaves out.
        """
        deliver = self._step.deliver
        kept: dict[str, str | None] = {"Content-Type": ""} if deliver.content_type else {}
        for name, written in deliver.headers.items():
            is_kept = written is None or composing.environment_variables(written)
            kept[name] = written if is_kept else ""
        return kept

    # --- captures ---

    async def _capture(self, prepared: Prepared, done: list[_Attempted]) -> str:
        """Capture values from the last judged answer; returns in one line what could not be captured."""
        captures = self._step.capture
        exchange = done[-1].exchange
        try:
            body = (
                await asyncio.to_thread(_body, exchange)
                if is_large(prepared.request, exchange)
                else _body(exchange)
            )
        except SandboxError as error:
            self._names.lost |= captures.keys()
            return f"nothing could be captured: {error.what}"
        watched = self._step.repeat_while.captured if self._step.repeat_while is not None else None
        problems = []
        for name, wanted in captures.items():
            try:
                found = capturing.capture(body, wanted)
            except pointer.PointerError as error:
                self._names.captured.pop(name, None)
                if name != watched:
                    self._names.lost |= {name}
                    problems.append(f"{name} could not be captured from {capturing.spelled(wanted)}: {error}")
                continue
            if name == watched:
                self._goes_on = not capturing.is_empty(found.value)
            self._names.captured[name] = self._with_earlier(name, found.value)
            self._names.lost -= {name}
            for at, value in found.places:
                self._names.secrets += redaction.secrets_at(at, value, done[-1].delivery)
        return "; ".join(problems)

    def _with_earlier(self, name: str, value: Json) -> Json:
        """A captured list behind those that were captured when the step was done before; else the value."""
        if self._step.repeat_while is None or not isinstance(value, list):
            return value
        joined = self._joined[name] = [*self._joined.get(name, ()), *value]
        return joined


async def at_once(steps: Sequence[StepRun]) -> list[StepResult]:
    """Do some steps of one scenario at the same time, none of which is repeated.

    They are prepared in their order, then all delivered, and values are captured in their order again.
    """
    prepared = [await step._prepare() for step in steps]
    delivered = await asyncio.gather(
        *(step._deliver(each) for step, each in zip(steps, prepared, strict=True))
    )
    return [
        step._with_captured(await step._conclude(each)) for step, each in zip(steps, delivered, strict=True)
    ]


def _repeated(results: Sequence[StepResult], unfinished: str) -> StepResult:
    """The result of a step that was done several times: the worst.

    `unfinished` is the name that is still captured although the step was done as often as it may be.
    """
    verdict = worst([each.verdict for each in results])
    last = results[-1]
    if last.verdict == "skipped" and verdict not in ("failed", "errored"):
        verdict = "skipped"
    number = next(number for number, each in enumerate(results) if each.verdict == verdict)
    reason = _at_time(number, results)
    if last.verdict == "skipped" != verdict:
        reason = f"{reason}; {_at_time(len(results) - 1, results)}"
    if unfinished:
        times = "once" if len(results) == 1 else f"{len(results)} times"
        bound = (
            f"it was done {times}, as often as at_most allows, and {unfinished} is still captured "
            "(raise at_most, or see why the answers do not end)"
        )
        verdict, reason = "failed", f"{reason}; {bound}" if verdict == "failed" and reason else bound
    return msgspec.structs.replace(
        results[0],
        verdict=verdict,
        reason=reason,
        judgements=tuple([judgement for each in results for judgement in each.judgements]),
        attempts=max([each.attempts for each in results]),
        seconds=sum([each.seconds for each in results]),
        unreadable=any(each.unreadable for each in results),
        sent=sum([each.sent for each in results]),
        faults=sum([each.faults for each in results]),
        times=len(results),
    )


def _at_time(number: int, results: Sequence[StepResult]) -> str:
    """The reason of one of several results, with its number from 1."""
    reason = results[number].reason
    return f"time {number + 1}: {reason}" if reason and len(results) > 1 else reason


def _outcome(done: Sequence[_Attempted], wanted: int, lost: str) -> tuple[Verdict, str]:
    """A step's verdict and its reason.

    `wanted` is the number of deliveries that there should be; `lost` says what could not be captured.
    """
    verdict = worst([each.judgement.verdict for each in done])
    reason = next(each.judgement.reason for each in done if each.judgement.verdict == verdict)
    if lost and verdict != "errored":
        verdict, reason = "failed", lost
    if left := wanted - len(done):
        cut = f"the run was stopped: {left} of {wanted} deliveries were not sent"
        # The deliveries that were sent may have passed, but a step with unsent ones has not.
        verdict = verdict if verdict in ("failed", "errored") else "skipped"
        reason = f"{reason}; {cut}" if reason else cut
    return verdict, reason


def _refusal(violations: Sequence[Violation]) -> str:
    """The reason why a payload that breaks the contract was not sent."""
    first = violations[0]
    more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
    return (
        f"nothing was sent: the payload breaks the contract: "
        f"{first.pointer or WHOLE} {first.message}{more} (correct it, or say off_contract)"
    )


def _body(exchange: Exchange) -> Json:
    """The answer's JSON; SandboxError where there is none."""
    if exchange.response is None or exchange.fault is not None:
        raise SandboxError("there was no answer")
    try:
        return jsontext.parse(exchange.response.body)
    except SourceError as error:
        # Without the parser's message: it may quote a part of a secret, which redaction cannot find.
        raise SandboxError("the answer is not JSON") from error
