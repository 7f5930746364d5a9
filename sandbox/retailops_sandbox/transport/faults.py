"""Why there is no usable answer: the kind of the fault, and one line with the likely cause and the cure."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pycurl

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Fault, HttpRequest, HttpResponse
from retailops_sandbox.transport import framing, tls

if TYPE_CHECKING:
    from retailops_sandbox.transport.handle import Handle

_TLS = {
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_CRL_BADFILE,
    pycurl.E_SSL_ISSUER_ERROR,
    pycurl.E_SSL_INVALIDCERTSTATUS,
    pycurl.E_SSL_ENGINE_INITFAILED,
    98,  # CURLE_SSL_CLIENTCERT: the receiver wants a client certificate
}
_NOT_HTTP = {pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_NOT_BUILT_IN}
_CLOSED = {pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR, pycurl.E_PARTIAL_FILE}
_CURLE_TOO_LARGE = 100
_CURLE_PROXY = 97

_LOOPBACK = {"IPv4": "127.0.0.1", "IPv6": "::1"}
_LOOPBACK_SECONDS = 0.02

_UNREADABLE = (
    ("Unsupported HTTP", framing.NO_STATUS_LINE),
    ("Version mismatch", framing.NO_STATUS_LINE),
    ("Invalid Content-Length", framing.NO_LENGTH),
    ("Header without colon", "a line of its headers has no colon"),
    ("NUL byte in header", "a line of its headers has a NUL byte"),
    ("chunk hex-length", "it says Transfer-Encoding: chunked, and a chunk does not begin with its size"),
    ("Malformed encoding found", "it says Transfer-Encoding: chunked, and a chunk is longer than its size"),
    (
        "Unsolicited Transfer-Encoding",
        "it has a Transfer-Encoding other than chunked, which nobody asked for",
    ),
    ("redirect target URL", "its Location is no URL"),
)
"""From libcurl's words on an answer that it cannot read to plain ones."""


def explain(code: int, words: str, request: HttpRequest, connection: Connection, handle: Handle) -> Fault:
    """The fault for libcurl's code and words. UsageError for a bad URL, which is no fault of the network."""
    from urllib.parse import urlsplit

    went_out = handle.requests > 0
    if code in _NOT_HTTP and not went_out:
        raise UsageError(f"this request cannot be sent: {words}", mend="correct the receiver's URL")
    target = urlsplit(request.url)
    where = f"{target.hostname}:{target.port or (443 if target.scheme == 'https' else 80)}"
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return Fault("dns", f"there is no host named {target.hostname}: is the name right?")
    if code == pycurl.E_COULDNT_RESOLVE_PROXY:
        return Fault("dns", f"the proxy's host is not known: {words}")
    if code == pycurl.E_COULDNT_CONNECT:
        return _refused(words, where, handle)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _too_late(where, connection, handle, request.url)
    if code in _TLS or ("SSL routines" in words and "unexpected eof" not in words):
        return tls.fault(words, request.url, connection)
    if handle.repeated:
        return Fault(
            "closed",
            "the receiver closed the connection, kept open since an earlier delivery, without an answer",
        )
    if code == _CURLE_TOO_LARGE or words.startswith("Too large response headers"):
        return Fault("too large", "the headers are larger than 300 KB, or one of them than 100 KB")
    if code == _CURLE_PROXY or not went_out:
        return Fault("refused", f"no way to {where}: {words or _nameless(code)}")
    response = handle.response()
    if response is not None and not handle.has_status_line:
        return _not_http(response, request.url)
    if "Invalid status line" in words:
        # Of a connection that was used before, libcurl gives no bytes that are not HTTP.
        return Fault("malformed", "no HTTP status line, on a connection kept open since an earlier delivery")
    if code == pycurl.E_RECV_ERROR and not handle.curl.getinfo(pycurl.OS_ERRNO) and "eof" not in words:
        return _unreadable(code, words)
    # libcurl cannot send a body again to a receiver that closed the connection when it was to ask for it.
    is_unasked = code == pycurl.E_SEND_FAIL_REWIND and (response is None or response.status < 200)
    if is_unasked or code in _CLOSED:
        return Fault("closed", _closed(code, response, request.url))
    return _unreadable(code, words)


def overlooked(handle: Handle, response: HttpResponse | None) -> Fault | None:
    """The fault of an answer that libcurl has nothing against; None where there is none."""
    if response is None:
        return None
    if not handle.has_status_line:
        return _not_http(response, "")
    return framing.misframed(handle.status_line, response.headers)


def _not_http(response: HttpResponse, url: str) -> Fault:
    """The fault of bytes that came in the place of a status line. Redaction adds how they began."""
    if response.body.startswith(tls.SAYS_TLS):
        return Fault("malformed", f"no HTTP status line, but an alert of TLS: {tls.secure_url(url)}")
    return Fault("malformed", "no HTTP status line")


