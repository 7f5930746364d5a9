"""The stand-in over real sockets: one set of orders for both editions, and every way to misbehave."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, ContractSource
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.httpserver import MAX_BODY
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.standin import TOKEN, StandIn
from retailops_sandbox.standin.careless import CARELESS
from retailops_sandbox.standin.misbehaviour import MISBEHAVIOURS
from tests.support.contracts import ACTION, contract_document, with_own

JSON = {"Content-Type": "application/json"}


class Running:
    """A stand-in in an event loop of its own, and what a test asks of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, contracts: ContractSource) -> None:
        self.loop = loop
        self.stand_in = StandIn(contracts)
        self.base_url = self.wait(self.stand_in.start())
        self.port = int(self.base_url.rpartition(":")[2])

    def wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any, bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, body, JSON)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def post(self, path: str, payload: Any) -> tuple[int, Any]:
        status, _, body = self.ask("POST", path, jsontext.compact(payload))
        return status, json.loads(body)

    def raw(self, data: bytes, *, half_close: bool = True) -> bytes:
        """Everything that comes back for these bytes until the stand-in closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def state(self, order_id: str) -> str:
        return next(order.state for order in self.stand_in.shop.orders if order.id == order_id)


@pytest.fixture
def own() -> list[Any]:
    """The contracts of a workspace, which may change."""
    return []


@pytest.fixture
def running(own: list[Any]) -> Iterator[Running]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started = Running(loop, lambda: with_own(*own))
    try:
        yield started
    finally:
        started.wait(started.stand_in.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def draft(order_id: str = "4897") -> Any:
    payload = deepcopy(SHIPPED_CONTRACTS.load("order_cancel", "draft").examples.request)
    payload["data"]["order"]["id"] = order_id
    return payload


def example_of(agreed: Contract) -> Any:
    """The contract's example of a payload, with the token where the contract has one."""
    payload = deepcopy(agreed.examples.request)
    return pointer.set_at(payload, agreed.auth.pointer, TOKEN) if agreed.auth else payload


def v1(token: str | None = TOKEN, **order: Any) -> Any:
    payload = {**deepcopy(SHIPPED_CONTRACTS.load("order_cancel", "v1").examples.request), "order": order}
    return payload if token is None else {"integration_auth_token": token, **payload}


# --- Orders ------------------------------------------------------------------------------------------


def test_it_answers_every_shipped_contract(running: Running):
    shop = running.stand_in.shop
    assert [name for name in SHIPPED_CONTRACTS.names if not shop.knows(*name)] == []


def test_a_known_order_is_cancelled(running: Running):
    assert running.state("4897") == "open"
    assert running.post("/order_cancel", draft("4897")) == (200, {"events": []})
    assert running.state("4897") == "cancelled"


@pytest.mark.parametrize(
    ("order_id", "severity", "code"),
    [("9999999", "error", "ERR1404"), ("4912", "error", "ERR1409"), ("4899", "warning", "ERR1206")],
)
def test_the_draft_tells_why_in_one_event(running: Running, order_id: str, severity: str, code: str):
    status, body = running.post("/order_cancel", draft(order_id))
    (event,) = body["events"]
    assert (status, event["status"], event["error_code"]) == (200, severity, code)
    assert event["associations"] == [{"type": "order_id", "identity": order_id}]
    assert SHIPPED_CONTRACTS.load("order_cancel", "draft").check_response(body) == ()


@pytest.mark.parametrize(
    ("order", "status", "codes"),
    [
        ({"channel_order_refnum": "496", "retailops_order_id": 0}, "success", []),
        ({"retailops_order_id": 4897}, "success", []),
        ({"channel_order_refnum": "510"}, "fail", ["ERR1409"]),
        ({"channel_order_refnum": "498"}, "success", ["ERR1206"]),
        ({"channel_order_refnum": "nowhere", "retailops_order_id": 4897}, "fail", ["ERR1404"]),
        ({}, "fail", ["ERR1404"]),
    ],
)
def test_v1_finds_the_same_orders(running: Running, order: Any, status: str, codes: list[str]):
    code, body = running.post("/order_cancel_v1", v1(**order))
    assert (code, body["status"]) == (200, status)
    assert [event["code"] for event in body["events"]] == codes
    assert SHIPPED_CONTRACTS.load("order_cancel", "v1").check_response(body) == ()


