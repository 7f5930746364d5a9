"""One run without a browser: real ports, a listener that prints, reports, and the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.engine import Event, Options, Run, ScenarioResult
from retailops_sandbox.errors import FileError, SandboxError, UsageError
from retailops_sandbox.model import Receiver, RunInfo, RunKind
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.reporters import files
from retailops_sandbox.reporting.reporters.files import Reports
from retailops_sandbox.runlog.opening import earlier_results, logged, open_run
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import ports
from retailops_sandbox.transport import Transport, wait_until_listening
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.workspace import Workspace, scenario_files_in

_TICK = 0.2
"""Seconds."""
_MOST_HISTORY = 4 * 1024 * 1024
"""Bytes of run files after which no older one is looked into: about 10 ms."""


if TYPE_CHECKING:
    from retailops_sandbox.reporting.render.evidence import Evidence
    from retailops_sandbox.scenarios.trend import Trend
    from retailops_sandbox.standin import StandIn


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to run and where to leave the reports."""

    workspace: Workspace
    plans: Sequence[Plan]
    unreadable: Sequence[SandboxError] = ()
    options: Options
    environment: Mapping[str, str]
    policy: SecretPolicy
    kind: RunKind = "run"
    wait: float = 0.0
    """Seconds to wait until the receiver's port answers."""
    reports: Reports = Reports()


class Outcome(msgspec.Struct, frozen=True):
    """A run that has ended."""

    results: tuple[ScenarioResult, ...]
    receiver: Receiver
    run: str
    started_at: str
    seconds: float
    interrupted: bool
    waited_in_vain: bool
    trends: Mapping[str, Trend] = {}
    """By scenario: how it compares with the last finished run on this receiver."""
    unwritten: tuple[SandboxError, ...] = ()
    """Run file and reports that could not be written."""


def read_plans(
    files: Sequence[Path | str], name: Callable[[Path | str], str]
) -> tuple[list[Plan], list[SandboxError]]:
    """The plans of these files, and what was wrong with those that could not be read."""
    plans, unreadable = [], []
    here = os.path.join(os.getcwd(), "")
    for file in files:
        shown = str(file).removeprefix(here)
        try:
            plans.append(scenario.read(read_text(file), id=_spelled(name(file)), file=shown))
        except SandboxError as error:
            error.file = error.file or shown
            unreadable.append(error)
    return plans, unreadable


