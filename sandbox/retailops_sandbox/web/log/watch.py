"""Watches the log and the deliveries in flight, for pages that show changes at once.

While a page listens, both are read many times a second, so that sends of other processes are seen too. The
changes are numbered, and the latest are kept, so that a page that connects again misses none.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import NamedTuple

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.ports import Cursor, LogReader
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.log_notice import LogNotice, log_notice
from retailops_sandbox.web.shell.rows import FlightRow, flight_row, row_elsewhere
from retailops_sandbox.web.shell.sending import Flight

_PAUSE = 0.075
"""Seconds between two looks at the deliveries in flight of this process, and at run files."""
_LONGEST_PAUSE = 2.0
"""Seconds after which the log is read although nobody told of a change: a process that died tells nothing."""
_PAUSE_AFTER_ERROR = 1.0
_KEPT = 2000
"""The number of latest changes that are kept."""


class RowChange(NamedTuple):
    """A row that is new, changed or gone."""

    number: int
    id: str
    row: DeliveryRow | None
    """None for a row that is gone: its delivery was in flight and did not get into the log."""
    is_new: bool


_Flying = dict[str, Flight | FlightRow]
"""The deliveries in flight by id: this process's own, and the rows of those of others."""


class Watch:
    """Watches a log and the deliveries in flight, of this process and of others, while a page listens."""

    def __init__(self, log: LogReader, flights: Callable[[], Sequence[Flight]]) -> None:
        self._log = log
        self._flights = flights
        self._start = secrets.token_hex(4)
        """The part of an id that distinguishes the numbers of this process from those of another."""
        self._number = 0
        self._changes: deque[RowChange] = deque(maxlen=_KEPT)
        self._cursor: Cursor | None = None
        self._flying: _Flying = {}
        self._own: Set[str] = frozenset()
        """The ids of this process's own deliveries in flight, as of the last look."""
        self._looked_at = 0.0
        """When the log was read last, by the monotonic clock."""
        self._landed: set[str] = set()
        """The ids of the deliveries in `_flying` that are in the log already."""
        self._looking = asyncio.Lock()
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self.is_stopped = False
        """Whether no further change will come."""
        self.news = asyncio.Event()
        """Set at the next change, and then replaced by another event."""
        self.count = 0
        """The number of deliveries in the log."""
        self.problem = ""
        """Why the log cannot be read at present; empty where it can."""
        self.notice = LogNotice()
        """What pages say of the log at present."""
        self._told = 0
        """The number of deliveries in the log when the cursor was made, and of new ones since, at least."""

    @property
    def number(self) -> int:
        """The number of the latest change."""
        return self._number

    def id(self, number: int) -> str:
        """The event id of a number."""
        return f"{self._start}:{number}"

    def number_of(self, id: str) -> int | None:
        """The number of an event id; None for an id from another process."""
        start, _, digits = id.partition(":")
        known = start == self._start and digits.isdecimal() and len(digits) <= len(str(self._number))
        return int(digits) if known and int(digits) <= self._number else None

    async def latest_id(self) -> str:
        """The id of the latest change, after reading the log again: a page made now goes on from there."""
        await asyncio.shield(asyncio.ensure_future(self._look()))
        return self.id(self._number)

    def since(self, number: int) -> list[RowChange] | None:
        """The changes after a number, only the latest of each row; None where some are no longer kept."""
        if number < self._number - len(self._changes):
            return None
        found: dict[str, RowChange] = {}
        for each in self._changes:
            if each.number > number:
                before = found.pop(each.id, None)
                found[each.id] = each._replace(is_new=each.is_new or (before is not None and before.is_new))
        return list(found.values())

    async def landed(self, id: str) -> None:
        """Wait until a delivery is in flight nowhere."""
        with self.listening():
            await self.latest_id()
            while id in self._flying and not self.is_stopped:
                await self.news.wait()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Watch while the block runs."""
        self._listeners += 1
        if not self.is_stopped and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            self._listeners -= 1

    async def stop(self) -> None:
        """Read the log once more, then stop."""
        if self.is_stopped:
            return
        if self._task is not None and not self._task.done():
            self._is_stopping = True
            await self._task
        self.is_stopped = True
        self._notify()

    # --- looking ---

    async def _keep_looking(self) -> None:
        # This task is never cancelled, which would lose the changes that were just read.
        while self._listeners:
            is_last = self._is_stopping
            try:
                await self._look_if_needed()
            except SandboxError as error:
                self._set_problem(str(error))
                await asyncio.sleep(_PAUSE_AFTER_ERROR)
            except Exception as error:
                # A bug: watching ends until another page listens, and the pages have to say so.
                self._set_problem(f"Something is wrong with the sandbox itself: {type(error).__name__}.")
                raise
            else:
                self._set_problem("")
            if is_last:
                return

    async def _look_if_needed(self) -> None:
        """Wait until there may be something new, and look then; look at once if nobody has looked before."""
        if self._cursor is not None and not self._is_stopping:
            may_be_new = await asyncio.to_thread(self._cursor.wait, _PAUSE)
            has_rested = time.monotonic() - self._looked_at > _LONGEST_PAUSE
            own = {flight.id for flight in self._flights()}
            if not (may_be_new or has_rested or own != self._own):
                return
        await self._look()

    async def _look(self) -> None:
        async with self._looking:
            # Flights are read before the log: a delivery that ends in between is in the log.
            self._looked_at = time.monotonic()
            own: _Flying = {flight.id: flight for flight in self._flights()}
            self._own = own.keys()
            elsewhere, count = await asyncio.to_thread(self._before)
            flights = elsewhere | own
            if self._cursor is None:
                self._cursor, self._told = await asyncio.to_thread(self._begun)
                self._flying = flights
                self._set_notice(await asyncio.to_thread(log_notice, self._log))
                return
            changes = await asyncio.to_thread(self._cursor.changes)
            self._set_notice(await asyncio.to_thread(log_notice, self._log))
            if changes is None or count < self._told:
                # Deliveries that somebody deleted are no changes.
                self._told = count
                self._forget()
            changes = changes or []
            self._told += sum(each.is_new for each in changes)
            if changes:
                self.count = await asyncio.to_thread(self._log.count)
            if changes or flights.keys() != self._flying.keys():
                self._collect(changes, flights)

    def _begun(self) -> tuple[Cursor, int]:
        """A cursor, and the number of deliveries before it."""
        self._log.cursor()  # Files are counted as of the last question.
        count = self._log.count()
        return self._log.cursor(), count

    def _before(self) -> tuple[_Flying, int]:
        """What others have in flight, and the number of deliveries before the next changes are read."""
        return {row.id: row_elsewhere(row) for row in self._log.in_flight()}, self._log.count()

    def _collect(self, changes: Sequence[Change], flights: _Flying) -> None:
        logged = {change.row.id for change in changes}
        for id in flights.keys() - self._flying.keys() - logged:
            self._add(id, _row(flights[id]), is_new=True)
        known = flights.keys() | self._flying.keys()
        for change in changes:
            row = change.row
            self._add(row.id, row, is_new=change.is_new and row.id not in known)
        self._landed |= logged & known
        for id in self._flying.keys() - flights.keys() - self._landed:
            row = _row(self._flying[id])
            self._add(id, row if row.state == "not logged" else None, is_new=False)
        self._landed &= flights.keys()
        self._flying = flights
        self._notify()

    def _forget(self) -> None:
        """Forget all changes, so that each page is made anew: some of them are not known."""
        self._changes.clear()
        self._number += 1
        self._notify()

    def _add(self, id: str, row: DeliveryRow | None, *, is_new: bool) -> None:
        self._number += 1
        self._changes.append(RowChange(self._number, id, row, is_new))

    def _set_problem(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._notify()

    def _set_notice(self, notice: LogNotice) -> None:
        if notice != self.notice:
            self.notice = notice
            self._notify()

    def _notify(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


def _row(flight: Flight | FlightRow) -> FlightRow:
    return flight if isinstance(flight, FlightRow) else flight_row(flight)
