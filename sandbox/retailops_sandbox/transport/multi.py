"""libcurl's multi interface on an asyncio event loop."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterable

import pycurl

from retailops_sandbox.transport.sockets import Sockets

_TIMEOUT = [(pycurl.SOCKET_TIMEOUT, 0)]


class Multi:
    """Runs libcurl's transfers on an event loop, which watches their sockets and keeps their timer.

    Used instead of pycurl's AsyncCurlMulti, which closes in the event loop and so blocks it for up to ten
    seconds where a name server does not answer.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[pycurl.Curl, int, str], None],
        *,
        idle_connections: int,
    ) -> None:
        """`ended` is called once for each transfer, with its handle and libcurl's code and words."""
        self._loop = loop
        self._ended = ended
        self._due = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._sockets = Sockets(loop, self._act)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, idle_connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def add(self, curl: pycurl.Curl) -> None:
        """Begin the transfer of a handle."""
        self._multi.add_handle(curl)

    def remove(self, curl: pycurl.Curl) -> None:
        """End the transfer of a handle; its connection is closed unless the transfer is complete."""
        self._multi.remove_handle(curl)

    def close(self) -> None:
        """Close all connections. A thread does it, as libcurl may wait for long."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._soon is not None:
            self._soon.cancel()
        self._sockets.close()
        # libcurl now runs in another thread, which must not touch the loop.
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, _ignore)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, _ignore)
        closing = threading.Thread(target=self._multi.close, daemon=True)
        closing.start()
        closing.join(0.05)

    def _watch(self, what: int, fd: int, *_: object) -> None:
        self._sockets.watch(fd, what)

    def _set_timer(self, milliseconds: int) -> None:
        if milliseconds == 0:
            # libcurl sets the timer from within its own functions, which must not be called again from there:
            # "now" is the loop's next turn.
            if self._soon is None:
                self._soon = self._loop.call_soon(self._now)
            return
        # libcurl sets the timer several times a send. Setting the alarm each time would cost more than an
        # alarm that rings too early.
        self._due = self._loop.time() + milliseconds / 1000 if milliseconds > 0 else math.inf
        if self._alarm is None or self._due < self._alarm.when():
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._due < math.inf:
            self._alarm = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._due <= self._loop.time():
            self._due = math.inf
            self._act(_TIMEOUT)
        if self._alarm is None:
            self._set_alarm()

    def _now(self) -> None:
        self._soon = None
        self._act(_TIMEOUT)

    def _act(self, ready: Iterable[tuple[int, int]]) -> None:
        for fd, events in ready:
            self._multi.socket_action(fd, events)
        _, succeeded, failed = self._multi.info_read()
        for curl in succeeded:
            self._ended(curl, pycurl.E_OK, "")
        for curl, code, message in failed:
            self._ended(curl, code, message)


def _ignore(*_: object) -> None:
    return None
