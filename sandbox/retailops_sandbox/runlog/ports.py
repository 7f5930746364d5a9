"""The ports of the delivery log, by which every face writes, reads and keeps it.

`opening` makes the objects that fulfil them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

if TYPE_CHECKING:
    # For types alone: a process that writes a run does not import the modules that read.
    from retailops_sandbox.errors import FileError, SandboxError
    from retailops_sandbox.model import DeliveryInFlight, Record, Result, RunInfo
    from retailops_sandbox.runlog.changes import Change
    from retailops_sandbox.runlog.entries import Entry, LoggedResult
    from retailops_sandbox.runlog.query import Query
    from retailops_sandbox.runlog.retention import Pruned, Retention
    from retailops_sandbox.runlog.rows import DeliveryRow, SortKey
    from retailops_sandbox.runlog.runs import Reindexed, RunSummary


class RunContent(Protocol):
    """What a run has logged so far, which can be written out as a run file."""

    def export(self, target: Path) -> None:
        """Replace a file by the run file of the run so far. Blocks."""

    def copy(self, target: BinaryIO) -> None:
        """Write the run so far as a run file. Blocks.

        `target` is empty and seekable.
        """


class RunWriter(RunContent, Protocol):
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
        """Log a record; FileError where that fails, and then none of it is logged. Begins the run."""

    def sending(self, flight: DeliveryInFlight) -> AbstractContextManager[None]:
        """Let others see a delivery that takes long, until the block ends, in which it is appended."""

    @property
    def is_flushed(self) -> bool:
        """Whether `flush` would return at once."""

    @property
    def is_away(self) -> bool:
        """Whether the log cannot be reached, as far as is known, and lacks something of the run."""

    async def flush(self) -> None:
        """Wait until every reader of the log has what was appended before.

        Where the log cannot be reached, it does not wait.
        """

    def finish(self, finished_at: str = "", *, stopped: bool = False) -> None:
        """End the run, if it has begun. Blocks.

        `finished_at` is empty for a run that was interrupted; `stopped` says that it ended before all was
        done. FileError where the log cannot be written; the records are in it all the same.
        """


class MergedRun(RunContent, Protocol):
    """A run that was made of the shards of one run."""

    @property
    def info(self) -> RunInfo: ...

    def results(self) -> Iterator[tuple[Result, Iterator[Entry]]]:
        """The results of its scenarios, shard by shard, each with its deliveries as the run judged them."""


class Shards(Protocol):
    """The run files of the shards of one run, looked through, until the block ends."""

    @property
    def problems(self) -> list[SandboxError]:
        """Why parts of the run are missing: files that cannot be read, shards that are not whole."""

    @property
    def refusals(self) -> list[SandboxError]:
        """Why the files cannot be merged; empty where they can."""

    @property
    def notes(self) -> list[str]:
        """What should be known, and is no mistake."""

    @property
    def are_none(self) -> bool:
        """Whether there is no file of a shard."""

    @property
    def results(self) -> int:
        """The number of scenarios that have a result."""

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody stopped one of the shards."""

    def merge(self) -> MergedRun:
        """Make one run of them, which is there until the block ends. Blocks.

        The run's id is that of these shards, however often they are merged. FileError where that fails, or a
        file cannot be read any more.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Cursor(Protocol):
    """A position in the log, which each call of `changes` moves to the log's end."""

    def changes(self) -> list[Change] | None:
        """The changes since the last call, the oldest first; None where they are not known. Blocks.

        They are not known where they are very many, or the log was read anew. Cheap where there are none.
        """

    def wait(self, seconds: float) -> bool:
        """Wait until there may be changes or deliveries in flight, at most for so long; whether there may be.

        Blocks. A process that died tells nothing: its deliveries in flight are gone without a change.
        """


