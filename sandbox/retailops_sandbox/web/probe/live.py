"""Probes under way. A form starts one, pages show it; it goes on when they are closed."""

from __future__ import annotations

import asyncio

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.probe.keeping import KeptReports
from retailops_sandbox.probe.probing import ProbeProgress, Prober
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.runlog.opening import logged_run
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.session.probing import ProbeSetup, prober_and_log
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.once import Once
from retailops_sandbox.web.shell.recent import Recent

_KEPT_PROBLEMS = 100


class BeingProbed(UsageError):
    """The error of a probe that cannot start, as another one of the receiver goes on."""


class LiveProbe:
    """A probe of this process that has not ended."""

    def __init__(self, run: str, receiver: str, prober: Prober) -> None:
        self.run = run
        self.receiver = receiver
        self.progress: ProbeProgress | None = None
        """None before the first request was answered."""
        self.changes = 0
        """How often its progress has changed."""
        self.is_stopping = False
        self.ended = asyncio.Event()
        self.news = asyncio.Event()
        """Set at the next progress or at the end, and then replaced by another event."""
        self._prober = prober

    def go_on(self, progress: ProbeProgress) -> None:
        """Keep how far the probe is."""
        self.progress = progress
        self._tell()

    def end(self) -> None:
        """Say that the probe has ended."""
        self.ended.set()
        self._tell()

    def stop(self) -> None:
        """Send nothing more, and cancel what is in flight."""
        self.is_stopping = True
        self._prober.stop()
        self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self.news.set()
        self.news = asyncio.Event()


class LiveProbes:
    """Starts probes, at most one of a receiver at a time, and keeps track of those that have not ended."""

    def __init__(self, context: AppContext, kept: KeptReports) -> None:
        self._context = context
        self._kept = kept
        self._live: dict[str, LiveProbe] = {}
        self._starting: set[str] = set()
        """The receivers whose probe is about to begin."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._forms = Once()
        self._problems: Recent[str] = Recent(_KEPT_PROBLEMS)
        self._unkept: Recent[ProbeReport] = Recent(_KEPT_PROBLEMS)
        self._is_stopping = False

    async def once(self, form: str, setup: ProbeSetup) -> str:
        """Start a probe once for a form: the id of its run.

        Raises BeingProbed or another SandboxError where it cannot start; the form can then be sent again.
        """
        id, _ = await self._forms.do(form, lambda: self._start(setup))
        return id

    def find(self, run: str) -> LiveProbe | None:
        """The probe of this run, if it has not ended."""
        return self._live.get(run)

    def of_receiver(self, name: str) -> LiveProbe | None:
        """The probe of a receiver that has not ended."""
        return next((each for each in self._live.values() if each.receiver == name), None)

    def problem(self, run: str) -> str:
        """Why a probe of this process ended early, or is not kept; empty where it did not."""
        return self._problems.get(run, "")

    def unkept(self, run: str) -> ProbeReport | None:
        """The report of a probe that has ended, and could not be kept in a file."""
        return self._unkept.get(run)

    async def stop(self, run: str) -> None:
        """Stop a probe, and wait until what it found is kept; nothing happens if it has ended."""
        live = self._live.get(run)
        if live is not None:
            live.stop()
            await live.ended.wait()

    async def stop_all(self) -> None:
        """Stop every probe, and wait until what it found is kept; none begins from now on."""
        self._is_stopping = True
        for live in self._live.values():
            live.stop()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, setup: ProbeSetup) -> asyncio.Future[str]:
        name = setup.options.receiver.name
        if self._is_stopping:
            raise UsageError("the sandbox is ending", mend="start it again")
        if name in self._starting or self.of_receiver(name) is not None:
            raise BeingProbed(f"{name} is being probed already", mend="wait until that ends, or stop it")
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._starting.add(name)
        task = asyncio.create_task(self._follow(setup, started))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return started

    async def _follow(self, setup: ProbeSetup, started: asyncio.Future[str]) -> None:
        try:
            await self._run(setup, started)
        except Exception as error:
            if not started.done():
                started.set_exception(error)
            elif isinstance(error, SandboxError):
                # For example a full disk: the probe has ended, and its page says why.
                self._problems[started.result()] = str(error)
            else:
                self._problems[started.result()] = f"Something is wrong with the sandbox itself: {error!r}"
                raise
        finally:
            self._starting.discard(setup.options.receiver.name)

    async def _run(self, setup: ProbeSetup, started: asyncio.Future[str]) -> None:
        clock = SystemClock()
        chosen = setup.options.receiver
        # As a run does, each probe starts a stand-in of its own, without orders of earlier ones.
        async with reachable(chosen, lambda: self._context.contracts) as (receiver, _):
            transport = self._context.transport
            prober, log = await asyncio.to_thread(prober_and_log, setup, receiver, transport, clock)
            log.begin()
            await log.flush()
            live = LiveProbe(log.info.id, chosen.name, prober)
            self._live[live.run] = live
            self._starting.discard(live.receiver)
            started.set_result(live.run)
            try:
                async with logged_run(log, clock.now, stopped=lambda: prober.stopped):
                    report = await prober.execute(live.go_on)
                    await self._keep(report)
                if prober.unwritten is not None:
                    self._problems[live.run] = str(prober.unwritten)
            finally:
                del self._live[live.run]
                live.end()

    async def _keep(self, report: ProbeReport) -> None:
        """Keep a report; in memory where its file cannot be written, which its page says."""
        try:
            await asyncio.to_thread(self._kept.save, report)
        except SandboxError as error:
            self._problems[report.run] = str(error)
            self._unkept[report.run] = report
