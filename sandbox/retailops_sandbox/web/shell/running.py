"""Runs under way: a form starts one, pages follow it through the log, and it ends without them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from retailops_sandbox.engine import Options, Run, Transport
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.reporters.diagnostics import log_event
from retailops_sandbox.runlog.opening import logged, open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import ports
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.web.shell.once import Once
from retailops_sandbox.workspace.workspace import Workspace


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is asked for: its scenarios and how to run them."""

    plans: Sequence[Plan]
    unreadable: Sequence[SandboxError] = ()
    options: Options
    policy: SecretPolicy


class _Live(msgspec.Struct):
    """A run of this process that has not ended."""

    engine: Run
    ended: asyncio.Event


class Running:
    """Starts runs, each with a run file of its own, and knows those that have not ended."""

    def __init__(self, workspace: Workspace, transport: Transport, environment: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._transport = transport
        self._environment = environment
        self._live: dict[str, _Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forms = Once()
        self._problems: dict[str, str] = {}

    async def once(self, form: str, request: RunRequest) -> tuple[str, bool]:
        """Start a run once for a form: its id, and whether an earlier request with the form started it.

        Raises SandboxError where it cannot start; the form can then be sent again.
        """
        return await self._forms.do(form, lambda: self._start(request))

    def is_live(self, id: str) -> bool:
        """Whether this is a run of this process that has not ended."""
        return id in self._live

    def problem(self, id: str) -> str:
        """Why a run of this process ended early; empty where it did not."""
        return self._problems.get(id, "")

    async def stop(self, id: str) -> None:
        """Stop a run, and wait until what was done is reported; nothing happens if it has ended."""
        live = self._live.get(id)
        if live is not None:
            live.engine.stop()
            await live.ended.wait()

    async def stop_all(self) -> None:
        """Stop every run, and wait until each is reported."""
        for live in self._live.values():
            live.engine.stop()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, request: RunRequest) -> asyncio.Future[str]:
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._follow(request, started))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return started

    async def _follow(self, request: RunRequest, started: asyncio.Future[str]) -> None:
        try:
            await self._run(request, started)
        except Exception as error:
            if not started.done():
                started.set_exception(error)
            elif isinstance(error, SandboxError):
                # Such as a full disk: the run has ended, and its page says why.
                self._problems[started.result()] = str(error)
            else:
                raise

    async def _run(self, request: RunRequest, started: asyncio.Future[str]) -> None:
        clock = ports.SystemClock()
        # Of a stand-in there is a fresh one for each run, as on the command line: its orders are as new.
        async with reachable(request.options.receiver) as (receiver, _):
            info = new_run(
                "run", clock.now(), receiver, scenarios=len(request.plans), unreadable=request.unreadable
            )
            log = open_run(self._workspace.runs_dir, info)
            engine = Run(
                request.plans,
                ports.build_ports(self._workspace, self._transport, log, self._environment, request.policy),
                msgspec.structs.replace(request.options, receiver=receiver),
            )
            live = _Live(engine, asyncio.Event())
            log.begin()
            self._live[info.id] = live
            started.set_result(info.id)
            try:
                async with logged(log, clock.now, stopped=lambda: engine.stopped):
                    await engine.execute(log_event)
            finally:
                del self._live[info.id]
                live.ended.set()
