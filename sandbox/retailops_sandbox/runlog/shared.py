"""The log that many share: a database, and run files where that cannot be reached or a file was opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from functools import partial
from heapq import merge
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Result
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.log import FileLog
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Cursor
from retailops_sandbox.runlog.postgres.connecting import DatabaseAway, DatabaseRefused
from retailops_sandbox.runlog.postgres.log import PostgresLog
from retailops_sandbox.runlog.query import EVERYTHING, Query
from retailops_sandbox.runlog.reach import Reach
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.runlog.rows import DeliveryRow, SortKey
from retailops_sandbox.runlog.runs import Reindexed, RunSummary
from retailops_sandbox.runlog.unwritten import unwritten, waiting

_Reader = PostgresLog | FileLog
_T = TypeVar("_T")


class SharedLog:
    """A `Log` that is kept in a database. Fulfils `LogReader` and `LogKeeper`.

    While the database cannot be reached, questions are answered from the run files that wait for it; pinning
    and deleting raise DatabaseAway. What such files have is shown beside what the database has, too.
    """

    def __init__(self, place: LogPlace, contracts: ContractSource, notice: Callable[[str], None]) -> None:
        """`notice` takes a line for users about the index of the run files."""
        self._database = PostgresLog(place.database, contracts)
        self._spool_dir = place.spool_dir
        self._files = FileLog(place.spool_dir, contracts, notice)
        self._reach = Reach(partial(self._database.known, ()))
        self._opened: frozenset[str] = frozenset()
        """The ids of the runs that were opened from elsewhere."""
        self._hidden: set[str] = set()
        """Those of them that the database has, too, as of the last question."""

    def away(self) -> str:
        """Why the database cannot be reached, as of the last question; empty where it can."""
        return self._reach.problem

    def waiting(self) -> list[str]:
        """The ids of the runs in files that no process will bring into the database by itself."""
        return waiting(self._spool_dir)

    def unwritten(self) -> str:
        """Why the database lacks something of a run that goes on here; empty where it lacks nothing."""
        return next(filter(None, unwritten(self._spool_dir).values()), "")

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
        here = self._here()
        found = {run.id: run for run in self._asked(lambda log: log.runs())}
        for run in self._files.runs() if here else ():
            if run.id in here:
                found[run.id] = _fuller(found.get(run.id), run)
        return sorted(found.values(), key=_order, reverse=True)

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""
        found = self._asked_of(id, lambda log: log.run(id))
        here = self._files.run(id) if id in self._here() else None
        return found if here is None else _fuller(found, here)

    def count(self) -> int:
        """The number of deliveries."""
        count = self._asked(lambda log: log.count())
        if self._reach.problem:
            return count
        return count + sum(map(self._lacking, self._here()))

    # --- evidence ---

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""
        found = {
            each.delivery.id: each for each in self._asked_of(run, lambda log: log.deliveries(run, scenarios))
        }
        for each in self._files.deliveries(run, scenarios) if run in self._here() else ():
            found[each.delivery.id] = _judged_more(found.get(each.delivery.id), each)
        return [found[id] for id in sorted(found, key=lambda id: (found[id].delivery.sent_at, id))]

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""
        run = id.rpartition(".")[0]
        found = self._asked_of(run, lambda log: log.delivery(id))
        here = self._files.delivery(id) if run in self._here() else None
        return found if here is None else _judged_more(found, here)

    def latest_verdicts(self, receiver: str, action: str, edition: str) -> dict[str, str]:
        """The latest verdict of each fixture that was sent to a receiver, by the fixture's name.

        Sent by hand, as it is or edited. A verdict is a word of `DeliveryRow.verdict_word`.
        """
        return self._asked(lambda log: log.latest_verdicts(receiver, action, edition))

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of the deliveries `ids` whose request or response holds the query's text."""
        in_files = self._opened | self._here()
        mine = {id for id in ids if id.rpartition(".")[0] in in_files}
        found = self._asked(lambda log: log.holding(query, ids))
        return found | (self._files.holding(query, mine - found) if mine - found else set())

    # --- results ---

    def results(self, run: str) -> list[Result]:
        """The results of a run's scenarios, in the order in which they ended; none for an unknown run."""
        found = self._asked_of(run, lambda log: log.results(run))
        return max(found, self._files.results(run), key=len) if run in self._here() else found

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
        found = self._read(lambda log: log.rows(query, after=after, newest_first=newest_first))
        here = self._here()
        if not here:
            return found
        in_files = self._files.rows(query, after=after, newest_first=newest_first)
        mine = (row for row in in_files if row.run in here)
        return _each_once(merge(found, mine, key=lambda row: row.sort, reverse=newest_first))

    def in_flight(self) -> list[DeliveryRow]:
        """The deliveries in flight of other processes, as far as they are known; the newest first."""
        return self._asked(lambda log: log.in_flight())

    # --- changes ---

    def cursor(self) -> SharedCursor:
        """A cursor at the end of the log."""
        return SharedCursor(self._database, self._files, self._reach, partial(unwritten, self._spool_dir))

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

        return copied(self._files) if self._is_fuller_here(id) else self._asked_of(id, copied)

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by the run file of a run so far; False if there is none. Blocks."""
        if self._is_fuller_here(id):
            return self._files.export(id, target)
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

    def _here(self) -> frozenset[str]:
        """The ids of the runs that files of this workspace have, and the database not, or not all of."""
        return frozenset(unwritten(self._spool_dir))

    def _lacking(self, run: str) -> int:
        """The number of a run's deliveries that the files have and the database does not."""
        here = self._files.run(run)
        there = self._asked(lambda log: log.run(run))
        return max(0, (here.deliveries if here else 0) - (there.deliveries if there else 0))

    def _is_fuller_here(self, run: str) -> bool:
        """Whether the files have more of a run than the database."""
        here = self._files.run(run) if run in self._here() else None
        there = self._asked(lambda log: log.run(run)) if here is not None else None
        return here is not None and (there is None or there.deliveries < here.deliveries)

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
        except (DatabaseAway, DatabaseRefused) as error:
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


