"""Misbehaviour of a receiver, on request.

What is asked for is done as usual. Then the answer goes wrong, and the connection is closed.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from retailops_sandbox.httpserver import CLOSE, Response, head, spelled
from retailops_sandbox.model import encoder

_MIB = 1024 * 1024
_JSON = "application/json"


class Call(NamedTuple):
    """A request that is to be answered in a wrong way."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    response: Response
    """The right answer."""
    path: str
    """The path that gives the right answer."""
    amount: int

    def send(self, response: Response) -> None:
        self.writer.write(spelled(response, keep_alive=False))


class Misbehaviour(NamedTuple):
    """A way to misbehave. `unit` says what the amount counts; empty where there is no amount."""

    act: Callable[[Call], Awaitable[None]]
    what: str
    amount: int = 0
    unit: str = ""


async def _slow(case: Call) -> None:
    await asyncio.sleep(case.amount / 1000)
    case.send(case.response)


async def _drip(case: Call) -> None:
    body = case.response.body
    case.writer.write(head(case.response, ("Content-Length", str(len(body))), CLOSE))
    for position in range(len(body)):
        await asyncio.sleep(case.amount / 1000)
        case.writer.write(body[position : position + 1])
        await case.writer.drain()


async def _hang(case: Call) -> None:
    await hang(case.reader)


async def hang(reader: asyncio.StreamReader) -> None:
    """Answer nothing until the client gives up."""
    while await reader.read(65536):
        pass


async def _reset(case: Call) -> None:
    # Lingering for no time makes the kernel end the connection by a reset.
    sock = case.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    case.writer.transport.abort()


async def _html_500(case: Call) -> None:
    page = b"<!doctype html>\n<title>Internal Server Error</title>\n<h1>Something went wrong</h1>\n"
    case.send(Response(500, page, "text/html; charset=utf-8"))


async def _not_json(case: Call) -> None:
    case.send(Response(200, b"OK", _JSON))


async def _wrong_schema(case: Call) -> None:
    right = json.loads(case.response.body) if case.response.content_type == _JSON else {}
    case.send(Response(200, encoder.encode(dict.fromkeys(right, "none")), _JSON))


async def _null_arrays(case: Call) -> None:
    right = json.loads(case.response.body) if case.response.content_type == _JSON else {}
    nulled = {name: None if isinstance(value, list) else value for name, value in right.items()}
    case.send(case.response._replace(body=encoder.encode(nulled)))


async def _redirect(case: Call) -> None:
    case.send(Response(307, b"", _JSON, (("Location", case.path),)))


async def _huge_body(case: Call) -> None:
    # In chunks, so that its size is not known beforehand; blanks before the right answer keep it JSON.
    case.writer.write(head(case.response, ("Transfer-Encoding", "chunked"), CLOSE))
    for _ in range(case.amount):
        case.writer.write(_chunk(b" " * _MIB))
        await case.writer.drain()
    case.writer.write(_chunk(case.response.body) + b"0\r\n\r\n")


async def _truncated_body(case: Call) -> None:
    body = case.response.body
    length = ("Content-Length", str(len(body)))
    case.writer.write(head(case.response, length, CLOSE) + body[: len(body) // 2])


async def _bad_gzip(case: Call) -> None:
    case.send(case.response._replace(headers=(*case.response.headers, ("Content-Encoding", "gzip"))))


async def _wrong_length(case: Call) -> None:
    body = case.response.body
    case.writer.write(head(case.response, ("Content-Length", str(len(body) // 2)), CLOSE) + body)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


MISBEHAVIOURS = {
    "slow": Misbehaviour(_slow, "answers late", 1000, "milliseconds"),
    "drip": Misbehaviour(_drip, "sends the body byte by byte", 500, "milliseconds between bytes"),
    "hang": Misbehaviour(_hang, "never answers"),
    "reset": Misbehaviour(_reset, "resets the connection instead of answering"),
    "html-500": Misbehaviour(_html_500, "answers 500 with a page"),
    "not-json": Misbehaviour(_not_json, "answers 200 with something that is not JSON"),
    "wrong-schema": Misbehaviour(_wrong_schema, "answers 200 with JSON that breaks the contract"),
    "null-arrays": Misbehaviour(_null_arrays, "answers null in the place of each array"),
    "redirect": Misbehaviour(_redirect, "answers 307 with the path that behaves"),
    "huge-body": Misbehaviour(_huge_body, "sends very much before the answer", 16, "MiB"),
    "truncated-body": Misbehaviour(_truncated_body, "closes the connection in the middle of the body"),
    "bad-gzip": Misbehaviour(_bad_gzip, "says the body is gzip, and it is not"),
    "wrong-length": Misbehaviour(_wrong_length, "states half the body's length and sends all of it"),
}
