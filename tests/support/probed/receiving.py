"""A right receiver of order_cancel v1, in small methods of which a wrong one replaces one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

TOKEN = "Kv7-Probe-92qX"
PATH = "/order_cancel_v1"
JSON = "application/json"


class Call(NamedTuple):
    """A request as it came; header names keep their case."""

    method: str
    path: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str, otherwise: str = "") -> str:
        return next((value for each, value in self.headers if each.lower() == name.lower()), otherwise)


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[str, ...] = ()


class RefusedError(Exception):
    """A request that is refused with a status and a word."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what


class HangUpError(Exception):
    """The connection is closed without an answer."""


def answer(value: Any, status: int = 200, content_type: str = JSON) -> Answer:
    return Answer(status, json.dumps(value).encode(), content_type)


def event(message: str, code: str, about: str, kind: str = "info") -> dict[str, Any]:
    return {
        "event_type": kind,
        "code": code,
        "message": message,
        "diagnostic_data": "",
        "associations": [{"identifier_type": "order_refnum", "identifier": about}],
    }


class Right:
    """Knows every order; tells of a second cancel that the order was cancelled already."""

    path = PATH
    edition = "v1"

    def __init__(self) -> None:
        self.cancelled: dict[str, int] = {}

    # --- HTTP ---

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, HangUpError):
                while await self.exchange(reader, writer):
                    pass
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; the result is whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        start, *lines = head[:-4].split("\r\n")
        if len(start.split(" ")) != 3:
            self.write(writer, Call("", "", "", []), answer({"error": "no HTTP"}, 400), stays=False)
            return False
        method, path, version = start.split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        call = Call(method, path, version, headers)
        if call.header("expect"):
            self.expected(call, writer)
        try:
            call = call._replace(body=await self.body(call, reader))
            answered = await self.answered(call)
        except RefusedError as refused:
            answered = self.refused(refused)
            self.write(writer, call, answered, stays=False)
            await writer.drain()
            return False
        stays = version == "HTTP/1.1" and call.header("connection").lower() != "close"
        self.write(writer, call, answered, stays=stays)
        await writer.drain()
        return stays

    def expected(self, call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def body(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        if "chunked" in call.header("transfer-encoding").lower():
            return await self.chunks(reader)
        return await reader.readexactly(int(call.header("content-length", "0")))

    async def chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return body

    def write(self, writer: asyncio.StreamWriter, call: Call, answered: Answer, *, stays: bool) -> None:
        lines = [f"HTTP/1.1 {answered.status} X", *answered.headers]
        if answered.content_type:
            lines.append(f"Content-Type: {answered.content_type}")
        if answered.status != 204:
            lines.append(f"Content-Length: {len(answered.body)}")
        if not stays:
            lines.append("Connection: close")
        body = b"" if call.method == "HEAD" else answered.body
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    # --- What is asked ---

    async def answered(self, call: Call) -> Answer:
        """The answer to a request that was read; an error of Python's is a crash."""
        try:
            self.route(call)
            self.headers(call)
            payload = self.parsed(call)
            self.authorize(payload)
            order = self.order(payload)
            return await self.cancel(order, payload)
        except RefusedError as refused:
            return self.refused(refused)
        except HangUpError:
            raise
        except Exception as error:
            return await self.crashed(error)

    def refused(self, refused: RefusedError) -> Answer:
        return answer({"error": refused.what}, refused.status)

    async def crashed(self, error: Exception) -> Answer:
        return answer({"error": "internal server error"}, 500)

    def route(self, call: Call) -> None:
        if call.path.partition("?")[0] != self.path:
            raise RefusedError(404, "there is nothing here")
        if call.method != "POST":
            raise RefusedError(405, "this takes POST only")

    def headers(self, call: Call) -> None:
        """Looks at the headers, and refuses by them."""

    def parsed(self, call: Call) -> Any:
        try:
            payload = json.loads(call.body.decode("utf-8"))
        except (ValueError, RecursionError):
            raise RefusedError(400, "the body is no JSON") from None
        if not isinstance(payload, dict):
            raise RefusedError(400, "the body is no object")
        return payload

    def authorize(self, payload: Any) -> None:
        if not self.knows(payload.get("integration_auth_token")):
            raise RefusedError(401, "the token is wrong")

    def knows(self, token: Any) -> bool:
        return token == TOKEN

    def order(self, payload: Any) -> str:
        """The name of the order that is to be cancelled."""
        order = payload.get("order")
        if not isinstance(order, dict):
            raise RefusedError(400, "there is no order")
        refnum, id = order.get("channel_order_refnum"), order.get("retailops_order_id")
        if isinstance(refnum, str) and refnum:
            return refnum
        if isinstance(id, int) and not isinstance(id, bool) and 0 < id < 2**63:
            return str(id)
        raise RefusedError(422, "the order has no name")

    async def cancel(self, order: str, payload: Any) -> Answer:
        if order in self.cancelled:
            return self.again(order)
        self.cancelled[order] = len(self.cancelled) + 1
        return self.first(order)

    def first(self, order: str) -> Answer:
        return answer({"status": "success", "events": []})

    def again(self, order: str) -> Answer:
        told = event("The order was cancelled already", "ALREADY", order, "warning")
        return answer({"status": "success", "events": [told]})


@contextlib.contextmanager
def serving(receiver: Any) -> Iterator[str]:
    """The base URL of a receiver that listens in a thread of its own."""
    loop = asyncio.new_event_loop()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(receiver.connected(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def start() -> asyncio.Server:
        return await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**26)

    async def stop() -> None:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()

    # The thread of a test in a browser has a loop that runs already.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