def _unreadable(code: int, words: str) -> Fault:
    plain = next((plain for part, plain in _UNREADABLE if part in words), words or _nameless(code))
    return framing.unreadable(plain)


def _nameless(code: int) -> str:
    return f"libcurl gives no reason for its error {code}"


def _closed(code: int, response: HttpResponse | None, url: str) -> str:
    """How the receiver closed the connection, and why it may have done so."""
    if response is not None and response.status >= 200:
        how = "reset" if code == pycurl.E_RECV_ERROR else "closed"
        far = framing.how_far(response)
        return f"the receiver {how} the connection before its answer was complete" + (
            f": {far}" if far else ""
        )
    if code == pycurl.E_SEND_ERROR:
        return "the receiver closed the connection while the request was being sent"
    what = "the receiver closed the connection without an answer"
    if code == pycurl.E_RECV_ERROR:
        what = "the receiver reset the connection without an answer"
    return what if url[:5].lower() == "https" else f"{what} ({tls.secure_url(url)})"


def _refused(words: str, where: str, handle: Handle) -> Fault:
    if handle.curl.getinfo(pycurl.USED_PROXY):
        if handle.curl.getinfo(pycurl.CONNECT_TIME_T):
            return Fault("refused", f"the proxy does not lead to {where}: {words}")
        return Fault("refused", f"the proxy on the way to {where} cannot be reached: {words}")
    number = handle.curl.getinfo(pycurl.OS_ERRNO)
    if number == errno.ECONNREFUSED:
        mend = _other_family(handle.tried, int(where.rpartition(":")[2])) or "is the receiver running?"
        return Fault("refused", f"nothing listens on {where}: {mend}")
    return Fault("refused", f"{where} cannot be reached: {os.strerror(number) if number else words}")


def _other_family(tried: Sequence[str], port: int) -> str:
    """What to do where a receiver may listen on the other kind of address than those that were tried."""
    from ipaddress import ip_address

    addresses = [ip_address(each.partition("%")[0]) for each in tried]
    versions = {each.version for each in addresses}
    if len(versions) != 1:
        return ""
    is_local = all(each.is_loopback for each in addresses)
    here, other = ("IPv6", "IPv4") if versions == {6} else ("IPv4", "IPv6")
    if is_local and _listens(_LOOPBACK[other], port):
        written = f"[{_LOOPBACK[other]}]" if other == "IPv6" else _LOOPBACK[other]
        return (
            f"that is {here} ({tried[0]}) alone, and something listens on {written}:{port}. Call it by that "
            f"address, or let it listen on {tried[0]} too"
        )
    if versions == {6}:
        return (
            f"that is IPv6 ({', '.join(tried[:2])}) alone. Is the receiver running, and listening on IPv6? "
            "One that listens on IPv4 alone is called by its IPv4 address"
        )
    return ""


def _listens(address: str, port: int) -> bool:
    """Whether anything accepts connections at an address of loopback, which answers at once."""
    try:
        with socket.create_connection((address, port), _LOOPBACK_SECONDS):
            return True
    except OSError:
        return False


def _too_late(where: str, connection: Connection, handle: Handle, url: str) -> Fault:
    if handle.requests:
        return Fault("deadline", _unfinished(handle.response(), connection))
    if handle.curl.getinfo(pycurl.TOTAL_TIME_T) >= connection.timeout_ms * 1000:
        return Fault("deadline", f"no connection to {where} within {connection.timeout_ms} ms")
    if not handle.curl.getinfo(pycurl.NAMELOOKUP_TIME_T):
        return Fault(
            "dns",
            f"no address for {where} within {connection.connect_timeout_ms} ms: does the resolver work?",
        )
    within = f"within {connection.connect_timeout_ms} ms"
    if handle.curl.getinfo(pycurl.CONNECT_TIME_T):
        return Fault(
            "connect timeout",
            f"{where} accepts connections, but was not ready for TLS {within}: {tls.plain_url(url)}",
        )
    return Fault("connect timeout", f"no connection to {where} {within}")


def _unfinished(response: HttpResponse | None, connection: Connection) -> str:
    """What an answer lacked at its deadline."""
    within = f"within {connection.timeout_ms} ms"
    if response is None:
        return f"no answer came {within}"
    if framing.has_no_end(response):
        return (
            f"its answer did not end {within}: it has no Content-Length and is not chunked, so it ends when "
            "the receiver closes the connection, which stays open. Send a Content-Length, or close it"
        )
    return f"its answer was not complete {within}: {framing.how_far(response)}"
