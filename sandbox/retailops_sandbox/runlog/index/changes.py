"""What came into the log since somebody last looked."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import NamedTuple

from retailops_sandbox.runlog.files.reader import RunReader
from retailops_sandbox.runlog.index.folded import Folded
from retailops_sandbox.runlog.index.live import Live

_MOST = 1000
"""Of a run file that appears as a whole, so many of its newest deliveries are told of."""


class Standing(NamedTuple):
    """How much of a run was seen."""

    folded: Folded | None = None
    live: Live | None = None
    sent: int = 0
    """Of the journal's deliveries."""
    judged: int = 0
    """Of the journal's judgements."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing can come any more: its journal was folded."""
        return self.folded is not None and self.live is None


class Seen:
    """What somebody has seen of the log; `Log.changes` goes on from there."""

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self.settled: set[str] = set()
        """The runs in which nothing comes any more."""

    def standing(self, run: str) -> Standing:
        """How much of a run was seen."""
        return self._standings.get(run, Standing())

    def remember(self, run: str, standing: Standing) -> None:
        """Take so much of a run as seen."""
        self._standings[run] = standing
        (self.settled.add if standing.is_settled else self.settled.discard)(run)


def standing_of(run: RunReader) -> Standing:
    """How far a run is."""
    folded = live = None
    for source in run.sources:
        if isinstance(source, Live):
            live = source
        else:
            folded = source
    if live is None:
        return Standing(folded)
    return Standing(folded, live, len(live.sent), len(live.judged))


def between(before: Standing, now: Standing) -> dict[str, bool]:
    """The ids of the deliveries that a run sent or judged in between, and whether they were sent."""
    found: dict[str, bool] = {}
    if now.folded is not None and before.folded is None:
        found |= _folded(before, now.folded)
    if now.live is not None:
        is_same = before.live is now.live
        for id in now.live.sent[before.sent if is_same else 0 : now.sent]:
            found[id] = True
        for id in now.live.judged[before.judged if is_same else 0 : now.judged]:
            found.setdefault(id, False)
    return found


def _folded(before: Standing, folded: Folded) -> dict[str, bool]:
    """What a run file has, beyond what was seen of its journal."""
    found: dict[str, bool] = {}
    sent: set[str] = set()
    judged: Counter[str] = Counter()
    if before.live is not None:
        sent.update(before.live.sent[: before.sent])
        judged.update(before.live.judged[: before.judged])
    rows = folded.rows()
    for row in islice(rows, None if sent else _MOST):
        if row.id not in sent:
            found[row.id] = True
        elif len(row.judged) != judged[row.id]:
            found[row.id] = False
    for id, more in folded.elsewhere.items():
        if len(more) != judged[id]:
            found.setdefault(id, False)
    return found
