"""Requests that are spelled in another way than the usual one, by libcurl's options and callbacks.

libcurl is shown the header lines that it would act upon as empty ones first, so that it sends those of the
request as they are, adds none of its own and alters nothing: it heeds the first line of a name alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pycurl

from retailops_sandbox.model import Connection, Fault, Headers, HttpRequest, Wire
from retailops_sandbox.transport.options import WITH_LENGTH, header_lines, set_options

CONTINUE_SECONDS = 1.0
"""How long the body waits for the receiver's word that it may come."""
_NOT_FOR_LIBCURL = ("Content-Length", "Transfer-Encoding", "Expect")
_OF_THE_END = {"content-length", "transfer-encoding"}
"""The headers that say where a request ends."""
_BLANK = (b"\r\n", b"\n")

Abandon = Callable[[Fault], object]


class Unusual:
    """One send of a request that is spelled in an unusual way."""

    def __init__(self, curl: pycurl.Curl, request: HttpRequest, wire: Wire, lines: list[bytes]) -> None:
        """`lines` takes the header lines of the answer."""
        self._curl = curl
        self._request = request
        self._wire = wire
        self._lines = lines
        self._body = _framed(request.body, wire)
        self._length = len(self._body)
        self._left = self._length if wire.break_off_after is None else min(wire.break_off_after, self._length)
        self._at = 0
        self._may_send = False
        self._is_final = False
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[tuple[int, str]] | None = None
        self._abandon: Abandon | None = None
        self.is_complete = False
        """Whether the answer was complete although libcurl would wait for more."""

    def prepare(self, connection: Connection) -> None:
        """Set the options, without those callbacks that every send has. ValueError for what is not HTTP."""
        curl, wire, request = self._curl, self._wire, self._request
        set_options(curl, request, connection)
        if wire.http == "1.0":
            curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_0)
        curl.setopt(pycurl.HTTPHEADER, self._header_lines())
        if wire.bytes_per_second is not None:
            curl.setopt(pycurl.MAX_SEND_SPEED_LARGE, wire.bytes_per_second)
        self._set_target()
        if self._sends_body:
            self._set_body()
        elif request.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        if wire.expect_continue or request.method == "HEAD":
            curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        if self._has_uncertain_end:
            curl.setopt(pycurl.FORBID_REUSE, 1)

    def begin(self, abandon: Abandon, ended: asyncio.Future[tuple[int, str]]) -> None:
        """Take what ends the send, and what says that it has ended."""
        self._abandon = abandon
        self._ended = ended

    def end(self) -> None:
        """The send has ended, and its handle is used for others."""
        if self._timer is not None:
            self._timer.cancel()
        self._abandon = self._ended = None

    @property
    def breaks_off(self) -> bool:
        return self._wire.break_off_after is not None

    def on_sent(self, header: bytes | None, body: int) -> None:
        """Headers, or so many bytes of the body, have been sent: hang up where that was to be all."""
        self._left -= body
        is_past_headers = header is None or header.endswith(b"\r\n\r\n")
        if is_past_headers and self._left <= 0 and self._abandon is not None:
            cut = min(self._wire.break_off_after or 0, self._length)
            what = f"hung up on purpose after {cut:,} of {self._length:,} bytes of the body"
            self._abandon(Fault("cancelled", what))

    @property
    def _has_uncertain_end(self) -> bool:
        """Whether the receiver may see another end of the request, and read the next one wrongly.

        Many servers do not read the body of a method that has none as a rule, nor one in chunks, and take it
        for the next request.
        """
        if self._sends_body and (self._wire.chunked is not None or self._request.method not in WITH_LENGTH):
            return True
        given = {line.partition(":")[0].lower() for line in self._wire.headers}
        given.update(name.lower() for name, _ in self._request.headers if name.lower() == "content-length")
        return not _OF_THE_END.isdisjoint(given | {*self._request.left_out})

    @property
    def _sends_body(self) -> bool:
        return bool(self._body) or self._request.method in WITH_LENGTH

    def _set_target(self) -> None:
        path = self._wire.path
        if path is None or (path.startswith("/") and re.fullmatch(r"[!-~]+", path) and "#" not in path):
            self._curl.setopt(pycurl.URL, self._request.url.encode())
            return
        scheme, _, rest = self._request.url.partition("://")
        origin = f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}/"
        self._curl.setopt(pycurl.URL, origin.encode())
        self._curl.setopt(pycurl.REQUEST_TARGET, path.encode())

    def _set_body(self) -> None:
        body = self._body[: self._left]
        self._curl.setopt(pycurl.POST, 1)
        if self._request.method != "POST":
            self._curl.setopt(pycurl.CUSTOMREQUEST, self._request.method)
        if self._wire.expect_continue and body:
            self._curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
            # Without SEEKFUNCTION: libcurl must not be able to send it a second time.
            self._curl.setopt(pycurl.READFUNCTION, self._read)
        else:
            self._curl.setopt(pycurl.POSTFIELDS, body)

    def _header_lines(self) -> list[bytes]:
        """All header lines as libcurl takes them; first, without values, those that it must not act upon."""
        raw = [line.encode("utf-8", "surrogateescape") for line in self._wire.headers]
        written = {line.partition(b":")[0].decode().lower() for line in raw}
        pairs = tuple(each for each in self._request.headers if each[0].lower() not in written)
        hidden = {*(name.lower() for name in _NOT_FOR_LIBCURL), *self._request.left_out, *written}
        given = {name.lower() for name, _ in pairs} | hidden - {"content-length"}
        states_length = "content-length" not in written | {*self._request.left_out} | given
        if states_length and self._sends_body and self._wire.chunked is None:
            pairs += (("Content-Length", str(self._length)),)
        if self._wire.lower_case:
            pairs = self._in_lower_case(pairs, is_host_needed="host" not in given | hidden)
            hidden.add("host")
        first = [f"{name}:".encode() for name in sorted(hidden)]
        return [*first, *header_lines(pairs), *map(_with_empty_value, raw)]

    def _in_lower_case(self, pairs: Headers, *, is_host_needed: bool) -> Headers:
        """Headers with names in lower case, among them the host, which libcurl would spell itself."""
        authority = re.split("[/?#]", self._request.url.partition("://")[2], maxsplit=1)[0]
        host = (("host", authority.rpartition("@")[2]),) if is_host_needed else ()
        return (*host, *((name.lower(), value) for name, value in pairs))

    # --- what libcurl calls ---

    def _read(self, size: int) -> bytes | int:
        if not self._may_send:
            if self._timer is None and self._ended is not None:
                self._timer = self._ended.get_loop().call_later(CONTINUE_SECONDS, self._go_on)
            return int(pycurl.READFUNC_PAUSE)
        piece = self._body[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _go_on(self) -> None:
        """Let the body be sent."""
        if not self._may_send and self._ended is not None and not self._ended.done():
            self._may_send = True
            self._curl.pause(pycurl.PAUSE_CONT)

    def _on_header(self, line: bytes) -> int | None:
        self._lines.append(line)
        if line.startswith(b"HTTP/"):
            self._is_final = line.split(b" ", 2)[1:2] >= [b"2"]
        elif line in _BLANK:
            if self._timer is not None:
                self._go_on()  # where it is refused, libcurl sends no body after the answer's headers
            if self._is_final and self._request.method == "HEAD" and self._sends_body:
                self.is_complete = True
                return -1  # ends the transfer: libcurl would wait for a body
        return None


def _framed(body: bytes, wire: Wire) -> bytes:
    """A body as it is sent: in chunks where the request says so."""
    size = wire.chunked
    if size is None:
        return body
    chunks = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join([b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]) + b"0\r\n\r\n"


def _with_empty_value(line: bytes) -> bytes:
    """A header line as libcurl takes it, to which `Name;` is one without a value and `Name:` is none."""
    name, _, value = line.partition(b":")
    return line if value.strip() else name + b";"
