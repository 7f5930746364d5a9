"""Sends by hand under way. A form starts one, pages show it; it goes on when they are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from retailops_sandbox.engine import (
    Clock,
    DeliveryFinished,
    DeliveryStarted,
    Event,
    Options,
    Ports,
    Run,
    StepResult,
)
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.reporting.reporters.diagnostics import log_event
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.shell.once import Once
from retailops_sandbox.web.shell.recent import Recent

_KEPT_PROBLEMS = 1000


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A send by hand, as the engine runs it: a plan of one step."""

    plan: Plan
    options: Options
    ports: Ports
    payload: str
    """The payload's text as it was typed."""
    label: str


class Flight:
    """A delivery in flight."""

    def __init__(self, id: str, url: str, request: SendRequest, run: Run, since: float, sent_at: str) -> None:
        self.id = id
        self.url = url
        self.request = request
        self.sent_at = sent_at
        self.landed = asyncio.Event()
        """Set once the delivery has ended and, where possible, was judged."""
        self.problem = ""
        """Why the delivery is not in the log although it has ended."""
        self._run = run
        self._since = since

    @property
    def elapsed_ms(self) -> float:
        return (self.request.ports.clock.seconds() - self._since) * 1000

    def cancel(self) -> None:
        """End the delivery with the fault *cancelled*."""
        self._run.stop()


class NotSent(SandboxError):
    """The error of a send that was not made; the message says why."""


class Sending:
    """Starts sends and knows the deliveries in flight."""

    def __init__(self, clock: Clock, *, is_logged: Callable[[str], bool]) -> None:
        """`is_logged` says whether the delivery of an id is in the log."""
        self._clock = clock
        self._on_started: list[Callable[[str], None]] = []
        self._is_logged = is_logged
        self._problems: Recent[str] = Recent(_KEPT_PROBLEMS)
        self._unlogged: Recent[Flight] = Recent(_KEPT_PROBLEMS)
        self._flights: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forms = Once()
        self._is_stopping = False

    def on_started(self, call: Callable[[str], None]) -> None:
        """Call this with the id of each delivery that begins."""
        self._on_started.append(call)

    @property
    def flights(self) -> list[Flight]:
        """The deliveries in flight, the newest first."""
        return list(reversed(self._flights.values()))

    def flight(self, id: str) -> Flight | None:
        """The delivery of this id, if it is in flight, or has ended and could not be logged."""
        return self._flights.get(id) or self._unlogged.get(id)

    def problem(self, id: str) -> str:
        """Why a delivery of this process is not in the log, or not judged there; empty where it is."""
        return self._problems.get(id, "")

    async def once(self, form: str, request: SendRequest) -> tuple[str, bool]:
        """Send once for a form: the delivery's id, and whether an earlier request with the form sent it.

        Raises NotSent or UsageError where nothing was sent; the form can then be sent again.
        """
        return await self._forms.do(form, lambda: self._start(request))

    def _start(self, request: SendRequest) -> asyncio.Future[str]:
        if self._is_stopping:
            raise NotSent("the sandbox is ending", mend="start it again")
        run = Run([request.plan], request.ports, request.options)
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._follow(run, request, started))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return started

    async def _follow(self, run: Run, request: SendRequest, started: asyncio.Future[str]) -> None:
        """Run until the end, and keep track of the delivery."""
        flight: Flight | None = None

        def on_event(event: Event) -> None:
            nonlocal flight
            log_event(event)
            if isinstance(event, DeliveryStarted):
                flight = Flight(event.id, event.url, request, run, self._clock.seconds(), self._clock.now())
                self._flights[flight.id] = flight
                for call in self._on_started:
                    call(flight.id)
                started.set_result(flight.id)
            elif isinstance(event, DeliveryFinished) and flight is not None:
                self._land(flight)
            elif isinstance(event, StepResult) and not started.done():
                started.set_exception(NotSent(event.reason or f"the step was {event.verdict}"))

        try:
            await run.execute(on_event)
        except Exception as error:
            if not started.done():
                started.set_exception(error)
            elif flight is not None and isinstance(error, SandboxError):
                # For example a full disk: the request was sent, and its page shows the outcome.
                self._could_not_log(flight, str(error))
            else:
                raise
        finally:
            if flight is not None:
                self._land(flight)

    def _could_not_log(self, flight: Flight, problem: str) -> None:
        self._problems[flight.id] = problem
        if not self._is_logged(flight.id):
            flight.problem = problem
            self._unlogged[flight.id] = flight

    def _land(self, flight: Flight) -> None:
        self._flights.pop(flight.id, None)
        flight.landed.set()

    async def stop(self) -> None:
        """Cancel what is in flight, and wait until it is logged; nothing is sent from now on."""
        self._is_stopping = True
        for flight in self.flights:
            flight.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
