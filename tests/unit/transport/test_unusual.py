"""Requests that are spelled in an unusual way, as the bytes that a receiver sees on its socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Exchange, HttpRequest, Wire
from retailops_sandbox.transport import Transport, unusual
from tests.support.authority import Authority
from tests.support.receivers import Act, Peer, Receiver, answering, answering_when, receiver, response

PATIENT = Connection(timeout_ms=20_000)
BODY = b'{"a":1}'
OK = response(b"ok")
HEADERS = (("Content-Type", "application/json"), ("Accept", "*/*"), ("User-Agent", "test"))
USUAL = "Content-Type: application/json\r\nAccept: */*\r\nUser-Agent: test\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def post(there: Receiver, wire: Wire | None, *, method: str = "POST", body: bytes = BODY) -> HttpRequest:
    return HttpRequest(method, f"{there.url}/path", HEADERS, body, wire)


def send_all(*requests: HttpRequest, connection: Connection = PATIENT) -> list[Exchange]:
    """One after the other, by one transport."""

    async def run() -> list[Exchange]:
        async with Transport() as transport:
            return [await transport.send(request, connection) for request in requests]

    return asyncio.run(run())


def seen_by(act: Act, wire: Wire, *, method: str = "POST", body: bytes = BODY) -> tuple[str, Exchange]:
    """All bytes of one request as its receiver saw them, without the port, and what came of it."""
    with receiver(act) as there:
        exchange = send_all(post(there, wire, method=method, body=body))[0]
        assert there.connections == 1
        return there.requests[0].decode().replace(str(there.port), "PORT"), exchange


def status(exchange: Exchange) -> int:
    assert exchange.fault is None, exchange.fault
    assert exchange.response is not None
    return exchange.response.status


def test_a_request_without_anything_unusual_is_the_same_with_a_spelling():
    with receiver(answering(OK)) as there:
        assert [status(each) for each in send_all(post(there, None), post(there, Wire()))] == [200, 200]
        first, second = there.requests
    assert first.lower() == second.lower()
    assert there.connections == 1


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT", "TRACE", "BREW"])
def test_any_method_has_a_body(method: str):
    seen, exchange = seen_by(answering(OK), Wire(), method=method)
    assert seen.startswith(f"{method} /path HTTP/1.1\r\n")
    assert seen.endswith('Content-Length: 7\r\n\r\n{"a":1}')
    assert status(exchange) == 200


def test_a_method_without_a_body_states_no_length():
    seen, _ = seen_by(answering(OK), Wire(), method="GET", body=b"")
    assert seen == f"GET /path HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n{USUAL}\r\n"


@pytest.mark.parametrize("body", [b"", BODY])
def test_the_answer_to_head_has_no_body_and_is_not_waited_for(body: bytes):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Type: text/plain\r\n\r\n"
    with receiver(answering(answer)) as there:
        head = post(there, Wire(), method="HEAD", body=body)
        first, second = send_all(head, head)
        assert there.requests[0].endswith(body)
    for exchange in (first, second):
        assert status(exchange) == 200
        assert exchange.response is not None
        assert (exchange.response.body, len(exchange.response.headers)) == (b"", 2)


def test_a_method_that_is_none_is_a_usage_error():
    with receiver(answering(OK)) as there, pytest.raises(UsageError, match="is not an HTTP method"):
        send_all(post(there, Wire(), method="G T"))


@pytest.mark.parametrize(
    "target", ["*", "http://elsewhere/x", "/a b", "/ä", "/a/../b//c", "//d", "/#e", "/?q=[1]&r={%2f}", "/%zz"]
)
def test_the_target_is_sent_as_it_is(target: str):
    with receiver(answering(OK)) as there:
        url = f"{there.url}{target}" if target.startswith("/") else f"{there.url}/path"
        exchange = send_all(HttpRequest("POST", url, HEADERS, BODY, Wire(path=target)))[0]
        assert status(exchange) == 200
        assert (
            there.requests[0]
            .decode()
            .startswith(f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{there.port}\r\n")
        )


def test_http_1_0():
    seen, exchange = seen_by(answering(OK), Wire(http="1.0"))
    assert seen == (
        f'POST /path HTTP/1.0\r\nHost: 127.0.0.1:PORT\r\n{USUAL}Content-Length: 7\r\n\r\n{{"a":1}}'
    )
    assert status(exchange) == 200


def test_header_lines_are_sent_as_they_are_in_their_order():
    lines = [
        "x-B: 1",
        "X-b:2",
        "HOST: one",
        "host: two",
        "Empty:",
        "accept:  text/plain",
        "content-length: 7",
    ]
    seen, exchange = seen_by(answering(OK), Wire(headers=lines))
    usual = "Content-Type: application/json\r\nUser-Agent: test\r\n"
    assert seen == f"POST /path HTTP/1.1\r\n{usual}" + "\r\n".join(lines) + '\r\n\r\n{"a":1}'
    assert [f"{name}: {value}" for name, value in exchange.request_headers[2:5]] == [
        "x-B: 1",
        "X-b: 2",
        "HOST: one",
    ]


def test_a_line_of_the_request_does_not_make_libcurl_act():
    lines = ["Transfer-Encoding: chunked", "Expect: 100-continue", "Authorization: x", "Connection: close"]
    seen, exchange = seen_by(answering_when(lambda seen: seen.endswith(BODY), OK), Wire(headers=lines))
    assert seen.endswith("\r\n".join(lines) + '\r\n\r\n{"a":1}')
    assert status(exchange) == 200


def test_headers_that_every_request_has_are_left_out():
    with receiver(answering_when(lambda seen: seen.endswith(BODY), OK)) as there:
        request = HttpRequest("POST", there.url, HEADERS, BODY, Wire(), None, ("host", "content-length"))
        assert status(send_all(request)[0]) == 200
        assert there.requests[0].decode() == f"POST / HTTP/1.1\r\n{USUAL}\r\n" + '{"a":1}'


def test_a_wrong_length_is_sent_as_it_is():
    seen, _ = seen_by(
        answering_when(lambda seen: seen.endswith(BODY), OK), Wire(headers=["Content-Length: 999"])
    )
    assert seen.endswith('Content-Length: 999\r\n\r\n{"a":1}')


@pytest.mark.parametrize(
    ("size", "framed"),
    [(3, '3\r\n{"a\r\n3\r\n":1\r\n1\r\n}\r\n'), (7, '7\r\n{"a":1}\r\n'), (99, '7\r\n{"a":1}\r\n')],
)
def test_chunks_have_the_size_that_was_asked_for(size: int, framed: str):
    act = answering_when(lambda seen: seen.endswith(b"0\r\n\r\n"), OK)
    with receiver(act) as there:
        headers = (*HEADERS, ("Transfer-Encoding", "chunked"))
        request = HttpRequest("POST", there.url, headers, BODY, Wire(chunked=size))
        assert status(send_all(request)[0]) == 200
        seen = there.requests[0].decode()
    assert seen.endswith(f"Transfer-Encoding: chunked\r\n\r\n{framed}0\r\n\r\n")
    assert "Content-Length" not in seen


def test_an_empty_body_in_chunks_is_the_last_chunk():
    seen, _ = seen_by(
        answering_when(lambda seen: seen.endswith(b"0\r\n\r\n"), OK), Wire(chunked=5), method="GET", body=b""
    )
    assert seen.endswith("\r\n\r\n0\r\n\r\n")


class Waiting:
    """A receiver that reads the head of a request, says something, and reads on."""

    def __init__(self, word: bytes) -> None:
        self.word = word
        self.head = b""

    def __call__(self, peer: Peer) -> None:
        self.head = peer.read_until(lambda seen: seen.endswith(b"\r\n\r\n"))
        peer.send(self.word)
        if self.word == CONTINUE:
            peer.read_until(lambda seen: seen.endswith(BODY))
            peer.send(OK)
        peer.hang()


def expecting(there: Receiver, **wire: int) -> HttpRequest:
    headers = (*HEADERS, ("Expect", "100-continue"))
    made = Wire(expect_continue=True, break_off_after=wire.get("break_off_after"))
    return HttpRequest("POST", there.url, headers, BODY, made)


def test_the_body_waits_until_it_may_come():
    act = Waiting(CONTINUE)
    with receiver(act) as there:
        exchange = send_all(expecting(there))[0]
        assert status(exchange) == 200
        assert act.head.endswith(b"Expect: 100-continue\r\nContent-Length: 7\r\n\r\n")
        assert there.requests[1] == BODY


@pytest.mark.parametrize("refusal", ["417 Expectation Failed", "401 Unauthorized", "500 Oh"])
def test_a_body_that_is_refused_is_not_sent_and_the_answer_is_whole(refusal: str):
    act = Waiting(response(b"no", status=refusal))
    with receiver(act) as there:
        exchange = send_all(expecting(there))[0]
        assert status(exchange) == int(refusal[:3])
        assert exchange.response is not None
        assert exchange.response.body == b"no"
        assert (there.connections, len(there.requests)) == (1, 1)


def test_a_body_comes_in_the_end_where_nobody_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unusual, "CONTINUE_SECONDS", 0.05)
    with receiver(answering(OK)) as there:
        exchange = send_all(expecting(there))[0]
        assert status(exchange) == 200
        assert there.requests[0].endswith(BODY)


def test_an_answer_before_the_body_was_asked_for_is_taken():
    with receiver(Waiting(OK)) as there:
        assert status(send_all(expecting(there))[0]) == 200


@pytest.mark.parametrize("is_reused", [False, True])
def test_a_connection_closed_in_the_place_of_asking_for_the_body_is_a_closed_one(is_reused: bool):
    def act(peer: Peer) -> None:
        while not peer.read_until(lambda seen: seen.endswith(b"\r\n\r\n")).count(b"Expect"):
            peer.send(OK)

    with receiver(act) as there:
        empty = HttpRequest("GET", there.url, HEADERS, b"", Wire())
        exchange = send_all(*([empty] if is_reused else []), expecting(there))[-1]
        assert there.connections == 1
    assert exchange.fault is not None
    assert (exchange.fault.kind, exchange.response) == ("closed", None)


def test_all_header_names_are_in_lower_case_but_those_of_the_own_lines():
    with receiver(answering(OK)) as there:
        exchange = send_all(post(there, Wire(lower_case=True, headers=["X-Own: A"])))[0]
        assert status(exchange) == 200
        head = there.requests[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    authority = there.url.partition("//")[2]
    assert f"host: {authority}" in head
    assert f"content-length: {len(BODY)}" in head
    assert [line for line in head if line.partition(":")[0] != line.partition(":")[0].lower()] == ["X-Own: A"]


def test_the_speed_is_bounded():
    connection = Connection(timeout_ms=300)
    with receiver(answering(OK)) as there:
        exchange = send_all(post(there, Wire(bytes_per_second=1), body=b"x" * 100), connection=connection)[0]
    assert exchange.fault is not None
    assert exchange.fault.kind == "deadline"  # at full speed it is answered at once
    with receiver(answering(OK)) as there:
        fast = post(there, Wire(bytes_per_second=1_000_000), body=b"x" * 100)
        assert status(send_all(fast, connection=PATIENT)[0]) == 200


def reading(peer: Peer) -> None:
    """Reads until the client hangs up."""
    peer.read_until(lambda _: False)
    peer.receiver.left.set()


@pytest.mark.parametrize("after", [0, 1, 6, 7, 99])
def test_the_connection_is_broken_off_after_the_bytes_that_were_asked_for(after: int):
    def act(peer: Peer) -> None:
        (reading if peer.receiver.connections == 1 else answering(OK))(peer)

    async def run(there: Receiver) -> tuple[Exchange, Exchange]:
        async with Transport() as transport:
            broken = await transport.send(post(there, Wire(break_off_after=after)), PATIENT)
            await asyncio.to_thread(there.left.wait, 20)
            return broken, await transport.send(post(there, None), PATIENT)

    with receiver(act) as there:
        broken, next_one = asyncio.run(run(there))
        assert (status(next_one), next_one.reused) == (200, False)
        head, _, body = there.requests[0].partition(b"\r\n\r\n")
    assert body == BODY[:after]
    assert head.endswith(b"Content-Length: 7")
    assert broken.fault is not None
    assert broken.fault.kind == "cancelled"
    assert broken.fault.message == f"hung up on purpose after {min(after, 7)} of 7 bytes of the body"
    assert broken.response is None
    assert len(broken.request_headers) == 5


def test_a_large_body_is_broken_off_where_the_bytes_end():
    after = 3_000_000
    with receiver(reading) as there:
        exchange = send_all(post(there, Wire(break_off_after=after), body=b"y" * 5_000_000))[0]
        assert exchange.fault is not None
        assert there.left.wait(20)
    assert len(there.requests[0].partition(b"\r\n\r\n")[2]) == after


def test_it_is_broken_off_there_by_tls_too(tmp_path: Path):
    authority = Authority(tmp_path)
    trusting = Connection(ca_file=authority.file, timeout_ms=20_000)
    with receiver(reading, tls=authority.server()) as there:
        exchange = send_all(post(there, Wire(break_off_after=4)), connection=trusting)[0]
        assert exchange.fault is not None
        assert exchange.fault.kind == "cancelled"
        assert there.left.wait(20)
        assert there.requests[0].partition(b"\r\n\r\n")[2] == BODY[:4]


def test_a_receiver_that_answers_before_the_break_is_judged_by_its_answer():
    with receiver(Waiting(response(b"no", status="413 Too Large"))) as there:
        assert status(send_all(expecting(there, break_off_after=3))[0]) == 413


@pytest.mark.parametrize(
    ("wire", "left_out", "connections"),
    [
        (Wire(headers=["Content-Length: 6"]), (), 2),
        (Wire(headers=["transfer-encoding: identity"]), (), 2),
        (Wire(), ("content-length",), 2),
        (Wire(method="CONNECT"), (), 2),
        (Wire(method="GET"), (), 2),
        (Wire(method="PUT"), (), 1),
        (Wire(headers=["X-A: 1"], lower_case=True), (), 1),
    ],
)
def test_what_a_receiver_may_misread_does_not_spoil_the_next_request(
    wire: Wire, left_out: tuple[str, ...], connections: int
):
    with receiver(answering(OK)) as there:
        method = wire.method or "POST"
        unclear = HttpRequest(method, there.url, HEADERS, BODY, wire, left_out=left_out)
        assert [status(each) for each in send_all(unclear, post(there, None))] == [200, 200]
        assert there.connections == connections
        assert there.requests[-1].startswith(b"POST /path HTTP/1.1\r\n")


def test_nothing_of_a_spelling_is_left_for_the_next_request():
    wire = Wire(http="1.0", headers=["X-A: 1", "host: other"], bytes_per_second=1_000_000, path="/other")
    with receiver(answering(OK)) as there:
        plain = post(there, None)
        assert [status(each) for each in send_all(plain, post(there, wire), plain)] == [200, 200, 200]
        first, _, third = there.requests
    assert first == third


def test_a_connection_that_died_is_no_second_request():
    def act(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        peer.reset()

    with receiver(act) as there:
        request = post(there, Wire(expect_continue=False, headers=["X-A: 1"]))
        first, second = send_all(request, request)
        assert status(first) == 200
        assert second.fault is not None
        assert second.fault.kind == "closed"
        assert len(there.requests) == 2


tokens = st.text("abcXYZ-09", min_size=1, max_size=12)
lines = st.builds(
    lambda name, gap, value: f"X{name}:{gap}{value}".rstrip(),
    tokens,
    st.sampled_from(["", " ", "  "]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
)
targets = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=20
)


@settings(max_examples=60, deadline=None)
@given(
    method=tokens.filter(lambda name: name != "HEAD"),
    target=targets.map("/{}".format),
    written=st.lists(lines, max_size=6),
    body=st.binary(max_size=200),
    chunked=st.none() | st.integers(1, 50),
)
def test_any_request_arrives_as_it_was_spelled(
    method: str, target: str, written: list[str], body: bytes, chunked: int | None
):
    def is_whole(seen: bytes) -> bool:
        head, _, rest = seen.partition(b"\r\n\r\n")
        if b"Transfer-Encoding" in head:
            return rest.endswith(b"0\r\n\r\n") and _unframed(rest) is not None
        return seen.endswith(b"\r\n\r\n" + body)

    headers = HEADERS if chunked is None else (*HEADERS, ("Transfer-Encoding", "chunked"))
    with receiver(answering_when(is_whole, OK)) as there:
        url = f"{there.url}{target}"
        wire = Wire(path=target, headers=written, chunked=chunked)
        assert status(send_all(HttpRequest(method, url, headers, body, wire))[0]) == 200
        head, _, rest = there.requests[0].partition(b"\r\n\r\n")
    first, *sent = head.decode().split("\r\n")
    assert first == f"{method} {target} HTTP/1.1"
    assert sent[len(sent) - len(written) :] == written
    assert (rest if chunked is None else _unframed(rest)) == body


def _unframed(framed: bytes) -> bytes | None:
    """The body in these chunks; None where the last one is not there yet."""
    body = b""
    while framed:
        size, _, rest = framed.partition(b"\r\n")
        length = int(size or b"0", 16)
        if not length:
            return body if rest == b"\r\n" else None
        body, framed = body + rest[:length], rest[length + 2 :]
    return None
