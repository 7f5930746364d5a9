"""Positions in the log, and the deliveries that were logged or judged between two of them."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import NamedTuple

from retailops_sandbox.runlog.files.reader import RunReader
from retailops_sandbox.runlog.index.journal import JournalIndex
from retailops_sandbox.runlog.index.run_file import RunFileIndex

_MOST = 1000
"""The most deliveries that count as new in a run file of an unknown run: its newest ones."""


class RunPosition(NamedTuple):
    """How far a run was read."""

    run_file: RunFileIndex | None = None
    journal: JournalIndex | None = None
    sent: int = 0
    """The number of the journal's deliveries."""
    judged: int = 0
    """The number of the journal's judgements."""

    @property
    def is_final(self) -> bool:
        """Whether the run has ended, so that nothing more is added to it."""
        return self.run_file is not None and self.journal is None


class LogPosition:
    """How far each run of the log was read. `FileLog.changes` moves it on."""

    def __init__(self) -> None:
        self._runs: dict[str, RunPosition] = {}
        self.ended: set[str] = set()
        """The runs that have ended, so that nothing more is added to them."""

    def of_run(self, run: str) -> RunPosition:
        """The position in a run."""
        return self._runs.get(run, RunPosition())

    def move(self, run: str, position: RunPosition) -> None:
        """Set the position in a run."""
        self._runs[run] = position
        (self.ended.add if position.is_final else self.ended.discard)(run)


def position_of(run: RunReader) -> RunPosition:
    """The position at the end of a run, as it was last refreshed."""
    run_file = journal = None
    for source in run.sources:
        if isinstance(source, JournalIndex):
            journal = source
        else:
            run_file = source
    if journal is None:
        return RunPosition(run_file)
    return RunPosition(run_file, journal, len(journal.sent), len(journal.judged))


def between(before: RunPosition, now: RunPosition) -> dict[str, bool]:
    """The deliveries that a run sent or judged between two positions, by id; True for those that it sent."""
    found: dict[str, bool] = {}
    if now.run_file is not None and before.run_file is None:
        found |= _beyond_journal(before, now.run_file)
    if now.journal is not None:
        is_same = before.journal is now.journal
        for id in now.journal.sent[before.sent if is_same else 0 : now.sent]:
            found[id] = True
        for id in now.journal.judged[before.judged if is_same else 0 : now.judged]:
            found.setdefault(id, False)
    return found


def _beyond_journal(before: RunPosition, run_file: RunFileIndex) -> dict[str, bool]:
    """The deliveries of a run file that were not read from its journal before, as `between` returns them."""
    found: dict[str, bool] = {}
    sent: set[str] = set()
    judged: Counter[str] = Counter()
    if before.journal is not None:
        sent.update(before.journal.sent[: before.sent])
        judged.update(before.journal.judged[: before.judged])
    rows = run_file.rows()
    for row in islice(rows, None if sent else _MOST):
        if row.id not in sent:
            found[row.id] = True
        elif len(row.judged) != judged[row.id]:
            found[row.id] = False
    for id, more in run_file.elsewhere.items():
        if len(more) != judged[id]:
            found.setdefault(id, False)
    return found
