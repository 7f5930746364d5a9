"""Checking the connection to a receiver without a request: its name, the connection, its certificate.

libcurl connects with the receiver's own settings, so that the check meets the faults that a send would meet.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import msgspec
import pycurl

from retailops_sandbox.model import Connection, Fault, HttpRequest, Timings
from retailops_sandbox.transport.faults import explain
from retailops_sandbox.transport.handle import Handle, is_hung_up
from retailops_sandbox.transport.multi import Multi

LONGEST_MS = 15_000
"""The longest time of a check, even where the receiver's own limits are longer."""

_HANG_UP_WAIT = 0.25
"""Seconds to wait, in addition to a round trip, for a receiver that hangs up after the handshake."""


class Certificate(msgspec.Struct, frozen=True):
    """The receiver's TLS certificate. Times are in UTC, RFC 3339; what it does not state is empty."""

    subject: str
    issuer: str
    names: str
    """The host names and addresses for which the certificate is valid."""
    starts: str
    expires: str


class CheckedConnection(msgspec.Struct, frozen=True):
    """The result of connecting to a receiver."""

    fault: Fault | None
    timings: Timings
    address: str = ""
    """The IP address and port of the connection, which may be the proxy's; empty without a connection."""
    by_proxy: bool = False
    certificate: Certificate | None = None
    """The receiver's certificate, also where it is the reason for the fault."""


async def check(url: str, connection: Connection) -> CheckedConnection:
    """Connect as a send to a URL would, and hang up; UsageError for a URL that nothing can be sent to."""
    connection = msgspec.structs.replace(
        connection,
        timeout_ms=min(connection.timeout_ms, LONGEST_MS),
        connect_timeout_ms=min(connection.connect_timeout_ms, LONGEST_MS),
        netrc=False,
        follow_redirects=False,
    )
    request = HttpRequest("GET", url, (), b"")
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[int, str]] = loop.create_future()
    handle = Handle({})
    try:
        handle.prepare(request, connection)
        handle.curl.setopt(pycurl.CONNECT_ONLY, 1)
        handle.curl.setopt(pycurl.OPT_CERTINFO, 1)
        multi = Multi(loop, lambda _, *how: ended.set_result(how), idle_connections=1)
        try:
            multi.add(handle.curl)
            code, words = await ended
            fault = None
            if code != pycurl.E_OK:
                fault = explain(code, words, request, connection, handle)
            elif url[:5].lower() == "https":
                fault = await _fault_after_handshake(handle)
            return _checked(handle, fault)
        finally:
            multi.remove(handle.curl)
            multi.close()
    finally:
        handle.curl.close()


async def _fault_after_handshake(handle: Handle) -> Fault | None:
    """The fault of a receiver that hangs up right after the handshake.

    In TLS 1.3 the client is done with the handshake before the receiver has looked at its certificate.
    """
    loop = asyncio.get_running_loop()
    round_trip = handle.curl.getinfo(pycurl.APPCONNECT_TIME_T) / 1_000_000
    until = loop.time() + _HANG_UP_WAIT + min(round_trip, 1)
    while loop.time() < until:
        if is_hung_up(handle.curl.getinfo(pycurl.ACTIVESOCKET)):
            message = "the receiver hung up after the handshake: does it want a client certificate?"
            return Fault("tls", message)
        await asyncio.sleep(0.01)
    return None


def _checked(handle: Handle, fault: Fault | None) -> CheckedConnection:
    at = handle.curl.getinfo
    address = at(pycurl.PRIMARY_IP)
    if address:
        address = f"[{address}]" if ":" in address else address
        address = f"{address}:{at(pycurl.PRIMARY_PORT)}"
    chain = at(pycurl.INFO_CERTINFO)
    certificate = _certificate(dict(chain[0])) if chain else None
    timings = msgspec.structs.replace(handle.timings(reused=False), first_byte=0.0)
    return CheckedConnection(fault, timings, address, bool(at(pycurl.USED_PROXY)), certificate)


def _certificate(fields: dict[str, str]) -> Certificate:
    names = re.sub(r"\b(DNS|IP Address):", "", fields.get("X509v3 Subject Alternative Name", ""))
    return Certificate(
        subject=fields.get("Subject", ""),
        issuer=fields.get("Issuer", ""),
        names=names,
        starts=_instant(fields.get("Start date", "")),
        expires=_instant(fields.get("Expire date", "")),
    )


def _instant(spelled: str) -> str:
    """A time as OpenSSL spells it, `Jan  1 00:00:00 3000 GMT`, in RFC 3339; empty if it is none."""
    from ssl import cert_time_to_seconds

    try:
        seconds = cert_time_to_seconds(spelled)
    except ValueError:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
