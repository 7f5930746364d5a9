"""The log in a PostgreSQL database, for any number of processes on any number of machines."""

from __future__ import annotations

import time
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, func, select

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Result
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.files.atomic import replacing
from retailops_sandbox.runlog.postgres import copying, evidence, keeping, results, stored_runs, text_search
from retailops_sandbox.runlog.postgres.connecting import DatabaseRefused
from retailops_sandbox.runlog.postgres.database import Database, Listener
from retailops_sandbox.runlog.postgres.limits import LONG_ANSWER_S
from retailops_sandbox.runlog.postgres.schema import (
    CHANNEL,
    Snapshot,
    deliveries,
    in_flight,
    runs,
    state,
    tables,
)
from retailops_sandbox.runlog.query import EVERYTHING, Query
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.runlog.rows import NOT_JUDGED, DeliveryRow, Sort, SortKey, sort_of
from retailops_sandbox.runlog.runs import Reindexed, RunSummary
from retailops_sandbox.runlog.sql import selecting
from retailops_sandbox.runlog.sql.tables import Text, row_from

_FIRST_ROWS, _MOST_ROWS = 250, 4000
"""How many rows are read at once: first, and at most."""
_FIRST_LOOK = 500
"""How many records are looked through at once for a text, first."""
_RARE = 0.02
"""The share of records that hold a text, below which an index of texts is asked."""
_MOST_HITS = 1000
"""How many records that hold a text are read at once: the index does not have them in order."""
_MOST_CHANGES = 1000
"""More in one look, as when whole runs were brought in, count as not known."""


