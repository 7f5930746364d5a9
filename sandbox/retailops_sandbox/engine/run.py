"""One execution of some plans: workers, order, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec

from retailops_sandbox.engine.context import RunContext
from retailops_sandbox.engine.events import Event, ScenarioResult, StepResult, worst
from retailops_sandbox.engine.ports import Options, Ports
from retailops_sandbox.engine.step import StepRun, at_once
from retailops_sandbox.engine.target import require_yes
from retailops_sandbox.model import Result, ResultStep, Verdict
from retailops_sandbox.scenarios.scenario import Plan


class Run:
    """One execution of some plans against one receiver."""

    def __init__(self, plans: Sequence[Plan], ports: Ports, options: Options) -> None:
        """Raises UsageError for a protected receiver without confirmation, or an impossible URL."""
        require_yes(options.receiver, confirmed=options.confirmed)
        self._plans = plans
        self._ports = ports
        self._options = options
        self._context = RunContext(ports, options)
        self._failures = 0
        self.seconds = 0.0
        """The seconds that the run took, without those in which its events waited for the log."""

    @property
    def stopped(self) -> bool:
        return self._context.is_stopped

    async def execute(self, on_event: Callable[[Event], None]) -> None:
        """Run the plans, up to `jobs` at once and each one's steps in order.

        `on_event` takes each event as it happens. Where it raises, or the caller is cancelled, the run is
        stopped; deliveries in flight are still logged.
        """
        telling = self._context.telling
        telling.on_event, telling.on_error = on_event, self.stop
        start = self._ports.clock.seconds()
        numbered = iter(list(self._context.preparation.numbered(self._plans)))
        workers = [
            asyncio.create_task(self._work(numbered))
            for _ in range(max(1, min(self._options.jobs, len(self._plans))))
        ]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for worker in done:
                worker.result()
        finally:
            if not all(worker.done() for worker in workers):
                self.stop()
            await asyncio.gather(*workers, return_exceptions=True)
            self.seconds = self._ports.clock.seconds() - start
            await telling.finish()
        telling.check()

    async def scenario(self, plan: Plan, sequence: int, on_event: Callable[[Event], None]) -> ScenarioResult:
        """Run one scenario, beside others of the same run or alone, as often as it is called.

        `sequence` is the `${sequence}` of its first step. `on_event` is the same for all scenarios of a run.
        """
        telling = self._context.telling
        telling.on_event, telling.on_error = on_event, self.stop
        return await self._scenario(plan, sequence)

    def send_no_more(self, reason: str) -> None:
        """Skip what was not sent yet; deliveries in flight go on."""
        self._context.send_no_more(reason)

    def stop(self) -> None:
        """Cancel the deliveries in flight and skip the rest; results so far are still reported."""
        self._context.send_no_more("the run was stopped")
        self._context.cancel()

    def _count(self, verdict: Verdict) -> None:
        """Count failures, and send nothing more after `max_failures`; deliveries in flight go on."""
        most = self._options.max_failures
        if most is None or verdict not in ("failed", "errored"):
            return
        self._failures += 1
        if self._failures == most:
            self._context.send_no_more(f"the run ended after {most} failure{'' if most == 1 else 's'}")

    async def _work(self, numbered: Iterator[tuple[Plan, int]]) -> None:
        for plan, sequence in numbered:
            result = await self._scenario(plan, sequence)
            self._count(result.verdict)
            self._context.telling.tell(result)
            await self._context.telling.keep_up()

    async def _scenario(self, plan: Plan, sequence: int) -> ScenarioResult:
        context = self._context
        start = self._ports.clock.seconds()
        names = context.preparation.names(plan)
        results: list[StepResult] = []
        groups, skip = plan.scenario.groups, ""
        # Known before anything is sent, since half of a story may do harm: a shipment without its cancel.
        unusable = context.preparation.unusable(plan)
        if unusable is not None:
            reason = f"step {plan.scenario.steps[unusable].name!r} cannot be sent"
            results += [self._told(_skipped(plan, number, reason)) for number in range(unusable)]
            groups = [range(number, number + 1) for number in range(unusable, len(plan.scenario.steps))]
        for group in groups:
            skip = context.stop_reason or skip
            if skip:
                done = [_skipped(plan, number, skip) for number in group]
            else:
                steps = [StepRun(context, plan, number, names, sequence + number) for number in group]
                done = await at_once(steps) if len(steps) > 1 else [await steps[0].run()]
            done[1:] = [msgspec.structs.replace(each, together=True) for each in done[1:]]
            results += map(self._told, done)
            errored = [each.name for each in done if each.verdict == "errored"]
            skip = f"step {errored[0]!r} errored" if errored else skip
        verdict = worst([result.verdict for result in results])
        seconds = self._ports.clock.seconds() - start
        record = self._record(plan, verdict, results, seconds) if plan.file else None
        if record is not None:
            self._ports.log.append(record)
        return ScenarioResult(plan, verdict, tuple(results), seconds, record)

    def _told(self, result: StepResult) -> StepResult:
        """The result of a step, without secrets in its reason, once the listener has it."""
        if result.reason:
            secrets = self._context.preparation.targets.known_secrets()
            result = msgspec.structs.replace(result, reason=secrets.url(result.reason))
        self._context.telling.tell(result)
        return result

    def _record(self, plan: Plan, verdict: Verdict, steps: Sequence[StepResult], seconds: float) -> Result:
        """The result as the log keeps it."""
        # No report says where the steps are of a scenario that passed, and finding the lines takes time.
        is_located = any(step.verdict != "passed" for step in steps)
        lines = plan.lines(step.number for step in steps) if is_located else [0] * len(steps)
        return Result(
            scenario=plan.id,
            name=plan.name,
            file=plan.file,
            description=plan.scenario.description,
            tags=tuple(plan.scenario.tags),
            verdict=verdict,
            at=self._ports.clock.now(),
            seconds=seconds,
            stopped=self.stopped,
            steps=tuple([_step_record(step, line) for step, line in zip(steps, lines, strict=True)]),
        )


def _step_record(step: StepResult, line: int) -> ResultStep:
    record = msgspec.convert(step, ResultStep, from_attributes=True)
    return msgspec.structs.replace(record, line=line) if line else record


def _skipped(plan: Plan, number: int, reason: str) -> StepResult:
    """The result of a step that is not sent; steps are counted from 0."""
    return StepResult(number=number, name=plan.scenario.steps[number].name, verdict="skipped", reason=reason)
