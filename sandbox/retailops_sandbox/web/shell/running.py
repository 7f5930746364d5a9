"""Runs under way. A form starts one, pages show it from the log; it goes on when they are closed."""

from __future__ import annotations

import asyncio

import msgspec

from retailops_sandbox.engine import Run, Transport
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.reporting.reporters.diagnostics import log_event
from retailops_sandbox.runlog.opening import logged_run
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.session.run import RunSetup, engine_and_log
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.web.shell.once import Once


class _Live(msgspec.Struct):
    """A run of this process that has not ended."""

    engine: Run
    ended: asyncio.Event


class Running:
    """Starts runs, each with a run file of its own, and keeps track of those that have not ended."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._live: dict[str, _Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forms = Once()
        self._problems: dict[str, str] = {}

    async def once(self, form: str, setup: RunSetup) -> tuple[str, bool]:
        """Start a run once for a form: its id, and whether an earlier request with the form started it.

        Raises SandboxError where it cannot start; the form can then be sent again.
        """
        return await self._forms.do(form, lambda: self._start(setup))

    def is_live(self, id: str) -> bool:
        """Whether this is a run of this process that has not ended."""
        return id in self._live

    def problem(self, id: str) -> str:
        """Why a run of this process ended early; empty where it did not."""
        return self._problems.get(id, "")

    async def ended(self, id: str) -> None:
        """Wait until a run of this process has ended; one of another process is not waited for."""
        live = self._live.get(id)
        if live is not None:
            await live.ended.wait()

    async def stop(self, id: str) -> None:
        """Stop a run, and wait until its results so far are logged; nothing happens if it has ended."""
        live = self._live.get(id)
        if live is not None:
            live.engine.stop()
            await live.ended.wait()

    async def stop_all(self) -> None:
        """Stop every run, and wait until each is logged."""
        for live in self._live.values():
            live.engine.stop()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, setup: RunSetup) -> asyncio.Future[str]:
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._follow(setup, started))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return started

    async def _follow(self, setup: RunSetup, started: asyncio.Future[str]) -> None:
        try:
            await self._run(setup, started)
        except Exception as error:
            if not started.done():
                started.set_exception(error)
            elif isinstance(error, SandboxError):
                # For example a full disk: the run has ended, and its page says why.
                self._problems[started.result()] = str(error)
            else:
                raise

    async def _run(self, setup: RunSetup, started: asyncio.Future[str]) -> None:
        clock = SystemClock()
        # Each run starts a stand-in of its own, as on the command line, without orders of earlier runs.
        async with reachable(setup.options.receiver, lambda: setup.workspace.contracts) as (receiver, _):
            engine, log = engine_and_log(setup, receiver, self._transport, clock)
            live = _Live(engine, asyncio.Event())
            log.begin()
            # Its page is asked for as soon as it has started.
            await log.flush()
            id = log.info.id
            self._live[id] = live
            started.set_result(id)
            try:
                async with logged_run(log, clock.now, stopped=lambda: engine.stopped):
                    await engine.execute(log_event)
            finally:
                del self._live[id]
                live.ended.set()