class PostgresLog:
    """A log that is kept in a database. Any thread may ask; each question is one transaction.

    DatabaseAway where the database cannot be reached, UsageError where it is not to be used.
    """

    def __init__(self, url: str, contracts: ContractSource) -> None:
        self._database = Database(url)
        self._contracts = contracts
        self._latest = results.LatestResults()

    # --- runs ---

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""
        with self._database.reading() as connection:
            return [run.summary for run in stored_runs.all_runs(connection, self._database.place)]

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""
        with self._database.reading() as connection:
            found = stored_runs.one_run(connection, id, self._database.place)
            return found.summary if found is not None else None

    def known(self, ids: Collection[str]) -> set[str]:
        """Those of these ids that are the ids of runs."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(runs.c.id).where(runs.c.id.in_(ids))))

    def count(self) -> int:
        """The number of deliveries."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.coalesce(func.sum(runs.c.deliveries), 0))) or 0

    # --- evidence ---

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""
        with self._database.reading() as connection:
            return evidence.entries(connection, run, scenarios)

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""
        with self._database.reading() as connection:
            return evidence.entry(connection, id)

    def latest_verdicts(self, receiver: str, action: str, edition: str) -> dict[str, str]:
        """The latest verdict of each fixture that was sent to a receiver, by the fixture's name.

        Sent by hand, as it is or edited. A verdict is a word of `DeliveryRow.verdict_word`.
        """
        with self._database.reading() as connection:
            found = connection.execute(selecting.latest_verdicts(tables, receiver, action, edition))
            return {fixture: verdict or NOT_JUDGED for fixture, verdict in found}

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of the deliveries `ids` whose request or response holds the query's text."""
        with self._database.reading() as connection:
            found = evidence.deliveries_of(connection, ids)
            return {each.id for each in found if query.is_in(each)}

    # --- results ---

    def results(self, run: str) -> list[Result]:
        """The results of a run's scenarios, in the order in which they ended; none for an unknown run."""
        with self._database.reading() as connection:
            return results.of_run(connection, run)

    def latest_results(self) -> Mapping[str, LoggedResult]:
        """The latest result of each scenario that has one, by the scenario's id.

        It is the one that was appended last to the newest run that has one, in the order of `runs`. Runs
        whose own record is damaged count for nothing. Cheap where no result came since the last question.
        """
        with self._database.reading() as connection:
            return self._latest.read(connection)

    def results_of(self, scenario: str) -> Iterator[LoggedResult]:
        """The results of one scenario, in the order of `runs`; in a run, the one appended last comes first.

        It leaves out the runs that `latest_results` leaves out. Results are read lazily, so that taking the
        first ones reads few more.
        """
        after: results.Key | None = None
        size = 10
        while True:
            with self._database.reading() as connection:
                found = results.of_scenario(connection, scenario, after, size)
            yield from (result for _, result in found if result is not None)
            if len(found) < size:
                return
            after, size = found[-1][0], min(2 * size, _MOST_ROWS)

    def scenarios_before(self, run: str, scenarios: Collection[str]) -> set[str]:
        """Those of these scenarios that have a result in another run that is not later than this one."""
        with self._database.reading() as connection:
            return results.scenarios_before(connection, run, scenarios)

    # --- rows ---

    def rows(
        self, query: Query = EVERYTHING, *, after: SortKey | None = None, newest_first: bool = True
    ) -> Iterator[DeliveryRow]:
        """The rows of a query, in order of when the deliveries were sent.

        With `after`, only the rows beyond that place in the direction asked for. Rows are read lazily, so
        that taking the first ones reads few more.
        """
        place = None if after is None else (sort_of(after[0]), after[1])
        read = self._rows_with_text if query.text else self._rows
        return read(query, place, newest_first)

    def _rows(self, query: Query, after: Sort | None, newest_first: bool) -> Iterator[DeliveryRow]:
        """The rows of a query without a text."""
        size = _FIRST_ROWS
        while True:
            with self._database.reading() as connection:
                of = _number(connection, query.run)
                asked = selecting.rows(tables, query, of, after=after, newest_first=newest_first, most=size)
                found = [row_from(each) for each in connection.execute(asked).mappings()]
            yield from found
            if len(found) < size:
                return
            after, size = found[-1].sort, min(4 * size, _MOST_ROWS)

    def _rows_with_text(self, query: Query, after: Sort | None, newest_first: bool) -> Iterator[DeliveryRow]:
        """The rows of a query with a text. Some are looked through; an index may then know all others."""
        size = _FIRST_LOOK
        asks_index = text_search.index_can_find(query)
        while True:
            with self._database.reading() as connection:
                of = _number(connection, query.run)
                asked = text_search.looked_through(
                    query, of, after=after, newest_first=newest_first, most=size
                )
                found = connection.execute(asked).mappings().all()
            hits = _hits(query, found)
            yield from hits
            if not found or found[0]["looked"] < size:
                return
            after = row_from(found[-1]).sort
            if asks_index and len(hits) < size * _RARE:
                rest = self._rows_by_index(query, after, newest_first)
                if rest is not None:
                    yield from rest
                    return
                asks_index = False
            size = min(2 * size, _MOST_ROWS)

    def _rows_by_index(
        self, query: Query, after: Sort | None, newest_first: bool
    ) -> list[DeliveryRow] | None:
        """All rows of a query with a text; None where they are many, or there is no index of texts."""
        with self._database.reading() as connection:
            if not connection.scalar(text_search.HAS_INDEX):
                return None
            of = _number(connection, query.run)
            most = _MOST_HITS + 1
            asked = text_search.in_index(query, of, after=after, newest_first=newest_first, most=most)
            found = connection.execute(asked).mappings().all()
        if len(found) == most:
            return None
        return sorted(_hits(query, found), key=lambda row: row.sort, reverse=newest_first)

    def in_flight(self) -> list[DeliveryRow]:
        """The deliveries in flight of all processes that live, as far as they are known; the newest first."""
        with self._database.reading() as connection:
            found = connection.execute(select(in_flight.c.run, in_flight.c.row)).all()
            held = stored_runs.held_numbers(connection) if found else ()
        rows = [_rows.decode(row) for run, row in found if run in held]
        return sorted(rows, key=lambda row: row.sort, reverse=True)

    # --- changes ---

    def cursor(self) -> PostgresCursor:
        """A cursor at the end of the log."""
        with self._database.reading() as connection:
            return PostgresCursor(self._database, _seen(connection))

    # --- files ---

    def copy(self, id: str, target: BinaryIO) -> bool:
        """Write a run so far as a run file; False if there is none. Blocks.

        `target` is empty and seekable.
        """
        with self._database.reading(patience=LONG_ANSWER_S) as connection:
            run = stored_runs.one_run(connection, id, self._database.place)
            if run is None:
                return False
            if run.problem is not None:
                raise run.problem
            copying.copy_run(connection, run, target)
            return True

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by the run file of a run so far; False if there is none. Blocks."""
        if self.run(id) is None:
            return False
        with replacing(target, mode=SHARED_FILE) as file:
            return self.copy(id, file)

    # --- keeping ---

    def pin(self, id: str) -> None:
        """Pin a run, so that pruning keeps it; FileError where the run is deleted."""
        if not self._pin(id, pinned=True):
            raise FileError(
                "is gone: somebody has just deleted it", file=f"run {id} in {self._database.place}"
            )

    def unpin(self, id: str) -> None:
        """Unpin a run, so that pruning may delete it; nothing happens where it was not pinned."""
        self._pin(id, pinned=False)

    def _pin(self, id: str, *, pinned: bool) -> bool:
        with self._database.writing() as connection:
            done = connection.execute(runs.update().where(runs.c.id == id).values(pinned=pinned))
            return bool(done.rowcount)

    def recover(self) -> list[FileError]:
        """Nothing is left to do where a process died: what it wrote is in the database."""
        return []

    def prune(self, retention: Retention, now: str, *, dry_run: bool = False) -> Pruned:
        """Delete the runs over the limits of `retention`; a dry run only returns which ones.

        Runs that go on, that are pinned, or that are damaged are never deleted.
        """
        return keeping.prune(self._database, retention, now, dry_run=dry_run)

    def reindex(self) -> Reindexed:
        """Make the rows of all deliveries anew, by the contracts as they are now."""
        return keeping.reindex(self._database, self._contracts())


class _Seen(NamedTuple):
    """What of a log was seen."""

    identity: str
    snapshot: str
    """The transactions that were, as `pg_snapshot` spells them."""


class PostgresCursor:
    """A position in a `PostgresLog`: what changed is what its snapshot did not see."""

    def __init__(self, database: Database, seen: _Seen) -> None:
        self._database = database
        self._seen = seen
        self._listener: Listener | None = None

    def changes(self) -> list[Change] | None:
        """The changes since the last call, the oldest first; None where they are not known. Blocks.

        They are not known where they are very many, or the database is another one. Cheap where there are
        none.
        """
        with self._database.reading() as connection:
            now, before = _seen(connection), self._seen
            found = connection.execute(_CHANGED, {"snapshot": before.snapshot}).mappings().all()
        self._seen = now
        if now.identity != before.identity or len(found) > _MOST_CHANGES:
            return None
        return [Change(row_from(each), each["is_new"]) for each in found]

    def wait(self, seconds: float) -> bool:
        """Wait until there may be changes or deliveries in flight, at most for so long; whether there may be.

        Blocks. It returns at once where it has just begun to listen: something may have changed before.
        """
        if self._listener is None:
            try:
                self._listener = self._database.listener(CHANNEL)
            except DatabaseRefused:  # A standby tells nobody of changes.
                time.sleep(seconds)
            return True
        may_be = self._listener.wait(seconds)
        if self._listener.is_lost:
            self._listener = None
        return may_be


def _number(connection: Connection, run: str) -> int | None:
    """The number of a query's run, which no run has where there is none; None for all runs."""
    if not run:
        return None
    return connection.scalar(select(runs.c.number).where(runs.c.id == run)) or 0


def _hits(query: Query, found: Sequence[RowMapping]) -> list[DeliveryRow]:
    """The rows of those records that hold the query's text."""
    return [row_from(each) for each in found if query.is_in(evidence.delivery(each["id"], each["record"]))]


def _seen(connection: Connection) -> _Seen:
    return _Seen(*connection.execute(_SEEN).one())


_rows = msgspec.json.Decoder(DeliveryRow)
_SEEN = select(
    func.coalesce(select(state.c.identity).scalar_subquery(), ""), func.pg_current_snapshot().cast(Text)
)
_before = bindparam("snapshot", type_=Text).cast(Snapshot)
_CHANGED = (
    select(*tables.row, (~func.pg_visible_in_snapshot(deliveries.c.added, _before)).label("is_new"))
    .where(
        deliveries.c.changed >= func.pg_snapshot_xmin(_before),
        ~func.pg_visible_in_snapshot(deliveries.c.changed, _before),
    )
    .order_by(deliveries.c.sort, deliveries.c.id)
    .limit(_MOST_CHANGES + 1)
)
