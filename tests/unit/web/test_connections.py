"""Connections of browsers, on real sockets: a request that arrives too slowly ends them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterable, Iterator

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from retailops_sandbox.web.connections import TimedConnection


class Impatient(TimedConnection):
    patience = 0.2


class Patient(TimedConnection):
    patience = 2.0


class Application:
    """Answers with the size of a body, except at /refused, where it reads none."""

    def __init__(self) -> None:
        self.left = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = b"" if scope["path"] == "/refused" else await request.body()
        except ClientDisconnect:
            self.left.set()
            return
        await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


class Serving:
    def __init__(self, application: Application, port: int) -> None:
        self.application = application
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@contextlib.contextmanager
def served(connection: type[TimedConnection]) -> Iterator[Serving]:
    application = Application()
    config = uvicorn.Config(application, http=connection, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Serving(application, listening.getsockname()[1])
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    with served(Impatient) as serving:
        yield serving


def answer_of(client: socket.socket) -> bytes:
    """The answer of this application, which ends with a unit."""
    read = b""
    while not read.endswith(b" bytes"):
        piece = client.recv(65536)
        assert piece, read
        read += piece
    return read


def all_of(client: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    read = b""
    with contextlib.suppress(ConnectionResetError):  # it closes while bytes still come
        while piece := client.recv(65536):
            read += piece
    return read


def trickle(client: socket.socket, start: bytes, rest: Iterable[bytes]) -> bytes:
    """Send bytes one by one until the connection ends; what came."""
    ended = threading.Event()

    def send() -> None:
        with contextlib.suppress(OSError):
            client.sendall(start)
            for piece in rest:
                if ended.wait(0.02):
                    break
                client.sendall(piece)

    sender = threading.Thread(target=send)
    sender.start()
    read = all_of(client)
    ended.set()
    sender.join()
    return read


POST = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize(
    "start",
    [b"GET / HT", b"GET / HTTP/1.1\r\nX: ", POST % b"/", POST % b"/" + b"x" * 100],
    ids=["line", "head", "body", "rest"],
)
@pytest.mark.parametrize("rest", [[], itertools.repeat(b"x")], ids=["stalls", "trickles"])
def test_a_request_that_does_not_come_is_answered_408(serving: Serving, start: bytes, rest: Iterable[bytes]):
    serving.application.left.clear()
    with serving.connect() as client:
        answer = trickle(client, start, rest)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive in time" in answer
    if start.startswith(b"POST"):
        assert serving.application.left.wait(60)


def test_a_connection_that_says_nothing_is_closed_without_a_word(serving: Serving):
    with serving.connect() as client:
        assert all_of(client) == b""


def test_a_second_request_has_its_own_time(serving: Serving):
    with serving.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer_of(client).endswith(b"0 bytes")
        assert trickle(client, b"G", itertools.repeat(b"E")).startswith(b"HTTP/1.1 408 ")


def test_an_answered_request_whose_body_trickles_is_closed_after_its_answer(serving: Serving):
    with serving.connect() as client:
        answer = trickle(client, POST % b"/refused", itertools.repeat(b"x"))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_keeps_coming_may_take_longer():
    with served(Patient) as serving, serving.connect() as client:
        client.sendall(POST % b"/")
        pause = threading.Event()
        for _ in range(25):
            pause.wait(Patient.patience / 20)
            client.sendall(b"x" * 40_000)
        assert answer_of(client).endswith(b"1000000 bytes")
