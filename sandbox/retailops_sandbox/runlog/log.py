"""The log that is kept as run files: reads all runs, while any process writes them, and deletes some."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from itertools import islice
from operator import attrgetter, itemgetter
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Result
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.entries import Entry, LoggedResult
from retailops_sandbox.runlog.files import checking, pins, pruning
from retailops_sandbox.runlog.files.atomic import replacing
from retailops_sandbox.runlog.files.finalize import finalize_abandoned
from retailops_sandbox.runlog.files.reader import RunReader, Source
from retailops_sandbox.runlog.index.latest import LatestResults
from retailops_sandbox.runlog.index.places import Stale
from retailops_sandbox.runlog.index.positions import LogPosition, between, position_of
from retailops_sandbox.runlog.query import EVERYTHING, Query, spelled
from retailops_sandbox.runlog.retention import Pruned, Retention, choose
from retailops_sandbox.runlog.rows import DeliveryRow, Judged, SortKey, with_judgements
from retailops_sandbox.runlog.runs import Reindexed, RunSummary

_TRIES = 5
"""How often a question is asked again because files changed while they were read."""
_Rejudged = dict[str, list[tuple[Judged, Source]]]
"""Judgements that are in another run than their delivery, and where; by the delivery's id."""
_Stream = Iterator[tuple[SortKey, DeliveryRow | None]]


