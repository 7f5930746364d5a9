"""The careless receivers of the stand-in: each is wrong in its own way, in every action, and in no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.httpserver import Request, Response
from retailops_sandbox.jsontext import compact, pointer
from retailops_sandbox.standin import TOKEN, StandIn, careless
from retailops_sandbox.standin.careless import CARELESS
from retailops_sandbox.standin.receiving import Receiver

CONTRACTS = [SHIPPED_CONTRACTS.load(*name) for name in SHIPPED_CONTRACTS.names]
WITH_AUTH = [agreed for agreed in CONTRACTS if agreed.auth]
TELLING = [agreed for agreed in CONTRACTS if agreed.events and agreed.subject]
"""The contracts of which an answer tells what was done with each order or sku."""
V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")


def named(agreed: Contract) -> str:
    return f"{agreed.action}.{agreed.edition}"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as started:
        yield started


def receiver(mode: str) -> Receiver:
    shop = StandIn().shop
    return CARELESS[mode].receiver(shop, lambda: SHIPPED_CONTRACTS)


def request(agreed: Contract, body: Any, **changes: Any) -> Request:
    text = body if isinstance(body, bytes) else compact(body)
    return Request(agreed.method, agreed.path, agreed.path, (), text, True)._replace(**changes)


def payload(agreed: Contract, *, token: Any = TOKEN, id: str = "900000001") -> Any:
    """The contract's example about an order of this id, or about a sku that the catalog has."""
    made = deepcopy(agreed.examples.request)
    if agreed.auth:
        pointer.set_at(made, agreed.auth.pointer, token)
    for path in agreed.subject.request if agreed.subject else ():
        place = path.replace("*", "0")
        old = pointer.get(made, place, None)
        new = "S12345" if agreed.subject and agreed.subject.kind == "sku" else id
        if old is not None:
            pointer.set_at(made, place, int(new) if isinstance(old, int) else new)
    return made


async def said(by: Receiver, sent: Request) -> tuple[int, Any]:
    response = await by.answer(sent)
    assert response is not None
    return response.status, json.loads(response.body)


# --- What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("agreed", CONTRACTS, ids=named)
@pytest.mark.parametrize("mode", CARELESS)
def test_what_its_carelessness_does_not_touch_is_answered_as_by_the_careful(
    runner: asyncio.Runner, mode: str, agreed: Contract, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asyncio, "sleep", no_pause)
    careful = Receiver(StandIn().shop, lambda: SHIPPED_CONTRACTS)
    untouched = [
        request(agreed, payload(agreed), method="PUT"),
        request(agreed, payload(agreed), path=f"{agreed.path}x"),
    ]
    if agreed.auth and mode != "ignore-token":
        untouched.append(request(agreed, payload(agreed, token="wrong")))
    for sent in untouched:
        assert runner.run(receiver(mode).answer(sent)) == runner.run(careful.answer(sent))
    status, answer = runner.run(said(receiver(mode), request(agreed, payload(agreed))))
    assert status == agreed.ok_statuses[0]
    assert agreed.check_response(answer) == ()
    assert not any(agreed.check_answer(answer).by_source.values())


@pytest.mark.parametrize("agreed", CONTRACTS, ids=named)
@pytest.mark.parametrize(
    ("mode", "off_contract", "no_json", "begins"),
    [
        ("accept-anything", 200, 200, b"{"),
        ("html-page", 200, 200, b"<!doctype html>"),
        ("leak-stack-trace", 422, 400, b'{"error":"Traceback'),
    ],
)
def test_what_is_to_be_refused_is_answered_in_its_way(
    runner: asyncio.Runner, mode: str, off_contract: int, no_json: int, begins: bytes, agreed: Contract
):
    for body, status in (({**payload(agreed), "version": "1"}, off_contract), (b"no JSON", no_json)):
        response = runner.run(receiver(mode).answer(request(agreed, body)))
        assert response is not None
        assert (response.status, response.body.startswith(begins)) == (status, True)
        if mode == "accept-anything":
            assert agreed.check_response(json.loads(response.body)) == ()


async def no_pause(_: float) -> None:
    pass


@pytest.mark.parametrize("agreed", CONTRACTS, ids=named)
def test_null_crashes_it_and_an_empty_array_stops_it(runner: asyncio.Runner, agreed: Contract):
    def answer(mode: str, value: Any) -> Response | None:
        return runner.run(receiver(mode).answer(request(agreed, {**payload(agreed), "version": value})))

    for value, crash, hang in ((None, 500, 422), ([], 422, None), ("1", 422, 422)):
        crashed, hung = answer("crash-on-null", value), answer("hang-on-empty-array", value)
        assert crashed is not None
        assert crashed.status == crash
        assert (hung.status if hung else None) == hang


