"""The watch of a workspace: what did not pass runs again when the receiver is back, or a file changes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

import msgspec

from retailops_sandbox.engine import Options
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Receiver, Verdict
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.run import RunSetup
from retailops_sandbox.session.waiting import listening_url
from retailops_sandbox.session.watching import Change, Watched, settled, watching, worth_repeating
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.run_target import for_run, run_target
from retailops_sandbox.workspace.workspace import SHIPPED

IDLE = 3600.0
"""The seconds after which a watch ends that nobody looks at."""


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched, and its latest run."""

    run: str
    """The id of the latest run."""
    scenarios: frozenset[str]
    """The ids of the scenarios."""
    receiver: str
    cause: str = ""
    """What made the latest run start; empty for the first one."""
    problem: str = ""
    """Why the latest change led to no run; empty where it did."""


class RunWatch:
    """The one watch of a process. It ends when it is stopped, or when nobody has looked for long."""

    def __init__(self, context: AppContext, *, idle: float = IDLE) -> None:
        self._context = context
        self._idle = idle
        self._current: Watching | None = None
        self._version = 0
        self._looked = 0.0
        self._verdicts: dict[str, Verdict] = {}
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        """One start after the other: each ends the watch before it."""

    @property
    def current(self) -> Watching | None:
        """What is watched; None for nothing."""
        return self._current

    @property
    def version(self) -> int:
        """A number that changes with what is watched, its latest run and its problem."""
        return self._version

    def looked(self) -> None:
        """Tell that somebody looks at what is watched."""
        self._looked = time.monotonic()

    def check(self, receiver: Receiver | None) -> None:
        """UsageError for a receiver to which nothing may be sent without somebody's yes, or for none."""
        if receiver is None:
            raise UsageError("the receiver of this run is gone", mend="run it against another one")
        if receiver.protected:
            what = f"{receiver.name} is protected, and a watch would send to it by itself"
            raise UsageError(what, mend="run it by hand")

    async def start(self, run: str, scenarios: Collection[str], receiver: str) -> None:
        """Watch these scenarios, of which a run has begun or ended. It takes the place of an earlier watch.

        SandboxError where the receiver cannot be watched.
        """
        url = await asyncio.to_thread(self._port_of, receiver)
        async with self._starting:
            await self.stop()
            self._verdicts = {}
            self.looked()
            self._show(Watching(run=run, scenarios=frozenset(scenarios), receiver=receiver))
            began = asyncio.Event()
            self._task = asyncio.create_task(self._watch(url, began))
            await began.wait()

    async def stop(self) -> None:
        """End the watch, if there is one; the run under way goes on."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _show(self, now: Watching | None) -> None:
        self._current = now
        self._version += 1

    def _port_of(self, name: str) -> str:
        """The URL whose port is watched; empty for the stand-in, which each run starts anew.

        SandboxError where nothing can be watched.
        """
        receiver = self._context.read_receivers().find(name)
        self.check(receiver)
        assert receiver is not None
        # Only folders that exist can be watched.
        self._context.workspace.initialise()
        return "" if receiver.stand_in else listening_url(receiver, {}, self._context.environment)

    async def _watch(self, url: str, began: asyncio.Event) -> None:
        watched = Watched(self._context.workspace, ())
        try:
            async with watching(url, watched) as happened:
                began.set()
                while (now := self._current) is not None:
                    await self._context.running.ended(now.run)
                    change = await self._next(happened, watched, url)
                    if change is None:
                        return
                    await self._again(now, change)
        finally:
            began.set()
            self._show(None)

    async def _next(self, happened: asyncio.Queue[Change], watched: Watched, url: str) -> Change | None:
        """The next change; None where nobody has looked for long."""
        coming = asyncio.ensure_future(settled(happened, watched, url))
        try:
            while not coming.done():
                left = self._looked + self._idle - time.monotonic()
                if left <= 0:
                    return None
                await asyncio.wait({coming}, timeout=left)
            return coming.result()
        finally:
            coming.cancel()

    async def _again(self, now: Watching, change: Change) -> None:
        try:
            setup = await asyncio.to_thread(self._setup, now, change)
            run, _ = await self._context.running.once(secrets.token_hex(16), setup)
        except SandboxError as error:
            self._show(msgspec.structs.replace(now, problem=f"{change.words}, but nothing ran: {error}"))
        else:
            self._show(msgspec.structs.replace(now, run=run, cause=change.words, problem=""))

    def _setup(self, now: Watching, change: Change) -> RunSetup:
        """The run of what is worth repeating."""
        context = self._context
        self._verdicts |= {each.scenario: each.verdict for each in context.log.results(now.run)}
        plans, unreadable = self._plans(now.scenarios)
        if not plans:
            raise unreadable[0] if unreadable else UsageError("all that is watched is gone")
        receivers = context.read_receivers()
        target = run_target(context, receivers, now.receiver, plans)
        if target.problem:
            raise UsageError(target.problem)
        self.check(target.receiver)
        return RunSetup(
            workspace=context.workspace,
            plans=worth_repeating(plans, self._verdicts, change),
            unreadable=unreadable,
            options=Options(receiver=for_run(target.receiver)),
            environment=context.environment,
            policy=context.policy(receivers),
        )

    def _plans(self, ids: Collection[str]) -> tuple[Sequence[Plan], Sequence[SandboxError]]:
        """The scenarios that are watched, as they are now, and the errors of those that cannot be read."""
        indexed = self._context.scenario_index.read()
        # A shipped file that is edited is a copy in the workspace from then on.
        copies = {f"scenarios/{id.removeprefix(SHIPPED)}" for id in ids if id.startswith(SHIPPED)}
        wanted = copies.union(ids)
        id_of = self._context.workspace.scenario_id
        plans = [plan for plan in indexed.plans if plan.id in wanted]
        return plans, [error for error in indexed.unreadable if error.file and id_of(error.file) in wanted]
