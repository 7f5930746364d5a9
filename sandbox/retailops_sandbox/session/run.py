"""One run without a browser, in order: the receiver, the log, the engine, the reports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.engine import Clock, Event, Options, Run, ScenarioResult, StepResult
from retailops_sandbox.engine import Transport as TransportPort
from retailops_sandbox.errors import FileError, SandboxError
from retailops_sandbox.model import Receiver, RunKind, Shard
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter
from retailops_sandbox.runlog.opening import logged_run, open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import reports
from retailops_sandbox.session.ports import SystemClock, build_ports
from retailops_sandbox.session.signals import stopping
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.session.trends import trends
from retailops_sandbox.session.waiting import wait_for_receiver
from retailops_sandbox.transport import Transport
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.runlog.ports import RunWriter

_logger = diagnostics.logger(__name__)

_TICK = 0.2
"""Seconds."""


class RunSetup(msgspec.Struct, frozen=True, kw_only=True):
    """The plans of a run, and how to run them."""

    workspace: Workspace
    plans: Sequence[Plan]
    unreadable: Sequence[SandboxError] = ()
    options: Options
    environment: Mapping[str, str]
    policy: SecretPolicy
    kind: RunKind = "run"
    shard: Shard | None = None
    """Which shard of a divided run it is."""
    wait: float = 0.0
    """Seconds to wait until the receiver's port answers."""
    notice: Callable[[str], None] = _logger.warning
    """Takes a line for users about a log that cannot be reached."""


def execute(
    setup: RunSetup,
    reporters: Sequence[Reporter],
    tick: Callable[[], None] | None = None,
    in_loop: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run,
) -> FinishedRun:
    """Run to the end, and finish the reporters.

    `tick` is called a few times a second, whether anything happens or not. Ctrl-C or SIGTERM stops the run,
    and it still reports; at a second one it ends with KeyboardInterrupt. `in_loop` runs a coroutine.
    """
    finished: list[FinishedRun] = []

    async def main() -> None:
        # Not returned: asyncio formats its main task with the result when it removes its signal handler.
        async with _ticking(tick):
            finished.append(await _execute(setup, reporters))

    try:
        in_loop(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return finished[0]


async def _execute(setup: RunSetup, reporters: Sequence[Reporter]) -> FinishedRun:
    clock = SystemClock()
    reached = reachable(setup.options.receiver, lambda: setup.workspace.contracts)
    async with reached as (receiver, _), Transport() as transport:
        engine, log = engine_and_log(setup, receiver, transport, clock)
        with stopping(engine.stop) as stopped:
            waited_in_vain = bool(setup.wait) and not await wait_for_receiver(
                receiver, setup.options.variables, setup.environment, setup.wait, stopped
            )
            log.begin()
            unwritten: list[SandboxError] = []

            def could_not_write(error: SandboxError) -> None:
                # A log that cannot be written cannot be finished either, for the same reason.
                unwritten[:] = unwritten or [error]

            # Where the run cannot be finished its records are in the log, and no report misses anything.
            async with logged_run(
                log,
                clock.now,
                stopped=lambda: engine.stopped or bool(unwritten),
                unfinished=could_not_write,
                in_thread=False,
            ):
                results = await _results(engine, setup.plans, reporters, could_not_write)
                interrupted = stopped.is_set()
            finished = FinishedRun(
                info=log.info,
                results=results,
                unreadable=setup.unreadable,
                receiver=receiver,
                seconds=engine.seconds,
                interrupted=interrupted,
                waited_in_vain=waited_in_vain,
                trends={} if log.is_away else trends(setup.workspace.log_place, log.info, results),
                unwritten=unwritten,
                log=log,
            )
            return reports.finish(reporters, finished)


def engine_and_log(
    setup: RunSetup, receiver: Receiver, transport: TransportPort, clock: Clock
) -> tuple[Run, RunWriter]:
    """The engine and the log of a run on a reachable receiver. Nothing is written before the log begins.

    Raises UsageError for a protected receiver that is not confirmed, and for one that cannot be called.
    """
    info = new_run(
        setup.kind,
        clock.now(),
        receiver,
        scenarios=sum(bool(plan.file) for plan in setup.plans),
        unreadable=setup.unreadable,
        max_failures=setup.options.max_failures,
        shard=setup.shard,
    )
    log = open_run(setup.workspace.log_place, info, lambda: setup.workspace.contracts, setup.notice)
    ports = build_ports(setup.workspace, transport, log, setup.environment, setup.policy)
    return Run(setup.plans, ports, msgspec.structs.replace(setup.options, receiver=receiver)), log


async def _results(
    engine: Run,
    plans: Sequence[Plan],
    reporters: Sequence[Reporter],
    could_not_write: Callable[[SandboxError], None],
) -> Sequence[ScenarioResult]:
    """Execute the run while the reporters listen.

    Where the log cannot be written any more, as on a full disk, the run ends: nothing is judged that was not
    logged first. `could_not_write` takes the reason, and the scenarios that did not end are skipped.
    """
    results: list[ScenarioResult] = []
    # There are thousands of events a second, and reports that only write a file at the end take none.
    listeners = [each.on_event for each in reporters if type(each).on_event is not Reporter.on_event]

    def on_event(event: Event) -> None:
        for listener in listeners:
            listener(event)
        if isinstance(event, ScenarioResult):
            results.append(event)

    try:
        await engine.execute(on_event)
    except FileError as error:
        could_not_write(error)
        ended = {id(result.plan) for result in results}
        for plan in plans:
            if id(plan) not in ended:
                on_event(_skipped(plan, "the run ended before, as nothing more could be logged"))
    return results


def _skipped(plan: Plan, reason: str) -> ScenarioResult:
    steps = [
        StepResult(number=number, name=step.name, verdict="skipped", reason=reason)
        for number, step in enumerate(plan.scenario.steps)
    ]
    return ScenarioResult(plan, "skipped", tuple(steps), 0.0)


@contextlib.asynccontextmanager
async def _ticking(tick: Callable[[], None] | None) -> AsyncIterator[None]:
    """Call `tick` a few times a second until the block ends."""
    if tick is None:
        yield
        return

    async def go_on() -> None:
        while True:
            tick()
            await asyncio.sleep(_TICK)

    ticking = asyncio.create_task(go_on())
    try:
        yield
    finally:
        ticking.cancel()
