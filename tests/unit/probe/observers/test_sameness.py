"""A receiver that answers the same whatever is asked, and those that only seem to."""

from __future__ import annotations

from typing import Any

from tests.support.probe_answers import DONE, REPEATED, Asking, event

NAMELESS: list[Any] = [{"order": None}, {"order": {}}, {"version": 1}, {"order": []}]


def kinds(*, orders: int = 10, nameless: Any = DONE, status: int = 200, other: Any = DONE) -> list[str]:
    asking = Asking()
    asking.baseline(DONE, DONE)
    for number in range(orders):
        asking.ask("baseline", demand="accept", order=f"9000001{number:02}")
    asking.ask("null", field="/version", body=other)
    for payload in NAMELESS:
        asking.ask("null", field="/order", order="", payload=payload, body=nameless, status=status)
    return [each.kind for each in asking.observer.finish()]


def test_all_is_told_as_done_also_what_names_nothing():
    assert kinds() == ["same-answer"] * len(NAMELESS)


def test_what_names_nothing_is_refused():
    assert kinds(nameless={"error": "no order"}, status=422) == []


def test_one_request_that_names_nothing_is_refused():
    asking = Asking()
    for number in range(10):
        asking.ask("baseline", demand="accept", order=f"9000001{number:02}")
    for payload in NAMELESS:
        asking.ask("null", field="/order", order="", payload=payload)
    asking.ask("missing", field="/order", order="", payload={}, status=422, body={"error": "no order"})
    assert asking.observer.finish() == []


def test_an_event_tells_what_is_missing():
    assert kinds(nameless={"status": "fail", "events": [event(message="No order was named")]}) == []


def test_one_answer_is_another_one():
    assert kinds(other=REPEATED) == []


def test_few_orders_show_nothing():
    assert kinds(orders=3) == []
