"""Faults from libcurl's error codes: the kind, and one line that says what happened."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pycurl

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Fault, HttpRequest

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
_CLOSED = {
    pycurl.E_GOT_NOTHING: "the receiver closed the connection without an answer",
    pycurl.E_PARTIAL_FILE: "the receiver closed the connection before its answer was complete",
    pycurl.E_SEND_ERROR: "the receiver closed the connection while the request was being sent",
    pycurl.E_RECV_ERROR: "the receiver reset the connection",
}
_NOT_HTTP = {pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_NOT_BUILT_IN}
_CURLE_TOO_LARGE = 100
_CURLE_PROXY = 97


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
        return _too_late(where, connection, handle)
    if code in _TLS or ("SSL routines" in words and "unexpected eof" not in words):
        return Fault("tls", _with_mend(words))
    if handle.repeated:
        return Fault(
            "closed",
            "the receiver closed the connection, kept open since an earlier delivery, without an answer",
        )
    if code == _CURLE_TOO_LARGE or words.startswith("Too large response headers"):
        return Fault("too large", "the headers are larger than 300 KB, or one of them than 100 KB")
    if code == _CURLE_PROXY or not went_out:
        return Fault("refused", f"no way to {where}: {words}")
    if code == pycurl.E_RECV_ERROR and not handle.curl.getinfo(pycurl.OS_ERRNO) and "eof" not in words:
        return Fault("malformed", f"the answer is not HTTP: {words}")
    if code in _CLOSED:
        return Fault("closed", _CLOSED[code])
    if code == pycurl.E_BAD_CONTENT_ENCODING:
        return Fault("malformed", f"the body is not encoded as its Content-Encoding says: {words}")
    if code == pycurl.E_TOO_MANY_REDIRECTS:
        return Fault("malformed", "the receiver redirected more than 10 times: does it lead in a circle?")
    return Fault("malformed", f"the answer cannot be read: {words}")


def _refused(words: str, where: str, handle: Handle) -> Fault:
    if handle.curl.getinfo(pycurl.USED_PROXY):
        if handle.curl.getinfo(pycurl.CONNECT_TIME_T):
            return Fault("refused", f"the proxy does not lead to {where}: {words}")
        return Fault("refused", f"the proxy on the way to {where} cannot be reached: {words}")
    number = handle.curl.getinfo(pycurl.OS_ERRNO)
    if number == errno.ECONNREFUSED:
        return Fault("refused", f"nothing listens on {where}: is the receiver running?")
    return Fault("refused", f"{where} cannot be reached: {os.strerror(number) if number else words}")


def _too_late(where: str, connection: Connection, handle: Handle) -> Fault:
    if handle.requests:
        what = "its answer was not complete" if handle.response() else "no answer came"
        return Fault("deadline", f"{what} within {connection.timeout_ms} ms")
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
            "connect timeout", f"{where} accepts connections, but was not ready {within}: does it speak TLS?"
        )
    return Fault("connect timeout", f"no connection to {where} {within}")


def _with_mend(words: str) -> str:
    if "wrong version number" in words or "packet length too long" in words:
        return f"{words}: does the receiver speak TLS? If not, its URL begins with http://"
    if "unable to get local issuer" in words or "self-signed" in words or "self signed" in words:
        return f"{words}: name its CA file in the receiver's settings"
    return words
