"""Sending bytes by libcurl. Network trouble is a value, never an exception.

multi      libcurl's multi interface on the event loop
sockets    watching libcurl's sockets
handle     one of libcurl's easy handles, and its evidence
options    a request as libcurl's options
unusual    requests that are spelled in an unusual way
faults     why there is no usable answer
tls        why there is no connection by TLS
framing    where an answer ends, and whether it did
decoding   the content-encoding of an answer, undone
redirects  where a redirect leads
checking   connecting without a request
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

import msgspec
import pycurl

from retailops_sandbox.model import Connection, Exchange, Fault, HttpRequest, Timings
from retailops_sandbox.transport.decoding import decoded
from retailops_sandbox.transport.faults import explain, overlooked
from retailops_sandbox.transport.handle import Handle, OpenSockets
from retailops_sandbox.transport.multi import Multi


class Transport:
    """Sends requests over kept-alive connections, each request at most once on the wire.

    A transport belongs to the event loop in which it is entered. Sends beyond `max_connections` at a time
    wait, which counts neither as time of the delivery nor against its deadline.
    """

    def __init__(self, *, max_connections: int = 128) -> None:
        self._max_connections = max_connections
        self._by_key: dict[str, _Send] = {}
        self._waiting: deque[_Send] = deque()
        self._under_way: dict[pycurl.Curl, _Send] = {}
        self._idle: list[Handle] = []
        self._open_sockets: OpenSockets = {}

    async def __aenter__(self) -> Transport:
        self._loop = asyncio.get_running_loop()
        self._multi = Multi(self._loop, self._ended, idle_connections=self._max_connections)
        return self

    async def __aexit__(self, *_: object) -> None:
        closing = Fault("cancelled", "cancelled: the sandbox is closing")
        for send in [*self._waiting, *self._under_way.values()]:
            send.abandon(closing)
        while self._waiting or self._under_way:
            await asyncio.sleep(0)  # until each send has taken its evidence and given back its handle
        for handle in self._idle:
            handle.curl.close()
        self._idle.clear()
        self._multi.close()

    async def send(self, request: HttpRequest, connection: Connection, *, key: str = "") -> Exchange:
        """Send one request, and return the response or the fault. `key` is for `cancel`.

        Where the connection says so, redirects are followed, within its time limit. Raises UsageError for a
        request that cannot be sent at all: a URL that is none, a header with a line break.
        """
        exchange = await self._send(request, connection, key)
        if not connection.follow_redirects or exchange.fault is not None:
            return exchange
        from retailops_sandbox.transport import redirects  # few receivers redirect

        return await redirects.followed(exchange, request, connection, partial(self._send, key=key))

    async def _send(self, request: HttpRequest, connection: Connection, key: str) -> Exchange:
        """Send one request, and return the response or the fault."""
        send = _Send(request, connection, self._loop.create_future())
        if key:
            self._by_key[key] = send
        try:
            if len(self._under_way) < self._max_connections:
                self._start(send)
            else:
                self._waiting.append(send)
            code, message = await send.ended
            return send.exchange(code, message)
        finally:
            if key:
                self._by_key.pop(key, None)
            self._release(send)

    def cancel(self, key: str) -> bool:
        """End the send of a key with the fault *cancelled*; False if there is none under way."""
        send = self._by_key.get(key)
        return send is not None and send.abandon(
            Fault("cancelled", "cancelled before the answer was complete")
        )

    def _start(self, send: _Send) -> None:
        handle = self._idle.pop() if self._idle else Handle(self._open_sockets)
        try:
            handle.prepare(send.request, send.connection)
        except BaseException:
            self._idle.append(handle)
            raise
        send.handle = handle
        send.began = self._loop.time()
        if handle.unusual is not None:
            handle.unusual.begin(send.abandon, send.ended)
        self._under_way[handle.curl] = send
        self._multi.add(handle.curl)
        drop_after = send.connection.drop_after_ms
        if drop_after is not None:
            fault = Fault("cancelled", f"hung up on purpose after {drop_after} ms")
            send.drop = self._loop.call_later(drop_after / 1000, send.abandon, fault)

    def _ended(self, curl: pycurl.Curl, code: int, message: str) -> None:
        send = self._under_way[curl]
        if send.handle is not None and send.handle.stale and not send.ended.done():
            self._multi.remove(curl)
            send.handle.begin_again()
            self._multi.add(curl)
        else:
            send.end(code, message)

    def _release(self, send: _Send) -> None:
        """Take the handle of a send that has ended, and start the sends that wait for one."""
        if send.handle is None:
            return  # it was never started; when its turn comes, it is passed over
        if send.drop is not None:
            send.drop.cancel()
        del self._under_way[send.handle.curl]
        self._multi.remove(send.handle.curl)
        send.handle.forget()
        self._idle.append(send.handle)
        while self._waiting and len(self._under_way) < self._max_connections:
            self._start_waiting(self._waiting.popleft())

    def _start_waiting(self, send: _Send) -> None:
        if send.ended.done():
            return
        try:
            self._start(send)
        except Exception as error:  # the error of the send that starts, not of the one that ended
            send.ended.set_exception(error)


class _Send:
    """One send: its request, and how it ended."""

    __slots__ = ("began", "connection", "drop", "ended", "fault", "handle", "request")

    def __init__(
        self, request: HttpRequest, connection: Connection, ended: asyncio.Future[tuple[int, str]]
    ) -> None:
        self.request = request
        self.connection = connection
        self.ended = ended
        self.began = 0.0
        self.handle: Handle | None = None
        self.drop: asyncio.TimerHandle | None = None
        self.fault: Fault | None = None

    def end(self, code: int, message: str) -> bool:
        """End the send with libcurl's code and message; False if it has ended already."""
        if self.ended.done():
            return False
        self.ended.set_result((code, message))
        return True

    def abandon(self, fault: Fault) -> bool:
        """End the send with a fault, whatever libcurl is doing; False if it has ended already."""
        if not self.end(pycurl.E_OK, ""):
            return False
        self.fault = fault
        return True

    def exchange(self, code: int, message: str) -> Exchange:
        """The evidence of the send after its end."""
        handle = self.handle
        if handle is None:
            return Exchange((), None, self.fault, Timings())
        response = handle.response()
        fault = self.fault or handle.too_large
        is_cut = handle.unusual is not None and handle.unusual.is_complete
        code = pycurl.E_OK if is_cut else code
        # libcurl keeps the connection wherever it found nothing wrong itself.
        handle.connection_kept(fault is None and code == pycurl.E_OK and not is_cut)
        if fault is None and (code != pycurl.E_OK or handle.cut_short()):
            fault = explain(code or pycurl.E_PARTIAL_FILE, message, self.request, self.connection, handle)
        elif fault is None:
            fault = overlooked(handle, response)
        if response is not None and self.connection.decode:
            response, undecodable = decoded(response, self.connection.max_body)
            fault = fault or undecodable
        reused = handle.reused()
        timings = handle.timings(reused)
        if self.fault is not None:  # libcurl has not ended the transfer
            elapsed = self.ended.get_loop().time() - self.began
            timings = msgspec.structs.replace(timings, total=elapsed * 1000)
        return Exchange(handle.request_headers(), response, fault, timings, reused)


async def wait_until_listening(url: str, seconds: float) -> bool:
    """Whether anything accepts connections at a URL's host and port within some seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not await is_listening(url):
                await asyncio.sleep(0.05)
            return True
    except (TimeoutError, ValueError):
        return False


async def is_listening(url: str) -> bool:
    """Whether anything accepts a connection at a URL's host and port; ValueError if they cannot be."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    try:
        connection, _ = await loop.create_connection(asyncio.Protocol, parts.hostname or "", port)
    except OSError:
        return False
    connection.abort()
    return True
