"""One step: compose, check, build, send, log, compare."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from retailops_sandbox import comparing, composing, jsontext, redaction
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine.events import DeliveryFinished, DeliveryStarted, StepResult, worst
from retailops_sandbox.engine.target import Target
from retailops_sandbox.errors import SandboxError, SourceError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Exchange,
    Expectation,
    Fault,
    HttpRequest,
    Json,
    Judgement,
    Step,
    Verdict,
    Violation,
)
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan

if TYPE_CHECKING:
    from retailops_sandbox.engine.run import Run

LARGE_BODY = 64 * 1024
"""Bytes; the work on a larger answer leaves the event loop."""


class Ready(msgspec.Struct):
    """A step's request, ready to send, and how each answer will be judged."""

    contract: Contract
    target: Target
    request: HttpRequest
    payload: composing.Payload | None
    violations: tuple[Violation, ...]
    expectations: list[Expectation | None]
    """One for each delivery, placeholders filled; each is redacted as the answer it is compared with."""
    judge: comparing.Judge


class _Stopped(Exception):
    """The run was stopped before any of this was sent."""


class _NotDropped(Exception):
    """What was to be hung up on ended by itself before."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__()
        self.fault = fault


class _Sent(msgspec.Struct):
    """A delivery that was logged, what was struck out of it, and what it was on the wire."""

    delivery: Delivery
    secrets: redaction.Secrets
    exchange: Exchange


class _Attempted(msgspec.Struct):
    """A delivery at its last attempt."""

    delivery: Delivery
    judgement: Judgement
    exchange: Exchange


def _is_large(exchange: Exchange) -> bool:
    """Whether the answer is so large that others would wait for the work on it: a thread does it."""
    return exchange.response is not None and len(exchange.response.body) > LARGE_BODY


class StepRun:
    """One step of one scenario, from its fixture to its verdict."""

    def __init__(
        self, run: Run, plan: Plan, number: int, step: Step, names: composing.Names, sequence: int
    ) -> None:
        self._run = run
        self._ports = run.ports
        self._options = run.options
        self._plan = plan
        self._number = number
        self._step = step
        self._names = names
        self._sequence = sequence

    async def run(self) -> StepResult:
        start = self._ports.clock.seconds()
        try:
            ready = self.prepare()
        except composing.MissingCapture as error:
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
            return self._result("skipped", self._run.stop_reason)
        except _NotDropped as ended:
            reason = "it answered before it was hung up on, so nothing was dropped (shorten drop_after_ms)"
            if ended.fault is not None:
                reason = f"{ended.fault.kind}: {ended.fault.message}"
            return self._result("errored", reason, sent=1, faults=int(ended.fault is not None))
        except UsageError as error:
            # What libcurl cannot send at all, such as a certificate and a key that do not fit.
            return self._result("errored", scenario.describe(error, self._plan, self._number))
        judgements: list[Judgement] = []
        attempts = faults = 0
        for each in done:
            judgements.append(each.judgement)
            attempts = max(attempts, each.delivery.attempt)
            faults += each.delivery.fault is not None
        verdict = worst([judgement.verdict for judgement in judgements])
        reason = next(judgement.reason for judgement in judgements if judgement.verdict == verdict)
        lost = await self._capture(done) if self._step.capture else ""
        if lost and verdict != "errored":
            verdict, reason = "failed", lost
        if left := len(ready.expectations) - len(done):
            cut = f"the run was stopped: {left} of {len(ready.expectations)} deliveries were not sent"
            # What was sent may have passed; what was not is no pass.
            verdict = verdict if verdict in ("failed", "errored") else "skipped"
            reason = f"{reason}; {cut}" if reason else cut
        return StepResult(
            number=self._number,
            name=self._step.name,
            verdict=verdict,
            reason=reason,
            judgements=tuple(judgements),
            attempts=attempts,
            seconds=self._ports.clock.seconds() - start,
            sent=len(done),
            faults=faults,
        )

    def _result(
        self, verdict: Verdict, reason: str, *, unreadable: bool = False, sent: int = 0, faults: int = 0
    ) -> StepResult:
        return StepResult(
            number=self._number,
            name=self._step.name,
            verdict=verdict,
            reason=reason,
            unreadable=unreadable,
            sent=sent,
            faults=faults,
        )

    # --- compose, check, build ---

    def prepare(self) -> Ready:
        """The request and what is expected; SandboxError where they cannot be composed."""
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
            request = composing.build_raw(head, composing.raw_bytes(step.raw), headers)
        else:
            token_at = contract.auth.pointer if contract.auth else ""
            payload = composing.compose(step, base, names, placeholders=plan.placeholders, token_at=token_at)
            violations = contract.check_request(payload.value, numbers=payload.numbers)
            request = composing.build(head, payload, contract, target.receiver.token, headers)
        expectations = self._expectations()
        judge = self._run.judge(contract)
        return Ready(contract, target, request, payload, violations, expectations, judge)

    def _fixture(self, contract: Contract) -> composing.Template | None:
        name = self._step.fixture
        return None if name is None else self._ports.fixture(contract.action, contract.edition, name)

    def _headers(self) -> Mapping[str, str]:
        """The headers that the step adds or replaces."""
        deliver = self._step.deliver
        if not deliver.headers and not deliver.content_type:
            return {}
        own = {
            name: composing.fill_text(value, self._names, f"/deliver/headers/{pointer.escape(name)}")
            for name, value in deliver.headers.items()
        }
        return {"Content-Type": deliver.content_type, **own} if deliver.content_type else own

    def _expectations(self) -> list[Expectation | None]:
        """One for each delivery, placeholders filled."""
        expect = self._step.expect
        if self._step.deliver.times == 1 and not isinstance(expect, list):
            return [self._filled(expect)]
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
            part: composing.fill(value, names, f"/expect/{part}")
            for part, value in parts.items()
            if value is not msgspec.UNSET
        }
        filled["headers"] = {
            name: composing.fill_text(rule, names, f"/expect/headers/{pointer.escape(name)}")
            if isinstance(rule, str)
            else composing.fill(rule, names, f"/expect/headers/{pointer.escape(name)}")
            for name, rule in expectation.headers.items()
        }
        expectation = msgspec.structs.replace(expectation, **filled)
        scenario.check_rules(expectation)
        return expectation

    # --- send, log, compare ---

    async def _deliver(self, ready: Ready) -> list[_Attempted]:
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

    async def _drop(self, ready: Ready, after_ms: int) -> None:
        """Send, and hang up on purpose: what is delivered next is a duplicate."""
        sent = await self._send(ready, 1, 1, drop_after_ms=after_ms)
        self._run.tell(DeliveryFinished(self._plan, sent.delivery, None))
        if not sent.delivery.dropped:
            raise _Stopped if self._run.stopped else _NotDropped(sent.delivery.fault)

    async def _delivery(self, ready: Ready, index: int) -> _Attempted:
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
            self._run.tell(DeliveryFinished(self._plan, sent.delivery, None))
            attempt += 1

    async def _send(
        self, ready: Ready, number: int, attempt: int, *, drop_after_ms: int | None = None
    ) -> _Sent:
        """Send once, and log what came of it."""
        delivery_id = self._ports.log.next_id()
        url = ready.target.secrets.url(ready.request.url)
        self._run.tell(DeliveryStarted(delivery_id, self._plan, self._step.name, url))
        timeout_ms = self._step.deliver.timeout_ms or self._options.timeout_ms
        connection = ready.target.connection(timeout_ms, drop_after_ms)
        sent_at = self._ports.clock.now()
        exchange = await self._run.send(delivery_id, ready.request, connection)
        fault = exchange.fault
        dropped = drop_after_ms is not None and fault is not None and fault.kind == "cancelled"
        dropped = dropped and not self._run.stopped
        seen = (ready, exchange, delivery_id, sent_at, number, attempt, dropped)
        delivery, secrets = (
            await asyncio.to_thread(self._fact, *seen) if _is_large(exchange) else self._fact(*seen)
        )
        self._ports.log.append(delivery)
        return _Sent(delivery, secrets, exchange)

    async def _judge(self, ready: Ready, sent: _Sent, expectation: Expectation | None) -> _Attempted:
        """Compare the redacted pair, and log the judgement."""
        pair = (ready, sent, expectation)
        judgement = (
            await asyncio.to_thread(self._judged, *pair) if _is_large(sent.exchange) else self._judged(*pair)
        )
        self._ports.log.append(judgement)
        self._run.tell(DeliveryFinished(self._plan, sent.delivery, judgement))
        return _Attempted(sent.delivery, judgement, sent.exchange)

    def _judged(self, ready: Ready, sent: _Sent, expectation: Expectation | None) -> Judgement:
        expected = None if expectation is None else redaction.expectation(expectation, sent.secrets)
        at = self._ports.clock.now()
        return ready.judge(sent.delivery, expected, at=at, payload_violations=ready.violations)

    def _fact(
        self,
        ready: Ready,
        exchange: Exchange,
        delivery_id: str,
        sent_at: str,
        number: int,
        attempt: int,
        dropped: bool,
    ) -> tuple[Delivery, redaction.Secrets]:
        kept = redaction.exchange(ready.request, exchange, ready.target.secrets, ready.contract.secrets)
        composed = ""
        if ready.payload is not None and (
            ready.payload.template is not ready.payload.value or ready.contract.auth
        ):
            template = jsontext.compact(ready.payload.template)
            composed = redaction.template(template, ready.target.secrets, ready.contract.secrets)
        rare = {
            "stand_in": ready.target.receiver.stand_in,
            "dropped": dropped,
            "off_contract": self._step.off_contract,
            "composed": composed,
            "own_headers": self._own_headers(kept.secrets),
            "parent": self._options.parent,
        }
        delivery = Delivery(
            id=delivery_id,
            run=delivery_id.rpartition(".")[0],
            sent_at=sent_at,
            action=ready.contract.action,
            edition=ready.contract.edition,
            receiver=ready.target.receiver.name,
            scenario=self._plan.id,
            step=self._step.name,
            fixture=self._step.fixture or "",
            number=number,
            attempt=attempt,
            request=kept.request,
            response=kept.response,
            fault=kept.fault,
            timings=exchange.timings,
        )
        # Apart, because Python is slow with more than 15 names in one call.
        return msgspec.structs.replace(delivery, **rare) if any(rare.values()) else delivery, kept.secrets

    def _own_headers(self, secrets: redaction.Secrets) -> dict[str, str]:
        deliver = self._step.deliver
        kept = {"Content-Type": ""} if deliver.content_type else {}
        for name, written in deliver.headers.items():
            refers = any(each.startswith("env:") for each in composing.references(written))
            kept[name] = secrets.plain(written) if refers else ""
        return kept

    # --- captures ---

    async def _capture(self, done: list[_Attempted]) -> str:
        """Take values from the last judged answer for later steps; what could not be taken, in one line."""
        captures = self._step.capture
        exchange = done[-1].exchange
        try:
            body = await asyncio.to_thread(_body, exchange) if _is_large(exchange) else _body(exchange)
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
    try:
        return jsontext.parse(exchange.response.body)
    except SourceError as error:
        # Not what the parser says: it quotes a piece, and no piece of a secret can be told from other words.
        raise SandboxError("the answer is not JSON") from error
