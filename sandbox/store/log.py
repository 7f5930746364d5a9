"""Every run as anyone reads it, whoever writes them meanwhile."""

from __future__ import annotations

import heapq
import os
from bisect import bisect_left
from collections.abc import Container, Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from threading import Lock

import msgspec

from sandbox.errors import FileError
from sandbox.model import Delivery, Judgement, Result, RunInfo
from sandbox.store.files import unreadable
from sandbox.store.reader import RunReader, RunState, SortKey, sort_key


class Entry(msgspec.Struct, frozen=True):
    """A delivery and all its judgements, the oldest first: judging again adds one."""

    delivery: Delivery
    judgements: tuple[Judgement, ...]

    @property
    def judgement(self) -> Judgement | None:
        """The latest one; None where it was not judged."""
        return self.judgements[-1] if self.judgements else None


class RunSummary(msgspec.Struct, frozen=True):
    """One run of the log, and what in it cannot be read."""

    id: str
    info: RunInfo | None
    """None where it is so damaged that it does not say."""
    state: RunState
    deliveries: int
    results: tuple[Result, ...]
    problems: tuple[FileError, ...]


class Log:
    """The runs of a folder. Every question is answered as of now, and only what is new is read from disk.

    It keeps what it has read in memory. It may be asked from several threads.
    """

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._runs: dict[str, RunReader] = {}
        self._lock = Lock()

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""
        with self._lock:
            self._refresh()
            known = sorted(self._runs.values(), key=_started, reverse=True)
            return [_summary(run) for run in known if not run.is_empty]

    def run(self, id: str, scenarios: Container[str] | None = None) -> tuple[RunSummary, list[Entry]] | None:
        """One run and its deliveries, the oldest first; None if there is none of this id.

        Of all its deliveries, or of those for these scenarios.
        """
        with self._lock:
            self._refresh()
            run = self._runs.get(id)
            if run is None or run.is_empty:
                return None
            deliveries = [run.deliveries[id] for _, id in run.order]
            if scenarios is not None:
                deliveries = [each for each in deliveries if each.scenario in scenarios]
            return _summary(run), [self._entry(each) for each in deliveries]

    def deliveries(self, limit: int, before: str | None = None) -> list[Entry]:
        """The newest deliveries of all runs, the newest first; `before` goes on after that delivery."""
        with self._lock:
            self._refresh()
            end = None
            if before is not None:
                last = self._find(before)
                if last is None:
                    return []
                end = sort_key(last)
            runs = (_newest_first(run, end) for run in self._runs.values())
            merged = heapq.merge(*runs, key=itemgetter(0), reverse=True)
            return [self._entry(run.deliveries[id]) for (_, id), run in islice(merged, limit)]

    def get(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""
        with self._lock:
            self._refresh()
            delivery = self._find(id)
            return None if delivery is None else self._entry(delivery)

    def _refresh(self) -> None:
        try:
            names = set(os.listdir(self._runs_dir))
        except FileNotFoundError:
            names = set()
        except OSError as error:
            raise unreadable(self._runs_dir, error) from error
        for name in names:
            id, _, suffix = name.rpartition(".")
            if suffix in ("json", "journal") and id not in self._runs:
                self._runs[id] = RunReader(self._runs_dir, id)
        for id, run in list(self._runs.items()):
            if not run.refresh(has_journal=f"{id}.journal" in names):
                del self._runs[id]

    def _find(self, id: str) -> Delivery | None:
        run = self._runs.get(id.rpartition(".")[0])
        return run.deliveries.get(id) if run else None

    def _entry(self, delivery: Delivery) -> Entry:
        judgements = [
            judgement for run in self._runs.values() for judgement in run.judgements.get(delivery.id, ())
        ]
        judgements.sort(key=lambda judgement: judgement.at)
        return Entry(delivery, tuple(judgements))


def _started(run: RunReader) -> tuple[str, str, str]:
    """What runs are ordered by: the second that their id begins with, then the exact time."""
    return run.id.partition("-")[0], run.info.started_at if run.info else "", run.id


def _summary(run: RunReader) -> RunSummary:
    return RunSummary(run.id, run.info, run.state, len(run.deliveries), tuple(run.results), run.problems)


def _newest_first(run: RunReader, end: SortKey | None) -> Iterator[tuple[SortKey, RunReader]]:
    """A run's deliveries before `end`, by sort key."""
    position = len(run.order) if end is None else bisect_left(run.order, end)
    for index in range(position - 1, -1, -1):
        yield run.order[index], run
