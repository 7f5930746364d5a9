"""The watch over a log: it looks while somebody listens, and tells what became of what was in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retailops_sandbox.runlog.changes import Change
from retailops_sandbox.runlog.index.indexed import State
from retailops_sandbox.runlog.log import FileLog
from retailops_sandbox.runlog.rows import DeliveryRow, row_of
from retailops_sandbox.web.log.watch import Watch
from tests.support.logged import open_log, shipped
from tests.support.records import judge, make_delivery, open_run


class CountedLog(FileLog):
    """A log that knows how often it was looked at."""

    looks = 0

    def changes(self, since: State) -> tuple[list[Change] | None, State]:
        self.looks += 1
        return super().changes(since)


def flight(id: str, problem: str = "") -> Any:
    """As much of a flight as its row needs."""
    receiver = SimpleNamespace(name="shop", stand_in=False)
    scenario = SimpleNamespace(contracts=[("order_cancel", "draft")])
    request = SimpleNamespace(
        label="default",
        plan=SimpleNamespace(scenario=scenario),
        options=SimpleNamespace(receiver=receiver, parent=""),
    )
    return SimpleNamespace(id=id, sent_at="2024-05-01T12:00:00Z", url="", request=request, problem=problem)


def told(watch: Watch, number: int = 0) -> list[tuple[str, str]]:
    """Each delivery's number and verdict."""
    sightings = watch.since(number)
    assert sightings is not None
    return [(each.id[-1:], each.row.verdict_word if each.row else "gone") for each in sightings]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(body, 60))


def test_it_looks_only_while_somebody_listens(tmp_path: Path) -> None:
    log = CountedLog(tmp_path / "runs", shipped, print)

    async def body() -> None:
        watch = Watch(log, list)
        await watch.latest_id()
        assert log.looks == 0
        with watch.listening(), watch.listening():
            await until(lambda: log.looks > 2)
        assert watch._task is not None
        await watch._task
        before = log.looks
        await asyncio.sleep(0.3)
        assert log.looks == before
        with watch.listening():
            await until(lambda: log.looks > before)

    run(body())


def test_what_came_while_nobody_listened_is_told_to_who_comes_back(tmp_path: Path) -> None:
    async def body() -> None:
        watch = Watch(open_log(tmp_path), list)
        here = watch.number_of(await watch.latest_id())
        assert here == 0
        with open_run(tmp_path) as writer:
            delivery = make_delivery(writer)
            writer.append(delivery)
            writer.append(judge(delivery))
        with watch.listening():
            await watch.news.wait()
        assert told(watch) == [("1", "passed")]
        assert watch.count == 1

    run(body())


class SharedFlights(FileLog):
    """A log that knows what other processes send."""

    def __init__(self, runs_dir: Path) -> None:
        super().__init__(runs_dir, shipped, print)
        self.flying: list[DeliveryRow] = []

    def in_flight(self) -> list[DeliveryRow]:
        return list(self.flying)


def test_a_delivery_that_another_process_sends_is_told_until_it_is_in_the_log(tmp_path: Path) -> None:
    log = SharedFlights(tmp_path)

    async def body() -> None:
        watch = Watch(log, list)
        await watch.latest_id()
        with open_run(tmp_path) as writer:
            delivery = make_delivery(writer)
            log.flying.append(row_of(delivery, shipped()))
            await watch.latest_id()
            assert told(watch) == [("1", "in flight elsewhere")]
            landed = asyncio.create_task(watch.landed(delivery.id))
            writer.append(delivery)
            log.flying.clear()
            await watch.latest_id()
            assert told(watch) == [("1", "not judged")]
            await landed

    run(body())


def test_a_delivery_of_another_process_that_died_is_gone(tmp_path: Path) -> None:
    log = SharedFlights(tmp_path)

    async def body() -> None:
        watch = Watch(log, list)
        with open_run(tmp_path) as writer:
            log.flying.append(row_of(make_delivery(writer), shipped()))
        here = watch.number_of(await watch.latest_id())
        assert here == 0
        log.flying.clear()
        await watch.latest_id()
        assert told(watch) == [("1", "gone")]

    run(body())


def test_a_delivery_of_this_process_is_its_own_whatever_the_log_says(tmp_path: Path) -> None:
    log, flights = SharedFlights(tmp_path), []

    async def body() -> None:
        watch = Watch(log, lambda: flights)
        await watch.latest_id()
        with open_run(tmp_path) as writer:
            delivery = make_delivery(writer)
        flights.append(flight(delivery.id))
        log.flying.append(row_of(delivery, shipped()))
        await watch.latest_id()
        assert told(watch) == [("1", "in flight")]

    run(body())


def test_a_flight_is_told_until_it_is_in_the_log(tmp_path: Path) -> None:
    flights: list[Any] = []

    async def body() -> None:
        watch = Watch(open_log(tmp_path), lambda: flights)
        await watch.latest_id()
        with open_run(tmp_path) as writer:
            delivery = make_delivery(writer)
            flights.append(flight(delivery.id))
            await watch.latest_id()
            assert told(watch) == [("1", "in flight")]
            # It has landed, and is being judged.
            writer.append(delivery)
            await watch.latest_id()
            assert told(watch) == [("1", "not judged")]
            flights.clear()
            writer.append(judge(delivery))
            await watch.latest_id()
            assert told(watch) == [("1", "passed")]
            (sighting,) = watch.since(1) or []
            assert not sighting.is_new

    run(body())


@pytest.mark.parametrize(("problem", "verdict"), [("", "gone"), ("the disk is full", "not logged")])
def test_a_flight_that_is_in_no_log_is_gone_or_says_why(tmp_path: Path, problem: str, verdict: str) -> None:
    flights = [flight("20240501T120000Z-aaaaaa.000007", problem)]

    async def body() -> None:
        watch = Watch(open_log(tmp_path), lambda: list(flights))
        await watch.latest_id()
        flights.clear()
        await watch.latest_id()
        assert told(watch) == [("7", verdict)]

    run(body())


def test_who_listens_is_told_the_end(tmp_path: Path) -> None:
    async def body() -> None:
        watch = Watch(open_log(tmp_path), list)
        with watch.listening():
            await until(lambda: watch._cursor is not None)
            with open_run(tmp_path) as writer:
                writer.append(make_delivery(writer))
                await watch.stop()
            assert told(watch) == [("1", "not judged")]
            assert watch.is_stopped
        await watch.stop()

    run(body())


def test_a_bug_is_said_to_who_listens_and_the_next_page_looks_again(tmp_path: Path) -> None:
    class BrokenLog(CountedLog):
        def changes(self, since: State) -> tuple[list[Change] | None, State]:
            if not self.looks:
                self.looks += 1
                raise ZeroDivisionError
            return super().changes(since)

    async def body() -> None:
        watch = Watch(BrokenLog(tmp_path / "runs", shipped, print), list)
        await watch.latest_id()
        with watch.listening():
            await until(lambda: "ZeroDivisionError" in watch.problem)
            assert watch._task is not None
            with pytest.raises(ZeroDivisionError):
                await watch._task
            with watch.listening():
                await until(lambda: watch.problem == "")

    run(body())
