"""Connections of browsers. One on which a request arrives too slowly is closed.

uvicorn closes connections that are idle between two requests; it waits for the rest of a request for ever.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_LEAST_RATE = 16 * 1024
"""Bytes in a second. A request that brings more may take longer than the patience."""
_TOO_SLOW = b"The request did not arrive in time. Nothing was done.\n"
_ANSWER = (
    b"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TOO_SLOW), _TOO_SLOW)
)
_ARRIVING = (h11.IDLE, h11.SEND_BODY)
"""The states of a client from which more of its request is to come."""


class TimedConnection(H11Protocol):
    """uvicorn's connection, which is closed where a request, its head or body, arrives too slowly."""

    patience: ClassVar[float] = 10.0
    """Seconds for which nothing may come, and for which it may come at less than the least rate."""

    _timer: asyncio.TimerHandle | None = None
    _began = 0.0
    """When the first byte of the request came, or the connection."""
    _last = 0.0
    """When the last byte came."""
    _taken = 0
    """The bytes of the request that have come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._timer is None:
            self._begin()
        self._taken += len(data)
        self._last = self.loop.time()
        super().data_received(data)
        if self.conn.their_state not in _ARRIVING:
            self._end()

    def _begin(self) -> None:
        self._began = self._last = self.loop.time()
        self._taken = 0
        self._timer = self.loop.call_later(self.patience, self._check)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        """Close the connection where it has had its time, else look again then."""
        if self.flow.read_paused:  # the application is slow, not the client
            self._begin()
            return
        due = min(self._began + self._taken / _LEAST_RATE, self._last) + self.patience
        if self.loop.time() < due:
            self._timer = self.loop.call_at(due, self._check)
            return
        self._timer = None
        if self._taken and (self.conn.their_state is h11.IDLE or not self.cycle.response_started):
            self.transport.write(_ANSWER)
        self.transport.close()