# --- The token ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("agreed", WITH_AUTH, ids=named)
@pytest.mark.parametrize(
    ("token", "by_prefix"),
    [("RETAIL", 200), ("", 401), (f"{TOKEN}x", 401), ("ETAILOPS_SDK", 401), (None, 401)],
)
def test_a_wrong_token_is_taken(runner: asyncio.Runner, agreed: Contract, token: Any, by_prefix: int):
    sent = request(agreed, payload(agreed, token=token))
    assert runner.run(said(receiver("token-prefix"), sent))[0] == by_prefix
    assert runner.run(said(receiver("ignore-token"), sent))[0] == (422 if token is None else 200)


# --- Repetition --------------------------------------------------------------------------------------


def notes(agreed: Contract, answer: Any) -> list[str]:
    """The number that an answer tells of each order, after `first` or `again`."""
    found = []
    for event in pointer.resolve(answer, agreed.events):
        code = event.get("code", event.get("error_code"))
        detail = event["diagnostic_data"]
        words = {"INF2001": "first", "INF2002": "again"}
        if code in words:
            found.append(f"{words[code]} {detail[0] if isinstance(detail, list) else detail}")
    return found


def abouts(agreed: Contract, answer: Any) -> list[str]:
    events = pointer.resolve(answer, agreed.events)
    named = [each for event in events for each in event["associations"]]
    return [each.get("identifier", each.get("identity")) for each in named]


@pytest.mark.parametrize("agreed", TELLING, ids=named)
def test_what_is_not_idempotent_does_it_again(runner: asyncio.Runner, agreed: Contract):
    careless, sent = receiver("not-idempotent"), request(agreed, payload(agreed))
    told = [notes(agreed, runner.run(said(careless, sent))[1]) for _ in range(2)]
    assert told == [["first number 1"], ["first number 2"]]


@pytest.mark.parametrize("agreed", TELLING, ids=named)
def test_what_races_does_twice_what_comes_twice_at_once(runner: asyncio.Runner, agreed: Contract):
    careless, sent = receiver("race"), request(agreed, payload(agreed))

    async def together() -> list[Any]:
        return await asyncio.gather(said(careless, sent), said(careless, sent))

    told = [notes(agreed, answer) for _, answer in runner.run(together())]
    assert told == [["first number 1"], ["first number 2"]]
    assert notes(agreed, runner.run(said(careless, sent))[1]) == ["again number 2"]


@pytest.mark.parametrize("agreed", TELLING, ids=named)
def test_what_mixes_up_orders_tells_of_another_only_at_once(runner: asyncio.Runner, agreed: Contract):
    if agreed.subject and agreed.subject.kind != "order":
        return
    careless = receiver("mix-up-orders")
    sent = [request(agreed, payload(agreed, id=id)) for id in ("900000001", "900000002")]

    async def together() -> list[Any]:
        return await asyncio.gather(*(said(careless, each) for each in sent))

    assert [abouts(agreed, answer) for _, answer in runner.run(together())] == [["900000002"]] * 2
    alone = [abouts(agreed, runner.run(said(careless, each))[1]) for each in sent]
    assert alone == [["900000001"], ["900000002"]]


def test_a_refusal_tells_of_nothing_done(runner: asyncio.Runner):
    answer = runner.run(said(receiver("not-idempotent"), request(V1, payload(V1, id="1"))))[1]
    assert [event["code"] for event in answer["events"]] == ["ERR1404"]


def test_a_bounded_number_of_things_done_is_remembered(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(careless, "_MOST_NOTED", 2)
    noting = receiver("mix-up-orders")
    for id in ("900000001", "900000002", "900000003"):
        runner.run(said(noting, request(V1, payload(V1, id=id))))
    answer = runner.run(said(noting, request(V1, payload(V1))))[1]
    assert notes(V1, answer) == ["first number 4"]


# --- At the stand-in ---------------------------------------------------------------------------------


def test_each_mode_has_a_path_and_orders_of_its_own(runner: asyncio.Runner):
    async def asked(stand_in: StandIn, path: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = compact(payload(V1))
        length = f"Content-Length: {len(body)}"
        writer.write(f"POST {path} HTTP/1.1\r\n{length}\r\nConnection: close\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return answer

    stand_in = StandIn()
    port = int(runner.run(stand_in.start()).rpartition(":")[2])
    path = f"/careless/not-idempotent{V1.path}"
    assert b"number 1" in runner.run(asked(stand_in, path))
    assert b"number 2" in runner.run(asked(stand_in, path))
    assert b"number" not in runner.run(asked(stand_in, V1.path))
    assert b"number 1" in runner.run(asked(stand_in, f"/careless/race{V1.path}"))
    stand_in.reset()
    assert b"number 1" in runner.run(asked(stand_in, path))
    assert b" 404 " in runner.run(asked(stand_in, f"/careless/nonsense{V1.path}"))
    runner.run(stand_in.stop())
