"""The backends that can hold the delivery log, as the tests of its ports use them.

A further backend is a class that fulfils `Backend`, a function that yields it, and a line in `BACKENDS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Protocol, cast

import pytest

from retailops_sandbox.model import Judgement, Record, RunInfo
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Log, RunWriter
from retailops_sandbox.runlog.postgres import connecting, uploading
from retailops_sandbox.runlog.postgres.writer import SharedRunWriter
from tests.support.logged import open_log, shipped
from tests.support.postgres import fresh_database
from tests.support.records import RUN


class Backend(Protocol):
    """One log, empty at first, and what tests do to it that its ports cannot."""

    def open_log(self) -> Log:
        """The log, opened once more: what one reader knows, another one has to find out by itself."""

    def open_run(self, info: RunInfo) -> RunWriter:
        """The writer of a run that has not begun."""

    def abandon(self, run: RunWriter) -> None:
        """Leave a run as its process does that dies."""

    def damage(self, id: str) -> None:
        """Make the own record of a run that has ended unreadable."""


class FileBackend:
    """A log that is kept as run files in a folder, which need not be there yet."""

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._runs: list[FileRunWriter] = []
        self._notices: list[str] = []

    def open_log(self) -> Log:
        return open_log(self._runs_dir, self._notices.append)

    def open_run(self, info: RunInfo) -> RunWriter:
        run = opening.open_run(LogPlace(self._runs_dir), info, shipped)
        assert isinstance(run, FileRunWriter)
        self._runs.append(run)
        return run

    def abandon(self, run: RunWriter) -> None:
        assert isinstance(run, FileRunWriter)
        # The system closes the files of a dead process, and with the journal goes its lock.
        run.close()

    def damage(self, id: str) -> None:
        (self._runs_dir / f"{id}.json").write_text("{")

    def close(self) -> None:
        for run in self._runs:
            run.close()

    def check(self) -> None:
        """Whatever was done: no file lies about, and nobody had to be told of a damaged index."""
        left = list(self._runs_dir.iterdir()) if self._runs_dir.exists() else []
        assert {path.suffix for path in left} <= {".json", ".journal", ".pinned"}
        assert self._notices == []


@contextmanager
def files(folder: Path) -> Iterator[FileBackend]:
    backend = FileBackend(folder / "runs")
    try:
        yield backend
    finally:
        backend.close()
    backend.check()


class PostgresBackend:
    """A log that is kept in a database."""

    def __init__(self, place: LogPlace) -> None:
        self._place = place
        self._runs: list[SharedRunWriter] = []
        self._notices: list[str] = []

    def open_log(self) -> Log:
        log = opening.open_log(self._place, shipped, self._notices.append)
        return cast("Log", _Flushed(log, self._flush))

    def open_run(self, info: RunInfo) -> RunWriter:
        run = opening.open_run(self._place, info, shipped, self._notices.append)
        assert isinstance(run, SharedRunWriter)
        self._runs.append(run)
        return cast("RunWriter", _Judging(run, self._flush))

    def abandon(self, run: RunWriter) -> None:
        cast("SharedRunWriter", run).close()

    def damage(self, id: str) -> None:
        with connecting.connect(self._place.database) as connection:
            connection.execute("update runs set record = '{' where id = %s", [id])

    def close(self) -> None:
        for run in self._runs:
            run.close()

    def check(self) -> None:
        """Whatever was done: nobody had to be told that the database is away."""
        assert self._notices == []

    def _flush(self) -> None:
        """Wait until what was written is in the database, as whoever tells of it does."""

        async def all_of_them() -> None:
            await asyncio.gather(*(run.flush() for run in self._runs))

        # In a thread, because a test may have a loop of its own.
        waiting = Thread(target=lambda: asyncio.run(all_of_them()))
        waiting.start()
        waiting.join()


class _Judging:
    """A writer that judges what was in the log before, as everybody does who judges what another run sent."""

    def __init__(self, run: SharedRunWriter, flush: Callable[[], None]) -> None:
        self._run = run
        self._flush = flush

    def append(self, record: Record) -> None:
        if isinstance(record, Judgement) and record.delivery.rpartition(".")[0] != self._run.info.id:
            self._flush()
        self._run.append(record)

    def __getattr__(self, name: str) -> object:
        return getattr(self._run, name)


class _Flushed:
    """A log, or a cursor, that is asked once all that was written is there."""

    def __init__(self, asked: object, flush: Callable[[], None]) -> None:
        self._asked = asked
        self._flush = flush

    def __getattr__(self, name: str) -> Callable[..., object]:
        def ask(*args: object, **named: object) -> object:
            self._flush()
            answer = getattr(self._asked, name)(*args, **named)
            return _Flushed(answer, self._flush) if name == "cursor" else answer

        return ask


_PATIENCE_S = 60.0


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresBackend]:
    with fresh_database() as url, pytest.MonkeyPatch.context() as patch:
        # A database on a busy machine is slow, and not away.
        patch.setattr(connecting.AnsweredConnection, "patience", _PATIENCE_S)
        patch.setattr(uploading, "_LONGEST", _PATIENCE_S)
        backend = PostgresBackend(LogPlace(folder / "runs", url))
        try:
            yield backend
        finally:
            backend.close()
        backend.check()


OpenBackend = Callable[[Path], AbstractContextManager[Backend]]
"""Opens an empty log. It may use the folder, which is empty and its own."""

BACKENDS: dict[str, OpenBackend] = {"files": files, "postgres": postgres}


def begun(backend: Backend, id: str = RUN, started_at: str = "2024-05-01T12:00:00Z") -> RunWriter:
    """A run that has begun."""
    run = backend.open_run(RunInfo(id=id, started_at=started_at, receiver="local"))
    run.begin()
    return run


@contextmanager
def writing(backend: Backend, id: str = RUN, started_at: str = "2024-05-01T12:00:00Z") -> Iterator[RunWriter]:
    """A run that has begun, and is finished when the block ends."""
    run = begun(backend, id, started_at)
    yield run
    run.finish()
