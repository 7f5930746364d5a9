"""Brings a run that goes on from its journal into the database, in a thread of its own.

Nobody waits for the database but in `flush`, and in `finish`.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import DeliveryInFlight, RunInfo
from retailops_sandbox.runlog.files.journal import stored_record
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.runlog.place import database_words
from retailops_sandbox.runlog.postgres.limits import ANSWER_S
from retailops_sandbox.runlog.unwritten import mark, unmark

if TYPE_CHECKING:
    import psycopg

    from retailops_sandbox.runlog.postgres.adding import RunRows, Stored

_logger = diagnostics.logger(__name__)

_AT_ONCE = 1 << 20
"""About the most bytes of the journal in one transaction."""
_GATHER = 0.02
"""Seconds in which records are gathered that nobody waits for."""
_BETWEEN = 0.005
"""Seconds between two transactions: one of many records takes little longer than one of few."""
_SHOWN_AFTER = 0.1
"""Seconds after which a delivery in flight is shown to others: most end before."""
_LONGEST = ANSWER_S
"""Seconds that a transaction may take before the database counts as away."""
_IDLE = 1.0
"""Seconds after which an idle connection is looked at: a run that goes on is held by one that is not lost."""
_SWITCH_S = 0.0005
"""Seconds for which the thread keeps the interpreter: so much later may a timed answer be noticed."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0
"""Seconds until the database is tried again, at first and at most.

Pages that read from it again before that miss what waits here."""


class _Flight:
    """A delivery in flight."""

    def __init__(self, sent: DeliveryInFlight) -> None:
        self.sent = sent
        self.shown_at = time.monotonic() + _SHOWN_AFTER
        """When it is to be shown, by the monotonic clock."""
        self.is_shown = False
        self.is_logged = False
        """Whether the database has the delivery, and shows it as in flight no longer."""


