"""One run without a browser: real ports, a listener that prints, reports, and the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from sandbox import __version__, ports, scenario
from sandbox.engine import Event, Options, Run, ScenarioResult
from sandbox.errors import FileError, SandboxError, UsageError
from sandbox.model import Receiver, RunInfo, RunKind
from sandbox.scenario import Plan
from sandbox.store.writer import RunWriter, run_id
from sandbox.transport import Transport, wait_until_listening
from sandbox.workspace import Workspace, read_text, scenario_files_in, write_atomically


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to run and where to leave the reports."""

    workspace: Workspace
    plans: Sequence[Plan]
    unreadable: Sequence[SandboxError] = ()
    options: Options
    environment: Mapping[str, str]
    kind: RunKind = "run"
    wait: float = 0.0
    """Seconds to wait until the receiver's port answers."""
    junit_xml: Path | None = None
    report_json: Path | None = None


class Outcome(msgspec.Struct, frozen=True):
    """A run that has ended."""

    results: tuple[ScenarioResult, ...]
    receiver: Receiver
    run: str
    seconds: float
    interrupted: bool
    waited_in_vain: bool


def read_plans(files: Sequence[Path], name: Callable[[Path], str]) -> tuple[list[Plan], list[SandboxError]]:
    """The plans of these files, and what was wrong with those that could not be read."""
    plans, unreadable = [], []
    here = os.path.join(os.getcwd(), "")
    for file in files:
        shown = str(file).removeprefix(here)
        try:
            plans.append(scenario.read(read_text(file), id=name(file), file=shown))
        except SandboxError as error:
            error.file = error.file or shown
            unreadable.append(error)
    return plans, unreadable


def collect(paths: Sequence[str]) -> list[Path]:
    """The scenario files that these files and folders mean; UsageError for one that does not exist."""
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found.update(dict.fromkeys(scenario_files_in(path)))
        elif path.exists():
            found[path] = None
        else:
            raise UsageError(
                f"there is no file or folder {given!r}", mend="name a scenario file, or a folder of them"
            )
    return list(found)


def run(job: Job, listen: Callable[[Event], None]) -> Outcome:
    """Run a job to its end, and write its reports. Raises FileError where a report cannot be written."""
    return asyncio.run(_run(job, listen))


async def _run(job: Job, listen: Callable[[Event], None]) -> Outcome:
    clock = ports.SystemClock()
    async with _receiver(job.options.receiver) as receiver, Transport() as transport:
        waited_in_vain = bool(job.wait) and not await wait_until_listening(receiver.base_url, job.wait)
        started_at = clock.now()
        info = RunInfo(
            id=run_id(started_at, os.urandom(3).hex()),
            kind=job.kind,
            started_at=started_at,
            receiver=receiver.name,
            stand_in=receiver.stand_in,
            tool=f"retailops-sandbox {__version__}",
        )
        with RunWriter.open(job.workspace.runs_dir, info) as log:
            options = msgspec.structs.replace(job.options, receiver=receiver)
            engine = Run(
                job.plans, ports.put_together(job.workspace, transport, log, job.environment), options
            )
            results = []
            with _stopping(engine):
                start = clock.seconds()
                async for event in engine.events():
                    listen(event)
                    if isinstance(event, ScenarioResult):
                        results.append(event)
                seconds = clock.seconds() - start
            outcome = Outcome(tuple(results), receiver, info.id, seconds, engine.stopped, waited_in_vain)
            log.fold(clock.now())
            if job.report_json is not None:
                log.export(job.report_json)
        if job.junit_xml is not None:
            _write_junit(job, outcome, started_at)
    return outcome


@contextlib.asynccontextmanager
async def _receiver(chosen: Receiver) -> AsyncIterator[Receiver]:
    """The receiver, ready to be called: a stand-in is started, with fresh state, and stopped again."""
    if not chosen.stand_in:
        yield chosen
        return
    from sandbox.standin import StandIn

    stand_in = StandIn()
    base_url = await stand_in.start()
    try:
        yield msgspec.structs.replace(chosen, base_url=base_url + chosen.base_url)
    finally:
        await stand_in.stop()


@contextlib.contextmanager
def _stopping(engine: Run) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the run and let it report; a second one ends the process."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        engine.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _write_junit(job: Job, outcome: Outcome, started_at: str) -> None:
    from sandbox.report import junit

    assert job.junit_xml is not None
    text = junit.document(
        outcome.results,
        job.unreadable,
        receiver=outcome.receiver.name,
        stand_in=outcome.receiver.stand_in,
        started_at=started_at,
        seconds=outcome.seconds,
    )
    try:
        write_atomically(job.junit_xml, text)
    except OSError as error:
        raise FileError(f"cannot be written: {error.strerror}", file=str(job.junit_xml)) from error


def exit_code(outcome: Outcome, unreadable: Sequence[SandboxError]) -> int:
    """The first that applies: 130 interrupted, 2 unreadable, 3 only faults, 1 failed, 5 nothing judged, 0."""
    steps = [step for result in outcome.results for step in result.steps]
    sent = sum(step.sent for step in steps)
    verdicts = {step.verdict for step in steps}
    if outcome.interrupted:
        return 130
    if unreadable:
        return 2
    if sent and sum(step.faults for step in steps if step.verdict == "errored") == sent:
        return 3
    if verdicts & {"failed", "errored"}:
        return 1
    return 0 if "passed" in verdicts else 5