class FileLog:
    """A `Log` that is kept as run files in a folder. Fulfils `LogReader` and `LogKeeper`.

    Each question reads from disk only what is new. Of runs that have ended, memory holds the run's record
    alone; of others, also a row for each delivery. Any thread may ask.

    Runs that were opened from elsewhere are found by their ids alone; no list has them.
    """

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._runs: dict[str, RunReader] = {}
        self._opened: dict[str, RunReader] = {}
        self._latest = LatestResults()
        self._lock = Lock()

    def open(self, path: Path, name: str) -> str:
        """Open a run file from outside the log's folder, until the file changes; the id of its run. Blocks.

        `name` is the file's name for users. A run of the log that has the same id hides it. FileError where
        it cannot be shown.
        """
        stamp, content = checking.read_checked(path, name)
        opened = RunReader.of_file(path, stamp, content, name)
        with self._lock:
            self._refresh()
            if opened.id not in self._runs:
                self._opened[opened.id] = opened
        return opened.id

    def opened(self) -> list[RunSummary]:
        """The runs that were opened from elsewhere, the newest first."""
        with self._lock:
            self._refresh()
            known = sorted(self._opened.values(), key=_started, reverse=True)
            return [_summary(run) for run in known if run.id not in self._runs]

    def opened_from(self, id: str) -> str:
        """The name of the file that a run or a delivery was opened from; empty for all others."""
        with self._lock:
            run = self._reader(id.partition(".")[0])
            return "" if run is None else run.opened_from

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""
        with self._lock:
            self._refresh()
            known = sorted(self._runs.values(), key=_started, reverse=True)
            return [_summary(run) for run in known if not run.is_empty]

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""
        with self._lock:
            self._refresh()
            run = self._reader(id)
            return None if run is None or run.is_empty else _summary(run)

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""
        for _ in range(_TRIES):
            try:
                return self._entries(run, lambda row: scenarios is None or row.scenario in scenarios)
            except Stale:
                continue
        raise _keeps_changing(self._runs_dir)

    def results(self, run: str) -> list[Result]:
        """The results of a run's scenarios, in the order in which they ended; none for an unknown run."""
        for _ in range(_TRIES):
            self._look_again()
            try:
                return [result for source in self._sources(run) for result in source.results()]
            except Stale:
                continue
        raise _keeps_changing(self._runs_dir)

    def latest_results(self) -> Mapping[str, LoggedResult]:
        """The latest result of each scenario that has one, by the scenario's id.

        It is the one that was appended last to the newest run that has one. Cheap where no result came since
        the last question.
        """
        for _ in range(_TRIES):
            with self._lock:
                self._refresh()
                known = [(_started(run), run.info, run.sources) for run in self._runs.values()]
            try:
                return self._latest.read((key, info, found) for key, info, found in known if info)
            except Stale:
                continue
        raise _keeps_changing(self._runs_dir)

    def results_of(self, scenario: str) -> Iterator[LoggedResult]:
        """The results of one scenario, the newest run's first; in a run, the one appended last comes first.

        Results are read lazily, so that taking the first ones reads few more.
        """
        for run in self.runs():
            if run.info is not None and run.results:
                for result in reversed(self.results(run.id)):
                    if result.scenario == scenario:
                        yield LoggedResult(run.info, result)

    def rows(
        self, query: Query = EVERYTHING, *, after: SortKey | None = None, newest_first: bool = True
    ) -> Iterator[DeliveryRow]:
        """The rows of a query, in order of when the deliveries were sent.

        With `after`, only the rows beyond that place in the direction asked for. Rows are read lazily, so
        that taking the first ones reads few more.
        """
        with self._lock:
            self._refresh()
            rejudged = self._rejudged()
            wanted = [id for id in self._runs if query.run in ("", id)]
            if query.run in self._opened and not wanted:
                wanted = [query.run]
                rejudged = {}
        streams = [self._stream(id, query, after, newest_first, rejudged.get(id, {})) for id in wanted]
        for _, row in heapq.merge(*streams, key=itemgetter(0), reverse=newest_first):
            if row is not None:
                yield row

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""
        for _ in range(_TRIES):
            try:
                found = self._entries(
                    id.rpartition(".")[0], lambda row: row.id == id, msgspec.json.encode(id)
                )
                return found[0] if found else None
            except Stale:
                continue
        raise _keeps_changing(self._runs_dir)

    def cursor(self) -> FileCursor:
        """A cursor at the end of the log."""
        position = LogPosition()
        with self._lock:
            self._refresh()
            for id, run in self._runs.items():
                position.move(id, position_of(run))
        return FileCursor(self, position)

    def changes(self, position: LogPosition) -> list[Change]:
        """The changes since a position, the oldest first; moves the position to the end of the log.

        Cheap where nothing changed: it lists the folder, and reads only journals.
        """
        for _ in range(_TRIES):
            try:
                return self._changes(position)
            except Stale:
                self._look_again()  # Also at runs that have ended: a summary may be gone.
        raise _keeps_changing(self._runs_dir)

    def count(self) -> int:
        """The number of deliveries, as of the last question."""
        with self._lock:
            return sum(run.deliveries for run in self._runs.values())

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of the deliveries `ids` whose request or response holds the query's text."""
        for _ in range(_TRIES):
            self._look_again()
            try:
                return {id for run, some in _by_run(ids).items() for id in self._holding(query, run, some)}
            except Stale:
                continue
        raise _keeps_changing(self._runs_dir)

    def copy(self, id: str, target: BinaryIO) -> bool:
        """Write a run so far as a run file; False if there is none. Blocks.

        `target` is empty and seekable.
        """
        with self._lock:
            self._refresh()
            run = self._reader(id)
        if run is None or run.is_empty:
            return False
        run.copy(target)
        return True

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by the run file of a run so far; False if there is none. Blocks."""
        if self.run(id) is None:
            return False
        with replacing(target, mode=SHARED_FILE) as file:
            return self.copy(id, file)

    # --- retention ---

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
        """Make the summary of every run file anew, and delete what dead processes left."""
        made, problems = 0, []
        with self._lock:
            self._refresh()
            for run in self._runs.values():
                wrong = run.reindex()
                problems += wrong or []
                made += wrong == []
        return Reindexed(made, pruning.sweep(self._runs_dir, time.time()), problems)

    # --- refreshing ---

    def _refresh(self, ended: Container[str] = ()) -> None:
        """Read what is new; not in runs that have ended, as long as they have no journal."""
        try:
            names = set(os.listdir(self._runs_dir))
        except FileNotFoundError:
            names = set()
        except OSError as error:
            raise unreadable(self._runs_dir, error) from error
        for name in names:
            id, _, suffix = name.rpartition(".")
            if suffix in ("json", "journal") and id not in self._runs:
                self._runs[id] = RunReader(self._runs_dir / f"{id}.json", id)
        for id, run in list(self._runs.items()):
            run.is_pinned = f"{id}{pins.SUFFIX}" in names
            has_journal = f"{id}.journal" in names
            if (has_journal or id not in ended) and not run.refresh(has_journal=has_journal):
                del self._runs[id]
        # An opened file that has changed is dropped, as its new content was not checked.
        self._opened = {id: run for id, run in self._opened.items() if not run.is_changed}

    def _reader(self, id: str) -> RunReader | None:
        return self._runs.get(id) or self._opened.get(id)

    def _look_again(self) -> None:
        with self._lock:
            self._refresh()

    def _sources(self, id: str) -> list[Source]:
        """The files of a run, as of the last refresh."""
        with self._lock:
            run = self._reader(id)
            return [] if run is None else run.sources

    def _rejudged(self, run: str = "") -> dict[str, _Rejudged]:
        """Judgements that are in another run than their delivery, by the delivery's run; of one or all."""
        found: dict[str, _Rejudged] = {}
        for each in self._runs.values():
            for source in each.sources:
                for id, judged in source.elsewhere.items():
                    of = id.rpartition(".")[0]
                    if run in ("", of):
                        found.setdefault(of, {}).setdefault(id, []).extend((one, source) for one in judged)
        return found

    # --- changes ---

    def _changes(self, position: LogPosition) -> list[Change]:
        with self._lock:
            self._refresh(position.ended)
            ends = {id: position_of(run) for id, run in self._runs.items() if id not in position.ended}
            changed: dict[str, bool] = {}
            for id, end in ends.items():
                for delivery, is_new in between(position.of_run(id), end).items():
                    changed[delivery] = is_new or changed.get(delivery, False)
            rejudged = self._rejudged() if changed else {}
            sources = {run: self._runs[run].sources for run in _by_run(changed) if run in self._runs}
        rows: dict[str, DeliveryRow] = {}
        for run, ids in _by_run(changed).items():
            for source in sources.get(run, []):
                for row in source.picked(ids):
                    more = [judged for judged, _ in rejudged.get(run, {}).get(row.id, [])]
                    rows[row.id] = with_judgements(row, more) if more else row
        for id, end in ends.items():
            position.move(id, end)
        return [Change(row, changed[row.id]) for row in sorted(rows.values(), key=attrgetter("key"))]

    def _holding(self, query: Query, run: str, ids: set[str]) -> Iterator[str]:
        for source in self._sources(run):
            rows = source.picked(ids)
            for row, delivery in zip(rows, source.delivered([row.span for row in rows]), strict=True):
                if query.is_in(delivery):
                    yield row.id

    # --- rows ---

    def _stream(
        self, id: str, query: Query, after: SortKey | None, newest_first: bool, rejudged: _Rejudged
    ) -> _Stream:
        """The rows of a run with their keys; before them a key without a row, which bounds them all.

        By that first key, runs are merged without reading a run before its first row is due.
        """
        edge = self._edge(id, query, after, newest_first)
        if edge is None:
            return
        yield edge, None
        for _ in range(_TRIES):
            try:
                for row in self._rows_of(id, query, after, newest_first, rejudged):
                    # A row before the edge was added after the query began, and would be out of order.
                    if row.key <= edge if newest_first else row.key >= edge:
                        after = row.key
                        yield row.key, row
            except Stale:
                self._look_again()
                continue
            return
        raise _keeps_changing(self._runs_dir)

    def _edge(self, id: str, query: Query, after: SortKey | None, newest_first: bool) -> SortKey | None:
        """The bound of the keys of a run's rows, in the direction asked for; None where no row is wanted."""
        with self._lock:
            run = self._reader(id)
            sources = [] if run is None else run.sources
            firsts = [source.first for source in sources if source.first is not None]
            lasts = [source.last for source in sources if source.last is not None]
        if not firsts or not lasts:
            return None
        first, last = min(firsts), max(lasts)
        if last[0] < query.first_instant or first[0] >= query.end:
            return None
        if after is None:
            return last if newest_first else first
        if newest_first:
            return min(last, after) if first < after else None
        return max(first, after) if last > after else None

    def _rows_of(
        self, id: str, query: Query, after: SortKey | None, newest_first: bool, rejudged: _Rejudged
    ) -> Iterator[DeliveryRow]:
        """The rows of a run that a query accepts, after a place."""
        # A needle may be an older verdict than that of another run, which judged the delivery again.
        needles = [] if rejudged else query.needles()
        sources = self._sources(id)
        streams = [self._candidates(source, needles, query, newest_first) for source in sources]
        last = ""
        for row in heapq.merge(*streams, key=attrgetter("key"), reverse=newest_first):
            if after is not None and not (row.key < after if newest_first else row.key > after):
                continue
            if row.id in rejudged:
                row = with_judgements(row, [judged for judged, _ in rejudged[row.id]])
            if row.id != last and query.accepts(row):
                last = row.id
                yield row

    def _candidates(
        self, source: Source, needles: list[bytes], query: Query, newest_first: bool
    ) -> Iterator[DeliveryRow]:
        """The rows of a file that a query may accept."""
        rows = source.rows(needles, newest_first=newest_first)
        if not query.text:
            return rows
        near = source.with_text(rows, spelled(query.text))
        return (row for row in near if any(query.is_in(each) for each in source.delivered([row.span])))

    # --- evidence ---

    def _entries(self, run: str, wanted: Callable[[DeliveryRow], bool], *needles: bytes) -> list[Entry]:
        """The wanted deliveries of a run, the oldest first; Stale where its files change meanwhile."""
        with self._lock:
            self._refresh()
            reader = self._reader(run)
            sources = [] if reader is None else reader.sources
            rejudged = self._rejudged(run).get(run, {}) if run in self._runs else {}
        found: dict[str, Entry] = {}
        for source in sources:
            rows = [row for row in source.rows(needles, newest_first=False) if wanted(row)]
            judgements = source.judgements([each.span for row in rows for each in row.judged])
            for row, delivery in zip(rows, source.delivered([row.span for row in rows]), strict=True):
                own = islice(judgements, len(row.judged))
                also = found[row.id].judgements if row.id in found else ()
                found[row.id] = Entry(delivery, (*also, *own))
        for id in rejudged.keys() & found.keys():
            later = (each for one, holder in rejudged[id] for each in holder.judgements([one.span]))
            both = sorted((*found[id].judgements, *later), key=attrgetter("at"))
            found[id] = Entry(found[id].delivery, tuple(both))
        return sorted(found.values(), key=lambda entry: (entry.delivery.sent_at, entry.delivery.id))


