"""What is done to the log beside the work, once the pages are there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.session.ports import SystemClock


class MaintenancePages:
    """Finishes what dead processes left, which readers merge until then, and deletes what is not to be kept.

    Summaries that are missing are made before a page needs them, by the log of the pages: what both make
    at once takes twice as long.
    """

    def __init__(self, log: Log, retention: Retention, tell: Callable[[Pruned], None]) -> None:
        """`tell` is told what went, where retention says anything, and what could not be finished."""
        self._log = log
        self._retention = retention
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start it."""
        self._task = asyncio.create_task(self._tidy())

    async def end(self) -> None:
        """Wait until it is done, if it was started."""
        if self._task is not None:
            await self._task

    async def _tidy(self) -> None:
        if not self._retention.is_any:
            problems = await asyncio.to_thread(self._recover)
            if problems:
                self._tell(Pruned([], [], problems))
            return
        try:
            pruned = await asyncio.to_thread(self._log.prune, self._retention, SystemClock().now())
        except FileError as error:
            pruned = Pruned([], [], [error])
        self._tell(pruned)

    def _recover(self) -> list[FileError]:
        """What of it has to stay as it is, and why."""
        problems = self._log.recover()
        with contextlib.suppress(FileError):  # The page that needs it says so.
            self._log.runs()
        return problems
