"""One of libcurl's easy handles, and the evidence it gathers during a send."""

from __future__ import annotations

import re
import select
from functools import lru_cache
from typing import TYPE_CHECKING

import pycurl

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Fault, Headers, HttpRequest, HttpResponse, Timings, Wire
from retailops_sandbox.transport.options import set_options

if TYPE_CHECKING:
    from retailops_sandbox.transport.unusual import Unusual

_BLANK = (b"\r\n", b"\n")
_HEADER_OUT: int = pycurl.INFOTYPE_HEADER_OUT
_DATA_OUT: int = pycurl.INFOTYPE_DATA_OUT
_TEXT: int = pycurl.INFOTYPE_TEXT
_BLANK_CHUNKS = 64
"""The most chunks of white space that are read in the place of a status line."""
_MOST_PIECES = 500_000
"""The most pieces in which a body may come, as chunks of a byte: each is a call."""
_trying = re.compile(rb" *Trying \[?([^\]\s]+?)\]?:\d+\.\.\.").match
"""libcurl's word on an address, the only one where no connection comes of it."""
_HUNG_UP = getattr(select, "POLLRDHUP", 0)
"""The event that the peer has closed its side, on systems that tell it apart from data to read."""

OpenSockets = dict[tuple[object, ...], int]
"""The descriptors of open connections, by local address."""


