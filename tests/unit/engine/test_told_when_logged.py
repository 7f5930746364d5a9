"""What a run tells of is in the log for every reader by then, and others are told of what is in flight."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from retailops_sandbox.engine import (
    DeliveryFinished,
    DeliveryStarted,
    Event,
    Options,
    Run,
    ScenarioResult,
    telling,
)
from retailops_sandbox.model import DeliveryInFlight, Judgement
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.transport import Transport
from tests.support.playing import MemoryLog, plan, real_ports
from tests.support.receivers import answering, closing_after, receiver, response

NOTHING = response(b'{"events":[]}')


class SlowLog(MemoryLog):
    """Takes some turns of the loop until others see a record."""

    @property
    def is_flushed(self) -> bool:
        return self.flushed == len(self.records)

    async def flush(self) -> None:
        until = len(self.records)
        for _ in range(5):
            await asyncio.sleep(0)
        self.flushed = max(self.flushed, until)


def told(plans: list[Plan], url: str, **options: int) -> tuple[SlowLog, list[tuple[Event, int]]]:
    """The events of a run, each with the number of records that everybody saw by then."""

    async def run() -> tuple[SlowLog, list[tuple[Event, int]]]:
        log, events = SlowLog(), []
        async with Transport() as transport:
            target = ReceiverModel(name="shop", base_url=url, timeout_ms=5000)
            engine = Run(plans, real_ports(transport, log), Options(receiver=target, **options))
            await engine.execute(lambda event: events.append((event, log.flushed)))
        return log, events

    return asyncio.run(run())


def test_a_delivery_and_a_result_are_told_once_everybody_has_them() -> None:
    plans = [
        plan({"name": name}, {"name": "again", "deliver": {"times": 3, "parallel": 3}}) for name in "abc"
    ]
    with receiver(answering(NOTHING)) as shop:
        log, events = told(plans, shop.url)
    deliveries = [(each, seen) for each, seen in events if isinstance(each, DeliveryFinished)]
    results = [(each, seen) for each, seen in events if isinstance(each, ScenarioResult)]
    assert (len(deliveries), len(results)) == (12, 3)
    for finished, seen in deliveries:
        assert finished.delivery in log.records[:seen]
        assert finished.judgement in log.records[:seen]
    for result, seen in results:
        assert result.record in log.records[:seen]


def test_an_attempt_that_is_followed_by_another_is_in_the_log_when_it_is_told() -> None:
    with receiver(closing_after(b"")) as shop:
        log, events = told([plan({})], shop.url, retries=1)
    attempts = [(each, seen) for each, seen in events if isinstance(each, DeliveryFinished)]
    assert [each.judgement is None for each, _ in attempts] == [True, False]
    assert all(each.delivery in log.records[:seen] for each, seen in attempts)


def test_what_is_dropped_is_in_the_log_when_it_is_told() -> None:
    with receiver(lambda peer: peer.hang()) as shop:
        log, events = told([plan({"deliver": {"drop_after_ms": 1, "timeout_ms": 50}})], shop.url)
    first, seen = next((each, seen) for each, seen in events if isinstance(each, DeliveryFinished))
    assert first.delivery in log.records[:seen]


def test_others_are_told_of_a_delivery_before_it_ends() -> None:
    with receiver(answering(NOTHING)) as shop:
        log, events = told([plan({"name": "cancel"})], shop.url)
    (sent,) = log.deliveries
    (flight,) = log.flights
    assert {name: getattr(sent, name) for name in DeliveryInFlight.__struct_fields__} == {
        name: getattr(flight, name) for name in DeliveryInFlight.__struct_fields__
    }
    assert [each.id for each, _ in events if isinstance(each, DeliveryStarted)] == [flight.id]
    assert isinstance(log.records[1], Judgement)


class StuckLog(SlowLog):
    """Shows nobody anything before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.mended = asyncio.Event()

    async def flush(self) -> None:
        until = len(self.records)
        await self.mended.wait()
        self.flushed = until


def test_the_run_goes_on_while_its_log_takes_time_and_all_is_told_in_order() -> None:
    plans = [plan({"name": "first"}, {"name": "second"}) for _ in range(4)]

    async def run(url: str) -> list[str]:
        log, told = StuckLog(), list[str]()
        async with Transport() as transport:
            target = ReceiverModel(name="shop", base_url=url, timeout_ms=5000)
            engine = Run(plans, real_ports(transport, log), Options(receiver=target, jobs=1))
            running = asyncio.create_task(engine.execute(lambda event: told.append(type(event).__name__)))
            while len(log.results) < len(plans):
                await asyncio.sleep(0.001)
            assert told == ["DeliveryStarted"]
            log.mended.set()
            await running
        return told

    with receiver(answering(NOTHING)) as shop:
        told = asyncio.run(run(shop.url))
    step = ["DeliveryStarted", "DeliveryFinished", "StepResult"]
    assert told == [*step, *step, "ScenarioResult"] * 4


def test_no_further_scenario_begins_while_too_much_waits_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_MOST_UNTOLD", 2)

    async def run(url: str) -> None:
        log = StuckLog()
        async with Transport() as transport:
            target = ReceiverModel(name="shop", base_url=url, timeout_ms=5000)
            engine = Run([plan({})] * 5, real_ports(transport, log), Options(receiver=target, jobs=1))
            running = asyncio.create_task(engine.execute(lambda event: None))
            while not log.results:
                await asyncio.sleep(0.001)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(log.deliveries) == 1
            log.mended.set()
            await running
            assert len(log.results) == 5

    with receiver(answering(NOTHING)) as shop:
        asyncio.run(run(shop.url))


def test_a_listener_that_raises_stops_the_run_also_where_it_is_told_late() -> None:
    def listen(event: Event) -> None:
        if isinstance(event, DeliveryFinished):
            raise BrokenPipeError

    async def run(url: str) -> SlowLog:
        log = SlowLog()
        async with Transport() as transport:
            target = ReceiverModel(name="shop", base_url=url, timeout_ms=60_000)
            plans = [plan({}, {"deliver": {"delay_ms": 1}}) for _ in range(200)]
            engine = Run(plans, real_ports(transport, log), Options(receiver=target, jobs=2))
            with pytest.raises(BrokenPipeError):
                await engine.execute(listen)
        return log

    with receiver(answering(NOTHING)) as shop:
        log = asyncio.run(run(shop.url))
    assert 0 < len(log.deliveries) < 100


def test_the_time_of_a_run_is_without_that_in_which_its_events_waited_for_the_log() -> None:
    class Clock(SystemClock):
        now_s = 0.0

        def seconds(self) -> float:
            self.now_s += 1
            return self.now_s

    async def run(url: str) -> float:
        log, clock = StuckLog(), Clock()
        async with Transport() as transport:
            target = ReceiverModel(name="shop", base_url=url, timeout_ms=5000)
            ports = msgspec.structs.replace(real_ports(transport, log), clock=clock)
            engine = Run([plan({})], ports, Options(receiver=target))
            running = asyncio.create_task(engine.execute(lambda event: None))
            while not engine.seconds:
                await asyncio.sleep(0.001)
            assert not running.done()
            clock.now_s += 3600
            log.mended.set()
            await running
        return engine.seconds

    with receiver(answering(NOTHING)) as shop:
        assert 0 < asyncio.run(run(shop.url)) < 3600
