"""As much of HTTP/1.1 as a receiver on loopback needs: requests off a stream, responses as bytes."""

from __future__ import annotations

from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from http import HTTPStatus
from typing import NamedTuple

from sandbox.model import encoder

MAX_BODY = 32 * 1024 * 1024
CLOSE = ("Connection", "close")
_TEXT = "text/plain; charset=utf-8"


class Request(NamedTuple):
    method: str
    path: str
    body: bytes
    keep_alive: bool


class Response(NamedTuple):
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class RefusedError(Exception):
    """A request that cannot be read to its end, and the response that says so."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.response = json_response(status, {"error": what})


def json_response(status: int, value: object, *headers: tuple[str, str]) -> Response:
    return Response(status, encoder.encode(value), headers=headers)


def text_response(status: int, text: str) -> Response:
    return Response(status, text.encode(), _TEXT)


async def read_request(reader: StreamReader, writer: StreamWriter) -> Request | None:
    """The next request on a connection, None where the client ended it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        start, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, version = _start_line(start)
        headers = dict(map(_header, lines))
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _read_body(reader, headers)
    except LimitOverrunError:
        raise RefusedError(431, "the request's head is too large") from None
    except IncompleteReadError:
        return None
    connection = headers.get("connection", "").lower()
    keep_alive = connection != "close" if version == "HTTP/1.1" else connection == "keep-alive"
    return Request(method, target.partition("?")[0], body, keep_alive)


def _start_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise RefusedError(400, "this is not an HTTP/1.1 request line")
    return parts[0], parts[1], parts[2]


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise RefusedError(400, "this is not a header line")
    return name.lower(), value.strip()


async def _read_body(reader: StreamReader, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length")
    if "transfer-encoding" in headers:
        if length is not None or headers["transfer-encoding"].lower() != "chunked":
            raise RefusedError(400, "the body's length is unclear: chunked or Content-Length, nothing else")
        return await _read_chunks(reader)
    return await reader.readexactly(_size(length, 10)) if length is not None else b""


async def _read_chunks(reader: StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = _size(line.partition(b";")[0].strip().decode("latin-1"), 16)
        if size == 0:
            break
        if len(body) + size > MAX_BODY:
            raise RefusedError(413, f"a body may have {MAX_BODY} bytes")
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise RefusedError(400, "a chunk does not end where it says")
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers say nothing to us
    return bytes(body)


def _size(digits: str, base: int) -> int:
    if not digits.isascii() or not digits.isalnum() or len(digits) > 18:
        raise RefusedError(400, f"{digits[:20]!r} is not a length")
    try:
        size = int(digits, base)
    except ValueError:
        raise RefusedError(400, f"{digits!r} is not a length") from None
    if size > MAX_BODY:
        raise RefusedError(413, f"a body may have {MAX_BODY} bytes")
    return size


def head(response: Response, *framing: tuple[str, str]) -> bytes:
    """Status line and headers, up to and including the empty line."""
    fields = (("Content-Type", response.content_type), *response.headers, *framing)
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n{lines}\r\n".encode("latin-1")


def spelled(response: Response, *, keep_alive: bool) -> bytes:
    """A whole response."""
    length = ("Content-Length", str(len(response.body)))
    if keep_alive:
        return head(response, length) + response.body
    return head(response, length, CLOSE) + response.body