class LogReader(Protocol):
    """Reads the log. Every question is answered as of now; all of them block and may come from any thread.

    FileError where the log cannot be read. Damage of single runs is no error: `RunSummary.problems` has it.
    """

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first, damaged ones too."""

    def run(self, id: str) -> RunSummary | None:
        """The run of this id; None if there is none."""

    def deliveries(self, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
        """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""

    def results(self, run: str) -> list[Result]:
        """The results of a run's scenarios, in the order in which they ended; none for an unknown run."""

    def latest_results(self) -> Mapping[str, LoggedResult]:
        """The latest result of each scenario that has one, by the scenario's id.

        It is the one that was appended last to the newest run that has one, in the order of `runs`. Runs
        whose own record is damaged count for nothing, and neither do opened ones. Cheap where no result came
        since the last question.
        """

    def results_of(self, scenario: str) -> Iterator[LoggedResult]:
        """The results of one scenario, in the order of `runs`; in a run, the one appended last comes first.

        It leaves out the runs that `latest_results` leaves out. Results are read lazily, so that taking the
        first ones reads few more.
        """

    def scenarios_before(self, run: str, scenarios: Collection[str]) -> set[str]:
        """Those of these scenarios that have a result in another run that is not later than this one."""

    def rows(
        self, query: Query = ..., *, after: SortKey | None = None, newest_first: bool = True
    ) -> Iterator[DeliveryRow]:
        """The rows of a query, in order of when the deliveries were sent.

        With `after`, only the rows beyond that place in the direction asked for. Rows are read lazily, so
        that taking the first ones reads few more.
        """

    def latest_verdicts(self, receiver: str, action: str, edition: str) -> dict[str, str]:
        """The latest verdict of each fixture that was sent to a receiver, by the fixture's name.

        Sent by hand, as it is or edited. A verdict is a word of `DeliveryRow.verdict_word`.
        """

    def delivery(self, id: str) -> Entry | None:
        """The delivery with this id; None if there is none."""

    def holding(self, query: Query, ids: Collection[str]) -> set[str]:
        """Those of the deliveries `ids` whose request or response holds the query's text."""

    def in_flight(self) -> list[DeliveryRow]:
        """The deliveries in flight of other processes, as far as they are known; the newest first."""

    def away(self) -> str:
        """Why a part of the log cannot be reached, as of the last question; empty where all can."""

    def waiting(self) -> list[str]:
        """The ids of the runs that are not yet in a log of many, and that no process brings there by itself.

        Cheap, but FileError where their folder cannot be read.
        """

    def unwritten(self) -> str:
        """Why a log of many lacks something of a run that goes on here; empty where it lacks nothing.

        Its process brings it in by itself. Cheap, but FileError where its folder cannot be read.
        """

    def count(self) -> int:
        """The number of deliveries, as of the last question."""

    def cursor(self) -> Cursor:
        """A cursor at the end of the log."""

    def copy(self, id: str, target: BinaryIO) -> bool:
        """Write a run so far as a run file; False if there is none.

        `target` is empty and seekable.
        """

    def export(self, id: str, target: Path) -> bool:
        """Replace a file by the run file of a run so far; False if there is none."""

    def open(self, path: Path, name: str) -> str:
        """Open a run file from outside the log's folder, until the file changes; the id of its run.

        `name` is the file's name for users. A run of the log that has the same id hides it. FileError where
        it cannot be shown.
        """

    def opened(self) -> list[RunSummary]:
        """The runs that were opened from elsewhere, the newest first."""

    def opened_from(self, id: str) -> str:
        """The name of the file that a run or a delivery was opened from, as of the last question.

        Empty for all others.
        """


class LogKeeper(Protocol):
    """Pins, finishes and deletes the runs of the log. All methods block."""

    def pin(self, id: str) -> None:
        """Pin a run, so that pruning keeps it; FileError where that fails, or the run is deleted."""

    def unpin(self, id: str) -> None:
        """Unpin a run, so that pruning may delete it; nothing happens where it was not pinned."""

    def recover(self) -> list[FileError]:
        """Finish the runs whose processes died; the problems of those that could not be finished."""

    def prune(self, retention: Retention, now: str, *, dry_run: bool = False) -> Pruned:
        """Delete the runs over the limits of `retention`; a dry run only returns which ones.

        Runs that go on, that are pinned, or that are damaged are never deleted.
        """

    def reindex(self) -> Reindexed:
        """Make the index of all runs anew, and delete the leftover files of dead processes."""


class Log(LogReader, LogKeeper, Protocol):
    """Reads and keeps the log."""
