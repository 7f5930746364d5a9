"""The relay over real sockets: exact bytes both ways, and everything in the log."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox import httpserver
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, RunInfo
from retailops_sandbox.model import Receiver as Target
from retailops_sandbox.relay import relay
from retailops_sandbox.relay.relay import Relay
from retailops_sandbox.runlog.ports import RunWriter
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.transport import Transport
from tests.support.contracts import contract_document, with_own
from tests.support.logged import newest_deliveries, open_log
from tests.support.policies import secret_policy
from tests.support.proving import SIGNED
from tests.support.receivers import (
    Act,
    Peer,
    Receiver,
    answering,
    closing_after,
    receiver,
    response,
    unused_port,
)
from tests.support.records import begin_run

ENVIRONMENT = {"SHOP_KEY": "a-secret-of-the-shop"}
PAYLOAD = b'{"version": 1, "action": "order_cancel",\n "data": {"total": 35.00}}'
NOTHING = b'{"events":[]}'


class Relaying:
    """A relay in an event loop of its own, and what a test asks of it."""

    def __init__(self, runs_dir: Path, target: Target, host: str, **options: Any) -> None:
        self.runs_dir = runs_dir
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._transport = Transport()
        self.wait(self._transport.__aenter__())
        self.log = begin_run(runs_dir, RunInfo(id="run", kind="record", started_at="2026-01-01T00:00:00Z"))
        self.relay = Relay(
            target,
            transport=self._transport,
            log=self.log,
            contracts=options.pop("contracts", SHIPPED_CONTRACTS),
            clock=SystemClock(),
            environment=ENVIRONMENT,
            policy=secret_policy(ENVIRONMENT),
            **options,
        )
        self.url = self.wait(self.relay.start(host, 0, secret_path=host != "127.0.0.1"))
        found = re.fullmatch(r"http://[^/]+:(\d+)(/.*)", self.url)
        assert found
        self.port, self.path = int(found[1]), found[2]

    def wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def stop(self) -> None:
        self.wait(self.relay.stop())
        self.wait(self._transport.__aexit__())
        self.log.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def raw(self, data: bytes) -> bytes:
        """Everything that comes back for these bytes until the relay closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def ask(self, method: str, path: str, body: bytes | None = None, *headers: str) -> tuple[bytes, bytes]:
        """The head and the body of the answer to one request."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost:1", "Connection: close", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        sent = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
        came = self.raw(sent).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        head, _, answer = came.partition(b"\r\n\r\n")
        return head, answer

    def logged(self) -> list[Delivery]:
        """What the log holds, the oldest first."""
        return [entry.delivery for entry in reversed(newest_deliveries(open_log(self.runs_dir), 100))]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    started: list[Relaying] = []

    def start(url: str, host: str = "127.0.0.1", **options: Any) -> Relaying:
        fields = {
            name: options.pop(name) for name in ("headers", "paths", "follow_redirects") if name in options
        }
        target = Target("shop", url, **fields)
        started.append(Relaying(tmp_path / str(len(started)), target, host, **options))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def request_of(there: Receiver, number: int = 0) -> tuple[str, dict[str, str], bytes]:
    """Request line, headers by lower-case name, and body as the receiver got them."""
    head, _, body = there.requests[number].partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    named = [field.partition(": ") for field in fields]
    return line, {name.lower(): value for name, _, value in named}, body


# --- the way there ---


def test_the_bytes_go_through_and_the_tail_and_query_are_appended(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(f"{there.url}/hooks?shop=1")
        head, body = passing.ask(
            "POST", "/order_cancel?a=%2F&b", PAYLOAD, "X-Shop: 12", "Content-Type: text/x-odd"
        )
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert body == NOTHING
        line, headers, sent = request_of(there)
        assert line == "POST /hooks/order_cancel?shop=1&a=%2F&b HTTP/1.1"
        assert sent == PAYLOAD
        assert headers["x-shop"] == "12"
        assert headers["content-type"] == "text/x-odd"
        assert headers["host"] == f"127.0.0.1:{there.port}"


@pytest.mark.parametrize(
    ("base", "target", "arrives"),
    [
        ("", "/", "/"),
        ("/hook", "/", "/hook"),
        ("/hook/", "/", "/hook/"),
        ("/hook", "/?x", "/hook?x"),
        ("/hook", "/a/../b//c", "/hook/a/../b//c"),
        ("/hook/", "/a/", "/hook/a/"),
        ("/hook?k=1", "/a", "/hook/a?k=1"),
        ("/order_cancel", "/order_cancel?a=1", "/order_cancel?a=1"),
        ("/order_cancel_v1/?k=1", "/order_cancel_v1", "/order_cancel_v1/?k=1"),
        ("/x/order_cancel", "/order_cancel_v1", "/x/order_cancel_v1"),
        ("/order_cancel", "/hook/order_cancel", "/order_cancel/hook/order_cancel"),
        ("/order_cancel", "/", "/order_cancel"),
    ],
)
def test_where_a_path_leads(start: Any, base: str, target: str, arrives: str):
    with receiver(answering(response(NOTHING))) as there:
        start(there.url + base).ask("POST", target, PAYLOAD)
        assert request_of(there)[0] == f"POST {arrives} HTTP/1.1"


def test_a_path_that_the_receiver_states_is_appended_whatever_its_url_ends_in(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(f"{there.url}/order_cancel", paths={"order_cancel": "/order_cancel"})
        passing.ask("POST", "/order_cancel", PAYLOAD)
        assert request_of(there)[0] == "POST /order_cancel/order_cancel HTTP/1.1"


def test_a_url_that_ends_in_an_actions_path_says_what_is_posted_to_it(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(f"{there.url}/order_cancel_v1")
        assert passing.relay.example == ("/order_cancel_v1", f"{there.url}/order_cancel_v1")
        passing.ask("POST", "/", PAYLOAD)
        assert [each.edition for each in passing.logged()] == ["v1"]


def test_hop_by_hop_headers_are_not_passed_on(start: Any):
    with receiver(
        answering(response(NOTHING, "Keep-Alive: timeout=5", "Connection: x-hop", "X-Hop: 1", "X-Stays: 2"))
    ) as there:
        head, _ = start(there.url).ask(
            "POST",
            "/",
            PAYLOAD,
            "Connection: X-Mine",
            "X-Mine: 1",
            "TE: trailers",
            "Proxy-Authorization: x",
            "Keep-Alive: 1",
            "Upgrade: h2c",
            "Expect: 100-continue",
            "X-Stays: 3",
        )
        _, headers, _ = request_of(there)
        assert not headers.keys() & {"x-mine", "te", "proxy-authorization", "keep-alive", "upgrade", "expect"}
        assert headers["x-stays"] == "3"
        assert b"x-stays: 2" in head.lower()
        assert b"x-hop" not in head.lower()
        assert b"keep-alive" not in head.lower()


def test_nothing_is_added_that_the_caller_did_not_say(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        start(there.url, headers={"X-Key": "${env:SHOP_KEY}"}).ask("POST", "/", PAYLOAD)
        assert set(request_of(there)[1]) == {"host", "content-length"}


def test_bytes_that_are_no_text_go_through(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(there.url)
        passing.ask("POST", "/", b"\xff\x00\xfe", "X-Name: caf\xe9")
        assert request_of(there)[2] == b"\xff\x00\xfe"
        assert request_of(there)[1]["x-name"] == "caf\xe9"
        [kept] = passing.logged()
        assert kept.request.base64


def test_a_chunked_request_arrives_whole(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        head = b"POST / HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        start(there.url).raw(head + b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n')
        assert request_of(there)[2] == b'{"a":1}'


def test_a_large_body_goes_both_ways(start: Any):
    large = b"x" * 3_000_000
    with receiver(answering(response(large[::-1]))) as there:
        _, body = start(there.url).ask("POST", "/", large)
        assert request_of(there)[2] == large
        assert body == large


def test_a_body_without_bounds_is_refused_and_not_passed_on(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        head = f"POST / HTTP/1.1\r\nHost: [::1]\r\nContent-Length: {httpserver.MAX_BODY + 1}\r\n\r\n"
        assert start(there.url).raw(head.encode()).startswith(b"HTTP/1.1 413 ")
        assert there.requests == []


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: 0x2",
    ],
)
def test_a_request_whose_end_is_unclear_is_refused(start: Any, framing: str):
    with receiver(answering(response(NOTHING))) as there:
        answer = start(there.url).raw(f"POST / HTTP/1.1\r\nHost: [::1]\r\n{framing}\r\n\r\n{{}}x".encode())
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert there.requests == []


def test_many_requests_on_one_connection(start: Any):
    with receiver(answering(response(b"1"), response(b"2"))) as there:
        one = b"POST /a HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 2\r\n\r\n{}"
        last = one.replace(b"Host: [::1]", b"Host: [::1]\r\nConnection: close")
        answers = start(there.url).raw(one + one + last)
        assert answers.count(b"HTTP/1.1 200 OK") == 3
        assert len(there.requests) == 3


def test_two_callers_at_once(start: Any):
    both = threading.Barrier(2, timeout=60)

    def act(peer: Peer) -> None:
        request = peer.read_request()
        both.wait()  # neither is answered before both have arrived
        peer.send(response((request or b"")[-1:]))

    with receiver(act) as there:
        passing = start(there.url)
        answers: dict[bytes, bytes] = {}

        def call(mark: bytes) -> None:
            answers[mark] = passing.ask("POST", "/", mark)[1]

        callers = [threading.Thread(target=call, args=(mark,)) for mark in (b"1", b"2")]
        for each in callers:
            each.start()
        for each in callers:
            each.join()
        assert answers == {b"1": b"1", b"2": b"2"}
        assert len(passing.logged()) == 2


# --- the way back ---


def test_status_headers_and_body_come_back_as_they_were(start: Any):
    answer = response(
        b"\x00odd\xff", "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Empty:", "Date: today", status="299 Odd"
    )
    with receiver(answering(answer)) as there:
        head, body = start(there.url).ask("POST", "/", PAYLOAD)
        status, *fields = head.decode().split("\r\n")
        assert status.startswith("HTTP/1.1 299")
        assert [field.rstrip() for field in fields] == [
            "Set-Cookie: a=1",
            "Set-Cookie: b=2",
            "X-Empty:",
            "Date: today",
            "Content-Length: 5",
            "Connection: close",
        ]
        assert body == b"\x00odd\xff"


def test_a_chunked_answer_comes_back_whole(start: Any):
    chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with receiver(answering(chunked)) as there:
        head, body = start(there.url).ask("POST", "/", PAYLOAD)
        assert body == b"abcde"
        assert b"Content-Length: 5" in head
        assert b"Transfer-Encoding" not in head


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate"])
def test_an_encoded_answer_comes_back_encoded_and_is_logged_decoded(start: Any, coding: str):
    raw = zlib.compressobj(wbits=-15)
    encoded = {
        "gzip": gzip.compress(NOTHING),
        "deflate": zlib.compress(NOTHING),
        "raw deflate": raw.compress(NOTHING) + raw.flush(),
    }[coding]
    with receiver(answering(response(encoded, f"Content-Encoding: {coding.split()[-1]}"))) as there:
        passing = start(there.url)
        head, body = passing.ask("POST", "/", PAYLOAD, "Accept-Encoding: br;q=1, gzip;q=0.5, zstd")
        assert body == encoded
        assert f"Content-Encoding: {coding.split()[-1]}".encode() in head
        assert request_of(there)[1]["accept-encoding"] == "gzip;q=0.5"
        [kept] = passing.logged()
        assert kept.response is not None
        assert kept.response.body == NOTHING.decode()


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [("gzip", b"no gzip"), ("gzip", gzip.compress(NOTHING)[:-9]), ("deflate", zlib.compress(NOTHING)[:-4])],
    ids=["no gzip", "cut short", "deflate cut short"],
)
def test_what_cannot_be_decoded_comes_back_and_is_said_in_the_log(start: Any, coding: str, encoded: bytes):
    with receiver(answering(response(encoded, f"Content-Encoding: {coding}"))) as there:
        passing = start(there.url)
        assert passing.ask("POST", "/", PAYLOAD)[1] == encoded
        [kept] = passing.logged()
        assert kept.fault is not None
        assert kept.fault.kind == "malformed"
        assert coding in kept.fault.message


def test_a_coding_that_nobody_asked_for_comes_back_and_is_logged_as_it_came(start: Any):
    with receiver(answering(response(b"\x0b\x06\x80x\x03", "Content-Encoding: br"))) as there:
        passing = start(there.url)
        assert passing.ask("POST", "/", PAYLOAD)[1] == b"\x0b\x06\x80x\x03"
        [kept] = passing.logged()
        assert kept.fault is None
        assert kept.response is not None
        assert kept.response.base64


def test_head_and_answers_without_a_body(start: Any):
    with receiver(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")) as there:
        head, body = start(there.url).ask("HEAD", "/order_cancel")
        assert b"Content-Length: 77" in head
        assert body == b""
    with receiver(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as there:
        head, body = start(there.url).ask("POST", "/", b"")
        assert head.startswith(b"HTTP/1.1 204")
        assert b"Content-Length" not in head
        assert request_of(there)[1]["content-length"] == "0"


def test_a_redirect_comes_back_and_is_not_followed(start: Any):
    with receiver(answering(response(b"", "Location: /elsewhere", status="307 Temporary Redirect"))) as there:
        head, _ = start(there.url, follow_redirects=True).ask("POST", "/", PAYLOAD)
        assert head.startswith(b"HTTP/1.1 307")
        assert b"Location: /elsewhere" in head
        assert len(there.requests) == 1


def one_line(head: bytes, body: bytes, status: int) -> str:
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert body.endswith(b"\n")
    assert body.count(b"\n") == 1
    return body.decode()


def test_a_fault_is_one_line_and_logged(start: Any):
    passing = start(f"http://user:pass-word-9@127.0.0.1:{unused_port()}")
    line = one_line(*passing.ask("POST", "/", PAYLOAD), 502)
    assert "nothing listens" in line
    assert "pass-word-9" not in line
    [kept] = passing.logged()
    assert kept.fault is not None
    assert kept.fault.kind == "refused"


@pytest.mark.parametrize(
    ("act", "status", "fault"),
    [
        (Peer.hang, 504, "deadline"),
        (closing_after(b""), 502, "closed"),
        (closing_after(b"garbage\r\n\r\n"), 502, "malformed"),
        (closing_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), 502, "closed"),
    ],
    ids=["hang", "close", "garbage", "short"],
)
def test_what_goes_wrong_at_the_receiver_is_a_bad_gateway(start: Any, act: Act, status: int, fault: str):
    with receiver(act) as there:
        passing = start(there.url, timeout_ms=500 if fault == "deadline" else 60_000)
        assert fault in one_line(*passing.ask("POST", "/", PAYLOAD), status)
        [kept] = passing.logged()
        assert kept.fault is not None
        assert kept.fault.kind == fault


def test_a_receiver_that_cannot_be_called_is_refused_at_once(tmp_path: Path):
    with pytest.raises(UsageError, match="no http"):
        Relay(
            Target("x", "ftp://x"),
            transport=Transport(),
            log=RunWriter,
            contracts=SHIPPED_CONTRACTS,
            clock=SystemClock(),
            environment={},
            policy=secret_policy(),
        )  # type: ignore[arg-type]


# --- who may use it ---


def test_off_loopback_only_the_unguessable_path_is_answered(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(there.url, "0.0.0.0")
        assert len(passing.path) > 20
        for path in (
            "/",
            "/order_cancel",
            passing.path[:-1],
            passing.path + "x",
            passing.path.upper() + "/",
            "*",
        ):
            head, body = passing.ask("POST", path, PAYLOAD)
            assert head.startswith(b"HTTP/1.1 404 ")
            assert body == b""
            assert b"Content-Length: 0" in head
        assert there.requests == []
        assert passing.logged() == []
        passing.ask("POST", passing.path + "/order_cancel", PAYLOAD)
        passing.ask("POST", passing.path, PAYLOAD)
        assert [request_of(there, number)[0].split()[1] for number in (0, 1)] == ["/order_cancel", "/"]
        text = "".join(str(each) for each in passing.logged())
        assert passing.path.strip("/") not in text


@pytest.mark.parametrize(
    "header", ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: same-site"]
)
def test_no_page_can_make_it_send(start: Any, header: str):
    with receiver(answering(response(NOTHING))) as there:
        head, body = start(there.url).ask("POST", "/order_cancel", PAYLOAD, header)
        assert head.startswith(b"HTTP/1.1 403 ")
        assert body == b""
        assert there.requests == []


# --- what is kept ---


def test_it_is_logged_redacted_and_recognised(start: Any):
    with receiver(answering(response(b'{"status":"success","echo":"a-secret-of-the-shop"}'))) as there:
        passing = start(there.url, headers={"X-Key": "${env:SHOP_KEY}"})
        body = b'{"action":"order_cancel","integration_auth_token":"the-token-itself"}'
        passing.ask("POST", "/order_cancel_v1", body, "Authorization: Basic dXNlcjpwYXNz")
        [kept] = passing.logged()
        assert (kept.action, kept.edition, kept.receiver) == ("order_cancel", "v1", "shop")
        text = str(kept)
        for secret in ("a-secret-of-the-shop", "the-token-itself", "dXNlcjpwYXNz"):
            assert secret not in text
        assert there.requests[0].endswith(body)
        [recorded] = passing.relay.records
        assert recorded.delivery == kept
        assert recorded.judgement is not None
        assert recorded.judgement.verdict == "recorded"


def test_a_foreign_signature_is_passed_on_and_not_kept(start: Any):
    agreed = with_own(contract_document(auth={**SIGNED, "status": 401}, secrets=None))
    quoting = response(b'{"results":[],"expected":"0123456789abcdef"}')
    with receiver(answering(quoting)) as there:
        passing = start(there.url, contracts=agreed)
        body = b'{"hold":{"refnum":"H-1"}}'
        passing.ask("POST", "/order_hold_v1", body, "x-shop-proof: v0:0123456789abcdef")
        [kept] = passing.logged()
        assert kept.action == "order_hold"
        assert dict(kept.request.headers)["x-shop-proof"] == "v0:«redacted:header x-shop-proof»"
        assert "0123456789abcdef" not in str(kept)
        assert b"x-shop-proof: v0:0123456789abcdef" in there.requests[0]
        [recorded] = passing.relay.records
        assert "0123456789abcdef" not in str(recorded.judgement)


@pytest.mark.parametrize(
    ("path", "body", "edition"),
    [
        ("/order_cancel", b"{}", "draft"),
        ("/deep/order_cancel_v1/", b"nonsense", "v1"),
        (
            "/anything",
            b'{"action":"order_cancel","version":1,"client_id":1,"channel_info":{},"order":{}}',
            "v1",
        ),
        ("/anything", b'{"action":"order_cancel","version":1,"data":{"order":{"id":"1"}}}', "draft"),
        ("/anything", b"nonsense", "draft"),
    ],
)
def test_the_edition_is_recognised_by_path_and_body(start: Any, path: str, body: bytes, edition: str):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(there.url)
        passing.ask("POST", path, body)
        assert passing.logged()[0].edition == edition


def test_a_receivers_own_path_is_recognised(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        passing = start(there.url, paths={"order_cancel": "/hooks/cancel"})
        passing.ask(
            "POST", "/hooks/cancel", b'{"action":"order_cancel","client_id":1,"channel_info":{},"order":{}}'
        )
        assert passing.logged()[0].edition == "v1"


def test_what_is_under_way_when_it_stops_is_logged(start: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relay, "GRACE", 0.01)
    arrived = threading.Event()

    def act(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        peer.hang()

    with receiver(act) as there:
        passing = start(there.url)
        answers: list[bytes] = []
        caller = threading.Thread(target=lambda: answers.append(passing.ask("POST", "/", PAYLOAD)[0]))
        caller.start()
        assert arrived.wait(60)
        passing.wait(passing.relay.stop())
        caller.join()
        assert answers[0].startswith(b"HTTP/1.1 502 ")
        [kept] = passing.logged()
        assert kept.fault is not None
        assert kept.fault.kind == "cancelled"


def test_a_caller_that_hangs_up_loses_no_delivery(start: Any):
    go_on, arrived = threading.Event(), threading.Event()

    def act(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        assert go_on.wait(60)
        peer.send(response(NOTHING))

    with receiver(act) as there:
        passing = start(there.url)
        with socket.create_connection(("127.0.0.1", passing.port)) as caller:
            caller.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
            assert arrived.wait(60)
        go_on.set()
        passing.wait(passing.relay.stop())
        [kept] = passing.logged()
        assert kept.response is not None


# --- who may ask ---


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "localhost@evil", "x y"]
)
def test_a_foreign_name_of_a_relay_on_loopback_is_refused(start: Any, host: str):
    """A page of such a name, which resolves to 127.0.0.1, is of the relay's own origin to its browser."""
    with receiver(answering(response(NOTHING))) as there:
        relaying = start(there.url)
        answer = relaying.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 421 ")
        assert b"answers to a loopback name only" in answer
    assert there.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:1", "LOCALHOST:2", "127.9.9.9"])
def test_a_loopback_name_of_a_relay_is_answered(start: Any, host: str):
    with receiver(answering(response(NOTHING))) as there:
        answer = start(there.url).raw(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_relay_with_a_secret_path_answers_to_any_name(start: Any):
    with receiver(answering(response(NOTHING))) as there:
        relaying = start(there.url, "0.0.0.0")
        request = f"GET {relaying.path} HTTP/1.1\r\nHost: desk.example\r\nConnection: close\r\n\r\n"
        assert relaying.raw(request.encode()).startswith(b"HTTP/1.1 200 ")


def test_the_caller_is_answered_once_everybody_finds_the_delivery(start: Any):
    flushed: list[int] = []
    with receiver(answering(response(NOTHING))) as shop:
        relaying = start(shop.url)

        async def flush() -> None:
            flushed.append(len(relaying.logged()))
            assert relaying.relay.records == []

        relaying.log.flush = flush
        relaying.ask("POST", "/order_cancel", PAYLOAD)
    assert flushed == [1]
