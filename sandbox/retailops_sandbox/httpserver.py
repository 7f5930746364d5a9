"""A small HTTP/1.1 server for receivers and relays: requests from a stream, responses as bytes."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from retailops_sandbox import diagnostics
from retailops_sandbox.model import Headers, encoder

_logger = diagnostics.logger(__name__)
MAX_BODY = 32 * 1024 * 1024
CLOSE = ("Connection", "close")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_TEXT = "text/plain; charset=utf-8"
_PATIENCE = 60.0
"""Seconds in which a request must have come after its first byte."""
_LINGER = 5.0
"""Seconds for which the rest of a refused request is read, so that its sender gets the answer."""
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::[0-9]{1,5})?")
_VISIBLE = re.compile(r"[!-\"$-~]+")
"""A request's target, which has no blank, control character or #."""


class Request(NamedTuple):
    """A request as it came. Bytes of its head that are not ASCII are decoded as latin-1."""

    method: str
    target: str
    """The path and query as they were spelled."""
    path: str
    headers: Headers
    body: bytes
    keep_alive: bool

    def header(self, name: str) -> str:
        """The value of the last header of a name, given in lower case; empty where there is none."""
        return next((value for each, value in reversed(self.headers) if each.lower() == name), "")


class Response(NamedTuple):
    status: int
    body: bytes
    content_type: str = "application/json"
    """Empty where `headers` hold the content type, or the response has none."""
    headers: Headers = ()


class Listener:
    """A listening port and its connections.

    `exchange` answers one request of a connection, and returns whether another may follow.
    """

    def __init__(self, exchange: Callable[[StreamReader, StreamWriter], Awaitable[bool]]) -> None:
        self._exchange = exchange
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], StreamWriter] = {}

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL. Port 0 means any free port; OSError if the port is taken."""
        self._server = await asyncio.start_server(self._connected, host, port)
        taken: int = self._server.sockets[0].getsockname()[1]
        return f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}"

    def close(self) -> None:
        """Accept no more connections; open ones stay open."""
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is None:
            return
        self._server.close()
        connections = dict(self._connections)
        for connection, writer in connections.items():
            connection.cancel()
            # Aborted here, as a cancelled task that has not begun never closes its connection.
            writer.transport.abort()
        await asyncio.gather(*connections, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # aborted transports close in the loop's next turn
        self._server = None

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections[connection] = writer
        connection.add_done_callback(self._connections.pop)
        peer = writer.get_extra_info("peername") or ("unknown", 0)
        _logger.debug("connection from %s:%s", *peer[:2])

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except RefusedError as refused:
            await _refuse(refused, reader, writer)
        except ConnectionError:
            pass  # the client is gone
        finally:
            writer.close()


async def _refuse(refused: RefusedError, reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(spelled(refused.response, keep_alive=False))
        writer.write_eof()
        async with asyncio.timeout(_LINGER):
            while await reader.read(65536):
                pass  # closing earlier would reset the connection, and the answer would be lost


class RefusedError(Exception):
    """The error of a request that cannot be read to its end, with the response that says so."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.response = json_response(status, {"error": what})


def json_response(status: int, value: object, *headers: tuple[str, str]) -> Response:
    return Response(status, encoder.encode(value), headers=headers)


def text_response(status: int, text: str) -> Response:
    return Response(status, text.encode(), _TEXT)


async def read_request(reader: StreamReader, writer: StreamWriter) -> Request | None:
    """The next request on a connection; None where the client has closed it."""
    first = await reader.read(1)
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _read_rest(first, reader, writer)
    except TimeoutError:
        raise RefusedError(408, f"the request did not come within {_PATIENCE:g} seconds") from None


async def _read_rest(first: bytes, reader: StreamReader, writer: StreamWriter) -> Request | None:
    """The request that begins with this byte."""
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
        start, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, version = _start_line(start)
        headers = tuple(map(_header, lines))
        request = Request(method, target, target.partition("?")[0], headers, b"", version == "HTTP/1.1")
        # HTTP/1.0 knows no interim answers.
        if request.keep_alive and request.header("expect").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _read_body(reader, request)
    except LimitOverrunError:
        raise RefusedError(431, "the request's head is too large") from None
    except IncompleteReadError:
        return None
    connection = connection_tokens(headers)
    keep_alive = "close" not in connection if request.keep_alive else "keep-alive" in connection
    return request._replace(body=body, keep_alive=keep_alive)


def connection_tokens(headers: Headers) -> set[str]:
    """The tokens of the Connection headers, in lower case: options, and names of hop-by-hop headers."""
    values = [value for name, value in headers if name.lower() == "connection"]
    return {token.strip().lower() for value in values for token in value.split(",")}


def _start_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise RefusedError(400, "this is not an HTTP/1.1 request line")
    if not _VISIBLE.fullmatch(parts[1]):
        raise RefusedError(400, "the request's target has a character that must be percent-encoded")
    return parts[0], parts[1], parts[2]


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise RefusedError(400, "this is not a header line")
    return name, value.strip()


async def _read_body(reader: StreamReader, request: Request) -> bytes:
    lengths = {value for name, value in request.headers if name.lower() == "content-length"}
    encodings = [value for name, value in request.headers if name.lower() == "transfer-encoding"]
    if len(lengths) + len(encodings) > 1 or (encodings and encodings[0].lower() != "chunked"):
        raise RefusedError(400, "the body's length is unclear: chunked or Content-Length, nothing else")
    if encodings:
        return await _read_chunks(reader)
    return await reader.readexactly(_size(lengths.pop(), 10)) if lengths else b""


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
        pass  # trailers are ignored
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
    """The status line and headers of a response, with the empty line behind them."""
    content_type = (("Content-Type", response.content_type),) if response.content_type else ()
    fields = (*content_type, *response.headers, *framing)
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
    return f"HTTP/1.1 {response.status} {_phrase(response.status)}\r\n{lines}\r\n".encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def spelled(response: Response, *, keep_alive: bool) -> bytes:
    """The bytes of a response."""
    length = ("Content-Length", str(len(response.body)))
    if keep_alive:
        return head(response, length) + response.body
    return head(response, length, CLOSE) + response.body


def host_name(header: str) -> str:
    """The name in a Host header, in lower case; empty for what is not a name with an optional port."""
    found = _HOST.fullmatch(header)
    return (found[1] or found[2]).lower() if found else ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address always means this machine."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
