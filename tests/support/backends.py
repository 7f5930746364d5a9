"""The backends that can hold the delivery log, as the tests of its ports use them.

A further backend is a class that fulfils `Backend`, a function that yields it, and a line in `BACKENDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from retailops_sandbox.model import RunInfo
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Log, RunWriter
from tests.support.logged import open_log, shipped
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


OpenBackend = Callable[[Path], AbstractContextManager[Backend]]
"""Opens an empty log. It may use the folder, which is empty and its own."""

BACKENDS: dict[str, OpenBackend] = {"files": files}


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
