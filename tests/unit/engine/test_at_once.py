"""run.py, step.py: steps that are sent at the same time."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

from retailops_sandbox.engine import DeliveryFinished, Event, Options, StepResult
from retailops_sandbox.engine.preview import preview
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.reporting.render import preview as preview_text
from retailops_sandbox.transport import Transport
from tests.support.playing import EMPTY, MemoryLog, body, plan, play, real_ports
from tests.support.receivers import Peer, answering, receiver, response

NOTHING = response(b'{"events":[]}')


def step(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "payload": {"id": name}, "expect": {}, **fields}


class InTurn:
    """A receiver that answers requests by their ids in an order, each once the answer before was judged."""

    def __init__(self, *order: str) -> None:
        self._order = order
        self._judged = {each: threading.Event() for each in order}

    def act(self, peer: Peer) -> None:
        while request := peer.read_request():
            found = body(request)["id"]
            for before in self._order[: self._order.index(found)]:
                self._judged[before].wait()
            peer.send(response(json.dumps({"events": [], "echo": found}).encode()))

    def listen(self, event: Event) -> None:
        if isinstance(event, DeliveryFinished):
            self._judged[event.delivery.step].set()


def test_steps_that_are_sent_together_overlap_and_their_results_come_in_file_order():
    # The first is answered last: sent one after the other, they would wait forever.
    steps = [step("a"), step("b", together=True), step("c", together=True), step("d")]
    turns = InTurn("c", "b", "a", "d")
    with receiver(turns.act) as shop:
        played = play([plan(*steps)], shop.url, listen=turns.listen)
    assert [each.name for each in played.steps] == ["a", "b", "c", "d"]
    assert played.verdicts == ["passed"] * 4
    told = [event for event in played.events if isinstance(event, (StepResult, DeliveryFinished))]
    assert [event.delivery.step for event in told if isinstance(event, DeliveryFinished)] == [*"cbad"]
    assert [event.name for event in told if isinstance(event, StepResult)] == [*"abcd"]
    assert [each.together for each in played.steps] == [False, True, True, False]
    assert [each.together for each in played.log.results[0].steps] == [False, True, True, False]


def test_each_of_them_may_be_delivered_several_times():
    steps = [step("a", deliver={"times": 2}), step("b", together=True, deliver={"times": 3, "parallel": 3})]
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(*steps)], shop.url)
    sent = [(each.step, each.number) for each in played.log.deliveries]
    assert sorted(sent) == [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3)]
    assert [each.sent for each in played.steps] == [2, 3]


def test_they_are_composed_in_file_order_before_any_is_sent():
    steps = [
        step("a", set={"/n": "${sequence}"}),
        step("b", set={"/n": "${sequence}"}, together=True),
    ]
    turns = InTurn("b", "a")
    with receiver(turns.act) as shop:
        play([plan(*steps)], shop.url, listen=turns.listen)
    assert sorted((body(each)["id"], body(each)["n"]) for each in shop.requests) == [("a", 1), ("b", 2)]


def test_what_they_capture_is_taken_in_file_order():
    steps = [
        step("a", capture={"last": "/echo", "first": "/echo"}),
        step("b", together=True, capture={"last": "/echo"}),
        {"name": "after", "payload": {"id": "after", "last": "${last}", "first": "${first}"}},
    ]
    turns = InTurn("b", "a", "after")
    with receiver(turns.act) as shop:
        played = play([plan(*steps)], shop.url, listen=turns.listen)
    assert body(shop.requests[-1]) == {"id": "after", "last": "b", "first": "a"}
    assert [dict(each.captured) for each in played.steps] == [
        {"last": "a", "first": "a"},
        {"last": "b"},
        {},
    ]


def test_the_rest_of_a_group_goes_on_without_an_errored_step_and_what_follows_is_skipped():
    steps = [
        step("a", set={"/x": "${unknown}"}),
        step("b", together=True),
        step("c", together=True, off_contract=False),
        step("d", together=True, expect={"status": 500}),
        step("e"),
    ]
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(*steps)], shop.url)
    assert played.verdicts == ["errored", "passed", "errored", "failed", "skipped"]
    assert played.steps[4].reason == "step 'a' errored"
    assert sorted(body(each)["id"] for each in shop.requests) == ["b", "d"]


def test_a_step_of_a_group_that_lacks_a_capture_is_skipped_and_the_others_are_sent():
    steps = [
        step("before", capture={"code": "/missing"}),
        step("a"),
        step("b", together=True, set={"/x": "${code}"}),
    ]
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(*steps)], shop.url)
    assert played.verdicts == ["failed", "passed", "skipped"]
    assert played.steps[2].reason == "${code} was not captured"


def test_nothing_is_sent_of_a_group_with_a_step_that_cannot_be_sent():
    steps = [step("a"), step("b", together=True, edition="v9"), step("c", together=True), step("d")]
    with receiver(answering(NOTHING)) as shop:
        played = play([plan(*steps)], shop.url)
        assert shop.requests == []
    assert played.verdicts == ["skipped", "errored", "skipped", "skipped"]
    assert [each.reason for each in played.steps if each.verdict == "skipped"] == [
        "step 'b' cannot be sent",
        "step 'b' errored",
        "step 'b' errored",
    ]
    with receiver(answering(NOTHING)) as shop:
        first = play([plan(step("a", edition="v9"), step("b", together=True))], shop.url)
        assert shop.requests == []
    assert first.verdicts == ["errored", "skipped"]


def test_stopping_ends_all_of_a_group_that_are_in_flight():
    steps = [step("a"), step("b", together=True), step("c")]
    with receiver(Peer.hang) as shop:
        played = play([plan(*steps)], shop.url, stop_after=2)
    assert played.verdicts == ["errored", "errored", "skipped"]
    assert [each.fault.kind for each in played.log.deliveries if each.fault] == ["cancelled"] * 2
    assert played.steps[2].reason == "the run was stopped"


def test_a_preview_says_which_steps_are_sent_together():
    steps = [step("a"), step("b", together=True), step("c")]

    async def lines() -> list[str]:
        async with Transport() as transport:
            ports = real_ports(transport, MemoryLog(), EMPTY)
            target = ReceiverModel(name="shop", base_url="http://127.0.0.1:9")
            seen = list(preview([plan(*steps)], ports, Options(receiver=target)))
            return list(preview_text.text(seen, [], target))

    found = asyncio.run(lines())
    with_word = [line for line in found if "together" in line]
    assert len(with_word) == 1
    assert "'b'" in with_word[0]
    assert with_word[0].endswith(", together with the step before")
