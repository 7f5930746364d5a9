"""The latest result of each scenario in the runs of a log, kept in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog.entries import LoggedResult
from retailops_sandbox.runlog.index.journal import JournalIndex
from retailops_sandbox.runlog.index.run_file import RunFileIndex

_Sources = list[RunFileIndex | JournalIndex]
_Place = tuple[str, str, str]
"""The place of a run among all runs."""
_Latest = dict[str, tuple[_Place, LoggedResult]]


class LatestResults:
    """The latest result of each scenario. `read` reads of runs that have ended only what is new."""

    def __init__(self) -> None:
        self._ended: dict[_Place, _Sources] = {}
        self._of_ended: _Latest = {}
        self._lock = Lock()

    def read(self, runs: Iterable[tuple[_Place, RunInfo, _Sources]]) -> Mapping[str, LoggedResult]:
        """The latest results in these runs, by scenario id; Stale where their files change meanwhile."""
        with self._lock:
            open_runs, ended = [], {}
            for place, info, sources in runs:
                if any(isinstance(each, JournalIndex) for each in sources):
                    open_runs.append((place, info, sources))
                else:
                    ended[place] = (info, sources)
            if any(ended.get(place, (None, None))[1] != known for place, known in self._ended.items()):
                # A run was deleted, or its file has changed: earlier results may be the latest again.
                self._ended, self._of_ended = {}, {}
            for place, (info, sources) in ended.items():
                if place not in self._ended:
                    _add(self._of_ended, place, info, sources)
                    self._ended[place] = sources
            latest = dict(self._of_ended)
            for place, info, sources in open_runs:
                _add(latest, place, info, sources)
        return {scenario: found for scenario, (_, found) in latest.items()}


def _add(latest: _Latest, place: _Place, info: RunInfo, sources: _Sources) -> None:
    """Add the results of a run, where none of a newer run is there."""
    for source in sources:
        for result in source.results() if source.outcomes else ():
            known = latest.get(result.scenario)
            if known is None or known[0] <= place:
                latest[result.scenario] = (place, LoggedResult(info, result))