class _Waiting:
    """A coroutine that waits until the journal's first bytes are in the database."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.watch: asyncio.TimerHandle
        """Looks whether it has waited for too long."""


class Uploader:
    """Brings one run into the database: at once while that can be reached, later where it is away."""

    def __init__(
        self,
        url: str,
        files: FileRunWriter,
        contracts: ContractSource,
        gone: Callable[[SandboxError], None],
        back: Callable[[], None],
    ) -> None:
        """`files` keep the run until it is in the database.

        `gone` gets the reason why that is away, `back` is called when it has all of the run after all.
        """
        self._url = url
        self._files = files
        self._contracts = contracts
        self._tell_gone = gone
        self._tell_back = back
        self._changed = threading.Condition()
        """Guards all that follows."""
        self._done = -1
        """The bytes of the journal that are in the database; negative before the run itself is."""
        self._unflushed_since: float | None = None
        """When the first record was appended that is not in the database and nobody waits for."""
        self._flights: dict[str, _Flight] = {}
        """By the delivery's id, in the order in which they began."""
        self._landed: list[str] = []
        """The ids of those that were shown and have ended."""
        self._waiting: list[_Waiting] = []
        self._ended: RunInfo | None = None
        """The record of the run, once it has ended."""
        self._progress = 0
        """The number of transactions."""
        self._uploaded_at = 0.0
        """When the latest transaction ended, by the monotonic clock."""
        self._is_idle = False
        """Whether the thread waits without a time to wake up."""
        self._connection: psycopg.Connection[Any] | None = None
        self._is_held = False
        """Whether the connection holds the lock of a run that goes on."""
        self._is_usable = False
        """Whether the database had all of the journal by it."""
        self._is_silent = False
        """Whether its connection was ended because no answer came."""
        self._is_unanswered = False
        """Whether the database did not answer the last time."""
        self._is_left = False
        """Whether the run has ended without it, so that the thread ends when it can."""
        self._is_told = False
        """Whether it was told that the database is away, and not yet that it is back."""
        self.is_away = False
        """Whether the database lacks something of the run, and nobody waits for it."""
        self.was_away = False
        """Whether it was told that the database is away."""
        self.is_finished = False
        """Whether all of the run is in the database."""
        self._thread = threading.Thread(target=self._work, name="log-uploader", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        sys.setswitchinterval(min(_SWITCH_S, sys.getswitchinterval()))
        self._thread.start()

    # --- what the run's own threads call ---

    def appended(self) -> None:
        """Bring what was appended into the database soon."""
        with self._changed:
            if self._unflushed_since is None:
                self._unflushed_since = time.monotonic()
                if self._is_idle:
                    self._changed.notify_all()

    @contextmanager
    def sending(self, sent: DeliveryInFlight) -> Iterator[None]:
        """Show a delivery in flight while the block runs, if that takes long."""
        with self._changed:
            flight = self._flights[sent.id] = _Flight(sent)
            if self._is_idle:
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                del self._flights[sent.id]
                if flight.is_shown and not flight.is_logged:
                    self._landed.append(sent.id)
                    self._unflushed_since = self._unflushed_since or time.monotonic()
                    if self._is_idle:
                        self._changed.notify_all()

    @property
    def is_flushed(self) -> bool:
        """Whether what was appended is in the database, or that is away."""
        return self.is_away or self._done >= self._files.size

    async def flush(self) -> None:
        """Wait until what was appended is in the database; not where that is away."""
        if self.is_flushed:
            return
        size = self._files.size
        waiting = _Waiting(size)
        with self._changed:
            if self.is_away or self._done >= size:
                return
            self._waiting.append(waiting)
        # In the loop's next turn: whoever else can go on in this one appends first, for one transaction.
        waiting.loop.call_soon(self._wake)
        self._watch(waiting, -1)
        try:
            await waiting.future
        finally:
            waiting.watch.cancel()
            with self._changed:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)

    def finish(self, info: RunInfo) -> bool:
        """End the run with this record; whether all of it is in the database. Blocks."""
        with self._changed:
            self._ended = info
            self._is_left = self._is_unanswered
            self._changed.notify_all()
        if self._is_left:
            self._tell(self._silence())
            return False
        before = -1
        while self._thread.is_alive() and before < self._progress:
            before = self._progress
            self._thread.join(_LONGEST)
        if self._thread.is_alive():
            self._give_up()
            self._is_left = True
            self._tell(self._silence())
        return self.is_finished

    def _watch(self, waiting: _Waiting, before: int) -> None:
        """Give up once no transaction ends for long."""
        if before == self._progress:
            self._give_up()
        else:
            waiting.watch = waiting.loop.call_later(_LONGEST, self._watch, waiting, self._progress)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _give_up(self) -> None:
        """Count the database as away, since it does not answer; that ends its connection."""
        with self._changed:
            self._is_silent, self._is_unanswered, self._is_usable = True, True, False
            self._set_away(str(self._silence()))
            connection = self._connection
            if connection is None or connection.closed:
                return
            # Wakes the thread that waits for an answer.
            with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as answers:
                answers.shutdown(socket.SHUT_RDWR)

    # --- the thread ---

    def _work(self) -> None:
        import psycopg

        pause = _FIRST_PAUSE
        try:
            while True:
                is_last = self._ended is not None
                try:
                    self._upload()
                    return
                except (psycopg.Error, SandboxError) as error:
                    if self._is_left:
                        return
                    self._is_unanswered = self._is_silent or isinstance(
                        error, psycopg.errors.ConnectionTimeout
                    )
                    reason = self._problem(error)
                    _logger.warning("run %s: %s", self._files.info.id, reason)
                if self._is_usable:
                    # A connection that was idle is lost when the server starts again: another one tells.
                    self._is_usable = False
                    continue
                pause = min(2 * pause, _LONGEST_PAUSE) if self.is_away else _FIRST_PAUSE
                self._tell(reason)
                with self._changed:
                    self._set_away(str(reason))
                    if is_last:
                        return
                    self._changed.wait_for(lambda: self._ended is not None, pause)
        except Exception as error:
            # A bug: the run stays in its file, and users have to be told.
            reason = SandboxError(f"something is wrong with the sandbox itself: {type(error).__name__}")
            self._tell(reason)
            with self._changed:
                self._set_away(str(reason))
            raise

    def _problem(self, error: psycopg.Error | SandboxError) -> SandboxError:
        import psycopg

        from retailops_sandbox.runlog.postgres import connecting

        if self._is_silent:
            return self._silence()
        return connecting.problem(error, self._url) if isinstance(error, psycopg.Error) else error

    def _silence(self) -> SandboxError:
        from retailops_sandbox.runlog.postgres import connecting

        what = f"cannot be reached: it has not answered for {_LONGEST:.0f} seconds"
        return connecting.DatabaseAway(what, file=database_words(self._url))

    def _tell(self, reason: SandboxError) -> None:
        with self._changed:
            is_new, self._is_told, self.was_away = not self._is_told, True, True
        if is_new:
            self._tell_gone(reason)

    def _set_away(self, reason: str) -> None:
        """Let nobody wait any more. The condition is held."""
        self.is_away = True
        try:
            mark(self._files.path, reason)
        except OSError as error:
            _logger.warning("run %s: others are not told of it: %s", self._files.info.id, error)
        self._release(self._waiting)
        self._waiting = []

    def _unmark(self) -> None:
        try:
            unmark(self._files.path)
        except OSError as error:
            _logger.warning("run %s: others are not told of it: %s", self._files.info.id, error)

    def _release(self, waiting: list[_Waiting]) -> None:
        """Let those go on. The condition is held, so that their loops have not ended."""
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for each in waiting:
            by_loop.setdefault(each.loop, []).append(each.future)
        for loop, futures in by_loop.items():
            loop.call_soon_threadsafe(_resolve, futures)

    def _upload(self) -> None:
        """Connect, and bring all into the database until the run has ended. Raises psycopg.Error."""
        from retailops_sandbox.runlog.postgres import connecting
        from retailops_sandbox.runlog.postgres.adding import RunRows

        with closing(connecting.adding(self._url)) as connection:
            rows = RunRows(connection, self._files.info, self._contracts)
            with self._changed:
                if self._is_left:
                    return
                self._connection, self._is_silent = connection, False
            rows.begin()
            self._is_held = rows.hold()
            # Of a run that was away, others may have judged deliveries before they are here.
            is_first = rows.is_new and not self.was_away
            done = 0 if is_first else self._caught_up(rows)
            with self._changed:
                self._is_usable, self._is_unanswered = True, False
                self._set_done(done)
                for flight in self._flights.values():
                    flight.is_shown = flight.is_logged
            if self._is_told:
                self._is_told = False
                self._tell_back()
            while (act := self._next()) is not None:
                act(rows)
            assert self._ended is not None
            rows.end(self._ended)
            self.is_finished = True

    def _caught_up(self, rows: RunRows) -> int:
        """Bring in what the database lacks of a run; the bytes of the journal."""
        done = 0
        while size := len(text := self._files.lines(done, _AT_ONCE)):
            rows.add_later(list(_records(text)))
            self._progress += 1
            done += size
        return done

    def _next(self) -> Callable[[RunRows], None] | None:
        """Wait until there is something to do, and what; None where that is only to end the run."""
        with self._changed:
            while not self._is_due():
                left = self._seconds_left()
                if not self._changed.wait(_IDLE if left is None else left) and left is None:
                    return self._keep
            if self._ended is not None and self._done >= self._files.size:
                return None
            return self._upload_once

    def _keep(self, rows: RunRows) -> None:
        """Notice a lost connection, and hold the run again. Raises psycopg.Error."""
        rows.check()
        self._is_held = self._is_held or rows.hold()

    def _is_due(self) -> bool:
        return self._ended is not None or self._seconds_left() == 0

    def _seconds_left(self) -> float | None:
        """The seconds until something is due; None where nothing will be."""
        times = [] if self._unflushed_since is None else [self._unflushed_since + _GATHER]
        times += next(([each.shown_at] for each in self._flights.values() if not each.is_shown), [])
        times += [self._uploaded_at + _BETWEEN] if self._waiting else []
        self._is_idle = not times
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _upload_once(self, rows: RunRows) -> None:
        """Bring what there is into the database, in one transaction."""
        # The server takes a moment to notice that an earlier connection of this process is lost.
        self._is_held = self._is_held or rows.hold()
        with self._changed:
            start = self._done
            self._unflushed_since = None
            landed, self._landed = self._landed, []
            now = time.monotonic()
            flying = [each for each in self._flights.values() if not each.is_shown and each.shown_at <= now]
            for flight in flying:
                flight.is_shown = True
            shown = {id: each for id, each in self._flights.items() if each.is_shown and not each.is_logged}
        text = self._files.lines(start, _AT_ONCE)
        logged = rows.add(
            _records(text), flying=[each.sent for each in flying], shown=shown.keys(), landed=landed
        )
        with self._changed:
            for id in logged:
                shown[id].is_logged = True
            self._progress += 1
            self._uploaded_at = time.monotonic()
            self._set_done(start + len(text))

    def _set_done(self, done: int) -> None:
        """Say how much of the journal is in the database. The condition is held."""
        self._done = done
        if self.is_away and done >= self._files.size:
            self.is_away = False
            self._unmark()
        if done < self._files.size:
            self._unflushed_since = self._unflushed_since or time.monotonic()
        ready = [each for each in self._waiting if each.size <= done]
        self._waiting = [each for each in self._waiting if each.size > done]
        self._release(ready)


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _records(text: bytes) -> Iterator[Stored]:
    """The records of lines of a journal that this process wrote."""
    from retailops_sandbox.runlog.files import runfile

    decoders: dict[str, msgspec.json.Decoder[Any]] = {
        "deliveries": runfile.delivery_decoder,
        "judgements": runfile.judgement_decoder,
        "results": runfile.result_decoder,
    }
    for line in text.splitlines(keepends=True):
        found = stored_record(line)
        if found is not None:
            table, document = found
            yield decoders[table].decode(document), document.decode()
