"""What happens on the workspace, told to pages as it comes: whoever sends, here or in another process.

There is one way for all of it: while a page listens, the log and what is in flight are looked at many times a
second. What was found keeps its number for a while, so that a page goes on where it was.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.ports import Cursor, LogReader
from retailops_sandbox.web.shell.rows import Row, flight_row
from retailops_sandbox.web.shell.sending import Flight

_PAUSE = 0.075
"""Seconds between two looks."""
_PAUSE_OF_PROBLEM = 1.0
_KEPT = 2000
"""So many sightings can be gone back."""


class Sighting(NamedTuple):
    """A delivery that came, got on, or is gone again."""

    number: int
    id: str
    row: Row | None
    """None where it is gone: it was in flight, and nothing came of it."""
    is_new: bool


class Watch:
    """Looks at a log and at the flights of this process, while somebody listens."""

    def __init__(self, log: LogReader, flights: Callable[[], Sequence[Flight]]) -> None:
        self._log = log
        self._flights = flights
        self._start = secrets.token_hex(4)
        """Of which process the numbers are."""
        self._number = 0
        self._sightings: deque[Sighting] = deque(maxlen=_KEPT)
        self._cursor: Cursor | None = None
        self._flying: dict[str, Flight] = {}
        self._landed: set[str] = set()
        """Those of `_flying` that the log has already."""
        self._looking = asyncio.Lock()
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self.is_stopped = False
        """Nothing comes any more."""
        self.news = asyncio.Event()
        """Set once there is more; the next is then another one."""
        self.count = 0
        """Of all deliveries of the log."""
        self.problem = ""
        """Why the log cannot be looked at just now."""

    @property
    def number(self) -> int:
        """Of the latest sighting."""
        return self._number

    def id(self, number: int) -> str:
        """How a page names a place to go on from."""
        return f"{self._start}:{number}"

    def number_of(self, id: str) -> int | None:
        """The number that an id names; None where it is of another process, or none of ours."""
        start, _, digits = id.partition(":")
        known = start == self._start and digits.isdecimal() and len(digits) <= len(str(self._number))
        return int(digits) if known and int(digits) <= self._number else None

    async def here(self) -> str:
        """The id to go on from, for a page that is about to read the log."""
        await asyncio.shield(asyncio.ensure_future(self._look()))
        return self.id(self._number)

    def since(self, number: int) -> list[Sighting] | None:
        """What came after a number, the latest of each delivery; None where that is too long ago."""
        if number < self._number - len(self._sightings):
            return None
        found: dict[str, Sighting] = {}
        for each in self._sightings:
            if each.number > number:
                before = found.pop(each.id, None)
                found[each.id] = each._replace(is_new=each.is_new or (before is not None and before.is_new))
        return list(found.values())

    @contextmanager
    def listening(self) -> Iterator[None]:
        """It looks for as long as somebody is in here."""
        self._listeners += 1
        if not self.is_stopped and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            self._listeners -= 1

    async def stop(self) -> None:
        """Look no more; who listens is told what there is until now."""
        if self.is_stopped:
            return
        if self._task is not None and not self._task.done():
            self._is_stopping = True
            await self._task
        self.is_stopped = True
        self._tell()

    # --- looking ---

    async def _keep_looking(self) -> None:
        # It is never cancelled: what a look found would be lost.
        while self._listeners:
            is_last = self._is_stopping
            try:
                await self._look()
            except SandboxError as error:
                self._say(str(error))
                await asyncio.sleep(_PAUSE_OF_PROBLEM)
            except Exception as error:
                # A bug: nobody looks until another page listens, and none should take that for calm.
                self._say(f"Something is wrong with the sandbox itself: {type(error).__name__}.")
                raise
            else:
                self._say("")
                await asyncio.sleep(_PAUSE)
            if is_last:
                return

    async def _look(self) -> None:
        async with self._looking:
            # In this order: what is not in flight any more is then in the log.
            flights = {flight.id: flight for flight in self._flights()}
            if self._cursor is None:
                self._cursor = await asyncio.to_thread(self._log.cursor)
                self._flying = flights
                return
            changes = await asyncio.to_thread(self._cursor.changes)
            if changes:
                self.count = await asyncio.to_thread(self._log.count)
            if changes or flights.keys() != self._flying.keys():
                self._take(changes, flights)

    def _take(self, changes: Sequence[Change], flights: dict[str, Flight]) -> None:
        logged = {change.row.id for change in changes}
        for id in flights.keys() - self._flying.keys() - logged:
            self._add(id, flight_row(flights[id]), is_new=True)
        known = flights.keys() | self._flying.keys()
        for change in changes:
            row = change.row
            self._add(row.id, row, is_new=change.is_new and row.id not in known)
        self._landed |= logged & known
        for id in self._flying.keys() - flights.keys() - self._landed:
            flight = self._flying[id]
            self._add(id, flight_row(flight) if flight.problem else None, is_new=False)
        self._landed &= flights.keys()
        self._flying = flights
        self._tell()

    def _add(self, id: str, row: Row | None, *, is_new: bool) -> None:
        self._number += 1
        self._sightings.append(Sighting(self._number, id, row, is_new))

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()
