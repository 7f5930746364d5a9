from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from retailops_sandbox.engine import DeliveryFinished, Event, ScenarioResult
from retailops_sandbox.load.tally import Tally
from retailops_sandbox.scenarios.scenario import Plan
from tests.support import receivers
from tests.support.playing import plan, play
from tests.support.receivers import Receiver, receiver


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shop() -> Iterator[Receiver]:
    answer = receivers.response(json.dumps({"events": []}).encode(), "Content-Type: application/json")
    with receiver(receivers.answering(answer)) as shop:
        yield shop


def ended(plan: Plan, shop: Receiver) -> list[DeliveryFinished | ScenarioResult]:
    """The events of a scenario from its first delivery on."""
    events: list[Event] = play([plan], shop.url).events
    return [event for event in events if isinstance(event, DeliveryFinished | ScenarioResult)]


RIGHT = {"expect": {"body": {"events": []}}}
WRONG = {"expect": {"body": {"events": [{}]}}}


def test_what_begins_while_it_is_open_counts_up_to_its_end(shop: Receiver):
    clock = Clock()
    tally = Tally(clock)
    before, within, after = plan(RIGHT), plan(RIGHT, {"name": "again", **WRONG}), plan(RIGHT)
    tally.begin(before)
    tally.open(users=7)
    tally.begin(within)
    for event in ended(before, shop):
        tally.on_event(event)
    clock.now += 2
    counts = tally.close()
    tally.begin(after)
    assert (counts.seconds, counts.users, counts.begun, counts.ended) == (2, 7, 1, 1)
    assert (counts.waiting, counts.answers, tally.under_way(counts)) == (1, 0, 1)
    for event in (*ended(after, shop), *ended(within, shop)):
        tally.on_event(event)
    assert tally.under_way(counts) == 0
    assert counts.answers == sum(counts.times.values()) == 2
    assert counts.wrong == {"answers lose their events": 1}
    assert 0 < counts.waited < 60


def test_a_scenario_that_fails_with_right_answers_counts_as_wrong(shop: Receiver):
    tally = Tally(Clock())
    failing = plan({**RIGHT, "capture": {"code": "/events/0/error_code"}})
    tally.open(users=1)
    tally.begin(failing)
    for event in ended(failing, shop):
        tally.on_event(event)
    counts = tally.close()
    assert (counts.answers, counts.wrong) == (1, {"scenarios fail otherwise": 1})


def test_what_nobody_counts_is_forgotten(shop: Receiver):
    tally = Tally(Clock())
    for event in ended(plan(RIGHT), shop):
        tally.on_event(event)
    tally.open(users=1)
    assert tally.close().answers == 0
