"""Work on the log that starts once the pages can be opened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.session.ports import SystemClock


class LogMaintenance:
    """Finishes the runs of dead processes, and deletes the runs that retention does not keep.

    Readers merge unfinished runs until then. The index of the log is brought up to date here too, before a
    page needs it.
    """

    def __init__(self, log: Log, retention: Retention, report: Callable[[Pruned], None]) -> None:
        """`report` is called once: with the result of retention, or errors of runs that stay unfinished."""
        self._log = log
        self._retention = retention
        self._report = report
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._maintain())

    async def wait(self) -> None:
        """Wait until it has ended; nothing happens if it was not started."""
        if self._task is not None:
            await self._task

    async def _maintain(self) -> None:
        if not self._retention.is_any:
            problems = await asyncio.to_thread(self._recover)
            if problems:
                self._report(Pruned([], [], problems))
            return
        try:
            pruned = await asyncio.to_thread(self._log.prune, self._retention, SystemClock().now())
        except FileError as error:
            pruned = Pruned([], [], [error])
        self._report(pruned)

    def _recover(self) -> list[FileError]:
        """Finish the runs of dead processes; the errors of those that could not be."""
        problems = self._log.recover()
        with contextlib.suppress(FileError):  # The page that needs the runs shows the error.
            self._log.runs()
        return problems
