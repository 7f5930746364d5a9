"""libcurl's multi interface on an asyncio event loop."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable

import pycurl


class Multi:
    """Drives libcurl's transfers: the loop watches their sockets and keeps their time.

    pycurl's own AsyncCurlMulti closes on the loop, where libcurl waits for a resolver that does not
    answer: ten seconds at exit. It is otherwise equal, and no faster.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[pycurl.Curl, int, str], None],
        *,
        idle_connections: int,
    ) -> None:
        """`ended` is called once for each transfer, with libcurl's code and words."""
        self._loop = loop
        self._ended = ended
        self._due = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._watched: dict[int, int] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, idle_connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def add(self, curl: pycurl.Curl) -> None:
        """Begin this handle's transfer."""
        self._multi.add_handle(curl)

    def remove(self, curl: pycurl.Curl) -> None:
        """Let go of a handle; its connection is closed unless the transfer is complete."""
        self._multi.remove_handle(curl)

    def close(self) -> None:
        """Close all connections, without waiting for long where libcurl would."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._soon is not None:
            self._soon.cancel()
        for fd in list(self._watched):
            self._watch(pycurl.POLL_REMOVE, fd)
        # From here on libcurl runs in another thread, where the loop must not be touched.
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, _ignore)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, _ignore)
        closing = threading.Thread(target=self._multi.close, daemon=True)
        closing.start()
        closing.join(0.05)

    def _watch(self, what: int, fd: int, *_: object) -> None:
        wanted = 0 if what == pycurl.POLL_REMOVE else what
        before = self._watched.get(fd, 0)
        if wanted & pycurl.POLL_IN and not before & pycurl.POLL_IN:
            self._loop.add_reader(fd, self._act, fd, pycurl.CSELECT_IN)
        elif before & pycurl.POLL_IN and not wanted & pycurl.POLL_IN:
            self._loop.remove_reader(fd)
        if wanted & pycurl.POLL_OUT and not before & pycurl.POLL_OUT:
            self._loop.add_writer(fd, self._act, fd, pycurl.CSELECT_OUT)
        elif before & pycurl.POLL_OUT and not wanted & pycurl.POLL_OUT:
            self._loop.remove_writer(fd)
        if wanted:
            self._watched[fd] = wanted
        else:
            self._watched.pop(fd, None)

    def _set_timer(self, milliseconds: int) -> None:
        if milliseconds == 0:
            # libcurl sets the timer from within its own functions, which must not be entered again: even
            # "now" is the loop's next turn.
            if self._soon is None:
                self._soon = self._loop.call_soon(self._now)
            return
        # libcurl changes its mind several times a send, so an alarm that rings too early is left alone.
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
            self._act(pycurl.SOCKET_TIMEOUT, 0)
        if self._alarm is None:
            self._set_alarm()

    def _now(self) -> None:
        self._soon = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, fd: int, events: int) -> None:
        self._multi.socket_action(fd, events)
        _, succeeded, failed = self._multi.info_read()
        for curl in succeeded:
            self._ended(curl, pycurl.E_OK, "")
        for curl, code, message in failed:
            self._ended(curl, code, message)


def _ignore(*_: object) -> None:
    return None
