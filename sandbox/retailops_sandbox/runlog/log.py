"""The log that is kept as run files: reads all runs, while any process writes them, and deletes some."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Result
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.files import checking, pins, pruning
from retailops_sandbox.runlog.files.atomic import replacing
from retailops_sandbox.runlog.files.finalize import copy_run, finalize_abandoned
from retailops_sandbox.runlog.files.folder import Look, RunOnDisk, Stamp, stamp_of
from retailops_sandbox.runlog.index.indexed import KnownRun, State
from retailops_sandbox.runlog.index.places import Stale
from retailops_sandbox.runlog.index.text_search import Searched
from retailops_sandbox.runlog.query import EVERYTHING, Query
from retailops_sandbox.runlog.retention import Pruned, Retention, choose
from retailops_sandbox.runlog.rows import DeliveryRow, Sort, SortKey, sort_of
from retailops_sandbox.runlog.runs import Reindexed, RunSummary

if TYPE_CHECKING:
    from retailops_sandbox.runlog.index.evidence import ResultKey
    from retailops_sandbox.runlog.index.index import FolderIndex, Index

_TRIES = 5
"""How often a question is asked again because files changed while they were read."""
_FIRST_ROWS, _MOST_ROWS = 250, 4000
"""How many rows are read at once: first, and at most."""
_AFTER_ALL = "~"
"""Sorts after all ids of deliveries."""
_T = TypeVar("_T")
_Runs = Mapping[str, KnownRun]


@dataclass(frozen=True)
class _Home:
    """A run, and the index that has it."""

    index: Index
    run: KnownRun


class FileLog:
    """A `Log` that is kept as run files in a folder. Fulfils `LogReader` and `LogKeeper`.

    An index beside the folder answers what is asked; each question first brings it up to date. Any thread
    may ask.

    Runs that were opened from elsewhere are found by their ids alone; no list has them.
    """

    def __init__(self, runs_dir: Path, contracts: ContractSource, notice: Callable[[str], None]) -> None:
        """`notice` takes a line for users about the index, such as that it had to be made anew."""
        self._runs_dir = runs_dir
        self._contracts = contracts
        self._notice = notice
        self._opened: dict[str, tuple[_Home, str]] = {}
        """The runs that were opened from elsewhere, and the names of their files."""
        self._index_made: FolderIndex | None = None
        self._lock = RLock()

    # --- runs ---

    def open(self, path: Path, name: str) -> str:
        """Open a run file from outside the log's folder, until the file changes; the id of its run. Blocks.

        `name` is the file's name for users. A run of the log that has the same id hides it. FileError where
        it cannot be shown.
        """
        from retailops_sandbox.runlog.index.index import FileIndex

        stamp, content = checking.read_checked(path, name)
        index = FileIndex(RunOnDisk(content.head.id, path, stamp), self._contracts())
        runs = self._asked(dict)
        with self._lock:
            if index.run.id not in runs:
                self._opened = {**self._opened, index.run.id: (_Home(index, index.run), name)}
        return index.run.id

    def opened(self) -> list[RunSummary]:
        """The runs that were opened from elsewhere, the newest first."""

        def answered(runs: _Runs) -> list[RunSummary]:
            found = [(home.run, name) for id, (home, name) in self._opened.items() if id not in runs]
            found.sort(key=lambda each: each[0].order, reverse=True)
            return [run.summary(name) for run, name in found]

        return self._asked(answered)

    def opened_from(self, id: str) -> str:
        """The name of the file that a run or a delivery was opened from, as of the last question.

        Empty for all others.
        """
        run = id.partition(".")[0]
        is_own = run in self._index.runs or run not in self._opened
        return "" if is_own else self._opened[run][1]

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""

        def answered(runs: _Runs) -> list[RunSummary]:
            found = sorted(runs.values(), key=lambda run: run.order, reverse=True)
            return [run.summary() for run in found if not run.is_empty]

        return self._asked(answered)

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""

        def answered(runs: _Runs) -> RunSummary | None:
            home = self._home(runs, id)
            if home is None or home.run.is_empty:
                return None
            return home.run.summary("" if id in runs else self._opened[id][1])

        return self._asked(answered)

    def count(self) -> int:
        """The number of deliveries, as of the last question."""
        return sum(run.indexed.deliveries for run in self._index.runs.values())

    # --- evidence ---

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""
        return self._entries(run, scenarios=scenarios)

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""
        found = self._entries(id.rpartition(".")[0], id)
        return found[0] if found else None

    def latest_verdicts(self, receiver: str, action: str, edition: str) -> dict[str, str]:
        """The latest verdict of each fixture that was sent to a receiver, by the fixture's name.

        Sent by hand, as it is or edited. A verdict is a word of `DeliveryRow.verdict_word`.
        """
        return self._asked(lambda runs: self._index.latest_verdicts(receiver, action, edition))

    def _entries(self, run: str, id: str = "", scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run: all, the one with this id, or those for these scenarios."""

        def answered(runs: _Runs) -> list[Entry]:
            home = self._home(runs, run)
            holders = runs.values() if run in runs else ()
            return home.index.entries(home.run, id, scenarios, holders) if home is not None else []

        return self._asked(answered)

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of the deliveries `ids` whose request or response holds the query's text."""

        def answered(runs: _Runs) -> set[str]:
            found: set[str] = set()
            for run, some in _by_run(ids).items():
                home = self._home(runs, run)
                if home is not None:
                    records = home.index.deliveries(home.run, some)
                    found.update(each.id for each in records if query.is_in(each))
            return found

        return self._asked(answered)

    # --- results ---

    def results(self, run: str) -> list[Result]:
        """The results of a run's scenarios, in the order in which they ended; none for an unknown run."""

        def answered(runs: _Runs) -> list[Result]:
            home = self._home(runs, run)
            return home.index.results(home.run) if home is not None else []

        return self._asked(answered)

    def latest_results(self) -> Mapping[str, LoggedResult]:
        """The latest result of each scenario that has one, by the scenario's id.

        It is the one that was appended last to the newest run that has one, in the order of `runs`. Runs
        whose own record is damaged count for nothing, and neither do opened ones. Cheap where no result came
        since the last question.
        """

        return self._asked(lambda runs: self._index.latest_results(runs))

    def results_of(self, scenario: str) -> Iterator[LoggedResult]:
        """The results of one scenario, in the order of `runs`; in a run, the one appended last comes first.

        It leaves out the runs that `latest_results` leaves out. Results are read lazily, so that taking the
        first ones reads few more.
        """
        after, size = None, 10
        while True:

            def answered(
                runs: _Runs, after: ResultKey | None = after, size: int = size
            ) -> list[tuple[ResultKey, LoggedResult]]:
                return self._index.results_of(scenario, runs, after, size)

            found = self._asked(answered)
            yield from (result for _, result in found)
            if len(found) < size:
                return
            after, size = found[-1][0], min(2 * size, _MOST_ROWS)

    def scenarios_before(self, run: str, scenarios: Collection[str]) -> set[str]:
        """Those of these scenarios that have a result in another run that is not later than this one."""

        def answered(runs: _Runs) -> set[str]:
            return self._index.scenarios_before(runs[run], scenarios) if run in runs else set()

        return self._asked(answered)

    # --- rows ---

    def rows(
        self, query: Query = EVERYTHING, *, after: SortKey | None = None, newest_first: bool = True
    ) -> Iterator[DeliveryRow]:
        """The rows of a query, in order of when the deliveries were sent.

        With `after`, only the rows beyond that place in the direction asked for. Rows are read lazily, so
        that taking the first ones reads few more.
        """
        place = None if after is None else (sort_of(after[0]), after[1])
        if not query.text:
            return (row for _, row in self._rows(query, query.run, place, newest_first))
        return self._rows_by_run(query, place, newest_first)

    def _rows_by_run(self, query: Query, after: Sort | None, newest_first: bool) -> Iterator[DeliveryRow]:
        """The rows of a query with a text. Runs are looked through one after the other, as far as needed."""
        runs = self._asked(lambda runs: runs)
        if query.run:
            home = self._home(runs, query.run)
            found = [home.run] if home is not None else []
        else:
            found = [run for run in runs.values() if run.indexed.deliveries]
        streams = [self._stream(run, runs, query, after, newest_first) for run in found]
        for _, row in heapq.merge(*streams, key=itemgetter(0), reverse=newest_first):
            if row is not None:
                yield row

    def _stream(
        self, run: KnownRun, runs: _Runs, query: Query, after: Sort | None, newest_first: bool
    ) -> Iterator[tuple[Sort, DeliveryRow | None]]:
        """The rows of a run with their keys; before them a key without a row, which bounds them all.

        By that first key, runs are merged without reading a run before its first row is due.
        """
        first, last = run.indexed.first, run.indexed.last
        start, end = query.first_sort, query.end_sort
        if (start is not None and last < start) or (end is not None and first >= end):
            return
        edge: Sort = (last, _AFTER_ALL) if newest_first else (first, "")
        if after is not None:
            edge = min(edge, after) if newest_first else max(edge, after)
        yield edge, None
        # A row beyond the edge was added after the query began, and would be out of order.
        yield from self._rows(query, run.id, edge, newest_first, runs)

    def _rows(
        self, query: Query, run: str, after: Sort | None, newest_first: bool, runs: _Runs | None = None
    ) -> Iterator[tuple[Sort, DeliveryRow]]:
        """The rows of a query with their keys, of one run or of all; a query with a text needs a run.

        `runs` are the runs as of the last question, where it was this query's.
        """
        searched = Searched(query)
        size = _FIRST_ROWS
        while True:

            def answered(
                runs: _Runs, after: Sort | None = after, size: int = size
            ) -> tuple[list[DeliveryRow], Sort | None]:
                home = self._home(runs, run) if run else None
                if run and home is None:
                    return [], None
                if query.text and home is not None and not searched.is_in(home.run):
                    return [], None
                index, of = (self._index, None) if home is None else (home.index, home.run)
                found = index.rows(query, of, after=after, newest_first=newest_first, most=size)
                rows = [each.row for each in found]
                last = rows[-1].sort if len(rows) == size else None
                if query.text and home is not None:
                    rows = searched.holding(home.run, rows, [each.place for each in found])
                return rows, last

            found, after = self._asked(answered, runs)
            for row in found:
                yield row.sort, row
            if after is None:
                return
            size = min(4 * size, _MOST_ROWS)

    def in_flight(self) -> list[DeliveryRow]:
        """No delivery: those of other processes are in no file before they end."""
        return []

    def away(self) -> str:
        """Empty: whoever can read the files can read all of the log."""
        return ""

    def waiting(self) -> list[str]:
        """No run: each is in the log from its first record on."""
        return []

    def unwritten(self) -> str:
        """Nothing: each run is in the log from its first record on."""
        return ""

    # --- changes ---

    def cursor(self) -> FileCursor:
        """A cursor at the end of the log."""
        return FileCursor(self, self._asked(lambda _: self._index.state()))

    def changes(self, since: State) -> tuple[list[Change] | None, State]:
        """The changes since a state of the index, as `FileCursor` returns them, and the state now."""
        return self._asked(lambda _: self._index.changes(since), at="new")

    # --- files ---

    def copy(self, id: str, target: BinaryIO) -> bool:
        """Write a run so far as a run file; False if there is none. Blocks.

        `target` is empty and seekable.
        """
        home = self._asked(lambda runs: self._home(runs, id))
        if home is None or home.run.is_empty:
            return False
        copy_run(home.run.on_disk.run_file, home.run.on_disk.journal, target)
        return True

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by the run file of a run so far; False if there is none. Blocks."""
        if self.run(id) is None:
            return False
        with replacing(target, mode=SHARED_FILE) as file:
            return self.copy(id, file)

    def pin(self, id: str) -> None:
        """Pin a run, so that pruning keeps it; FileError where that fails, or the run is deleted."""
        pins.pin(self._runs_dir, id)

    def unpin(self, id: str) -> None:
        """Unpin a run, so that pruning may delete it; nothing happens where it was not pinned."""
        pins.unpin(self._runs_dir, id)

    def recover(self) -> list[FileError]:
        """Make the run files of runs whose processes died; the problems of those that could not be made."""
        return finalize_abandoned(self._runs_dir)

    def prune(self, retention: Retention, now: str, *, dry_run: bool = False) -> Pruned:
        """Delete the runs over the limits of `retention`; a dry run only returns which ones.

        Runs that go on, that are pinned, or that are damaged are never deleted.
        """
        # Journals of dead processes become run files first. One that cannot is damaged, and is kept.
        pruning.settle(self._runs_dir)
        problems = self.recover()
        going, kept = choose(self.runs(), retention, now)
        done = pruning.delete(self._runs_dir, going, dry_run=dry_run)
        return Pruned(done.removed, [*kept, *done.kept], [*problems, *done.problems])

    def reindex(self) -> Reindexed:
        """Make the index of all runs anew, and delete what dead processes left."""
        self._asked(dict, anew=True)
        runs = self.runs()
        problems = [problem for run in runs for problem in run.problems]
        made = sum(not run.problems for run in runs)
        return Reindexed(made, pruning.sweep(self._runs_dir, time.time()), problems)

    # --- asking ---

    @property
    def _index(self) -> FolderIndex:
        with self._lock:
            if self._index_made is None:
                from retailops_sandbox.runlog.index.index import FolderIndex

                self._index_made = FolderIndex(self._runs_dir, self._contracts, self._notice)
            return self._index_made

    def _asked(
        self,
        question: Callable[[_Runs], _T],
        runs: _Runs | None = None,
        *,
        at: Look = "due",
        anew: bool = False,
    ) -> _T:
        """The answer to a question, asked with the runs that there are once the index is up to date.

        Where `runs` are given, it is first asked with these. `at` is the files to look at; with `anew` the
        index is made anew.
        """
        before: dict[str, Stamp | None] | None = None
        for left in reversed(range(_TRIES)):
            try:
                if runs is None:
                    with self._lock:
                        if anew:
                            self._index.clear()
                            anew = False
                        self._index.refresh(at)
                        runs = self._index.runs
                        # One that has changed is dropped, as its new content was not checked.
                        opened = self._opened.items()
                        self._opened = {id: each for id, each in opened if _is_as_opened(each[0])}
                return question(runs)
            except Stale:
                now = None if runs is None else {id: run.on_disk.stamp for id, run in runs.items()}
                if left == 1 and now is not None and now == before:
                    self._index.discard()  # The files are as they were, so it is wrong about them.
                runs, at, before = None, "all", now
        what = "cannot be read: its files keep changing"
        raise FileError(what, mend="look again", file=str(self._runs_dir))

    def _home(self, runs: _Runs, id: str) -> _Home | None:
        """The run with this id, of the folder or opened from elsewhere; None where there is none."""
        if id in runs:
            return _Home(self._index, runs[id])
        return self._opened[id][0] if id in self._opened else None


class FileCursor:
    """A place in a `FileLog`."""

    def __init__(self, log: FileLog, state: State) -> None:
        self._log = log
        self._state = state

    def changes(self) -> list[Change] | None:
        """The changes since the last call, the oldest first; None where they are not known. Blocks.

        They are not known where they are very many, or the index was made anew. Cheap where there are none.
        """
        changes, self._state = self._log.changes(self._state)
        return changes

    def wait(self, seconds: float) -> bool:
        """Wait for so long: files do not tell when they change, so there always may be changes. Blocks."""
        time.sleep(seconds)
        return True


def _by_run(ids: Iterable[str]) -> dict[str, set[str]]:
    """The ids of deliveries, by run."""
    found: dict[str, set[str]] = {}
    for id in ids:
        found.setdefault(id.rpartition(".")[0], set()).add(id)
    return found


def _is_as_opened(home: _Home) -> bool:
    """Whether the file that a run was opened from is still the same."""
    try:
        return stamp_of(os.stat(home.run.on_disk.run_file)) == home.run.indexed.stamp
    except OSError:
        return False