def _spelled(name: str) -> str:
    """A file's name that reports and the log can spell."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise FileError("has a name that is not UTF-8", mend="rename it") from error
    return name


def collect(paths: Sequence[str]) -> tuple[list[str], list[SandboxError]]:
    """The scenario files that these files and folders mean, and what could not be read beneath them.

    Raises UsageError for one that does not exist.
    """
    found: dict[str, None] = {}
    unreadable: list[SandboxError] = []
    for given in paths:
        path = Path(given)
        if checked(Path.is_dir, path):
            files, broken = scenario_files_in(path)
            found.update(dict.fromkeys(files))
            unreadable += broken
        elif checked(Path.exists, path):
            found[str(path)] = None
        else:
            raise UsageError(
                f"there is no file or folder {given!r}", mend="name a scenario file, or a folder of them"
            )
    return list(found), unreadable


def run(job: Job, listen: Callable[[Event], None], tick: Callable[[], None] | None = None) -> Outcome:
    """Run a job to its end, and write its reports.

    `tick` is called a few times a second, whether anything happens or not. Ctrl-C or SIGTERM stops the run,
    and it still reports; at a second one it ends with KeyboardInterrupt.
    """
    outcomes: list[Outcome] = []

    async def main() -> None:
        # Not returned: asyncio spells out its main task, result and all, as it takes its signal handler away.
        async with _ticking(tick):
            outcomes.append(await _run(job, listen))

    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return outcomes[0]


@contextlib.asynccontextmanager
async def _ticking(tick: Callable[[], None] | None) -> AsyncIterator[None]:
    """Call it a few times a second, until the block ends."""

    async def go_on() -> None:
        while tick is not None:
            tick()
            await asyncio.sleep(_TICK)

    if tick is None:
        yield
        return
    ticking = asyncio.create_task(go_on())
    try:
        yield
    finally:
        ticking.cancel()


async def _run(job: Job, listen: Callable[[Event], None]) -> Outcome:
    evidence = _evidence(job.reports)
    clock = ports.SystemClock()
    async with under_test(job.options.receiver) as (receiver, _), Transport() as transport:
        started_at = clock.now()
        scenarios = sum(bool(plan.file) for plan in job.plans)
        info = new_run(job.kind, started_at, receiver, scenarios=scenarios, unreadable=job.unreadable)
        log = open_run(job.workspace.runs_dir, info)
        # What is wrong with the receiver comes to light here, before anything is written or waited for.
        engine = Run(
            job.plans,
            ports.build_ports(job.workspace, transport, log, job.environment, job.policy),
            msgspec.structs.replace(job.options, receiver=receiver),
        )
        with stopping(engine.stop) as stopped:
            waited_in_vain = bool(job.wait) and not await _wait(job, receiver, stopped)
            log.begin()
            unwritten: list[SandboxError] = []
            # Where the run cannot be finished its records are in the log, and no report misses anything.
            async with logged(log, clock.now, stopped=lambda: engine.stopped, unfinished=unwritten.append):
                results: list[ScenarioResult] = []
                start = clock.seconds()

                def on_event(event: Event) -> None:
                    listen(event)
                    if evidence is not None:
                        evidence.on_event(event)
                    if isinstance(event, ScenarioResult):
                        results.append(event)

                await engine.execute(on_event)
                seconds = clock.seconds() - start
                interrupted = stopped.is_set()
            outcome = Outcome(
                tuple(results),
                receiver,
                info.id,
                started_at,
                seconds,
                interrupted,
                waited_in_vain,
                _trends(job, info, results),
            )
            unwritten += _write(job, outcome, log, evidence)
    return msgspec.structs.replace(outcome, unwritten=tuple(unwritten)) if unwritten else outcome


def _trends(job: Job, info: RunInfo, results: Sequence[ScenarioResult]) -> dict[str, Trend]:
    """How each scenario compares with its last finished run on this receiver, where that says anything."""
    records = [result.record for result in results if result.record is not None]
    if job.kind != "run" or not records:
        return {}
    from retailops_sandbox.scenarios import trend

    past = earlier_results(job.workspace.runs_dir, before=info.id, most=_MOST_HISTORY)
    before = trend.before(info, past, [record.scenario for record in records])
    found = {record.scenario: trend.of(record, before.get(record.scenario)) for record in records}
    return {scenario: each for scenario, each in found.items() if each is not None}


async def _wait(job: Job, receiver: Receiver, stopped: asyncio.Event) -> bool:
    """Whether the receiver's port answers in time; at once, if the run is stopped meanwhile."""
    names = composing.Names(
        given=job.options.variables, environment=job.environment, receiver=receiver.variables
    )
    resolved = msgspec.structs.replace(
        receiver, base_url=composing.fill_text(receiver.base_url, names, "/base_url")
    )
    url = composing.base_url(resolved).geturl()
    listening = asyncio.create_task(wait_until_listening(url, job.wait))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((listening, stopping), return_when=asyncio.FIRST_COMPLETED)
        return stopping.done() or listening.result()
    finally:
        listening.cancel()
        stopping.cancel()


@contextlib.asynccontextmanager
async def under_test(chosen: Receiver) -> AsyncIterator[tuple[Receiver, StandIn | None]]:
    """The receiver, ready to be called: a stand-in is started, with fresh state, and stopped again."""
    if not chosen.stand_in:
        yield chosen, None
        return
    from retailops_sandbox.standin import StandIn

    stand_in = StandIn()
    base_url = await stand_in.start()
    try:
        yield msgspec.structs.replace(chosen, base_url=base_url + chosen.base_url), stand_in
    finally:
        await stand_in.stop()


