"""The log that many share: a database, and run files where that cannot be reached or a file was opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import BinaryIO, TypeVar

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Result
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.files.folder import RunFolder
from retailops_sandbox.runlog.log import FileLog
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Cursor
from retailops_sandbox.runlog.postgres.connecting import DatabaseAway
from retailops_sandbox.runlog.postgres.log import PostgresLog
from retailops_sandbox.runlog.query import EVERYTHING, Query
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.runlog.rows import DeliveryRow, SortKey
from retailops_sandbox.runlog.runs import Reindexed, RunSummary

_PAUSE = 2.0
"""Seconds after a failure in which the database is not asked again."""
_TRYING = 10.0
"""Seconds in which nobody else asks a database that was away, while one tries it."""
_Reader = PostgresLog | FileLog
_T = TypeVar("_T")


class SharedLog:
    """A `Log` that is kept in a database. Fulfils `LogReader` and `LogKeeper`.

    While the database cannot be reached, questions are answered from the run files that wait for it; pinning
    and deleting raise DatabaseAway.
    """

    def __init__(self, place: LogPlace, contracts: ContractSource, notice: Callable[[str], None]) -> None:
        """`notice` takes a line for users about the index of the run files."""
        self._database = PostgresLog(place.database, contracts)
        self._spool_dir = place.spool_dir
        self._files = FileLog(place.spool_dir, contracts, notice)
        self._reach = Reach()
        self._opened: frozenset[str] = frozenset()
        """The ids of the runs that were opened from elsewhere."""
        self._hidden: set[str] = set()
        """Those of them that the database has, too, as of the last question."""

    def away(self) -> str:
        """Why the database cannot be reached, as of the last question; empty where it can."""
        return self._reach.problem

    def waiting(self) -> list[str]:
        """The ids of the runs in files that no process will bring into the database by itself."""
        # A folder of its own: the index need not know of the runs that are on their way.
        found = RunFolder(self._spool_dir).look()
        return [id for id, run in found.items() if not run.is_held]

    # --- runs ---

    def open(self, path: Path, name: str) -> str:
        """Open a run file from outside of the log, until the file changes; the id of its run. Blocks.

        `name` is the file's name for users. A run of the log that has the same id hides it. FileError where
        it cannot be shown.
        """
        id = self._files.open(path, name)
        self._opened |= {id}
        self._look_at_opened()
        return id

    def opened(self) -> list[RunSummary]:
        """The runs that were opened from elsewhere, the newest first."""
        self._look_at_opened()
        return [run for run in self._files.opened() if run.id not in self._hidden]

    def opened_from(self, id: str) -> str:
        """The name of the file that a run or a delivery was opened from, as of the last question.

        Empty for all others.
        """
        return "" if id.partition(".")[0] in self._hidden else self._files.opened_from(id)

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""
        return self._asked(lambda log: log.runs())

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""
        return self._asked_of(id, lambda log: log.run(id))

    def count(self) -> int:
        """The number of deliveries."""
        return self._asked(lambda log: log.count())

    # --- evidence ---

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""
        return self._asked_of(run, lambda log: log.deliveries(run, scenarios))

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""
        return self._asked_of(id.rpartition(".")[0], lambda log: log.delivery(id))

    def latest_verdicts(self, receiver: str, action: str, edition: str) -> dict[str, str]:
        """The latest verdict of each fixture that was sent to a receiver, by the fixture's name.

        Sent by hand, as it is or edited. A verdict is a word of `DeliveryRow.verdict_word`.
        """
        return self._asked(lambda log: log.latest_verdicts(receiver, action, edition))

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of the deliveries `ids` whose request or response holds the query's text."""
        opened = {id for id in ids if id.rpartition(".")[0] in self._opened}
        found = self._asked(lambda log: log.holding(query, ids))
        return found | (self._files.holding(query, opened - found) if opened - found else set())

    # --- results ---

    def results(self, run: str) -> list[Result]:
        """The results of a run's scenarios, in the order in which they ended; none for an unknown run."""
        return self._asked_of(run, lambda log: log.results(run))

    def latest_results(self) -> Mapping[str, LoggedResult]:
        """The latest result of each scenario that has one, by the scenario's id."""
        return self._asked(lambda log: log.latest_results())

    def results_of(self, scenario: str) -> Iterator[LoggedResult]:
        """The results of one scenario, those of the newest run first; in a run, those appended last."""
        return self._read(lambda log: log.results_of(scenario))

    def scenarios_before(self, run: str, scenarios: Collection[str]) -> set[str]:
        """Those of these scenarios that have a result in another run that is not later than this one."""
        return self._asked(lambda log: log.scenarios_before(run, scenarios))

    # --- rows ---

    def rows(
        self, query: Query = EVERYTHING, *, after: SortKey | None = None, newest_first: bool = True
    ) -> Iterator[DeliveryRow]:
        """The rows of a query, in order of when the deliveries were sent.

        With `after`, only the rows beyond that place in the direction asked for. Rows are read lazily, so
        that taking the first ones reads few more. DatabaseAway where the database goes while they are taken.
        """
        if self._is_opened(query.run):
            return self._files.rows(query, after=after, newest_first=newest_first)
        return self._read(lambda log: log.rows(query, after=after, newest_first=newest_first))

    def in_flight(self) -> list[DeliveryRow]:
        """The deliveries in flight of other processes, as far as they are known; the newest first."""
        return self._asked(lambda log: log.in_flight())

    # --- changes ---

    def cursor(self) -> SharedCursor:
        """A cursor at the end of the log."""
        return SharedCursor(self._database, self._files, self._reach)

    # --- files ---

    def copy(self, id: str, target: BinaryIO) -> bool:
        """Write a run so far as a run file; False if there is none. Blocks.

        `target` is empty and seekable.
        """

        def copied(log: _Reader) -> bool:
            # The database may have gone while it was copied from.
            target.seek(0)
            target.truncate()
            return log.copy(id, target)

        return self._asked_of(id, copied)

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by the run file of a run so far; False if there is none. Blocks."""
        return self._asked_of(id, lambda log: log.export(id, target))

    # --- keeping ---

    def pin(self, id: str) -> None:
        """Pin a run, so that pruning keeps it; FileError where that fails, or the run is deleted."""
        self._database.pin(id)

    def unpin(self, id: str) -> None:
        """Unpin a run, so that pruning may delete it; nothing happens where it was not pinned."""
        self._database.unpin(id)

    def recover(self) -> list[FileError]:
        """Make the run files of runs that wait for the database and whose processes died.

        The problems of those that could not be made.
        """
        return self._files.recover()

    def prune(self, retention: Retention, now: str, *, dry_run: bool = False) -> Pruned:
        """Delete the runs over the limits of `retention`; a dry run only returns which ones.

        Runs that go on, that are pinned, or that are damaged are never deleted.
        """
        return self._database.prune(retention, now, dry_run=dry_run)

    def reindex(self) -> Reindexed:
        """Make the rows of all deliveries anew, by the contracts as they are now."""
        return self._database.reindex()

    # --- asking ---

    def _asked(self, question: Callable[[_Reader], _T]) -> _T:
        """The answer of the database, or of the files where that cannot be reached."""
        return self._reach.asked(lambda: question(self._database), lambda: question(self._files))

    def _asked_of(self, run: str, question: Callable[[_Reader], _T]) -> _T:
        """The answer to a question about one run, which may be an opened one."""
        return question(self._files) if self._is_opened(run) else self._asked(question)

    def _read(self, question: Callable[[_Reader], Iterator[_T]]) -> Iterator[_T]:
        """The items of an answer, as `_asked` has it. Each is taken when it is needed."""
        first, rest = self._asked(lambda log: _begun(question(log)))
        yield from first
        try:
            yield from rest
        except DatabaseAway as error:
            self._reach.lost(error)  # The files have other items.
            raise

    def _is_opened(self, run: str) -> bool:
        """Whether a run is one that was opened, and the database has none of its id."""
        if run not in self._opened:
            return False
        self._look_at_opened()
        return run not in self._hidden

    def _look_at_opened(self) -> None:
        if self._opened:
            as_before = self._hidden
            self._hidden = self._reach.asked(lambda: self._database.known(self._opened), lambda: as_before)


def _begun(items: Iterator[_T]) -> tuple[list[_T], Iterator[_T]]:
    """The first item, if there is one, and the others."""
    return list(islice(items, 1)), items


class SharedCursor:
    """A position in a `SharedLog`. What changed is not known where the database went or came back."""

    def __init__(self, database: PostgresLog, files: FileLog, reach: Reach) -> None:
        self._database = database
        self._files = files
        self._reach = reach
        self._in_database: Cursor | None = None
        """None where the database could not be reached yet."""
        self._in_files: Cursor | None = None
        """None while the database can be reached."""
        self._reach.asked(self._begin, self._go_to_files)

    def changes(self) -> list[Change] | None:
        """The changes since the last call, the oldest first; None where they are not known. Blocks."""
        return self._reach.asked(self._changes_in_database, self._changes_in_files)

    def wait(self, seconds: float) -> bool:
        """Wait until there may be changes or deliveries in flight, at most for so long; whether there may be.

        Blocks.
        """
        if self._in_files is not None or self._in_database is None:
            return self._rest(seconds)
        return self._reach.asked(partial(self._in_database.wait, seconds), partial(self._rest, seconds))

    def _rest(self, seconds: float) -> bool:
        time.sleep(seconds)
        return True

    def _begin(self) -> None:
        self._in_database = self._database.cursor()

    def _go_to_files(self) -> None:
        self._in_files = self._files.cursor()

    def _changes_in_database(self) -> list[Change] | None:
        if self._in_database is None:
            self._begin()
            found = None
        else:
            found = self._in_database.changes()
        if self._in_files is not None:
            self._in_files = None
            return None
        return found

    def _changes_in_files(self) -> list[Change] | None:
        if self._in_files is None:
            self._go_to_files()
            return None
        return self._in_files.changes()


class Reach:
    """Whether the database can be reached: one that was away is tried again, by one thread at a time."""

    def __init__(self) -> None:
        self.problem = ""
        """Why it cannot be reached; empty where it can."""
        self._due = 0.0
        """When it may be tried again, by the monotonic clock."""
        self._lock = Lock()

    def asked(self, database: Callable[[], _T], files: Callable[[], _T]) -> _T:
        """What the database answers, or else the files."""
        if self._may_try():
            try:
                answer = database()
            except DatabaseAway as error:
                self.lost(error)
            else:
                self.problem = ""
                return answer
        return files()

    def lost(self, error: DatabaseAway) -> None:
        """Take note that the database cannot be reached."""
        self._due = time.monotonic() + _PAUSE
        self.problem = str(error)

    def _may_try(self) -> bool:
        if not self.problem:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._due:
                return False
            self._due = now + _TRYING
            return True
