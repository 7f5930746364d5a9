"""What a run tells of is in the log for every reader by then, and others are told of what is in flight."""

from __future__ import annotations

import asyncio

from retailops_sandbox.engine import DeliveryFinished, DeliveryStarted, Event, Options, Run, ScenarioResult
from retailops_sandbox.model import DeliveryInFlight, Judgement
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.transport import Transport
from tests.support.playing import MemoryLog, plan, real_ports
from tests.support.receivers import answering, closing_after, receiver, response

NOTHING = response(b'{"events":[]}')


class SlowLog(MemoryLog):
    """Takes some turns of the loop until others see a record."""

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
