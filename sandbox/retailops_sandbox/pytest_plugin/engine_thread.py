"""The engine in a thread of its own: connections outlive a test, and a test may run its own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.engine import Event, Run
from retailops_sandbox.model import Receiver
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.standin import StandIn
from retailops_sandbox.transport import Transport

if TYPE_CHECKING:
    from retailops_sandbox.probe.probing import Prober
    from retailops_sandbox.probe.report import ProbeReport

_Done = TypeVar("_Done")


class Ready(NamedTuple):
    """What the thread holds open."""

    receiver: Receiver
    """The receiver under test; for the stand-in, with its address."""
    stand_in: StandIn | None
    transport: Transport
    loop: asyncio.AbstractEventLoop
    end: asyncio.Event


class EngineThread:
    """A thread with an event loop, a transport and, where it is the receiver under test, the stand-in."""

    def __init__(self, receiver: Receiver, contracts: ContractSource) -> None:
        ready: Future[Ready] = Future()
        # A daemon: a pytest that dies without its last hooks must not wait for it.
        self._thread = threading.Thread(
            target=self._run, args=(receiver, contracts, ready), name="retailops-sandbox", daemon=True
        )
        self._thread.start()
        self._ready = ready.result()

    @property
    def receiver(self) -> Receiver:
        return self._ready.receiver

    @property
    def transport(self) -> Transport:
        return self._ready.transport

    def refresh(self) -> None:
        """Put the orders of the stand-in back to their first state."""
        if self._ready.stand_in is not None:
            self._ready.stand_in.reset()

    def start(self, run: Run) -> Future[list[Event]]:
        """Start a run; the future holds its events."""
        return asyncio.run_coroutine_threadsafe(_events(run), self._ready.loop)

    def execute(self, run: Run) -> list[Event]:
        """Execute a run and wait for its end. Interrupted, it cancels and logs what is in flight."""
        return self._ended(self.start(run), run.stop)

    def probe(self, prober: Prober) -> ProbeReport:
        """Probe and wait for the end. Interrupted, it cancels and logs what is in flight."""
        going = asyncio.run_coroutine_threadsafe(prober.execute(lambda _: None), self._ready.loop)
        return self._ended(going, prober.stop)

    def _ended(self, going: Future[_Done], stop: Callable[[], None]) -> _Done:
        try:
            return going.result()
        except BaseException:
            self._ready.loop.call_soon_threadsafe(stop)
            wait([going])
            raise

    def close(self) -> None:
        """Close the connections, and end the thread."""
        self._ready.loop.call_soon_threadsafe(self._ready.end.set)
        self._thread.join()

    @staticmethod
    def _run(receiver: Receiver, contracts: ContractSource, ready: Future[Ready]) -> None:
        try:
            asyncio.run(_serve(receiver, contracts, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)


async def _serve(chosen: Receiver, contracts: ContractSource, ready: Future[Ready]) -> None:
    async with reachable(chosen, contracts) as (receiver, stand_in), Transport() as transport:
        end = asyncio.Event()
        ready.set_result(Ready(receiver, stand_in, transport, asyncio.get_running_loop(), end))
        await end.wait()


async def _events(run: Run) -> list[Event]:
    events: list[Event] = []
    await run.execute(events.append)
    return events