def test_both_editions_share_one_state(running: Running):
    running.post("/order_cancel_v1", v1(channel_order_refnum="496"))
    assert running.state("4897") == "cancelled"
    assert running.post("/order_cancel", draft("4897")) == (200, {"events": []})


@pytest.mark.parametrize("order_id", ["4897", "4899", "4912", "9999999"])
def test_a_duplicate_is_answered_alike_and_changes_nothing(running: Running, order_id: str):
    first = running.post("/order_cancel", draft(order_id))
    orders = running.stand_in.shop.orders
    assert [running.post("/order_cancel", draft(order_id)) for _ in range(3)] == [first] * 3
    assert running.stand_in.shop.orders == orders


def test_reset_brings_every_order_back(running: Running):
    before = running.stand_in.shop.orders
    running.post("/order_cancel", draft("4897"))
    running.post("/order_cancel", draft("4899"))
    assert running.stand_in.shop.orders != before
    running.stand_in.reset()
    assert running.stand_in.shop.orders == before


def test_an_order_of_nine_digits_that_begin_with_9_is_made_when_it_is_named(running: Running):
    assert running.post("/order_cancel", draft("900000001")) == (200, {"events": []})
    # The same text is its id and its reference number, in each edition.
    shipped = {"channel_order_refnum": "900000001", "shipment": {}}
    payload = {**v1(), **shipped}
    (event,) = running.post("/order_shipment_submit_v1", payload)[1]["events"]
    assert (event["code"], event["diagnostic_data"]) == ("ERR1410", "order state: cancelled")
    running.stand_in.reset()
    assert running.post("/order_shipment_submit_v1", payload) == (200, {"events": []})


@pytest.mark.parametrize("order_id", ["90000000", "9000000000", "800000000", "9OOOOOOOO"])
def test_no_other_order_is_made(running: Running, order_id: str):
    (event,) = running.post("/order_cancel", draft(order_id))[1]["events"]
    assert event["error_code"] == "ERR1404"


# --- A workspace's contracts -------------------------------------------------------------------------


def test_an_action_without_rules_is_answered_by_the_example_of_its_contract(running: Running, own: list[Any]):
    document = contract_document(ok_statuses=[202])
    payload = document["examples"]["request"]
    assert running.ask("POST", "/order_hold_v1")[0] == 404
    # It is found at once.
    own.append(document)
    answered = running.post("/order_hold_v1", {**payload, "token": TOKEN})
    assert answered == (202, document["examples"]["response"])
    assert running.post("/order_hold_v1", {**payload, "token": "wrong"})[0] == 401
    assert running.post("/order_hold_v1", {"token": TOKEN})[0] == 422
    assert "POST /order_hold_v1\n" in running.ask("GET", "/")[2].decode()
    assert ACTION in running.stand_in.actions


def test_a_contract_that_cannot_be_used_is_named_and_the_others_work(running: Running, own: list[Any]):
    own.append(contract_document(codes=["/nowhere"]))
    status, body = running.post("/order_hold_v1", {})
    assert (status, f"{ACTION}.json" in body["error"]) == (500, True)
    assert "/order_hold_v1" not in running.ask("GET", "/")[2].decode()
    assert running.post("/order_cancel", draft()) == (200, {"events": []})


# --- Refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "KDS_SPOLIATER", TOKEN.lower()])
def test_a_wrong_or_missing_token_is_answered_401_and_cancels_nothing(running: Running, token: str | None):
    status, body = running.post("/order_cancel_v1", v1(token, channel_order_refnum="496"))
    assert (status, body) == (401, {"error": "/integration_auth_token is missing or wrong"})
    assert running.state("4897") == "open"


def test_a_payload_off_contract_is_told_what_is_wrong(running: Running):
    payload = draft()
    del payload["data"]["order"]["id"]
    payload["version"] = "1"
    status, body = running.post("/order_cancel", payload)
    assert status == 422
    assert {each["pointer"]: each["message"] for each in body["violations"]} == {
        "/data/order/id": "is missing",
        "/version": "must be an integer, not a string",
    }


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b"[" * 5000 + b"]" * 5000, b"1e99999"]
)
def test_what_is_not_json_is_refused_in_words(running: Running, body: bytes):
    status, _, answer = running.ask("POST", "/order_cancel", body)
    assert status == 400
    assert json.loads(answer)["error"]


