"""The index: where the records of runs lie, and all that lists show of them.

`runlog.log` imports this when it is first asked: SQLAlchemy takes longer than the rest of a start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select, true

from retailops_sandbox.contracts.catalogue import Contracts, ContractSource
from retailops_sandbox.model import Delivery, Result
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.files.folder import Look, RunFolder, RunOnDisk
from retailops_sandbox.runlog.index import evidence
from retailops_sandbox.runlog.index.database import Database
from retailops_sandbox.runlog.index.evidence import ResultKey, RunRecord
from retailops_sandbox.runlog.index.indexed import KnownRun, State
from retailops_sandbox.runlog.index.places import Place
from retailops_sandbox.runlog.index.tables import PLACE, deliveries, place_from, tables
from retailops_sandbox.runlog.index.updating import Updating, indexed_file
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import NOT_JUDGED, DeliveryRow, Sort, lookups
from retailops_sandbox.runlog.sql import selecting
from retailops_sandbox.runlog.sql.tables import row_from

_MOST_CHANGES = 1000
"""More in one look, as when whole runs came into the folder, count as not known."""


class PlacedRow(NamedTuple):
    """A row, and where the record of its delivery lies."""

    row: DeliveryRow
    place: Place


class Index:
    """The index of some runs. Its answers are as of the last refresh, but for `changes`.

    Each raises Stale where files have changed since, or the index turns out to be lost.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: tuple[State | None, dict[str, tuple[RunRecord, LoggedResult]]] = (None, {})
        """The latest result of each scenario and where it is in the index, and the state of that."""

    # --- deliveries ---

    def rows(
        self, query: Query, run: KnownRun | None, *, after: Sort | None, newest_first: bool, most: int
    ) -> list[PlacedRow]:
        """The first rows of a query but for its text, in order; `run` is the query's run."""
        number = run.number if run is not None else None
        asked = selecting.rows(tables, query, number, after=after, newest_first=newest_first, most=most)
        with self._reading(run) as connection:
            found = connection.execute(asked.add_columns(*PLACE)).mappings()
            return [PlacedRow(row_from(values), place_from(values)) for values in found]

    def latest_verdicts(self, receiver: str, action: str, edition: str) -> dict[str, str]:
        """The latest verdict of each fixture that was sent to a receiver, by the fixture's name."""
        with self._database.reading() as connection:
            found = connection.execute(selecting.latest_verdicts(tables, receiver, action, edition))
            return {fixture: verdict or NOT_JUDGED for fixture, verdict in found}

    def entries(
        self, run: KnownRun, id: str, scenarios: Container[str] | None, holders: Iterable[KnownRun]
    ) -> list[Entry]:
        """The deliveries of a run, all, the one with this id, or for these scenarios, the oldest first.

        `holders` are the runs that may have judged them again.
        """
        wanted = deliveries.c.id == id if id else true()
        with self._reading(run) as connection:
            return evidence.entries(connection, run, wanted, scenarios, holders)

    def deliveries(self, run: KnownRun, ids: Collection[str]) -> list[Delivery]:
        """Those of a run's deliveries that have these ids."""
        with self._reading(run) as connection:
            return evidence.deliveries_of(connection, run, deliveries.c.id.in_(ids))

    # --- results ---

    def results(self, run: KnownRun) -> list[Result]:
        """The results of a run, in the order in which they were appended."""
        with self._reading(run) as connection:
            return evidence.results_of_run(connection, run)

    def latest_results(self, runs: Mapping[str, KnownRun]) -> dict[str, LoggedResult]:
        """The latest result of each scenario, by its id. Kept in memory while no result comes or goes."""
        state, known = self._latest
        with self._database.reading() as connection:
            now = self._database.state(connection)
            if state is None or now.identity != state.identity:
                known = {}
            if state is None or (now.identity, now.results) != (state.identity, state.results):
                known = evidence.latest_results(connection, runs, known)
                self._latest = now, known
        return {scenario: result for scenario, (_, result) in known.items()}

    def results_of(
        self, scenario: str, runs: Mapping[str, KnownRun], after: ResultKey | None, most: int
    ) -> list[tuple[ResultKey, LoggedResult]]:
        """The first results of a scenario with their keys, those of the newest run first."""
        with self._database.reading() as connection:
            return evidence.results_of(connection, runs, scenario, after, most)

    def scenarios_before(self, run: KnownRun, scenarios: Collection[str]) -> set[str]:
        """Those of these scenarios that have a result in another run that is not later than this one."""
        with self._reading(run) as connection:
            return evidence.scenarios_before(connection, run, scenarios)

    @contextmanager
    def _reading(self, run: KnownRun | None) -> Iterator[Connection]:
        """A connection to read from; Stale where it does not have a run as that is known."""
        with self._database.reading() as connection:
            if run is not None:
                evidence.check(connection, run)
            yield connection

    # --- changes ---

    def state(self) -> State:
        """The state of the index now."""
        with self._database.reading() as connection:
            return self._database.state(connection)

    def changes(self, since: State) -> tuple[list[Change] | None, State]:
        """The changes since a state, the oldest first, and the state now; None where they are not known."""
        with self._database.reading() as connection:
            now = self._database.state(connection)
            if now.identity != since.identity:
                return None, now
            if now.changes == since.changes:
                return [], now
            asked = _CHANGED.where(deliveries.c.changed > since.changes).limit(_MOST_CHANGES + 1)
            found = connection.execute(asked).mappings().all()
            if len(found) > _MOST_CHANGES:
                return None, now
            return [Change(row_from(each), each["added"] > since.changes) for each in found], now


class FolderIndex(Index):
    """The index of a folder of runs, in a file beside it."""

    def __init__(self, runs_dir: Path, contracts: ContractSource, notice: Callable[[str], None]) -> None:
        database = Database(runs_dir.parent / "index.db", lambda: lookups(contracts()), notice)
        super().__init__(database)
        self._updating = Updating(RunFolder(runs_dir), database, contracts)

    @property
    def runs(self) -> Mapping[str, KnownRun]:
        """The runs of the folder, by id, as of the last refresh."""
        return self._updating.runs

    def refresh(self, at: Look) -> None:
        """Bring the index up to date with these files of the folder. One thread at a time may do this."""
        self._updating.refresh(at)

    def clear(self) -> None:
        """Empty the index, so that the next refresh makes it anew."""
        self._updating.clear()

    def discard(self) -> None:
        """Have the next refresh make another index, because this one does not fit the run files."""
        self._database.discard()


class FileIndex(Index):
    """The index of one run file, in memory."""

    def __init__(self, run: RunOnDisk, contracts: Contracts) -> None:
        database, self.run = indexed_file(run, contracts)
        super().__init__(database)


_CHANGED = select(*tables.row, deliveries.c.added).order_by(deliveries.c.sort, deliveries.c.id)
