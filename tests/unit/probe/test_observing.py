"""One answer of a probe, and what it shows against a receiver, with the near miss that shows nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.model import Deliver, StruckOut
from retailops_sandbox.model.wire import Wire
from retailops_sandbox.probe.observers import reading
from retailops_sandbox.probe.probes import Trial
from tests.support.probe_answers import DONE, FIRST, REPEATED, SECOND, Asking, event

PAGE = "<!doctype html><title>Shop</title><h1>Welcome</h1>"
TRACE = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in f\n    g()\nKeyError: 1'


def told(*events: dict[str, Any], status: str = "success") -> dict[str, Any]:
    return {"status": status, "events": [*events]}


def about(identifier: str, kind: str = "order_refnum") -> dict[str, Any]:
    association = {"identifier_type": kind, "identifier": identifier}
    return told(event(associations=[association]), status="fail")


PHP_WARNING = (
    '<br />\n<b>Warning</b>:  Undefined array key "order" in <b>/var/www/cancel.php</b> on line <b>12</b>'
    "<br />\n"
)
HITS: list[tuple[str, dict[str, Any]]] = [
    ("crash", {"status": 500, "body": {"error": "oops"}}),
    ("crash", {"status": 502, "body": PAGE, "demand": "accept"}),
    ("hang", {"fault": "deadline", "total": 15_000.0}),
    ("hang-up", {"fault": "closed"}),
    ("hang-up", {"fault": "closed", "raw": " " * 300_000, "area": "transport"}),
    ("malformed", {"fault": "malformed"}),
    ("down", {"fault": "refused"}),
    ("down", {"fault": "deadline", "is_check": True, "demand": "accept"}),
    ("refuses-valid", {"status": 400, "body": {"error": "no"}, "demand": "accept"}),
    ("wrong-status", {"status": 202, "demand": "accept"}),
    ("off-contract", {"body": {"status": "maybe"}}),
    ("off-contract", {"body": "OK"}),
    ("html", {"body": PAGE, "content_type": "text/html"}),
    ("html", {"body": PAGE, "demand": "refuse", "area": "auth"}),
    ("accepts-wrong-token", {"demand": "refuse", "area": "auth"}),
    ("wrong-refusal", {"status": 403, "demand": "refuse", "area": "auth"}),
    ("wrong-refusal", {"body": told(event(), status="fail"), "demand": "refuse", "area": "auth"}),
    ("accepts-missing-token", {"what": "missing", "demand": "refuse somehow", "area": "auth"}),
    ("accepts-wrong-token", {"what": "null", "demand": "refuse somehow", "area": "auth"}),
    ("wrong-refusal", {"status": 302, "demand": "refuse somehow", "area": "auth"}),
    ("null-array", {"body": {"status": "success", "events": None}}),
    ("contradiction", {"body": told(event())}),
    ("no-code", {"body": told(event(code=" "), status="fail")}),
    ("no-message", {"body": told({"event_type": "error", "code": "E1"}, status="fail")}),
    ("foreign-association", {"body": about("12345")}),
    ("stack-trace", {"status": 400, "body": {"error": TRACE}}),
    ("off-contract", {"body": f"<pre>{TRACE}</pre>"}),
    ("off-contract", {"body": PHP_WARNING + '{"status": "success", "events": []}'}),
    ("html", {"body": "<html><body>cannot open /srv/app/orders.py</body></html>"}),
    ("rate-limited", {"status": 429, "demand": "accept"}),
    ("rate-limited", {"status": 429, "demand": "refuse", "area": "auth"}),
    ("file-path", {"body": told(event(message="cannot open /srv/app/orders.py"), status="fail")}),
    ("file-path", {"body": told(event(message="at /app/index.php:12"), status="fail")}),
    ("file-path", {"body": told(event(message=r"in C:\inetpub\shop\cancel.cs"), status="fail")}),
    ("foreign-association", {"demand": "accept", "body": about("")}),
    (
        "secret-echoed",
        {
            "status": 401,
            "demand": "refuse",
            "struck_out": (
                StruckOut(part="/request/body", name="token", pointer="/integration_auth_token"),
                StruckOut(part="/response/headers/1/1", name="token"),
            ),
        },
    ),
    ("sql", {"body": told(event(message="SQLSTATE[42S02]: Base table not found"), status="fail")}),
    ("framework-page", {"status": 404, "body": "<html><title>Werkzeug Debugger</title></html>"}),
    ("content-type", {"content_type": "text/html; charset=utf-8"}),
    ("content-type", {"content_type": ""}),
    ("no-reason", {"body": {"status": "fail"}, "demand": "accept"}),
    ("secret-echoed", {"struck_out": (StruckOut(part="/response/body", name="token", pointer="/echo"),)}),
    ("accepts-anything", {"raw": '{"order": {"id'}),
    ("accepts-anything", {"raw": ""}),
    ("too-late", {"demand": "accept", "total": 15_500.0}),
]


@pytest.mark.parametrize(("kind", "how"), HITS)
def test_an_answer_shows_one_kind(kind: str, how: dict[str, Any]):
    asking = Asking()
    asking.baseline()
    assert asking.kinds(**how) == [kind]


MISSES: list[dict[str, Any]] = [
    {"demand": "accept"},
    {"demand": "accept", "body": REPEATED},
    {"demand": "accept", "body": {}},
    {"demand": "accept", "body": told(event(), status="fail")},
    {"demand": "accept", "body": about(FIRST)},
    {"demand": "accept", "body": about("77", "order_id")},
    {"demand": "accept", "body": about("12345", "orderitem_refnum")},
    {"field": "/order/channel_order_refnum", "body": about("12345"), "payload": {"order": {}}},
    {"body": {"status": "fail"}},
    {"demand": "accept", "status": 422, "payload": {"order": {}}},
    {"demand": "accept", "status": 413, "raw": " " * 70_000},
    {"status": 400, "body": PAGE, "content_type": "text/html"},
    {"status": 422, "body": ""},
    {"status": 401, "demand": "refuse", "area": "auth", "body": PAGE},
    {"status": 403, "area": "auth", "demand": "refuse somehow"},
    {"status": 501, "method": "BREW", "deliver": Deliver(wire=Wire(method="BREW"))},
    {"status": 505, "deliver": Deliver(wire=Wire(http="1.0"))},
    {"status": 200, "body": PAGE, "method": "GET", "deliver": Deliver(wire=Wire(method="GET"))},
    {"status": 200, "body": "OK", "deliver": Deliver(wire=Wire(path="/elsewhere"))},
    {"fault": "closed", "dropped": True},
    {"fault": "closed", "deliver": Deliver(wire=Wire(break_off_after=10))},
    {"fault": "cancelled"},
    {"fault": "closed", "area": "transport", "deliver": Deliver(wire=Wire(headers=["Host: a", "Host: b"]))},
    {"raw": '{"version": NaN}', "status": 200},
    {"raw": "\ufeff{}", "status": 200},
    {"raw": "{} trailing", "status": 200},
    {"raw": '{"a": 1, "a": 2}', "status": 200},
    {"raw": "nothing", "body": told(event(message="no JSON"), status="fail")},
    {"body": told(event(message="see https://shop.example/srv/app/orders.py"), status="fail")},
    {"body": told(event(message="garden chair /home/garden/chairs"), status="fail")},
    {"body": told(event(message="Please select an item from the list; update it"), status="fail")},
    {"content_type": "application/problem+json"},
    {
        "payload": {"order": {"channel_order_refnum": "/srv/app/orders.py"}},
        "body": told(event(message="There is no order /srv/app/orders.py"), status="fail"),
    },
    {"status": 400, "demand": "refuse", "area": "auth", "payload": {"integration_auth_token": None}},
    {"body": told(event(message="there is nothing at /app/index.php"), status="fail")},
    {"struck_out": (StruckOut(part="/response/headers/1/1", name="Set-Cookie"),)},
    {"struck_out": (StruckOut(part="/request/body", name="token", pointer="/integration_auth_token"),)},
    {"total": 14_900.0, "demand": "accept"},
]


@pytest.mark.parametrize("how", MISSES)
def test_a_right_answer_shows_nothing(how: dict[str, Any]):
    asking = Asking()
    asking.baseline()
    assert asking.kinds(**how) == []


def test_a_wrong_token_that_is_answered_like_the_right_one_is_accepted_whatever_is_told():
    asking = Asking()
    unknown = told(event(), status="fail")
    asking.baseline(unknown, unknown)
    assert asking.kinds(demand="refuse", area="auth", body=unknown) == ["accepts-wrong-token"]
    refused = told(event(code="E401", message="The token is wrong"), status="fail")
    assert asking.kinds(demand="refuse", area="auth", body=refused) == ["wrong-refusal"]


def test_what_is_read_of_a_long_text_is_bounded():
    asking = Asking()
    asking.baseline()
    for blanks, kinds in ((60_000, ["stack-trace"]), (70_000, [])):
        body = told(event(message=f"{' ' * blanks}{TRACE}"), status="fail")
        assert asking.kinds(body=body) == kinds


def test_an_answer_that_names_another_order_is_mixed_up():
    asking = Asking()
    asking.baseline()
    assert asking.kinds(demand="accept", order=SECOND, area="repetition") == []
    assert asking.kinds(demand="accept", order=FIRST, area="repetition", body=about(SECOND)) == ["mixed-up"]


def test_an_order_that_is_asked_about_at_the_same_time_counts_as_another():
    asking = Asking()
    asking.baseline()
    other = Trial(step="other", what="alternating", demand="accept", order=SECOND)
    how: dict[str, Any] = {"demand": "accept", "area": "repetition", "before": (other,)}
    assert asking.kinds(order=FIRST, body=about(SECOND), **how) == ["mixed-up"]


@given(st.text(st.sampled_from("aZ9_- .²٣é1R")))
def test_a_word_with_a_digit_is_found_as_if_it_were_looked_for_everywhere(text: str):
    assert re.findall(reading._NUMBERED, text) == re.findall(r"[^\W_]*\d[\w-]*", text)


def test_a_check_tells_of_the_trial_before_it():
    asking = Asking()
    before = Trial(step="null", what="null", demand="either", field="/order")
    (found,) = asking.ask("check", fault="refused", is_check=True, demand="accept", before=(before,))
    assert (found.kind, found.what, found.field, found.step) == ("down", "null", "/order", "null")


def repeated(asking: Asking, *bodies: Any, **how: Any) -> list[str]:
    return [
        kind
        for body in bodies
        for kind in asking.kinds(
            "twice", area="repetition", demand="accept", step="cancel", probe="twice", body=body, **how
        )
    ]


def refunded(order: str) -> dict[str, Any]:
    return told(event(event_type="info", code="INF1", message=f"Order {order}: 35.00 refunded"))


def test_an_amount_is_no_number_of_a_refund():
    asking = Asking()
    asking.baseline(refunded(FIRST), refunded(FIRST), refunded(SECOND))
    assert repeated(asking, refunded(FIRST), refunded(FIRST)) == ["repeats"]


def test_a_refund_that_is_told_again_under_its_number_is_a_replay():
    asking = Asking()
    asking.baseline(numbered(1, "35.00 back"), numbered(1, "35.00 back"), numbered(2, "35.00 back"))
    assert repeated(asking, numbered(3, "35.00 back"), numbered(3, "35.00 back")) == []


def numbered(number: int, message: str = "The order is cancelled") -> dict[str, Any]:
    return told(event(event_type="info", code="INF1", message=f"{message}, refund {number}"))


def test_a_second_answer_like_the_first_is_a_repetition():
    asking = Asking()
    asking.baseline()
    assert repeated(asking, DONE, DONE) == ["repeats"]


def test_a_second_answer_that_tells_of_a_second_refund_is_a_repetition():
    asking = Asking()
    asking.baseline(numbered(1), numbered(2))
    assert asking.observer.notes == ()  # the second answer tells what was done
    assert repeated(asking, numbered(3), numbered(4)) == ["repeats"]
    assert asking.observer.notes == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DONE, REPEATED),
        (DONE, DONE),
        (numbered(1), numbered(1)),
        (told(event(), status="fail"), told(event(), status="fail")),
        (numbered(1), numbered(1, "The order was cancelled before")),
    ],
)
def test_a_receiver_that_tells_or_replays_shows_nothing(first: Any, second: Any):
    asking = Asking()
    asking.baseline(first, second)
    assert repeated(asking, first, second) == []
    assert asking.observer.finish() == []


@pytest.mark.parametrize(
    ("severity", "message", "kinds"),
    [
        ("warning", "Part of the order has shipped", []),
        ("info", "Part of the order has shipped", ["repeats"]),
        ("warning", "Refund R-{} was made", ["repeats"]),
    ],
)
def test_a_warning_that_comes_again_tells_of_no_act_but_with_a_new_number(
    severity: str, message: str, kinds: list[str]
):
    asking = Asking()
    bodies = [told(event(event_type=severity, message=message.format(number))) for number in (71, 72, 73, 74)]
    asking.baseline(*bodies[:2])
    assert repeated(asking, *bodies[2:]) == kinds


def test_an_order_in_another_state_than_that_of_the_baseline_is_no_fresh_one():
    asking = Asking()
    refused = told(event(message="The order is cancelled"), status="fail")
    bodies = [refused, refused, DONE]
    asking.observer.baseline([asking.answered(body=body, demand="accept") for body in bodies])
    assert repeated(asking, DONE, DONE) == []


@pytest.mark.parametrize(
    ("second", "notes"), [(REPEATED, 0), (DONE, 1), (numbered(2), 0)], ids=["other", "same", "acts"]
)
def test_what_cannot_be_seen_is_noted(second: Any, notes: int):
    asking = Asking()
    asking.baseline(numbered(1) if second == numbered(2) else DONE, second)
    if second == numbered(2):
        assert repeated(asking, numbered(3), numbered(4)) == ["repeats"]
    assert len(asking.observer.notes) == notes


def at_once(asking: Asking, *bodies: Any) -> list[str]:
    deliver = Deliver(times=len(bodies), parallel=len(bodies))
    assert repeated(asking, *bodies, deliver=deliver) == []
    return [each.kind for each in asking.observer.finish()]


def test_more_than_one_fresh_answer_at_once_is_a_race():
    asking = Asking()
    asking.baseline()
    assert at_once(asking, DONE, REPEATED, DONE, REPEATED) == ["races"]


def test_one_fresh_answer_at_once_is_none():
    asking = Asking()
    asking.baseline()
    assert at_once(asking, REPEATED, DONE, REPEATED) == []


def test_what_is_done_again_anyway_is_no_race():
    asking = Asking()
    asking.baseline()
    assert repeated(asking, DONE, DONE) == ["repeats"]
    assert at_once(asking, DONE, DONE) == []


def refused_then(asking: Asking, then: Any, **how: Any) -> list[str]:
    first = asking.answered(area="auth", probe="auth", step="refused", **how)
    asking.observer.observe(first)
    return asking.kinds(
        area="auth", probe="auth", demand="accept", after="refused", before=(first.trial,), body=then
    )


def test_a_refused_token_whose_order_is_told_as_done_before_had_an_effect():
    asking = Asking()
    asking.baseline()
    assert refused_then(asking, REPEATED, status=401, demand="refuse") == ["wrong-token-acts"]


def test_a_refused_token_whose_order_is_told_as_fresh_had_none():
    asking = Asking()
    asking.baseline()
    assert refused_then(asking, DONE, status=401, demand="refuse") == []


def test_a_refused_request_had_no_effect_where_another_about_its_order_was_accepted():
    # As where the first of ten at once is answered 429, and others are not.
    asking = Asking()
    asking.baseline()
    asking.ask(area="repetition", demand="accept")
    assert refused_then(asking, REPEATED, status=429, demand="accept") == []


def test_a_refused_request_had_no_effect_where_its_order_was_sent_by_a_probe_that_was_stopped():
    asking = Asking()
    asking.baseline()
    asking.observer.acted_on([FIRST])
    assert refused_then(asking, REPEATED, status=401, demand="refuse") == []


def test_a_method_that_is_answered_like_the_right_one_acts():
    asking = Asking()
    asking.baseline()
    get = Deliver(wire=Wire(method="GET"))
    assert asking.kinds("GET", area="transport", method="GET", deliver=get) == ["acts-on-method"]


def test_a_method_after_which_the_order_is_told_as_done_before_acts():
    asking = Asking()
    asking.baseline()
    head = Deliver(wire=Wire(method="HEAD"))
    assert refused_then(asking, REPEATED, body="", method="HEAD", deliver=head) == ["acts-on-method"]
