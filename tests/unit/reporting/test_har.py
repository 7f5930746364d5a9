"""report/har.py: what any delivery becomes is HAR 1.2 by the published schema, and loses nothing."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.model import Delivery, Fault, FaultKind, Judgement, Request, Response, Timings
from retailops_sandbox.reporting.exporters import har
from retailops_sandbox.runlog.entries import Entry
from tests.published import schemas
from tests.support.records import some_delivery

published_schema = cache(schemas.har)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["Content-Type", "Location", "X-A", "Content-Encoding"]), WORDS)
).map(tuple)
BODIES = st.one_of(
    WORDS.map(lambda text: {"body": text}),
    st.binary(max_size=30).map(lambda data: {"body": base64.b64encode(data).decode(), "base64": True}),
)
URLS = st.builds(
    "http://{}127.0.0.1:8000/{}?{}".format,
    st.sampled_from(["", "«redacted:URL»@", "a%2:b@"]),
    st.text("aé/%[]{}|\\ «»", max_size=20),
    st.text("a=&é%[]+«» ", max_size=20),
)
MILLISECONDS = st.floats(0, 100_000)


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    request = Request(method="POST", url=draw(URLS), headers=draw(HEADERS), **draw(BODIES))
    response = Response(status=draw(st.integers(100, 599)), headers=draw(HEADERS), **draw(BODIES))
    phases = [draw(MILLISECONDS) for _ in range(4)]
    return some_delivery(
        sent_at="2026-01-01T00:00:00.123456Z",
        receiver=draw(WORDS),
        request=request,
        response=draw(st.sampled_from([response, None])),
        fault=draw(st.none() | st.builds(Fault, st.sampled_from(get_args(FaultKind)), WORDS)),
        timings=Timings(*phases, total=sum(phases) + draw(MILLISECONDS)),
    )


def archive(*sent: Delivery) -> list[dict[str, Any]]:
    judged = [Entry(each, (Judgement(delivery=each.id, verdict="passed", at=""),)) for each in sent]
    document = json.loads(har.document(judged))
    assert [error.message for error in published_schema().iter_errors(document)] == []
    entries: list[dict[str, Any]] = document["log"]["entries"]
    return entries


@given(st.lists(deliveries(), max_size=3))
def test_it_is_what_the_published_schema_says(sent):
    assert len(archive(*sent)) == len(sent)


@given(deliveries())
def test_bodies_and_headers_are_all_there(sent):
    (entry,) = archive(sent)
    pairs = [(sent.request, entry["request"])]
    if sent.response:
        pairs.append((sent.response, entry["response"]))
        content = entry["response"]["content"]
        assert content["text"] == sent.response.body
        assert (content.get("encoding") == "base64") == sent.response.base64
    if sent.request.body:
        assert entry["request"]["postData"]["text"] == sent.request.body
    for side, written in pairs:
        assert [(each["name"], each["value"]) for each in written["headers"]] == list(side.headers)


@given(deliveries())
def test_the_phases_add_up_to_the_total(sent):
    (entry,) = archive(sent)
    phases = entry["timings"]
    # What TLS took is part of connect.
    parts = [value for name, value in phases.items() if name != "ssl" and value >= 0]
    assert sum(parts) == pytest.approx(entry["time"], abs=0.01)


def one(**fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": "r.1",
        "run": "r",
        "sent_at": "2026-01-01T00:00:00Z",
        "action": "order_cancel",
        "edition": "v1",
        "receiver": "stand-in",
        "stand_in": True,
        "request": Request(method="POST", url="http://a/b?c=1&c=", headers=(), body="{}"),
    }
    return archive(Delivery(**given | fields))[0]


def test_a_fault_is_an_entry_with_status_0_and_its_error():
    entry = one(fault=Fault("refused", "nothing listens"), timings=Timings(lookup=1, total=5))
    assert entry["response"]["status"] == 0
    assert entry["response"]["_error"] == "refused: nothing listens"
    assert entry["timings"] == {
        "blocked": -1,
        "dns": 1,
        "connect": -1,
        "ssl": -1,
        "send": 0,
        "wait": 4,
        "receive": 0,
    }


def test_what_was_struck_out_is_said():
    request = Request(
        method="POST",
        url="http://«redacted:URL»@a/",
        headers=(("Authorization", "Bearer «redacted:TOKEN»"),),
        body='{"a":"«redacted:TOKEN»"}',
    )
    entry = one(request=request)
    assert entry["comment"] == "struck out: URL, TOKEN"
    assert entry["request"]["url"] == "http://%C2%ABredacted:URL%C2%BB@a/"
    assert entry["request"]["bodySize"] == -1
    assert "comment" not in one()


def test_it_says_what_it_was_sent_for_and_that_it_was_the_stand_in():
    entry = one(scenario="a.scenario.json", step="cancel")
    assert entry["_retailops"] == {
        "delivery": "r.1",
        "action": "order_cancel",
        "edition": "v1",
        "receiver": "stand-in",
        "stand_in": True,
        "scenario": "a.scenario.json",
        "step": "cancel",
        "verdict": "passed",
    }
    assert entry["request"]["queryString"] == [{"name": "c", "value": "1"}, {"name": "c", "value": ""}]


def test_sizes_are_in_bytes_and_unknown_where_the_way_had_others():
    response = Response(status=200, body="é", headers=(("Content-Type", "text/plain"),))
    entry = one(response=response)
    assert entry["response"]["bodySize"] == 2
    assert entry["response"]["content"] == {"size": 2, "mimeType": "text/plain", "text": "é"}
    zipped = Response(status=299, body="é", headers=(("content-encoding", "gzip"),))
    entry = one(response=zipped)
    assert entry["response"]["bodySize"] == -1
    assert entry["response"]["statusText"] == ""


def test_the_published_schema_refuses_what_is_not_har():
    document = json.loads(har.document([]))
    del document["log"]["creator"]["version"]
    assert not published_schema().is_valid(document)