class Handle:
    """A handle that is used for one send after another. The evidence is that of the current send."""

    def __init__(self, open_sockets: OpenSockets) -> None:
        self.curl = pycurl.Curl()
        self.requests = 0
        """The number of requests that were sent, 0 or 1."""
        self.repeated = False
        """Whether libcurl was about to send the request a second time, and was stopped."""
        self.stale = False
        """Whether the connection was closed before the request was sent: `begin_again` uses a new one."""
        self.too_large: Fault | None = None
        self.status_line = ""
        """The first line of the last response, once `response` has read it."""
        self.unusual: Unusual | None = None
        """The send of a request that is spelled in an unusual way."""
        self.tried: list[str] = []
        """The addresses to which a connection was tried, in order."""
        self._open_sockets = open_sockets
        self._local_address: tuple[object, ...] = ()
        self._fresh = False
        self._set_for: tuple[object, ...] = ()
        self._limits = Connection()
        self._room = 0
        self._sent: list[bytes] = []
        self._lines: list[bytes] = []
        self._body = bytearray()
        self._pieces = 0

    def prepare(self, request: HttpRequest, connection: Connection) -> None:
        """Set the options for a send. UsageError for a request that cannot be sent."""
        self._limits = connection
        self._room = connection.max_body
        if request.wire is not None:
            self._prepare_unusual(request, request.wire, connection)
            return
        # Setting options takes time, and most sends differ from the one before in their body only.
        wanted = (request.method, request.url, request.headers, connection, not request.body)
        if wanted != self._set_for:
            self._set_for = ()
            self.curl.reset()
            self._listen()
            try:
                set_options(self.curl, request, connection)
            except (pycurl.error, ValueError) as error:
                raise UsageError(f"this request cannot be sent: {error}") from error
            self._set_for = wanted
        if request.body:
            self.curl.setopt(pycurl.POSTFIELDS, request.body)

    def _prepare_unusual(self, request: HttpRequest, wire: Wire, connection: Connection) -> None:
        from retailops_sandbox.transport.unusual import Unusual  # few requests are

        self._set_for = ()
        self.curl.reset()
        self._listen()
        self.unusual = Unusual(self.curl, request, wire, self._lines)
        try:
            self.unusual.prepare(connection)
        except (pycurl.error, ValueError) as error:
            self.unusual = None
            raise UsageError(f"this request cannot be sent: {error}") from error
        if self.unusual.breaks_off:
            self.curl.setopt(pycurl.DEBUGFUNCTION, self._on_debug_to_break_off)

    def begin_again(self) -> None:
        """Use a new connection for the same request, after a stale one."""
        self.stale = False
        self._fresh = True
        self.curl.setopt(pycurl.FRESH_CONNECT, 1)

    def forget(self) -> None:
        """Clear the evidence of the last send."""
        if self._fresh:
            self._fresh = False
            self.curl.setopt(pycurl.FRESH_CONNECT, 0)
        if self.unusual is not None:
            self.unusual.end()
            self.unusual = None
        self.stale = False
        self.requests = 0
        self.repeated = False
        self.too_large = None
        self.status_line = ""
        self.tried.clear()
        self._sent.clear()
        self._lines.clear()
        self._body = bytearray()
        self._pieces = 0

    # --- what libcurl calls ---

    def _listen(self) -> None:
        self.curl.setopt(pycurl.PREREQFUNCTION, self._before_request)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._on_body)
        self.curl.setopt(pycurl.DEBUGFUNCTION, self._on_debug)
        self.curl.setopt(pycurl.VERBOSE, 1)

    def _before_request(self, _ip: str, local_ip: str, _port: int, local_port: int) -> int:
        # When a reused connection dies before the first byte of the answer, libcurl would silently send
        # the request again.
        if not self.requests:
            self._local_address = (local_ip, local_port)
            if not self._fresh and is_hung_up(self._open_sockets.get(self._local_address)):
                self.stale = True
                return int(pycurl.PREREQFUNC_ABORT)
            self._lines.clear()  # the response of a proxy
        else:
            self.repeated = True
            return int(pycurl.PREREQFUNC_ABORT)
        self.requests += 1
        return int(pycurl.PREREQFUNC_OK)

    def _on_debug(self, kind: int, data: bytes) -> None:
        # Before the request, headers are sent to a proxy.
        if kind == _HEADER_OUT and self.requests == 1:
            self._sent.append(data)
        elif kind == _TEXT and not self.requests and (address := _trying(data)):
            self.tried.append(address[1].decode())

    def _on_debug_to_break_off(self, kind: int, data: bytes) -> None:
        self._on_debug(kind, data)
        if self.unusual is not None and self.requests == 1:
            if kind == _HEADER_OUT:
                self.unusual.on_sent(data, 0)
            elif kind == _DATA_OUT:
                self.unusual.on_sent(None, len(data))

    def _on_body(self, chunk: bytes) -> int:
        self._pieces += 1
        if not self._lines:  # this is no HTTP, and may never end
            self._body += chunk
            return len(chunk) if chunk.isspace() and self._pieces < _BLANK_CHUNKS else -1
        self._room -= len(chunk)
        if self._pieces > _MOST_PIECES:
            self.too_large = Fault("too large", f"the body came in more than {_MOST_PIECES:,} pieces")
            return -1
        if self._room < 0:
            self._body += chunk[: self._room]
            self.too_large = Fault("too large", f"the body is larger than {self._limits.max_body} bytes")
            return -1  # ends the transfer
        self._body += chunk
        return len(chunk)

    # --- the evidence ---

    def connection_kept(self, kept: bool) -> None:
        """Remember the socket of a connection that libcurl keeps open; forget that of any other."""
        descriptor = self.curl.getinfo(pycurl.ACTIVESOCKET) if kept else -1
        if descriptor >= 0:
            self._open_sockets[self._local_address] = descriptor
        else:
            self._open_sockets.pop(self._local_address, None)

    def reused(self) -> bool:
        """Whether the request was sent on a connection that was open already."""
        if self.repeated:
            return True  # libcurl counts the second connection, on which nothing was sent
        return self.requests > 0 and self.curl.getinfo(pycurl.NUM_CONNECTS) == 0

    @property
    def has_status_line(self) -> bool:
        """Whether the answer began with a status line, as far as libcurl minds."""
        return bool(self._lines)

    def cut_short(self) -> bool:
        """Whether the answer ended within its headers, which libcurl does not take for an error."""
        return (
            self.has_status_line
            and self._lines[-1] not in _BLANK
            and not any(line in _BLANK for line in _last_response(self._lines))
        )

    def request_headers(self) -> Headers:
        """The headers of the request, as they were sent."""
        return _parse(b"".join(self._sent))[1]

    def response(self) -> HttpResponse | None:
        """As much of the response as has arrived; None if nothing has.

        Bytes without a status line before them are the body of a response with the status 0.
        """
        if self._body and not self.has_status_line:
            return HttpResponse(0, "", (), bytes(self._body))
        if not self.requests or not self._lines:
            return None
        block = b"".join(_last_response(self._lines))
        if len(block) > self._limits.max_headers:
            block = block[: self._limits.max_headers]
            self.too_large = Fault(
                "too large", f"the headers are larger than {self._limits.max_headers} bytes"
            )
        self.status_line, headers = _parse(block)
        version = self.status_line.partition(" ")[0].removeprefix("HTTP/")
        status: int = self.curl.getinfo(pycurl.RESPONSE_CODE)
        return HttpResponse(status, version, headers, bytes(self._body))

    def timings(self, reused: bool) -> Timings:
        """The duration of each phase, from the times at which libcurl says that it ended."""
        at = self.curl.getinfo
        total = at(pycurl.TOTAL_TIME_T) / 1000
        # Not from PRETRANSFER, which can be long after the connection was ready.
        answered = at(pycurl.STARTTRANSFER_TIME_T) if self._lines else 0
        if reused:
            return Timings(first_byte=answered / 1000, total=total)
        lookup, connect, tls = (
            at(pycurl.NAMELOOKUP_TIME_T),
            at(pycurl.CONNECT_TIME_T),
            at(pycurl.APPCONNECT_TIME_T),
        )
        first_byte = max(0, answered - max(connect, tls)) / 1000
        return Timings(
            lookup=lookup / 1000,
            connect=max(0, connect - lookup) / 1000,
            tls=max(0, tls - connect) / 1000,
            first_byte=first_byte,
            total=total,
        )


def is_hung_up(descriptor: int | None) -> bool:
    # libcurl checks its idle connections only once a second, so every second delivery to a receiver that
    # closes the connection after each answer would end in a fault.
    if descriptor is None or not _HUNG_UP:
        return False
    poll = select.poll()
    poll.register(descriptor, _HUNG_UP)
    return any(events & _HUNG_UP for _, events in poll.poll(0))


def _last_response(lines: list[bytes]) -> list[bytes]:
    """The lines of the last response, without those of informational responses before it."""
    start = 0
    if lines.count(b"\r\n") == 1 and lines[-1] == b"\r\n":
        return lines
    for number, line in enumerate(lines, 1):
        # Behind a blank line there may also be a trailer, which is no status line.
        if line in _BLANK and number < len(lines) and lines[number].startswith(b"HTTP/"):
            start = number
    return lines[start:]


@lru_cache(maxsize=64)
def _parse(block: bytes) -> tuple[str, Headers]:
    """The first line of a block of headers, and the headers in their order."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("latin-1")
    first, *lines = text.split("\n")
    named = (line.partition(":") for line in lines)
    return first.strip(), tuple((name, value.strip()) for name, colon, value in named if colon)
