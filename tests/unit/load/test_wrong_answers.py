from __future__ import annotations

import json
from typing import Any

import pytest

from retailops_sandbox.engine import DeliveryFinished
from retailops_sandbox.load.wrong_answers import LATE, wrong
from tests.support import receivers
from tests.support.playing import plan, play
from tests.support.receivers import Peer, receiver, unused_port

EVENT = {"status": "warning", "error_code": "ERR1206", "diagnostic_data": [], "associations": []}
EXPECTED = {"body": {"events": [EVENT]}}


def said(url: str, expect: Any, **step: Any) -> str:
    """What is said of the answer to one delivery."""
    finished = [
        event
        for event in play([plan({"expect": expect, **step})], url).events
        if isinstance(event, DeliveryFinished)
    ]
    return wrong(finished[0].delivery, finished[0].judgement, finished[0].contract)


def of_answer(
    body: Any, expect: Any = EXPECTED, status: str = "200 OK", *headers: str, type: str = "application/json"
) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = receivers.response(content, f"Content-Type: {type}", *headers, status=status)
    with receiver(receivers.answering(answer)) as shop:
        return said(shop.url, expect)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"events": [EVENT]}, ""),
        ({"events": []}, "answers lose their events"),
        ({}, "answers lose their events"),
        ({"events": [EVENT, EVENT]}, "answers tell events that are not expected"),
        ({"events": [{**EVENT, "status": "error"}]}, "answers change /events/*/status"),
        (
            {"events": [{**EVENT, "status": "error", "error_code": "ERR1"}]},
            "answers change /events/*/error_code and 1 more",
        ),
        ({"events": [EVENT], "extra": 1}, "answers have an unexpected /extra"),
        ({"events": [EVENT], "x" * 99: 1}, f"answers have an unexpected /{'x' * 59}…"),
        (
            {"events": [{"status": "warning", "error_code": "ERR1206"}]},
            "answers lose /events/*/associations and 1 more",
        ),
        (b"<html>busy</html>", "answers are not the JSON that they should be"),
        (b"", "answers are not the JSON that they should be"),
    ],
)
def test_a_body_that_is_wrong_is_said_alike_for_all_answers_like_it(body: Any, words: str) -> None:
    assert of_answer(body) == words


def test_a_status_says_more_than_the_body_that_comes_with_it() -> None:
    assert of_answer({"error": "busy"}, EXPECTED, "503 Busy") == "answers have status 503"
    assert (
        of_answer({"error": "busy"}, {"status": 200}, "503 Busy") == "answers have status 503 instead of 200"
    )


def test_events_that_a_rule_forbids_are_other_events() -> None:
    expect = {"body": {"events": []}, "rules": {"/events": {"none": {"status": "error"}}}}
    assert (
        of_answer({"events": [{**EVENT, "status": "error"}]}, expect)
        == "answers tell other events than expected"
    )


def test_what_breaks_the_contract_alone_names_the_place() -> None:
    assert of_answer({"events": [{"error_code": 7}]}, {}) == (
        "answers break the contract at /events/*/error_code (type)"
    )


def test_headers_and_times_are_said_last() -> None:
    good = {"events": [EVENT]}
    assert of_answer(good, {**EXPECTED, "headers": {"X-Shop": "a"}}) == "answers have another header X-Shop"
    assert of_answer(good, {**EXPECTED, "max_ms": 0.001}) == "answers take longer than the scenario allows"


def test_a_fault_is_said_by_its_name_unless_it_is_expected() -> None:
    with receiver(lambda peer: peer.read_request() and peer.reset()) as shop:
        assert said(shop.url, EXPECTED) == "connections are closed without an answer (closed)"
        assert said(shop.url, {"fault": "closed"}) == ""
    assert said(f"http://127.0.0.1:{unused_port()}", EXPECTED) == "connections are refused (refused)"


def test_what_came_too_late_may_be_the_machines_own() -> None:
    def hold(peer: Peer) -> None:
        peer.read_request()
        peer.hang()

    with receiver(hold) as shop:
        late = said(shop.url, EXPECTED, deliver={"timeout_ms": 50})
    assert late == "answers do not come in time (deadline)"
    assert late in LATE


def test_an_answer_where_a_fault_is_expected_is_wrong() -> None:
    assert of_answer({"events": []}, {"fault": "closed"}) == "answers come where a fault is expected"


def test_what_is_only_recorded_is_not_wrong() -> None:
    assert of_answer({"events": []}, None) == ""
