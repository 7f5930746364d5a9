"""Tells the listener of a run its events, without keeping the run waiting for the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from retailops_sandbox.engine.events import DeliveryFinished, Event, ScenarioResult
from retailops_sandbox.engine.ports import DeliveryLog

_MOST_UNTOLD = 5_000
"""The events that may wait for the log before no further scenario begins."""


class Telling:
    """Tells the events of a run in their order: what was logged only once every reader of the log has it.

    Where there is nothing to wait for, as with a log of files, an event is told at once.
    """

    def __init__(self, log: DeliveryLog) -> None:
        self._log = log
        self._untold: deque[Event] = deque()
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self.on_event: Callable[[Event], None] = lambda event: None
        """Takes each event."""
        self.on_error: Callable[[], None] = lambda: None
        """Called where the listener raised, which `check` raises again."""

    def tell(self, event: Event) -> None:
        """Tell an event, now or when those before it were told. Raises what the listener raises."""
        self.check()
        waits = isinstance(event, DeliveryFinished | ScenarioResult)
        if not self._untold and (self._log.is_flushed or not waits):
            self.on_event(event)
            return
        self._untold.append(event)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell_untold())

    async def keep_up(self) -> None:
        """Wait until not too many events are untold."""
        if len(self._untold) > _MOST_UNTOLD:
            await self.finish()

    async def finish(self) -> None:
        """Wait until all events are told, or the listener has raised."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def check(self) -> None:
        """Raise what the listener raised while nobody waited for it."""
        if self._error is not None:
            raise self._error

    async def _tell_untold(self) -> None:
        try:
            while self._untold:
                count = len(self._untold)
                await self._log.flush()
                for _ in range(count):
                    # It is told before it is taken away, so that no later one overtakes it.
                    self.on_event(self._untold[0])
                    self._untold.popleft()
        except Exception as error:
            self._error = error
            self._untold.clear()
            self.on_error()
