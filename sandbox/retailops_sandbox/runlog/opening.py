"""Opens the log. This module alone knows which classes fulfil its ports."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.errors import FileError

if TYPE_CHECKING:
    from retailops_sandbox.contracts.catalogue import ContractSource
    from retailops_sandbox.model import RunInfo
    from retailops_sandbox.runlog.entries import Entry
    from retailops_sandbox.runlog.place import LogPlace
    from retailops_sandbox.runlog.ports import Log, RunWriter, Shards
    from retailops_sandbox.runlog.postgres.migrating import Migrated
    from retailops_sandbox.runlog.runs import PushedRun
    from retailops_sandbox.scenarios.trend import Past

_logger = diagnostics.logger(__name__)

# Each function imports what it needs when it is called: a process that writes a run does not read the log.


def open_log(
    place: LogPlace, contracts: ContractSource, notice: Callable[[str], None] = _logger.warning
) -> Log:
    """The log of a place; empty where nothing was logged yet.

    `contracts` tell the ids and codes by which deliveries are found. `notice` takes a line for users about
    the index of the log, such as that it had to be made anew.
    """
    if place.database:
        from retailops_sandbox.runlog.shared import SharedLog

        return SharedLog(place, contracts, notice)
    from retailops_sandbox.runlog.log import FileLog

    return FileLog(place.runs_dir, contracts, notice)


def open_run(
    place: LogPlace,
    info: RunInfo,
    contracts: ContractSource,
    notice: Callable[[str], None] = _logger.warning,
) -> RunWriter:
    """The writer of a new run. Nothing is written before the run begins.

    `contracts` tell the ids and codes by which deliveries are found, where the writer keeps them. `notice`
    takes a line for users about a database that cannot be reached. UsageError for a database that can be
    reached and does not let this run in, or has no tables for it; nothing could bring the run in later.
    """
    if place.database:
        from retailops_sandbox.runlog.postgres.version import check_database
        from retailops_sandbox.runlog.postgres.writer import SharedRunWriter

        check_database(place.database)
        info = msgspec.structs.replace(info, host=platform.node())

        def copy(id: str, target: BinaryIO) -> bool:
            return open_log(place, contracts, notice).copy(id, target)

        return SharedRunWriter(place, info, contracts, notice, copy)
    from retailops_sandbox.runlog.files.writer import FileRunWriter

    return FileRunWriter(place.runs_dir, info)


@asynccontextmanager
async def logged_run(
    run: RunWriter,
    now: Callable[[], str],
    *,
    stopped: Callable[[], bool] = lambda: False,
    unfinished: Callable[[FileError], None] | None = None,
    in_thread: bool = True,
) -> AsyncIterator[None]:
    """Finish a run's log when the block ends. A block that raises interrupts the run.

    `now` is the clock; `stopped` says whether the run ended before all was done. `unfinished` takes the error
    of a run that cannot be finished; without it, the error is raised. With `in_thread` false the run is
    finished in the event loop's thread, which is faster where the loop has nothing else to do.
    """

    async def finish(finished_at: str = "", *, stopped: bool = False) -> None:
        if in_thread:
            await asyncio.to_thread(run.finish, finished_at, stopped=stopped)
        else:
            run.finish(finished_at, stopped=stopped)

    try:
        yield
    except BaseException:
        await finish()
        raise
    try:
        await finish(now(), stopped=stopped())
    except FileError as error:
        if unfinished is None:
            raise
        unfinished(error)


def earlier_results(
    place: LogPlace, *, before: str, most: int, notice: Callable[[str], None] = _logger.warning
) -> Iterator[Past]:
    """The results of runs that ended before the run of this id, the newest first; each is read when taken.

    After `most` bytes no further run is read. Runs that cannot be read are left out: the log names them.
    `notice` takes a line for users about a database that cannot be read.
    """
    if place.database:
        from retailops_sandbox.runlog.postgres import history as shared

        return shared.past_results(place.database, before=before, most=most, notice=notice)
    from retailops_sandbox.runlog.files import history

    return history.past_results(place.runs_dir, before=before, most=most)


def make_tables(place: LogPlace) -> Migrated:
    """Make the tables of a log in the database of a place, or bring them up to date.

    FileError where the database is away; UsageError where the tables cannot be made, or are newer.
    """
    from retailops_sandbox.runlog.postgres.migrating import migrate

    return migrate(place.database)


def push_run_file(place: LogPlace, path: Path, contracts: ContractSource) -> PushedRun:
    """Bring a run file into the database of a place, in one transaction; one that waited for it is deleted.

    FileError where it is no run file, is damaged or goes on, or the database is away; UsageError for one that
    is not to be used.
    """
    from retailops_sandbox.runlog.postgres.pushing import push
    from retailops_sandbox.runlog.postgres.version import check_database

    check_database(place.database)
    return push(place, path, contracts)


def waiting_run_files(place: LogPlace) -> tuple[list[Path], list[FileError]]:
    """The run files that wait for the database of a place, the oldest first, and what cannot be read.

    Those of processes that go on are left out: they bring theirs in.
    """
    from retailops_sandbox.runlog.files.finalize import finalize_abandoned

    problems = finalize_abandoned(place.spool_dir)
    paths = sorted(place.spool_dir.glob("*.json"))
    return [path for path in paths if not path.with_suffix(".journal").exists()], problems


def read_run_file(path: Path) -> list[Entry]:
    """The deliveries of a run file at any path; FileError where it is none, or damaged."""
    from retailops_sandbox.runlog.files import runfile

    return runfile.entries(path)


def scenario_seconds(path: Path) -> dict[str, float]:
    """The seconds that each scenario of a run file took, by its id; FileError where it is none."""
    from retailops_sandbox.runlog.files import history

    return {result.scenario: result.seconds for result in history.results_of(path)}


def shard_files(paths: Sequence[Path]) -> Shards:
    """The run files of the shards of one run, to be merged until the block ends."""
    from retailops_sandbox.runlog.files.merging import ShardFiles

    return ShardFiles(paths)