def _fuller(there: RunSummary | None, here: RunSummary) -> RunSummary:
    """Of a run's summaries by the database and by the files, the one that has more of it."""
    if there is None:
        return here
    if there.deliveries > here.deliveries:
        return there
    return msgspec.structs.replace(here, is_pinned=there.is_pinned)


def _judged_more(there: Entry | None, here: Entry) -> Entry:
    """Of a delivery in the database and in the files, the one with more judgements."""
    return here if there is None or len(there.judgements) < len(here.judgements) else there


def _order(run: RunSummary) -> tuple[str, str, str]:
    return run.id.partition("-")[0], run.info.started_at if run.info else "", run.id


def _each_once(rows: Iterable[DeliveryRow]) -> Iterator[DeliveryRow]:
    """The rows of sorted ones, each delivery once: as it was judged, if it was."""
    for _, same in groupby(rows, key=lambda row: row.id):
        found = list(same)
        yield next((row for row in found if row.verdict), found[0])


class SharedCursor:
    """A position in a `SharedLog`.

    What changed is not known where the database went or came back, or began or ceased to lack something.
    """

    def __init__(
        self, database: PostgresLog, files: FileLog, reach: Reach, here: Callable[[], Mapping[str, str]]
    ) -> None:
        """`here` tells which runs the database may lack something of, as `unwritten` does."""
        self._database = database
        self._files = files
        self._reach = reach
        self._here = here
        self._in_database: Cursor | None = None
        """None where the database could not be reached yet."""
        self._in_files: Cursor | None = None
        """None while the database can be reached and has all that the files have."""
        self._was_away = False
        """Whether the last changes were those of the files alone."""
        self._reach.asked(self._begin, self._go_to_files)
        if self._in_files is None and self._here():
            self._in_files = self._files.cursor()

    def changes(self) -> list[Change] | None:
        """The changes since the last call, the oldest first; None where they are not known. Blocks."""
        return self._reach.asked(self._changes_in_database, self._changes_in_files)

    def wait(self, seconds: float) -> bool:
        """Wait until there may be changes or deliveries in flight, at most for so long; whether there may be.

        Blocks.
        """
        if self._reach.problem or self._in_database is None:
            return self._rest(seconds)
        may_be = self._reach.asked(partial(self._in_database.wait, seconds), partial(self._rest, seconds))
        return may_be or any(self._here().values())

    def _rest(self, seconds: float) -> bool:
        time.sleep(seconds)
        return True

    def _begin(self) -> None:
        self._in_database = self._database.cursor()

    def _go_to_files(self) -> None:
        self._was_away = True
        self._in_files = self._files.cursor()

    def _changes_in_database(self) -> list[Change] | None:
        if self._in_database is None:
            self._begin()
            found = None
        else:
            found = self._in_database.changes()
        here = self._here()
        if self._was_away or bool(here) != (self._in_files is not None):
            self._was_away = False
            self._in_files = self._files.cursor() if here else None
            return None
        if self._in_files is None or found is None:
            return found
        mine = self._in_files.changes()
        return None if mine is None else found + [each for each in mine if each.row.run in here]

    def _changes_in_files(self) -> list[Change] | None:
        self._was_away = True
        if self._in_files is None:
            self._go_to_files()
            return None
        return self._in_files.changes()
