"""httpserver.py as a parser: whatever comes is a request, an end, or refused in one answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import httpserver
from retailops_sandbox.httpserver import RefusedError, Request, is_loopback


class Written:
    """Takes what a server writes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def read(data: bytes, writer: Any = None) -> Request | None:
    async def run() -> Request | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await httpserver.read_request(reader, writer or Written())

    return asyncio.run(run())


@pytest.mark.parametrize("begun", [b"P", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_request_that_does_not_come_is_refused(begun: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(httpserver, "_PATIENCE", 0.05)

    async def run() -> None:
        reader: Any = asyncio.StreamReader()
        reader.feed_data(begun)
        writer: Any = Written()
        with pytest.raises(RefusedError) as caught:
            await httpserver.read_request(reader, writer)
        assert caught.value.response.status == 408

    asyncio.run(run())


names = st.text("abcXYZ-019", min_size=1, max_size=8).map("X".__add__)
texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f\x85\xa0"), max_size=12
)
bodies = st.binary(max_size=200)


@given(
    st.sampled_from(["GET", "POST", "PUT", "odd"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=20),
    st.lists(st.tuples(names, texts), max_size=5),
    bodies,
    st.none() | st.lists(st.integers(1, 60), min_size=1, max_size=5),
)
def test_a_request_is_read_as_it_was_spelled(
    method: str, path: str, headers: list[tuple[str, str]], body: bytes, chunks: list[int] | None
):
    framing = f"Content-Length: {len(body)}" if chunks is None else "Transfer-Encoding: chunked"
    lines = [f"{method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), framing]
    payload = body if chunks is None else spelled_in_chunks(body, chunks)
    request = read("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + payload + b"the next one")
    assert request is not None
    assert (request.method, request.target, request.body) == (method, f"/{path}", body)
    assert request.path == f"/{path}".partition("?")[0]
    assert list(request.headers[:-1]) == headers
    assert request.keep_alive


def spelled_in_chunks(body: bytes, sizes: list[int]) -> bytes:
    parts = []
    at = number = 0
    while at < len(body):
        chunk = body[at : at + sizes[number % len(sizes)]]
        parts.append(b"%X;ext=1\r\n%b\r\n" % (len(chunk), chunk))
        at += len(chunk)
        number += 1
    return b"".join(parts) + b"0\r\nTrailer: x\r\n\r\n"


@given(
    st.binary(max_size=300)
    | st.text("POST /\r\n:09aTransfer-Encoding chunkedLgh", max_size=200).map(str.encode)
)
def test_whatever_comes_is_a_request_an_end_or_refused(data: bytes):
    try:
        request = read(data)
    except RefusedError as refused:
        status = refused.response.status
    else:
        status = 400
        assert request is None or data.startswith(request.method.encode("latin-1"))
    assert status in (400, 413, 431)


def test_who_waits_to_be_told_to_go_on_is_told():
    written = Written()
    read(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", written)
    assert written.data == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "keeps"),
    [
        ("HTTP/1.1", True),
        ("HTTP/1.0", False),
        ("HTTP/1.1\r\nConnection: x\r\nConnection: Close", False),
        ("HTTP/1.0\r\nConnection: Keep-Alive, x", True),
    ],
)
def test_whether_another_request_may_follow(line: str, keeps: bool):
    request = read(f"GET / {line}\r\n\r\n".encode())
    assert request is not None
    assert request.keep_alive is keeps


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("example.com", False)],
)
def test_what_is_loopback(host: str, is_ours: bool):
    assert is_loopback(host) is is_ours