def test_another_method_is_refused(running: Running):
    status, headers, _ = running.ask("GET", "/order_cancel")
    assert (status, headers["Allow"]) == (405, "POST")


def test_the_root_lists_what_it_can_do_and_another_path_too(running: Running):
    status, headers, page = running.ask("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    for word in ("POST /order_cancel\n", "POST /order_cancel_v1\n", "id 4912, refnum 510: shipped"):
        assert word in page.decode()
    for kind in (*MISBEHAVIOURS, *CARELESS):
        assert f"  {kind} " in page.decode()
    status, headers, _ = running.ask("POST", "/", BODY)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert running.ask("GET", "/nothing")[0] == 404


# --- HTTP --------------------------------------------------------------------------------------------


def head(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


BODY = json.dumps(draft()).encode()


def test_one_connection_carries_many_requests(running: Running):
    connection = running.connect()
    connection.connect()
    first_socket = connection.sock
    for _ in range(5):
        connection.request("POST", "/order_cancel", BODY, JSON)
        assert connection.getresponse().read() == b'{"events":[]}'
        assert connection.sock is first_socket
    connection.close()


def test_requests_sent_at_once_are_answered_in_order(running: Running):
    one = head("POST /order_cancel HTTP/1.1", f"Content-Length: {len(BODY)}", body=BODY)
    answers = running.raw(one + head("GET /nothing HTTP/1.1") + one)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"404", b"200"]


def test_a_chunked_body_is_read(running: Running):
    half = len(BODY) // 2
    chunks = b"%x\r\n%b\r\n%x;note=1\r\n%b\r\n" % (half, BODY[:half], len(BODY) - half, BODY[half:])
    answer = running.raw(
        head(
            "POST /order_cancel HTTP/1.1",
            "Transfer-Encoding: chunked",
            body=chunks + b"0\r\nTrailer: 1\r\n\r\n",
        )
    )
    assert answer.endswith(b'\r\n\r\n{"events":[]}')


def test_a_client_that_waits_to_be_asked_for_the_body_is_asked(running: Running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        length = f"Content-Length: {len(BODY)}"
        connection.sendall(head("POST /order_cancel HTTP/1.1", length, "Expect: 100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert connection.recv(1000).endswith(b'{"events":[]}')


@pytest.mark.parametrize(
    "lines",
    [
        ("GET / HTTP/1.1", "Connection: close"),
        ("GET / HTTP/1.1", "connection: Close"),
        ("GET / HTTP/1.0",),
    ],
)
def test_it_closes_when_the_client_does_not_want_more(running: Running, lines: tuple[str, ...]):
    assert b"Connection: close" in running.raw(head(*lines), half_close=False)


def test_a_client_of_http_1_0_gets_no_interim_answer(running: Running):
    lines = ("POST /order_cancel HTTP/1.0", f"Content-Length: {len(BODY)}", "Expect: 100-continue")
    assert running.raw(head(*lines, body=BODY)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", gzip.compress(BODY), 200),
        ("GZIP", gzip.compress(BODY), 200),
        ("deflate", zlib.compress(BODY), 200),
        ("identity", BODY, 200),
        ("gzip", BODY, 400),
        ("gzip", gzip.compress(BODY)[:-10], 400),
        ("gzip", gzip.compress(bytes(MAX_BODY + 1)), 413),
        ("br", BODY, 415),
    ],
)
def test_a_compressed_body_is_read_or_refused(running: Running, coding: str, body: bytes, status: int):
    lines = ("POST /order_cancel HTTP/1.1", f"Content-Encoding: {coding}", f"Content-Length: {len(body)}")
    answer = running.raw(head(*lines, body=body))
    assert answer.startswith(b"HTTP/1.1 %d " % status)


def test_head_has_no_body(running: Running):
    assert running.raw(head("HEAD / HTTP/1.1")).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (head("nonsense"), 400),
        (head("GET / HTTP/2.0"), 400),
        (head("GET / HTTP/1.1", "no colon"), 400),
        (head("GET / HTTP/1.1", "Blank : before colon"), 400),
        (head("POST /order_cancel HTTP/1.1", "Content-Length: -1"), 400),
        (head("POST /order_cancel HTTP/1.1", "Content-Length: 1e3"), 400),
        (head("POST /order_cancel HTTP/1.1", "Content-Length: 99999999999"), 413),
        (head("POST /order_cancel HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked"), 400),
        (head("POST /order_cancel HTTP/1.1", "Transfer-Encoding: gzip"), 400),
        (head("POST /order_cancel HTTP/1.1", "Transfer-Encoding: chunked", body=b"zz\r\n"), 400),
        (head("POST /order_cancel HTTP/1.1", "Transfer-Encoding: chunked", body=b"1\r\nab\r\n"), 400),
        (head("POST /order_cancel HTTP/1.1", "Transfer-Encoding: chunked", body=b"fffffff\r\n"), 413),
        (head("GET / HTTP/1.1", "X: " + "x" * 100_000), 431),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_and_the_answer_arrives(
    running: Running, data: bytes, status: int
):
    # More than was refused is still on its way: the answer must not be lost to a reset.
    answer = running.raw(data + b"x" * 300_000)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'{"error":' in answer


@pytest.mark.parametrize(
    "data", [b"", b"POST /order_c", head("POST / HTTP/1.1", "Content-Length: 9", body=b"x")]
)
def test_a_client_that_stops_half_way_gets_nothing(running: Running, data: bytes):
    assert running.raw(data) == b""


# --- Misbehaviour ------------------------------------------------------------------------------------


def misbehave(running: Running, kind: str) -> tuple[int, Any, bytes]:
    return running.ask("POST", f"/misbehave/{kind}/order_cancel", BODY)


@pytest.mark.parametrize("kind", ["slow/1", "drip/1"])
def test_late_or_dripping_it_still_says_the_right_thing(running: Running, kind: str):
    status, _, body = misbehave(running, kind)
    assert (status, body) == (200, b'{"events":[]}')
    assert running.state("4897") == "cancelled"


def test_slow_waits_before_the_first_byte_and_drip_after_it(running: Running):
    # Both would take a quarter of an hour: what has arrived at once tells them apart.
    def arrived(kind: str) -> bytes:
        with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
            line = f"POST /misbehave/{kind}/900000/order_cancel HTTP/1.1"
            connection.sendall(head(line, f"Content-Length: {len(BODY)}", body=BODY))
            if kind == "drip":
                return connection.recv(1000)
            running.ask("GET", "/")  # by now the stand-in has read the other request too
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1000)
            return b""

    assert arrived("slow") == b""
    assert arrived("drip").endswith(b"Content-Length: 13\r\nConnection: close\r\n\r\n")


def test_hang_takes_the_request_and_never_answers(running: Running):
    line = "POST /misbehave/hang/order_cancel HTTP/1.1"
    answer = running.raw(head(line, f"Content-Length: {len(BODY)}", body=BODY))
    assert answer == b""
    assert running.state("4897") == "cancelled"


def test_reset_resets(running: Running):
    line = "POST /misbehave/reset/order_cancel HTTP/1.1"
    with pytest.raises(ConnectionResetError):
        running.raw(head(line, f"Content-Length: {len(BODY)}", body=BODY), half_close=False)


def test_html_500(running: Running):
    status, headers, body = misbehave(running, "html-500")
    assert (status, headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert body.startswith(b"<!doctype html>")


def test_not_json(running: Running):
    status, headers, body = misbehave(running, "not-json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


@pytest.mark.parametrize("name", SHIPPED_CONTRACTS.names, ids=".".join)
def test_wrong_schema_breaks_every_contract(running: Running, name: tuple[str, str]):
    agreed = SHIPPED_CONTRACTS.load(*name)
    payload = example_of(agreed)
    status, body = running.post(f"/misbehave/wrong-schema{agreed.path}", payload)
    assert status == 200
    assert agreed.check_response(body) != ()


def test_wrong_schema_is_an_empty_object_where_there_is_no_answer(running: Running):
    assert running.ask("GET", "/misbehave/wrong-schema/nothing")[2] == b"{}"


def test_null_arrays_leaves_the_other_values_as_they_are(running: Running):
    status, headers, body = misbehave(running, "null-arrays")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["events"] is None


def test_redirect_names_the_path_that_behaves(running: Running):
    status, headers, body = misbehave(running, "redirect")
    assert (status, headers["Location"], body) == (307, "/order_cancel", b"")


def test_huge_body_is_as_huge_as_asked_and_nothing_tells_before(running: Running):
    status, headers, body = misbehave(running, "huge-body/2")
    assert (status, headers["Content-Length"]) == (200, None)
    assert len(body) == 2 * 1024 * 1024 + len(b'{"events":[]}')
    assert json.loads(body) == {"events": []}


def test_truncated_body_ends_early(running: Running):
    with pytest.raises(http.client.IncompleteRead):
        misbehave(running, "truncated-body")


def test_bad_gzip_is_not_gzip(running: Running):
    _, headers, body = misbehave(running, "bad-gzip")
    assert headers["Content-Encoding"] == "gzip"
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(body)


def test_wrong_length_sends_more_than_it_states(running: Running):
    line = "POST /misbehave/wrong-length/order_cancel HTTP/1.1"
    answer = running.raw(head(line, f"Content-Length: {len(BODY)}", body=BODY))
    assert b"Content-Length: 6\r\n" in answer
    assert answer.endswith(b'\r\n\r\n{"events":[]}')


def test_every_misbehaviour_is_tested_here():
    tested = {
        "slow",
        "drip",
        "hang",
        "reset",
        "html-500",
        "not-json",
        "wrong-schema",
        "redirect",
        "null-arrays",
    }
    assert set(MISBEHAVIOURS) == tested | {"huge-body", "truncated-body", "bad-gzip", "wrong-length"}


@pytest.mark.parametrize("kind", ["nonsense", "slow/x", "slow/9999999"])
def test_an_unknown_misbehaviour_is_not_found(running: Running, kind: str):
    assert misbehave(running, kind)[0] == 404
    assert running.state("4897") == "open"


def test_misbehaving_still_minds_the_token(running: Running):
    status, _ = running.post("/misbehave/slow/1/order_cancel_v1", v1("wrong", channel_order_refnum="496"))
    assert status == 401


# --- Its life ----------------------------------------------------------------------------------------


async def ended(after: Callable[[StandIn, asyncio.StreamReader, asyncio.StreamWriter], Any]) -> bytes:
    """What a client that is connected still gets when the stand-in stops."""
    stand_in = StandIn()
    port = int((await stand_in.start()).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await after(stand_in, reader, writer)
        await stand_in.stop()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def asked_once(_: StandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head("GET /nothing HTTP/1.1"))
    await reader.readuntil(b"\r\n\r\n")


async def left_hanging(stand_in: StandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line = "POST /misbehave/hang/order_cancel HTTP/1.1"
    writer.write(head(line, f"Content-Length: {len(BODY)}", body=BODY))
    while next(order.state for order in stand_in.shop.orders if order.id == "4897") == "open":
        await asyncio.sleep(0)


@pytest.mark.parametrize("after", [asked_once, left_hanging])
def test_stop_drops_whoever_is_connected_and_leaves_no_task(after: Any):
    async def life() -> set[Any]:
        await ended(after)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(life()) == set()


async def not_reading(_: StandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line = "POST /misbehave/huge-body/999/order_cancel HTTP/1.1"
    writer.write(head(line, f"Content-Length: {len(BODY)}", body=BODY))
    await reader.readuntil(b"\r\n\r\n")


def test_stop_does_not_wait_for_a_client_that_reads_slowly():
    # A chunk was under way, and closing gently would have ended it: with the end of a line.
    rest = asyncio.run(ended(not_reading))
    assert not rest.endswith(b"\r\n")


def test_stop_frees_the_port_and_start_works_again():
    async def life() -> None:
        stand_in = StandIn()
        first = await stand_in.start()
        await stand_in.stop()
        await stand_in.stop()
        port = int(first.rpartition(":")[2])
        assert await stand_in.start(port=port) == first
        await stand_in.stop()

    asyncio.run(life())


def test_a_port_in_use_is_an_os_error():
    async def life() -> None:
        one, other = StandIn(), StandIn()
        port = int((await one.start()).rpartition(":")[2])
        try:
            with pytest.raises(OSError, match="in use"):
                await other.start(port=port)
        finally:
            await one.stop()

    asyncio.run(life())
