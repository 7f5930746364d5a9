"""The event loop in its thread, and how greenlets wait for it.

The engine sends from one event loop in a real thread: gevent's patches are left out of the process, so that
the loop, the thread and libcurl are those of every other face. A user hands its scenario over and waits for
gevent's hub, which the thread wakes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import gevent
from gevent.event import AsyncResult, Event

from retailops_sandbox.engine import DeliveryFinished, Options, Ports, Run, ScenarioResult
from retailops_sandbox.engine import Event as EngineEvent
from retailops_sandbox.load.evidence import NoLog
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import build_ports
from retailops_sandbox.transport import Transport
from retailops_sandbox.workspace.workspace import Workspace

_MOST_CONNECTIONS = 100_000
"""More than there are users: what waits for another one's connection is not seen in any statistic."""
_STEPS_OF_A_WORKER = 1_000_000_000
"""How many numbers of `${sequence}` each worker has for itself."""
ENDED = "the load test ended"


class EngineThread:
    """Runs scenarios for greenlets, in an event loop of its own thread: one run of the engine at a time."""

    def __init__(
        self,
        setup: LoadSetup,
        environment: dict[str, str],
        policy: SecretPolicy,
        on_event: Callable[[DeliveryFinished | ScenarioResult], None],
    ) -> None:
        """`on_event` takes what ended, in a greenlet and soon after."""
        self._setup = setup
        self._environment = environment
        self._policy = policy
        self._on_event = on_event
        self._run: Run | None = None
        self._sequence = 1
        self._under_way: set[asyncio.Task[Any]] = set()
        """The scenarios that are under way, for the loop's thread alone."""
        self._end: asyncio.Event
        self._done: deque[tuple[Callable[[Any], Any], Any]] = deque()
        """What happened in the loop's thread: a function of this one, and what to call it with."""
        self._happened = Event()
        self._wake = gevent.get_hub().loop.async_()
        self._wake.start(self._happened.set)
        gevent.spawn(self._tell)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="engine", daemon=True
        )
        self._thread.start()
        ready.wait()

    def begin(self, worker: int) -> None:
        """Begin a run, for the worker of this number, from 0; the run before is over."""
        workspace = Workspace(self._setup.workspace)
        ports = build_ports(
            workspace, self._transport, NoLog(f"load{worker}"), self._environment, self._policy
        )
        self._sequence = 1 + worker * _STEPS_OF_A_WORKER
        self._run = self._wait(self._begun(ports))

    async def _begun(self, ports: Ports) -> Run:
        setup = self._setup
        options = Options(
            receiver=setup.receiver,
            variables=setup.variables,
            timeout_ms=setup.timeout_ms,
            confirmed=setup.confirmed,
        )
        return Run((), ports, options)

    def run(self, plan: Plan) -> None:
        """Run a scenario, and wait for its end; after the run's own end, until the user is stopped."""
        if self._run is None or self._run.stopped:
            Event().wait()
        else:
            sequence = self._sequence
            self._sequence += len(plan.scenario.steps)
            self._wait(self._scenario(self._run, plan, sequence))

    def delay(self) -> float:
        """The seconds in which the loop does nothing and says so: more where this machine is busy."""
        began = time.perf_counter()
        self._wait(asyncio.sleep(0))
        return time.perf_counter() - began

    def end(self) -> None:
        """Send no more, and wait until what is in flight has ended: by its own deadlines, or by `cancel`."""
        if self._run is not None:
            self._wait(self._run_ended(self._run))
            self._run = None

    def cancel(self) -> None:
        """Cancel what is in flight, which is soon over then."""
        run = self._run
        if run is not None:
            self._loop.call_soon_threadsafe(run.stop)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    # --- in the loop's thread ---

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with Transport(max_connections=_MOST_CONNECTIONS) as transport:
            self._transport = transport
            ready.set()
            await self._end.wait()

    async def _scenario(self, run: Run, plan: Plan, sequence: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            self._put(self._on_event, await run.scenario(plan, sequence, self._emit))
        finally:
            self._under_way.discard(task)

    async def _run_ended(self, run: Run) -> None:
        run.send_no_more(ENDED)
        if self._under_way:
            await asyncio.wait(tuple(self._under_way))

    def _start(self, work: Coroutine[Any, Any, Any], result: AsyncResult[Any]) -> None:
        def done(task: asyncio.Task[Any]) -> None:
            error = task.exception()
            if error is None:
                self._put(result.set, task.result())
            else:
                self._put(result.set_exception, error)

        self._loop.create_task(work).add_done_callback(done)

    def _emit(self, event: EngineEvent) -> None:
        # There are thousands of events a second, and what a step came to is in the scenario's result.
        if isinstance(event, DeliveryFinished):
            self._put(self._on_event, event)

    def _put(self, call: Callable[[Any], Any], value: Any) -> None:
        self._done.append((call, value))
        self._wake.send()

    # --- in greenlets ---

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Have the loop do some work, and wait for its end."""
        result: AsyncResult[Any] = AsyncResult()
        self._loop.call_soon_threadsafe(self._start, work, result)
        return result.get()

    def _tell(self) -> None:
        """Call what the loop's thread says, as it says it."""
        while True:
            self._happened.wait()
            self._happened.clear()
            while self._done:
                call, value = self._done.popleft()
                call(value)
