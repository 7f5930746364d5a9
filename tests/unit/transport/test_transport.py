"""The transport against real sockets: what goes out, what comes back, and every way in which it can fail."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pycurl
import pytest
import trustme

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Exchange, Fault, Headers, HttpRequest, Timings
from retailops_sandbox.transport import Transport, handle, multi, wait_until_listening
from retailops_sandbox.transport.sockets import LoopSockets
from tests.support.authority import Authority, self_signed
from tests.support.receivers import (
    Act,
    Peer,
    Receiver,
    answering,
    closing_after,
    receiver,
    response,
    tunnel,
    unused_port,
)

PATIENT = Connection(timeout_ms=20_000)
UNKNOWN = "x" * 64 + ".invalid"
"""A name too long for the resolver to ask anyone."""
JSON = ("Content-Type", "application/json")


@pytest.fixture(autouse=True)
def no_proxy_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def post(url: str, body: bytes = b"{}", *headers: tuple[str, str], method: str = "POST") -> HttpRequest:
    return HttpRequest(method, url, headers, body)


def with_transport(
    act: Callable[[Transport], Awaitable[Exchange | list[Exchange]]], **options: int
) -> Exchange | list[Exchange]:
    async def run() -> Exchange | list[Exchange]:
        async with Transport(**options) as transport:
            return await act(transport)

    return asyncio.run(run())


def send_all(*requests: HttpRequest, connection: Connection = PATIENT) -> list[Exchange]:
    """One after the other, by one transport."""

    async def act(transport: Transport) -> list[Exchange]:
        return [await transport.send(request, connection) for request in requests]

    exchanges = with_transport(act)
    assert isinstance(exchanges, list)
    return exchanges


def send(request: HttpRequest, connection: Connection = PATIENT) -> Exchange:
    return send_all(request, connection=connection)[0]


def answer_to(act: Act, connection: Connection = PATIENT) -> Exchange:
    with receiver(act) as there:
        return send(post(there.url), connection)


def kind(exchange: Exchange) -> str | None:
    return exchange.fault and exchange.fault.kind


# --- What goes out -------------------------------------------------------------------------------------


def test_exactly_the_given_headers_and_what_http_needs_go_out():
    with receiver(answering(response())) as there:
        exchange = send(
            post(f"{there.url}/a/../b?q=%7e", b'{"a":1}', JSON, ("X-Empty", ""), ("X-A", "1"), ("X-A", "2"))
        )
    host = f"127.0.0.1:{there.port}"
    head = (
        "POST /a/../b?q=%7e HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        "X-Empty:",
        "X-A: 1",
        "X-A: 2",
        "Content-Length: 7",
    )
    assert there.requests == ["\r\n".join(head).encode() + b'\r\n\r\n{"a":1}']
    assert exchange.request_headers == (
        ("Host", host),
        JSON,
        ("X-Empty", ""),
        ("X-A", "1"),
        ("X-A", "2"),
        ("Content-Length", "7"),
    )


def test_the_callers_headers_replace_what_libcurl_would_write():
    own: Headers = (
        ("Host", "shop.test"),
        ("User-Agent", "retailops"),
        ("Accept", "a/b"),
        ("Accept-Encoding", "gzip"),
        ("Expect", "nothing"),
        ("Content-Length", "2"),
    )
    with receiver(answering(response())) as there:
        exchange = send(post(there.url, b"{}", *own))
    assert sorted(exchange.request_headers) == sorted(own)
    assert there.requests[0].count(b"\r\n") == len(own) + 2


@pytest.mark.parametrize("sockets", [multi.Sockets, LoopSockets], ids=["usual", "portable"])
@pytest.mark.parametrize("body", [b"", b"\0\r\n\xff", b"x" * 3_000_000], ids=["empty", "binary", "large"])
def test_a_body_arrives_byte_for_byte(monkeypatch: pytest.MonkeyPatch, body, sockets):
    monkeypatch.setattr(multi, "Sockets", sockets)
    with receiver(answering(response())) as there:
        exchange = send(post(there.url, body))
    assert exchange.fault is None
    assert there.requests[0].partition(b"\r\n\r\n")[2] == body
    host = there.url.removeprefix("http://")
    assert exchange.request_headers == (("Host", host), ("Content-Length", str(len(body))))


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("GET", b"{}", "2"),
        ("HEAD", b"", None),
        ("PUT", b"", "0"),
        ("PUT", b"{}", "2"),
        ("DELETE", b"", None),
        ("DELETE", b"{}", "2"),
        ("PATCH", b"{}", "2"),
        ("OPTIONS", b"", None),
    ],
)
def test_other_methods(method, body, length):
    with receiver(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as there:
        exchange = send(post(there.url, body, method=method))
    assert exchange.fault is None
    assert there.requests[0].startswith(f"{method} / HTTP/1.1\r\n".encode())
    assert there.requests[0].endswith(b"\r\n\r\n" + body)
    assert dict(exchange.request_headers).get("Content-Length") == length


def test_a_handle_used_again_forgets_the_request_before():
    with receiver(answering(response(b"first"), response())) as there:
        first, second, third = send_all(
            post(there.url, b"long body", JSON, ("X-A", "1")),
            post(there.url, b"", method="GET"),
            post(there.url, b"", JSON),
        )
    assert first.response
    assert first.response.body == b"first"
    assert second.response
    assert second.response.body == b""
    assert [name for name, _ in second.request_headers] == ["Host"]
    assert dict(third.request_headers)["Content-Length"] == "0"


@pytest.mark.parametrize(
    "request_",
    [
        post("http://"),
        post("ftp://127.0.0.1/"),
        post("http://127.0.0.1:99999/"),
        post("http://127.0.0.1/ x"),
        post("http://127.0.0.1/", b"", ("X-A", "1\r\nX-B: 2")),
        post("http://127.0.0.1/", b"", ("X A", "1")),
        post("http://127.0.0.1/", b"", method="POST /x HTTP/1.1\r\nX:"),
        post("http://127.0.0.1/", b"x", method="HEAD"),
    ],
)
def test_what_is_not_http_is_the_users_error(request_):
    with pytest.raises(UsageError, match="cannot be sent"):
        send(request_)


# --- What comes back -----------------------------------------------------------------------------------


def test_a_response_keeps_the_order_and_repeats_of_its_headers():
    answer = (
        b"HTTP/1.0 203 Fine \r\nB: 1\r\nA:2  \r\nB:  \r\n  3\r\nC\xc3\xa9: \xc3\xa9\r\nB: 4:5\r\n\r\nbody"
    )
    exchange = answer_to(closing_after(answer))
    assert exchange.fault is None
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.http_version) == (203, "1.0")
    assert exchange.response.headers == (("B", "1"), ("A", "2"), ("B", "3"), ("Cé", "é"), ("B", "4:5"))
    assert exchange.response.body == b"body"


def test_headers_that_are_not_utf8_are_latin1():
    exchange = answer_to(answering(response(b"").replace(b"OK\r\n", b"OK\r\nX: \xe9\r\n")))
    assert exchange.response is not None
    assert exchange.response.headers[0] == ("X", "é")


def test_only_the_final_response_counts_after_informational_ones():
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    exchange = answer_to(answering(early + response(b"x", "A: b")))
    assert exchange.response is not None
    assert exchange.response.status == 200
    assert exchange.response.headers == (("A", "b"), ("Content-Length", "1"))


def test_trailers_follow_the_headers():
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n"
    exchange = answer_to(answering(answer))
    assert exchange.response is not None
    assert exchange.response.headers == (("Transfer-Encoding", "chunked"), ("X", "y"))
    assert exchange.response.body == b"a"


def test_an_encoded_body_is_decoded():
    plain = b'{"events":[]}' * 100
    deflated = zlib.compress(plain)
    for name, data in (("gzip", gzip.compress(plain)), ("deflate", deflated), ("identity", plain)):
        exchange = answer_to(answering(response(data, f"Content-Encoding: {name}")))
        assert exchange.response is not None
        assert exchange.response.body == plain


def test_a_redirect_is_an_answer_unless_following_was_asked_for():
    moved = response(b"moved", "Location: /there", status="307 Temporary Redirect")
    with receiver(answering(moved, response(b"arrived", "A: b"))) as there:
        stayed = send(post(there.url))
        assert len(there.requests) == 1
    with receiver(answering(moved, response(b"arrived", "A: b"))) as there:
        followed = send(post(there.url, b"{}", JSON), Connection(follow_redirects=True))
    assert stayed.response is not None
    assert (stayed.response.status, stayed.response.body) == (307, b"moved")
    assert followed.response is not None
    assert (followed.response.status, followed.response.headers[0]) == (200, ("A", "b"))
    assert [request.split(b" ", 2)[1] for request in there.requests] == [b"/", b"/there"]
    assert there.requests[1].endswith(b"{}")
    host = there.url.removeprefix("http://")
    assert followed.request_headers == (("Host", host), JSON, ("Content-Length", "2"))


def test_phases_are_timed_and_a_reused_connection_has_none():
    with receiver(answering(response())) as there:
        first, second = send_all(post(there.url), post(there.url))
    assert there.connections == 1
    assert (first.reused, second.reused) == (False, True)
    assert min(first.timings.connect, first.timings.first_byte) > 0
    assert first.timings.total >= first.timings.lookup + first.timings.connect + first.timings.first_byte
    assert second.timings == Timings(first_byte=second.timings.first_byte, total=second.timings.total)
    assert 0 < second.timings.first_byte <= second.timings.total


# --- At most one request on the wire -------------------------------------------------------------------

METHODS = [
    ("POST", b"{}"),
    ("POST", b""),
    ("PUT", b""),
    ("PATCH", b"{}"),
    ("GET", b""),
    ("HEAD", b""),
    ("DELETE", b""),
]


@pytest.mark.parametrize(("method", "body"), METHODS)
def test_a_receiver_that_closes_after_reading_gets_one_request(method, body):
    with receiver(closing_after(b"")) as there:
        exchange = send(post(there.url, body, method=method))
    assert kind(exchange) == "closed"
    assert exchange.response is None
    assert len(there.requests) == 1


@pytest.mark.parametrize("end", [lambda peer: None, Peer.reset], ids=["close", "reset"])
@pytest.mark.parametrize(("method", "body"), METHODS)
def test_a_reused_connection_that_dies_gets_no_second_request(method, body, end):
    def act(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(response())
            peer.read_request()
            end(peer)

    with receiver(act) as there:
        request = post(there.url, body, method=method)
        first, second, third = send_all(request, request, request)
    assert [kind(first), kind(second), kind(third)] == [None, "closed", None]
    assert len(there.requests) == 3
    assert second.response is None
    assert second.reused
    assert dict(second.request_headers)["Host"] == f"127.0.0.1:{there.port}"


def test_a_redirect_whose_target_closes_gets_no_second_request():
    moved = response(b"", "Location: /there", status="307 Temporary Redirect")

    def act(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(moved)
            peer.read_request()

    with receiver(act) as there:
        exchange = send(post(there.url), Connection(follow_redirects=True))
    assert kind(exchange) == "closed"
    assert len(there.requests) == 2


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="the system does not tell who hung up")
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_connection_that_the_receiver_closed_while_idle_is_not_used(authority, secure):
    closed = threading.Event()

    def act(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(response())
            peer.sock.shutdown(socket.SHUT_RDWR)
            closed.set()

    async def several(transport: Transport) -> list[Exchange]:
        exchanges = []
        for _ in range(4):
            closed.clear()
            exchanges.append(await transport.send(post(there.url), Connection(ca_file=authority.file)))
            await asyncio.to_thread(closed.wait, 10)
        return exchanges

    with receiver(act, tls=authority.server() if secure else None) as there:
        exchanges = with_transport(several)
    assert isinstance(exchanges, list)
    assert [exchange.fault for exchange in exchanges] == [None] * 4
    assert [exchange.reused for exchange in exchanges] == [False] * 4
    assert len(there.requests) == there.connections == 4


# --- Faults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Le", response(gzip.compress(b"{}")[:-6], "Content-Encoding: gzip")],
    ids=["cut in its headers", "undecodable"],
)
def test_after_a_fault_that_libcurl_overlooked_a_closed_connection_is_not_used(answer):
    answers = iter([answer, response(b"{}")])
    with receiver(lambda peer: (peer.read_request(), peer.send(next(answers)))) as there:

        async def act(transport: Transport) -> list[Exchange]:
            first = await transport.send(post(there.url), PATIENT)
            await asyncio.sleep(0.1)  # until the end of the connection has arrived
            return [first, await transport.send(post(there.url), PATIENT)]

        first, second = with_transport(act)
    assert first.fault is not None
    assert second.fault is None


def test_nothing_listens():
    port = unused_port()
    exchange = send(post(f"http://127.0.0.1:{port}/"))
    assert kind(exchange) == "refused"
    assert exchange.fault.message == f"nothing listens on 127.0.0.1:{port}: is the receiver running?"
    assert (exchange.request_headers, exchange.response, exchange.reused) == ((), None, False)


def test_a_receiver_that_listens_on_the_other_kind_of_address(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        exchange = send(post(f"http://[::1]:{port}/"))
    assert kind(exchange) == "refused"
    assert "that is IPv6 (::1) alone, and something listens on 127.0.0.1" in exchange.fault.message
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as there:
        port = there.getsockname()[1]
        exchange = send(post(f"http://127.0.0.1:{port}/"))
    assert kind(exchange) == "refused"
    assert f"that is IPv4 (127.0.0.1) alone, and something listens on [::1]:{port}" in exchange.fault.message


def test_a_name_that_leads_to_ipv6_alone(monkeypatch):
    def resolved(curl, request, connection):
        set_options(curl, request, connection)
        curl.setopt(pycurl.RESOLVE, [f"shop.test:{port}:[::1]"])

    set_options = handle.set_options
    monkeypatch.setattr(handle, "set_options", resolved)
    port = unused_port()
    exchange = send(post(f"http://shop.test:{port}/"))
    assert exchange.fault == Fault(
        "refused",
        f"nothing listens on shop.test:{port}: that is IPv6 (::1) alone. Is the receiver running, and "
        "listening on IPv6? One that listens on IPv4 alone is called by its IPv4 address",
    )


def test_an_unknown_host():
    exchange = send(post(f"http://{UNKNOWN}/"), Connection(connect_timeout_ms=10_000))
    assert kind(exchange) == "dns"
    assert exchange.fault
    assert UNKNOWN in exchange.fault.message


@contextlib.contextmanager
def full_backlog() -> Iterator[str]:
    """The URL of a listener that the kernel accepts no further connections for."""
    with socket.socket() as listener, contextlib.ExitStack() as clients:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_no_connection_in_time():
    with full_backlog() as url:
        exchange = send(post(url), Connection(connect_timeout_ms=150))
        late = send(post(url), Connection(connect_timeout_ms=20_000, timeout_ms=150))
    assert kind(exchange) == "connect timeout"
    assert exchange.fault
    assert "150 ms" in exchange.fault.message
    assert kind(late) == "deadline"
    assert exchange.request_headers == late.request_headers == ()


def test_no_answer_in_time():
    with receiver(lambda peer: (peer.read_request(), peer.hang())) as there:
        exchange = send(post(there.url), Connection(timeout_ms=200))
    assert kind(exchange) == "deadline"
    assert exchange.response is None
    assert exchange.request_headers
    assert exchange.timings.total >= 199


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX: ", response(b"x" * 1000)[:-1000]], ids=["header", "body"]
)
def test_a_dripping_receiver_cannot_outlast_the_deadline(start):
    def drip(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        while True:
            peer.send(b".")
            threading.Event().wait(0.02)

    with receiver(drip) as there:
        exchange = send(post(there.url), Connection(timeout_ms=300))
    assert kind(exchange) == "deadline"
    assert exchange.response is not None
    assert exchange.response.status == 200


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (response(b"whole body")[:-5], b"whole"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n5\r\n", b"whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", b""),
        (b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nA", b""),
    ],
    ids=["length", "chunk", "headers", "headers after 103"],
)
def test_an_answer_cut_short_is_closed_with_what_had_arrived(answer, body):
    exchange = answer_to(closing_after(answer))
    assert kind(exchange) == "closed"
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (200, body)


def test_a_reset():
    exchange = answer_to(lambda peer: (peer.read_request(), peer.reset()))
    assert kind(exchange) == "closed"
    assert exchange.fault
    assert "reset" in exchange.fault.message


MALFORMED = {
    "no HTTP at all": b"hello",
    "status": b"HTTP/1.1 abc OK\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "not gzip": response(b"not gzip", "Content-Encoding: gzip"),
    "gzip, then something else": response(
        gzip.compress(b"x" * 10_000)[:10] + b"garbage", "Content-Encoding: gzip"
    ),
    "gzip, cut short": response(gzip.compress(b"{}")[:-6], "Content-Encoding: gzip"),
    "gzip, cut in its body": response(gzip.compress(b"x" * 90)[:-12], "Content-Encoding: gzip"),
    "gzip with a wrong checksum": response(gzip.compress(b"{}")[:-8] + b"\0" * 8, "Content-Encoding: gzip"),
    "something behind gzip": response(gzip.compress(b"{}") + b"junk", "Content-Encoding: gzip"),
    "deflate, cut short": response(zlib.compress(b"{}")[:-4], "Content-Encoding: deflate"),
    "something behind deflate": response(zlib.compress(b"{}") + b"junk", "Content-Encoding: deflate"),
    "too many codings": response(b"x", f"Content-Encoding: {', '.join(['gzip'] * 6)}"),
    "too many members": response(gzip.compress(b"") * 70, "Content-Encoding: gzip"),
    "a length beyond all bounds": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nx" % 10**24,
    "two lengths in a line": b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "an unknown transfer-encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a chunk longer than its size": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"
    ),
    "HTTP/2": b"HTTP/2 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/3": b"HTTP/3 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/7": b"HTTP/7.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "http in small letters": b"http/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "tabs in the status line": b"HTTP/1.1\t200\tOK\r\nContent-Length: 1\r\n\r\nx",
    "blank lines": b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
def test_an_answer_that_is_not_http_is_malformed(answer):
    exchange = answer_to(closing_after(answer))
    assert kind(exchange) == "malformed"
    assert exchange.fault is not None
    assert not exchange.fault.message.endswith((":", ": ", "()"))
    assert not re.search(r"HTTP/0\.9|libcurl|subversion|Unrecognized|\b[0-9A-F]{8}\b", exchange.fault.message)


@pytest.mark.parametrize(
    ("data", "coding", "body"),
    [
        (gzip.compress(b"{}") + gzip.compress(b"[]"), "gzip", b"{}[]"),
        (gzip.compress(b"{}") + b"\0" * 9, "x-gzip", b"{}"),
        (gzip.compress(zlib.compress(b"{}")), "deflate, gzip", b"{}"),
        (zlib.compress(b"{}")[2:-4], "deflate", b"{}"),
        (b"", "gzip", b""),
        (b"\x0b\x00\x80x\x03", "br", b"\x0b\x00\x80x\x03"),
        (gzip.compress(b"whatever"), "gzip, zstd", gzip.compress(b"whatever")),
        (b"{}", "UTF-8", b"{}"),
    ],
    ids=["members", "padding", "two", "raw deflate", "empty", "br", "zstd", "no coding"],
)
def test_codings(data, coding, body):
    exchange = answer_to(answering(response(data, f"Content-Encoding: {coding}")))
    assert exchange.fault is None
    assert exchange.response is not None
    assert exchange.response.body == body


@pytest.mark.parametrize(
    ("data", "coding", "body"),
    [
        (gzip.compress(b"x" * 90_000 + b"y")[:-12], "gzip", b"xxx"),
        (gzip.compress(os.urandom(9) * 10_000)[:-8] + b"\0" * 8, "gzip", None),
        (b"no gzip", "gzip", b"no gzip"),
    ],
    ids=["cut short", "checksum", "nothing decoded"],
)
def test_of_a_damaged_coding_what_can_be_decoded_is_kept(data, coding, body):
    exchange = answer_to(answering(response(data, f"Content-Encoding: {coding}")))
    assert kind(exchange) == "malformed"
    assert exchange.response is not None
    if body is None:
        assert len(exchange.response.body) == 90_000
    else:
        assert exchange.response.body.startswith(body)


def test_what_came_in_the_place_of_http_is_kept():
    for came in (b"SSH-2.0-x\r\n", b'{"events":[]}', b"\r\n\r\n", b"\x15\x03\x01\x00\x02\x02F"):
        exchange = answer_to(closing_after(came))
        assert exchange.response is not None
        assert (exchange.response.status, exchange.response.body) == (0, came)
    assert exchange.fault is not None
    assert "https://127.0.0.1" in exchange.fault.message


def test_what_is_not_http_on_a_connection_that_was_kept_open():
    with receiver(answering(response(), b"220 mail ESMTP\r\n")) as there:
        _, second = send_all(post(there.url), post(there.url))
    assert second.fault == Fault(
        "malformed", "no HTTP status line, on a connection kept open since an earlier delivery"
    )


def test_what_is_not_http_and_never_ends_is_not_waited_for():
    def act(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"220 mail ESMTP\r\n")
        peer.hang()

    with receiver(act) as there:
        exchange = send(post(there.url))
    assert kind(exchange) == "malformed"


def test_white_space_without_end_is_not_http_either():
    def act(peer: Peer) -> None:
        peer.read_request()
        while True:
            peer.send(b"\r\n" * 9_000)

    with receiver(act) as there:
        exchange = send(post(there.url))
    assert kind(exchange) == "malformed"


def test_a_redirect_to_what_is_not_http():
    with receiver(closing_after(b"220 mail\r\n")) as mail:
        moved = response(b"moved", f"Location: {mail.url}/", status="303 See Other")
        with receiver(answering(moved)) as there:
            exchange = send(post(there.url), Connection(follow_redirects=True))
    assert kind(exchange) == "malformed"
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (0, b"220 mail\r\n")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("Connection: keep-alive", "has no Content-Length and is not chunked"),
        ("Content-Length: 500", "2 bytes of its body came, and its Content-Length announces 500"),
        ("Transfer-Encoding: chunked", "the chunk of size 0 that ends it did not"),
    ],
)
def test_an_answer_without_an_end_says_what_would_end_it(head, words):
    body = b"2\r\n{}\r\n" if "chunked" in head else b"{}"

    def act(peer: Peer) -> None:
        peer.read_request()
        peer.send(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)
        peer.hang()

    exchange = answer_to(act, Connection(timeout_ms=300))
    assert kind(exchange) == "deadline"
    assert exchange.fault is not None
    assert words in exchange.fault.message
    if "keep-alive" not in head:
        closed = answer_to(closing_after(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body))
        assert closed.fault is not None
        assert (closed.fault.kind, words in closed.fault.message) == ("closed", True)


def test_redirects_in_a_circle():
    with receiver(answering(response(b"", "Location: /", status="307 Temporary Redirect"))) as there:
        exchange = send(post(there.url), Connection(follow_redirects=True))
    assert kind(exchange) == "malformed"
    assert len(there.requests) == 11


@pytest.mark.parametrize("encode", [bytes, gzip.compress], ids=["plain", "gzip bomb"])
def test_a_body_beyond_the_limit_is_cut_there(encode):
    encoding = "gzip" if encode is gzip.compress else "identity"
    answer = response(encode(b"x" * 2_000_000), f"Content-Encoding: {encoding}")
    exchange = answer_to(answering(answer), Connection(max_body=100_000))
    assert kind(exchange) == "too large"
    assert exchange.response is not None
    assert exchange.response.body == b"x" * 100_000


def test_a_body_of_just_the_limit_is_whole():
    exchange = answer_to(answering(response(b"x" * 100_000)), Connection(max_body=100_000))
    assert exchange.fault is None


@pytest.mark.parametrize(
    "headers",
    [["X: " + "a" * 2000], ["X: " + "a" * 200_000], ["X: " + "a" * 1000] * 400],
    ids=["ours", "libcurl's for a line", "libcurl's for all"],
)
def test_headers_beyond_the_limit(headers):
    exchange = answer_to(answering(response(b"", *headers)), Connection(max_headers=1000))
    assert kind(exchange) == "too large"
    assert exchange.response is not None
    assert exchange.response.status == 200
    assert len(str(exchange.response.headers)) <= 1100


# --- TLS -----------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls_answer(context: ssl.SSLContext, connection: Connection) -> Exchange:
    with receiver(answering(response(b"ok")), tls=context) as there:
        exchange = send(post(there.url), connection)
        assert len(there.requests) == (exchange.fault is None)
    return exchange


def test_tls_with_the_receivers_ca_file(authority):
    exchange = tls_answer(authority.server(), Connection(ca_file=authority.file))
    assert exchange.fault is None
    assert exchange.timings.tls > 0


def test_tls_with_the_environments_ca_file(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    assert tls_answer(authority.server(), Connection()).fault is None


def test_tls_without_verification(authority):
    assert tls_answer(authority.server("other.test"), Connection(verify=False)).fault is None


def test_an_unverified_connection_is_not_reused_for_a_verified_send(authority):
    async def both(transport: Transport) -> list[Exchange]:
        return [await transport.send(post(there.url), Connection(verify=verify)) for verify in (False, True)]

    with receiver(answering(response()), tls=authority.server()) as there:
        exchanges = with_transport(both)
    assert isinstance(exchanges, list)
    assert [kind(exchange) for exchange in exchanges] == [None, "tls"]


def test_tls_with_a_client_certificate(authority):
    connection = Connection(
        ca_file=authority.file, client_cert=authority.client_file, client_key=authority.key_file
    )
    assert tls_answer(authority.server(wants_client=True), connection).fault is None


def test_a_missing_client_certificate(authority):
    exchange = tls_answer(authority.server(wants_client=True), Connection(ca_file=authority.file))
    assert kind(exchange) == "tls"


@pytest.mark.parametrize(
    ("name", "connection"),
    [
        ("127.0.0.1", {}),
        ("other.test", {"ca_file": "{ca}"}),
        ("127.0.0.1", {"ca_file": "/no/such/file.pem"}),
        ("127.0.0.1", {"verify": False, "client_cert": "/no/such/file.pem"}),
    ],
    ids=["unknown authority", "another name", "no CA file", "no client certificate file"],
)
def test_tls_that_cannot_be_trusted(authority, name, connection):
    given = {key: authority.file if value == "{ca}" else value for key, value in connection.items()}
    exchange = tls_answer(authority.server(name), msgspec.structs.replace(Connection(), **given))
    assert kind(exchange) == "tls"
    assert exchange.response is None


def tls_words(context: ssl.SSLContext, connection: Connection = PATIENT) -> str:
    exchange = tls_answer(context, connection)
    assert kind(exchange) == "tls"
    assert exchange.fault is not None
    assert not re.search("SSL routines|OpenSSL|error:|errno|verify result", exchange.fault.message)
    return exchange.fault.message


def test_tls_that_cannot_be_trusted_says_what_to_do(authority, tmp_path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    (tmp_path / "empty.pem").write_text("")
    elsewhere = Connection(ca_file=str(other))
    assert "is not known here: give the certificate of its authority" in tls_words(authority.server())
    said = tls_words(authority.server(), elsewhere)
    assert said.startswith(f"the CA file {other} does not hold the authority that issued the receiver's")
    said = tls_words(authority.server(), Connection(ca_file=str(tmp_path / "empty.pem")))
    assert said.startswith(f"the CA file {tmp_path}/empty.pem cannot be used")
    own, file = self_signed(tmp_path)
    assert tls_words(own).startswith("the receiver's certificate is self-signed: give")
    assert f"is self-signed, and {other} does not hold it" in tls_words(own, elsewhere)
    assert "another name than 127.0.0.1" in tls_words(
        authority.server("other.test"), Connection(ca_file=authority.file)
    )
    assert tls_answer(own, Connection(ca_file=file)).fault is None
    over = authority.server(expires=datetime(2020, 1, 1, tzinfo=UTC))
    assert "has expired" in tls_words(over, Connection(ca_file=authority.file))


def test_plain_http_to_a_receiver_that_speaks_tls(authority):
    with receiver(answering(response()), tls=authority.server()) as there:
        exchange = send(post(there.url.replace("https:", "http:")))
    assert kind(exchange) == "closed"
    assert exchange.fault is not None
    assert f"if it speaks TLS, its URL begins with https://127.0.0.1:{there.port}" in exchange.fault.message


def test_tls_to_a_receiver_that_speaks_none():
    with receiver(lambda peer: peer.send(response())) as there:
        exchange = send(post(there.url.replace("http:", "https:")))
    assert kind(exchange) == "tls"
    assert exchange.fault
    assert "http://" in exchange.fault.message
    with receiver(Peer.hang) as there:
        exchange = send(post(there.url.replace("http:", "https:")), Connection(connect_timeout_ms=150))
    assert kind(exchange) == "connect timeout"
    assert exchange.fault
    assert "TLS" in exchange.fault.message


# --- Proxies and netrc ---------------------------------------------------------------------------------


def test_the_receivers_proxy_is_used_even_for_loopback(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with receiver(answering(response(b"by proxy"))) as proxy:
        exchange = send(post("http://127.0.0.1:9/x"), Connection(proxy=proxy.url))
    assert exchange.response is not None
    assert exchange.response.body == b"by proxy"
    assert proxy.requests == [
        b"POST http://127.0.0.1:9/x HTTP/1.1\r\nHost: 127.0.0.1:9\r\nContent-Length: 2\r\n\r\n{}"
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "user@localhost"])
def test_the_environments_proxy_is_never_used_for_loopback(monkeypatch, host):
    with (
        receiver(answering(response(b"direct"))) as there,
        receiver(answering(response(b"by proxy"))) as proxy,
    ):
        for name in ("http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        exchange = send(post(there.url.replace("127.0.0.1", host)))
    assert exchange.response is not None
    assert exchange.response.body == b"direct"


@pytest.mark.parametrize("host", ["receiver.test", "127.0.0.1.nip.test", "localhost.test", "a@b.test"])
def test_the_environments_proxy_is_used_for_others(monkeypatch, host):
    with receiver(answering(response(b"by proxy"))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        exchange = send(post(f"http://{host}/x"))
    assert exchange.response is not None
    assert exchange.response.body == b"by proxy"


def test_a_tunnel_shows_neither_its_request_nor_its_answer(authority):
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(receiver(tunnel))
        there = stack.enter_context(receiver(answering(response(b"ok")), tls=authority.server()))
        closing = stack.enter_context(receiver(closing_after(b""), tls=authority.server()))
        connection = Connection(ca_file=authority.file, proxy=proxy.url)
        answered = send(post(there.url), connection)
        unanswered = send(post(closing.url), connection)
    assert proxy.requests[0].startswith(b"CONNECT ")
    assert answered.request_headers == (("Host", f"127.0.0.1:{there.port}"), ("Content-Length", "2"))
    assert answered.response is not None
    assert answered.response.headers == (("Content-Length", "2"),)
    assert kind(unanswered) == "closed"
    assert unanswered.response is None
    assert unanswered.request_headers == (("Host", f"127.0.0.1:{closing.port}"), ("Content-Length", "2"))


def test_a_proxy_that_refuses_the_tunnel():
    with receiver(answering(response(b"no", status="403 Forbidden"))) as proxy:
        exchange = send(post("https://127.0.0.1:9/"), Connection(proxy=proxy.url))
    assert kind(exchange) == "refused"
    assert exchange.response is None
    assert exchange.fault
    assert "403" in exchange.fault.message


def test_a_proxy_that_is_not_there():
    exchange = send(post("http://127.0.0.1:9/"), Connection(proxy=f"http://127.0.0.1:{unused_port()}"))
    assert kind(exchange) == "refused"
    assert exchange.fault
    assert "proxy" in exchange.fault.message
    lost = send(post("http://127.0.0.1:9/"), Connection(proxy=f"http://{UNKNOWN}:1"))
    assert kind(lost) == "dns"


def test_netrc_gives_user_and_password(tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with receiver(answering(response())) as there:
        with_netrc = send(post(there.url), Connection(netrc=True))
        without = send(post(there.url))
    assert dict(with_netrc.request_headers)["Authorization"] == "Basic YW5uOnNlY3JldA=="
    assert "Authorization" not in dict(without.request_headers)


# --- Hanging up ----------------------------------------------------------------------------------------


def hanging_after(start: bytes) -> Act:
    def act(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.hang()

    return act


def test_hanging_up_on_purpose():
    with receiver(hanging_after(response(b"half")[:-2])) as there:
        exchange = send(post(there.url), Connection(drop_after_ms=150))
        assert there.left.wait(60)
    assert kind(exchange) == "cancelled"
    assert exchange.fault
    assert "on purpose after 150 ms" in exchange.fault.message
    assert exchange.timings.total >= 149
    assert exchange.response is not None
    assert exchange.response.body == b"ha"


def test_an_answer_before_hanging_up_is_kept():
    exchange = answer_to(answering(response(b"quick")), Connection(drop_after_ms=20_000))
    assert exchange.fault is None


def test_cancel_ends_the_send_of_that_key_only():
    async def act(transport: Transport) -> list[Exchange]:
        sends = [asyncio.create_task(transport.send(post(there.url), PATIENT, key=key)) for key in "ab"]
        while len(there.requests) < 2:
            await asyncio.sleep(0.005)
        assert transport.cancel("a")
        assert not transport.cancel("a")
        assert not transport.cancel("c")
        first = await sends[0]
        assert not sends[1].done()
        assert transport.cancel("b")
        return [first, await sends[1]]

    with receiver(lambda peer: (peer.read_request(), peer.hang())) as there:
        exchanges = with_transport(act)
        assert there.left.wait(60)
    assert isinstance(exchanges, list)
    assert [kind(exchange) for exchange in exchanges] == ["cancelled", "cancelled"]
    assert exchanges[0].request_headers


def test_a_finished_send_cannot_be_cancelled():
    async def act(transport: Transport) -> Exchange:
        exchange = await transport.send(post(there.url), PATIENT, key="a")
        assert not transport.cancel("a")
        return exchange

    with receiver(answering(response())) as there:
        with_transport(act)


def test_a_cancelled_task_hangs_up_and_the_transport_goes_on():
    async def act(transport: Transport) -> Exchange:
        task = asyncio.create_task(transport.send(post(there.url), PATIENT, key="a"))
        while not there.requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(there.left.wait, 10)
        assert not transport.cancel("a")
        return await transport.send(post(other.url), PATIENT)

    with (
        receiver(lambda peer: (peer.read_request(), peer.hang())) as there,
        receiver(answering(response())) as other,
    ):
        exchange = with_transport(act)
    assert isinstance(exchange, Exchange)
    assert exchange.fault is None


def test_leaving_the_transport_ends_what_is_under_way():
    async def run(there: Receiver) -> list[Exchange]:
        async with Transport(max_connections=1) as transport:
            tasks = [asyncio.create_task(transport.send(post(there.url), PATIENT)) for _ in range(3)]
            while not there.requests:
                await asyncio.sleep(0.005)
        return await asyncio.gather(*tasks)

    with receiver(lambda peer: (peer.read_request(), peer.hang())) as there:
        exchanges = asyncio.run(run(there))
    assert [kind(exchange) for exchange in exchanges] == ["cancelled"] * 3
    assert len(there.requests) == 1


def test_leaving_does_not_wait_for_a_resolver_that_does_not_answer(monkeypatch):
    resolver_answers, closed = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self._multi = pycurl_multi()

        def __getattr__(self, name: str) -> object:
            return getattr(self._multi, name)

        def close(self) -> None:
            resolver_answers.wait()
            self._multi.close()
            closed.set()

    pycurl_multi = pycurl.CurlMulti
    monkeypatch.setattr(pycurl, "CurlMulti", Slow)
    with receiver(answering(response())) as there:
        send(post(there.url))  # would never come back
        resolver_answers.set()
        assert closed.wait(60)


# --- Connections and handles ---------------------------------------------------------------------------


def test_no_more_connections_than_allowed_and_waiting_is_not_the_deliverys_time():
    async def act(transport: Transport) -> list[Exchange]:
        connection = Connection(timeout_ms=20_000)
        return await asyncio.gather(*(transport.send(post(there.url), connection) for _ in range(12)))

    most, now, lock = 0, 0, threading.Lock()

    def answer(peer: Peer) -> None:
        nonlocal most, now
        while peer.read_request() is not None:
            with lock:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.01)
            with lock:
                now -= 1
            peer.send(response())

    with receiver(answer) as there:
        exchanges = with_transport(act, max_connections=3)
    assert isinstance(exchanges, list)
    assert [kind(exchange) for exchange in exchanges] == [None] * 12
    assert there.connections == 3
    assert most <= 3


def test_a_waiting_send_can_be_cancelled_or_be_impossible():
    async def act(transport: Transport) -> list[Exchange]:
        first = asyncio.create_task(transport.send(post(there.url), PATIENT, key="first"))
        waiting = asyncio.create_task(transport.send(post(there.url), PATIENT, key="waiting"))
        given_up = asyncio.create_task(transport.send(post(there.url), PATIENT))
        impossible = asyncio.create_task(transport.send(post("nonsense://"), PATIENT))
        last = asyncio.create_task(transport.send(post(other.url), PATIENT))
        while not there.requests:
            await asyncio.sleep(0.005)
        given_up.cancel()
        assert transport.cancel("waiting")
        ended = await waiting
        assert transport.cancel("first")
        with pytest.raises(UsageError):
            await impossible
        return [await first, ended, await last]

    with (
        receiver(lambda peer: (peer.read_request(), peer.hang())) as there,
        receiver(answering(response())) as other,
    ):
        exchanges = with_transport(act, max_connections=1)
    assert isinstance(exchanges, list)
    assert [kind(exchange) for exchange in exchanges] == ["cancelled", "cancelled", None]
    assert exchanges[1] == Exchange((), None, exchanges[1].fault, Timings())


def open_files() -> list[str]:
    """What each of this process's descriptors leads to, those of the test's own receivers included."""
    targets = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            targets.append(os.readlink(f"/proc/self/fd/{fd}"))
    return targets


def settles_at(count: int) -> bool:
    """Whether no more than so many stay open: the receivers, also in this process, take a moment to close."""
    for _ in range(1000):
        if len(open_files()) <= count:
            return True
        threading.Event().wait(0.01)
    return False


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists its descriptors")
def test_no_fault_leaks_a_descriptor_or_a_handle():
    dead = f"http://127.0.0.1:{unused_port()}/"

    async def every_way(transport: Transport) -> None:
        await transport.send(post(dead), PATIENT, key="dead")
        await transport.send(post(closing.url), PATIENT)
        await transport.send(post(hanging.url), Connection(timeout_ms=20))
        await transport.send(post(hanging.url), Connection(drop_after_ms=10))
        task = asyncio.create_task(transport.send(post(hanging.url), PATIENT))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])

    async def run() -> None:
        async with Transport() as transport:
            await every_way(transport)
            handles, before = len(transport._idle), len(open_files())
            for _ in range(10):
                await every_way(transport)
            assert not transport._under_way
            assert not transport._by_key
            assert len(transport._idle) == handles
            assert settles_at(before)

    with receiver(closing_after(b"")) as closing, receiver(lambda p: (p.read_request(), p.hang())) as hanging:
        before = len(open_files())
        asyncio.run(run())
        assert settles_at(before)


# --- Waiting for a receiver ----------------------------------------------------------------------------


def test_waiting_until_a_receiver_listens():
    port = unused_port()

    async def run() -> tuple[bool, bool]:
        absent = await wait_until_listening(f"http://127.0.0.1:{port}/x", 0.01)
        waiting = asyncio.create_task(wait_until_listening(f"http://127.0.0.1:{port}/x", 60))
        await asyncio.sleep(0.02)
        with socket.create_server(("127.0.0.1", port)):
            return absent, await waiting

    assert asyncio.run(run()) == (False, True)


# --- Starting up ---------------------------------------------------------------------------------------


def test_importing_the_transport_imports_no_certificates():
    code = "import sys, retailops_sandbox.transport; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"certifi", "httpx2", "requests", "starlette"} & set(done.stdout.split())


def test_a_body_in_too_many_pieces_is_too_large():
    body = b"1\r\na\r\n" * 500_001 + b"0\r\n\r\n"
    exchange = answer_to(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body))
    assert kind(exchange) == "too large"
    assert exchange.fault is not None
    assert exchange.fault.message == "the body came in more than 500,000 pieces"
    assert exchange.response is not None
    assert exchange.response.body == b"a" * 500_000


def test_an_answer_of_many_small_chunks_leaves_the_loop_to_others(monkeypatch: pytest.MonkeyPatch):
    turns, pieces = 0, Counter[int]()
    on_body = handle.Handle._on_body

    def counting(one: handle.Handle, chunk: bytes) -> int:
        pieces[turns] += 1
        return on_body(one, chunk)

    async def run(url: str) -> Exchange:
        nonlocal turns
        async with Transport() as transport:
            sending = asyncio.create_task(transport.send(post(url), PATIENT))
            while not sending.done():
                turns += 1
                await asyncio.sleep(0)
            return await sending

    monkeypatch.setattr(handle.Handle, "_on_body", counting)
    chunks = b"1\r\na\r\n" * 400_000 + b"0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with receiver(answering(answer)) as there:
        assert asyncio.run(run(there.url)).fault is None
    assert sum(pieces.values()) == 400_000
    assert max(pieces.values()) <= 100 * 4096 / 6
