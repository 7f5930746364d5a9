"""One execution of some plans: workers, order, stopping."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

import msgspec

from retailops_sandbox import comparing, composing, redaction
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine.events import Event, ScenarioResult, StepResult, worst
from retailops_sandbox.engine.ports import Options, Ports
from retailops_sandbox.engine.step import StepRun
from retailops_sandbox.engine.target import Target
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Exchange, HttpRequest, Receiver, Result, ResultStep, Verdict
from retailops_sandbox.scenarios.scenario import Plan


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
        self.ports = ports
        self.options = options
        self.tell: Callable[[Event], None]
        """Lets the listener know."""
        self._in_flight: set[str] = set()
        self._judges: dict[tuple[str, str], comparing.Judge] = {}
        varies = composing.varies(options.receiver)
        if not varies:
            composing.check(options.receiver)
        self._fixed = None if varies else self._target(options.receiver)
        self._stop = asyncio.Event()
        self._failures = 0
        self.stop_reason = ""

    @property
    def stopped(self) -> bool:
        return bool(self.stop_reason)

    async def execute(self, listen: Callable[[Event], None]) -> None:
        """Run the plans, up to `jobs` at once and each one's steps in order, telling what happens."""
        self.tell = listen
        numbered = iter(list(self.numbered()))
        workers = [
            asyncio.create_task(self._work(numbered))
            for _ in range(max(1, min(self.options.jobs, len(self._plans))))
        ]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for worker in done:
                worker.result()
        finally:
            if not all(worker.done() for worker in workers):
                # Whoever stops listening stops the run; what is in flight is still logged.
                self.stop()
            await asyncio.gather(*workers, return_exceptions=True)

    async def events(self) -> AsyncGenerator[Event, None]:
        """`execute`, for those who would rather loop over what happens."""
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        executing = asyncio.create_task(self.execute(events.put_nowait))
        executing.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            await executing
        finally:
            if not executing.done():
                self.stop()
            await asyncio.gather(executing, return_exceptions=True)

    def stop(self) -> None:
        """End what is in flight as cancelled and skip the rest; what was done is still reported."""
        self._send_no_more("the run was stopped")
        for key in tuple(self._in_flight):
            self.ports.transport.cancel(key)

    def _send_no_more(self, reason: str) -> None:
        self.stop_reason = self.stop_reason or reason
        self._stop.set()

    def _count(self, verdict: Verdict) -> None:
        """Count the failures. What is in flight at the last one that is allowed is judged as ever."""
        most = self.options.max_failures
        if most is None or verdict not in ("failed", "errored"):
            return
        self._failures += 1
        if self._failures == most:
            self._send_no_more(f"the run ended after {most} failure{'' if most == 1 else 's'}")

    def numbered(self) -> Iterable[tuple[Plan, int]]:
        """Each plan with the `${sequence}` number of its first step: steps are counted in file order."""
        sequence = self.options.first_sequence
        for plan in self._plans:
            yield plan, sequence
            sequence += len(plan.scenario.steps)

    async def _work(self, numbered: Iterable[tuple[Plan, int]]) -> None:
        for plan, sequence in numbered:
            result = await self._scenario(plan, sequence)
            self._count(result.verdict)
            self.tell(result)

    async def _scenario(self, plan: Plan, sequence: int) -> ScenarioResult:
        start = self.ports.clock.seconds()
        names = self.names(plan)
        results: list[StepResult] = []
        skip = ""
        for number, step in enumerate(plan.scenario.steps):
            if self.stopped:
                skip = self.stop_reason
            if skip:
                result = StepResult(number=number, name=step.name, verdict="skipped", reason=skip)
            else:
                result = await StepRun(self, plan, number, step, names, sequence + number).run()
            if result.reason:
                result = msgspec.structs.replace(result, reason=self._secrets().url(result.reason))
            if result.verdict == "errored":
                skip = f"step {step.name!r} errored"
            self.tell(result)
            results.append(result)
        verdict = worst([result.verdict for result in results])
        seconds = self.ports.clock.seconds() - start
        record = self._record(plan, verdict, results, seconds) if plan.file else None
        if record is not None:
            self.ports.log.append(record)
        return ScenarioResult(plan, verdict, tuple(results), seconds, record)

    def _record(self, plan: Plan, verdict: Verdict, steps: Sequence[StepResult], seconds: float) -> Result:
        """The outcome as it is kept."""
        return Result(
            scenario=plan.id,
            name=plan.name,
            file=plan.file,
            tags=tuple(plan.scenario.tags),
            verdict=verdict,
            at=self.ports.clock.now(),
            seconds=seconds,
            stopped=self.stopped,
            steps=tuple(
                [
                    ResultStep(
                        number=step.number,
                        name=step.name,
                        verdict=step.verdict,
                        reason=step.reason,
                        attempts=step.attempts,
                        sent=step.sent,
                        seconds=step.seconds,
                    )
                    for step in steps
                ]
            ),
        )

    def names(self, plan: Plan) -> composing.Names:
        """What the placeholders of a plan may name when its first step begins."""
        return composing.Names(
            given=self.options.variables,
            environment=self.ports.environment,
            receiver=self.options.receiver.variables,
            scenario=plan.scenario.variables,
        )

    async def pause(self, milliseconds: int) -> None:
        """Wait, but not longer than the run."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), milliseconds / 1000)

    def judge(self, contract: Contract) -> comparing.Judge:
        key = (contract.action, contract.edition)
        if key not in self._judges:
            self._judges[key] = comparing.Judge(contract)
        return self._judges[key]

    @property
    def target_is_fixed(self) -> bool:
        """Whether the receiver is the same for every step: nothing in it is to be filled."""
        return self._fixed is not None

    def target(self, names: composing.Names) -> Target:
        """The receiver as one step sees it."""
        if self._fixed is not None:
            return self._fixed
        resolved = composing.resolve(self.options.receiver, names)
        composing.check(resolved)
        return self._target(resolved)

    def _target(self, resolved: Receiver) -> Target:
        return Target(resolved, self._secrets_of(resolved))

    def _secrets(self) -> redaction.Secrets:
        """The receiver's secrets, as far as they are known without any step."""
        if self._fixed is not None:
            return self._fixed.secrets
        known = self._secrets_of(self.options.receiver)
        return redaction.Secrets({name: text for name, text in known.items() if "${" not in text})

    def _secrets_of(self, resolved: Receiver) -> dict[str, str]:
        environment, written = self.ports.environment, self.options.receiver
        named = {name: environment[name] for name in self.options.secret_env if environment.get(name)}
        return {**named, **composing.secrets(written, resolved, environment)}

    async def send(self, delivery_id: str, request: HttpRequest, connection: Connection) -> Exchange:
        self._in_flight.add(delivery_id)
        try:
            return await self.ports.transport.send(request, connection, key=delivery_id)
        finally:
            self._in_flight.discard(delivery_id)
