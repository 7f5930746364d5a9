"""The ports of the delivery log, by which every face writes, reads and keeps it.

`opening` makes what fulfils them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    # For types alone: who writes a run does not import what reading needs.
    from retailops_sandbox.errors import FileError
    from retailops_sandbox.model import Record, Result, RunInfo
    from retailops_sandbox.runlog.changes import Change
    from retailops_sandbox.runlog.entries import Entry
    from retailops_sandbox.runlog.query import Query
    from retailops_sandbox.runlog.retention import Pruned, Retention
    from retailops_sandbox.runlog.rows import DeliveryRow, SortKey
    from retailops_sandbox.runlog.runs import Reindexed, RunSummary


class RunWriter(Protocol):
    """Writes one run into the log; fulfils the engine's `DeliveryLog`.

    The run is in the log from its first record on, or from `begin` on. An appended record survives the
    death of the process. Until `finish`, the run belongs to this writer.
    """

    @property
    def info(self) -> RunInfo: ...

    def begin(self) -> None:
        """Put the run into the log, unless it is there; FileError where that fails."""

    def next_id(self) -> str:
        """An id for the next delivery. Begins the run."""

    def append(self, record: Record) -> None:
        """Log a record; FileError, and nothing of it in the log, where that fails. Begins the run."""

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """End the run, if it has begun. Blocks.

        `finished_at` is empty for a run that was interrupted; `stopped` says that it ended before all was
        done. FileError where the log cannot be written; the records are in it all the same.
        """

    def export(self, target: Path) -> None:
        """Replace a file by the run, as far as it is, as a run file. Blocks."""

    def copy(self, target: BinaryIO) -> None:
        """Write the run, as far as it is, as a run file. Blocks.

        `target` is empty and seekable.
        """


class Cursor(Protocol):
    """A place in the log that moves on with each look."""

    def changes(self) -> list[Change]:
        """What came since the last look, the oldest first. Cheap where nothing came. Blocks."""


class LogReader(Protocol):
    """Reads the log. Every question is answered as of now; all of them block and may come from any thread.

    FileError where the log cannot be read. Damage of single runs is no error: it is in their summaries.
    """

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none without the run."""

    def results(self, run: str) -> list[Result]:
        """How the scenarios of a run came out, in the order in which they ended; none without such a run."""

    def rows(
        self, query: Query = ..., *, after: SortKey | None = None, newest_first: bool = True
    ) -> Iterator[DeliveryRow]:
        """The rows of a query, in order of when the deliveries were sent.

        `after` goes on after that place, in the direction that is asked for. Rows are looked up as they are
        taken: who takes a page of them pays for no more.
        """

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of these deliveries whose request or response has the text that is asked for."""

    def count(self) -> int:
        """The number of deliveries, as of the last question."""

    def cursor(self) -> Cursor:
        """A cursor at the end of the log."""

    def copy(self, id: str, target: BinaryIO) -> bool:
        """Write a run, as far as it is, as a run file; False if there is none.

        `target` is empty and seekable.
        """

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by a run, as far as it is, as a run file; False if there is none."""

    def open(self, path: Path, name: str) -> str:
        """Open a run file that lies elsewhere, until it changes; the id of its run.

        `name` is what it is called. A run of the log that has the same id hides it. FileError where it
        cannot be shown.
        """

    def opened(self) -> list[RunSummary]:
        """The runs that were opened from elsewhere, the newest first."""

    def opened_from(self, id: str) -> str:
        """The name of the file that a run or a delivery was opened from; empty for all others."""


class LogKeeper(Protocol):
    """Decides what of the log stays. All of it blocks."""

    def pin(self, id: str) -> None:
        """Keep a run whatever retention says; FileError where that fails, or the run has gone meanwhile."""

    def unpin(self, id: str) -> None:
        """Let a run go when its time has come; nothing happens where it was not pinned."""

    def recover(self) -> list[FileError]:
        """Finish the runs of dead processes; what had to be left as it is, and why."""

    def prune(self, retention: Retention, now: str, *, dry_run: bool = False) -> Pruned:
        """Delete the runs that are not to be kept; a dry run deletes none, and says which.

        Never one that goes on, that is pinned, or that is damaged.
        """

    def reindex(self) -> Reindexed:
        """Make anew what was derived from the runs, and delete what dead processes left."""


class Log(LogReader, LogKeeper, Protocol):
    """Reads and keeps the log."""
