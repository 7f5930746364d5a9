"""How a run gets into the log and is finished, as every face does it."""

from __future__ import annotations

import asyncio

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import DeliveryInFlight, RunInfo
from retailops_sandbox.runlog.opening import logged_run
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.runlog.runs import RunState
from tests.support.backends import Backend, begun, writing
from tests.support.records import RUN, judge, make_delivery, some_delivery

NOW = "2024-05-01T12:01:00Z"


def new(backend: Backend) -> RunWriter:
    return backend.open_run(RunInfo(id=RUN, started_at="2024-05-01T12:00:00Z"))


def state(backend: Backend) -> RunState:
    (run,) = backend.open_log().runs()
    return run.state


def test_delivery_ids_sort_by_number(backend: Backend) -> None:
    with writing(backend) as run:
        made = [run.next_id() for _ in range(11)]
    assert made == sorted(made)
    assert len(set(made)) == 11
    assert made[0].startswith(f"{RUN}.")


def test_its_first_record_begins_a_run(backend: Backend) -> None:
    run = new(backend)
    run.append(judge(some_delivery()))
    assert state(backend) == "running"
    run.finish(NOW)


@pytest.mark.parametrize(("is_stopped", "expected"), [(False, "finished"), (True, "stopped")])
def test_a_run_is_finished_when_its_block_ends(backend: Backend, is_stopped: bool, expected: str) -> None:
    run = new(backend)

    async def body() -> None:
        async with logged_run(run, lambda: NOW, stopped=lambda: is_stopped):
            run.begin()
            assert state(backend) == "running"

    asyncio.run(body())
    (summary,) = backend.open_log().runs()
    assert summary.info is not None
    assert (summary.state, summary.info.finished_at) == (expected, NOW)


def test_a_block_that_raises_interrupts_its_run(backend: Backend) -> None:
    run = new(backend)

    async def body() -> None:
        async with logged_run(run, lambda: NOW):
            run.begin()
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(body())
    assert state(backend) == "interrupted"


def test_a_run_that_is_finished_takes_no_record_and_does_not_begin_again(backend: Backend) -> None:
    run = new(backend)
    delivery = make_delivery(run)
    run.finish(NOW)
    with pytest.raises(FileError, match="cannot be written"):
        run.append(delivery)
    run.finish(NOW)
    (summary,) = backend.open_log().runs()
    assert (summary.state, summary.deliveries) == ("finished", 0)


@pytest.mark.parametrize("write", ["begin", "next_id"])
def test_nothing_of_a_run_is_there_before_it_begins(backend: Backend, write: str) -> None:
    run = new(backend)
    assert run.info.id == RUN
    assert backend.open_log().runs() == []
    getattr(run, write)()
    getattr(run, write)()
    assert state(backend) == "running"
    run.finish(NOW)


def test_a_run_that_never_began_is_not_in_the_log(backend: Backend) -> None:
    run = new(backend)
    run.finish(NOW)
    assert backend.open_log().runs() == []


@pytest.mark.parametrize(
    ("finished_at", "is_stopped", "expected"),
    [(NOW, False, "finished"), (NOW, True, "stopped"), ("", False, "interrupted")],
)
def test_how_a_run_ended_is_in_its_record(
    backend: Backend, finished_at: str, is_stopped: bool, expected: str
) -> None:
    run = begun(backend)
    run.finish(finished_at, stopped=is_stopped)
    found = backend.open_log().run(RUN)
    assert found is not None
    assert found.info is not None
    assert (found.state, found.info.finished_at, found.info.stopped) == (expected, finished_at, is_stopped)
    assert (found.info.receiver, found.info.started_at) == (run.info.receiver, run.info.started_at)


def test_a_run_is_opened_once(backend: Backend) -> None:
    with writing(backend) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        with pytest.raises(FileError):
            begun(backend)
    assert [row.id for row in backend.open_log().rows()] == [delivery.id]


def test_what_was_flushed_is_there_for_every_reader(backend: Backend) -> None:
    log = backend.open_log()
    with writing(backend) as run:
        sent = make_delivery(run)
        flight = DeliveryInFlight(id=sent.id, sent_at=sent.sent_at, action="a", edition="e", receiver="local")
        with run.sending(flight):
            run.append(sent)
        asyncio.run(run.flush())
        assert log.delivery(sent.id) is not None
        assert log.in_flight() == []
        assert run.next_id() > sent.id
