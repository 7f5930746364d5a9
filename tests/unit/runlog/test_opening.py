"""The record of a new run, and what can keep its files from being made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Receiver, RunInfo
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.runlog.opening import logged_run, open_run
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.runs import RunState, new_run
from tests.support.logged import open_log, shipped
from tests.support.records import RUN, make_delivery

NOW = "2024-05-01T12:01:00Z"


def new(runs_dir: Path) -> RunWriter:
    info = RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z")
    return open_run(LogPlace(runs_dir), info, shipped)


def state(runs_dir: Path) -> RunState:
    (run,) = open_log(runs_dir).runs()
    return run.state


def test_a_new_run_has_an_id_of_its_own_and_its_receiver(tmp_path: Path) -> None:
    receiver = Receiver("shop", "http://127.0.0.1:1", stand_in=True)
    run = new_run("run", NOW, receiver, scenarios=2, unreadable=[FileError("caf\udce9 is gone")])
    assert run.id.startswith("20240501T120100Z-")
    assert run.id != new_run("run", NOW, receiver).id
    assert (run.kind, run.receiver, run.stand_in, run.scenarios) == ("run", "shop", True, 2)
    assert run.unreadable == ("caf\\udce9 is gone",)
    served = new_run("serve", NOW)
    assert (served.receiver, served.stand_in, served.scenarios) == ("", False, 0)


# --- before it begins ----------------------------------------------------------------------------------


def test_a_run_that_never_began_is_finished_without_a_trace(tmp_path: Path) -> None:
    new(tmp_path / "runs").finish(NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_could_not_begin_can_begin_later(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    run = new(tmp_path / "runs")
    with pytest.raises(FileError, match="cannot be written"):
        run.next_id()
    (tmp_path / "runs").unlink()
    run.append(make_delivery(run))
    run.finish(NOW)
    assert state(tmp_path / "runs") == "finished"


# --- finishing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_run_is_finished_off_the_event_loop_unless_nothing_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_thread: bool
) -> None:
    threads: list[threading.Thread] = []
    finish = FileRunWriter.finish

    def watched(run: FileRunWriter, finished_at: str = "", *, stopped: bool = False) -> None:
        threads.append(threading.current_thread())
        finish(run, finished_at, stopped=stopped)

    monkeypatch.setattr(FileRunWriter, "finish", watched)

    async def body(error: type[Exception] | None) -> None:
        run = new(tmp_path / str(error))
        async with logged_run(run, lambda: NOW, in_thread=in_thread):
            run.begin()
            if error is not None:
                raise error

    asyncio.run(body(None))
    with pytest.raises(KeyError):
        asyncio.run(body(KeyError))
    assert [thread is threading.main_thread() for thread in threads] == [not in_thread] * 2


def test_what_keeps_a_run_from_being_finished_is_raised_or_handed_over(tmp_path: Path) -> None:
    async def body(unfinished: Callable[[FileError], None] | None) -> None:
        run = new(tmp_path)
        async with logged_run(run, lambda: NOW, unfinished=unfinished):
            run.begin()
            # A file in the way of the run file.
            (tmp_path / f"{RUN}.json").write_text("{}")

    with pytest.raises(FileError, match="does not say which run"):
        asyncio.run(body(None))
    (tmp_path / f"{RUN}.journal").unlink()
    found: list[FileError] = []
    asyncio.run(body(found.append))
    assert len(found) == 1
    assert (tmp_path / f"{RUN}.journal").exists()