class FileCursor:
    """A place in a `FileLog`."""

    def __init__(self, log: FileLog, position: LogPosition) -> None:
        self._log = log
        self._position = position

    def changes(self) -> list[Change]:
        """The changes since the last call, the oldest first. Cheap where there are none. Blocks."""
        return self._log.changes(self._position)


def _by_run(ids: Iterable[str]) -> dict[str, set[str]]:
    """The ids of deliveries, by run."""
    found: dict[str, set[str]] = {}
    for id in ids:
        found.setdefault(id.rpartition(".")[0], set()).add(id)
    return found


def _started(run: RunReader) -> tuple[str, str, str]:
    """The order of runs: by the second that the id begins with, then by the exact time."""
    info = run.info
    return run.id.partition("-")[0], info.started_at if info else "", run.id


def _summary(run: RunReader) -> RunSummary:
    return RunSummary(
        id=run.id,
        info=run.info,
        state=run.state,
        deliveries=run.deliveries,
        verdicts=run.verdicts,
        outcomes=run.outcomes,
        problems=run.problems,
        is_pinned=run.is_pinned,
        opened_from=run.opened_from,
        judges=run.judges,
    )


def _keeps_changing(runs_dir: Path) -> FileError:
    return FileError("cannot be read: its files keep changing", mend="look again", file=str(runs_dir))