@contextlib.contextmanager
def stopping(act: Callable[[], None] = lambda: None) -> Iterator[asyncio.Event]:
    """Ctrl-C and SIGTERM act and set the event, for a report to follow; a second one cancels this task."""
    stopped = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if stopped.is_set():
            task.cancel()
        stopped.set()
        act()

    with contextlib.ExitStack() as undo:
        for number in (signal.SIGINT, signal.SIGTERM):
            undo.callback(signal.signal, number, signal.getsignal(number))
            _on_signal(number, stop, undo)
        yield stopped


def _on_signal(number: int, act: Callable[[], None], undo: contextlib.ExitStack) -> None:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, act)
        undo.callback(loop.remove_signal_handler, number)
    except NotImplementedError:  # the event loop of Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def _evidence(asked: Reports) -> Evidence | None:
    """What keeps the deliveries for the report that shows them, where it is asked for."""
    if asked.report_html is None:
        return None
    from retailops_sandbox.reporting.render.evidence import Evidence

    return Evidence()


def _write(job: Job, outcome: Outcome, log: RunWriter, evidence: Evidence | None) -> list[SandboxError]:
    """The reports that are asked for; those that could not be written keep no other from it."""
    unwritten: list[SandboxError] = []
    for report in (_write_json, _write_junit, _write_html):
        try:
            report(job, outcome, log, evidence)
        except SandboxError as error:
            unwritten.append(error)
    return unwritten


# Each imports what it needs only when it is asked for.


def _write_json(job: Job, outcome: Outcome, log: RunWriter, evidence: Evidence | None) -> None:
    report = job.reports.report_json
    if report is None:
        return
    if not files.is_special(report):
        log.export(Path(os.path.realpath(report)))
        return
    run_file = io.BytesIO()
    log.copy(run_file)
    try:
        report.write_bytes(run_file.getvalue())
    except OSError as error:
        raise files.unwritable(report, error) from error


def _write_junit(job: Job, outcome: Outcome, log: RunWriter, evidence: Evidence | None) -> None:
    if job.reports.junit_xml is None:
        return
    from retailops_sandbox.reporting.reporters import junit

    text = junit.document(
        outcome.results,
        job.unreadable,
        receiver=outcome.receiver.name,
        stand_in=outcome.receiver.stand_in,
        started_at=outcome.started_at,
        seconds=outcome.seconds,
    )
    files.write(job.reports.junit_xml, text)


def _write_html(job: Job, outcome: Outcome, log: RunWriter, evidence: Evidence | None) -> None:
    if job.reports.report_html is None or evidence is None:
        return
    from retailops_sandbox.reporting.reporters import html

    text = html.document(
        outcome.results,
        job.unreadable,
        evidence,
        receiver=outcome.receiver,
        trends=outcome.trends,
        run=outcome.run,
        started_at=outcome.started_at,
        seconds=outcome.seconds,
        interrupted=outcome.interrupted,
    )
    files.write(job.reports.report_html, text)


def exit_code(outcome: Outcome, unreadable: Sequence[SandboxError]) -> int:
    """The first that applies: 130 interrupted, 2 not read or written, 3 only faults, 1 failed, 5 unjudged."""
    steps = [step for result in outcome.results for step in result.steps]
    sent = sum(step.sent for step in steps)
    verdicts = {step.verdict for step in steps}
    if outcome.interrupted:
        return 130
    if unreadable or outcome.unwritten or any(step.unreadable for step in steps):
        return 2
    if sent and sum(step.faults for step in steps if step.verdict == "errored") == sent:
        return 3
    if verdicts & {"failed", "errored"}:
        return 1
    return 0 if "passed" in verdicts else 5
