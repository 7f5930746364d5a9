"""Why there is no connection by TLS: the likely cause, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from retailops_sandbox.model import Connection, Fault

SAYS_TLS = b"\x15\x03"
"""The first bytes of the alert by which a TLS server answers what is no TLS."""

_NOT_TLS = ("wrong version number", "packet length too long", "unknown protocol", "unsupported protocol")
_HUNG_UP = ("unexpected eof", "connection reset", "ssl_error_syscall", "broken pipe")


def fault(words: str, url: str, connection: Connection) -> Fault:
    """The fault for libcurl's words on a failed handshake or certificate."""
    lower = words.lower()
    for parts, say in _CAUSES:
        if any(part in lower for part in parts):
            return Fault("tls", say(words, url, connection))
    return Fault("tls", _plain(words) or "no connection by TLS, for a reason that is not known")


def plain_url(url: str) -> str:
    """What to do where a port may not speak TLS."""
    return f"if it does not speak TLS, its URL begins with http://{_where(url)}"


def secure_url(url: str) -> str:
    """What to do where a port may speak TLS."""
    return f"if it speaks TLS, its URL begins with https://{_where(url)}"


def _where(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port}" if parts.port else f"{host}"


def _not_tls(words: str, url: str, _: Connection) -> str:
    return f"the receiver answered something that is not TLS: {plain_url(url)}"


def _hung_up(words: str, url: str, _: Connection) -> str:
    return f"the receiver closed the connection during the TLS handshake: {plain_url(url)}"


def _self_signed(words: str, _: str, connection: Connection) -> str:
    chain = " certificate of its chain" if "chain" in words else " certificate"
    what = f"the receiver's{chain} is self-signed"
    if connection.ca_file:
        return f"{what}, and {connection.ca_file} does not hold it: {_TRUST}"
    return f"{what}: {_TRUST}"


def _unknown_issuer(_: str, __: str, connection: Connection) -> str:
    if connection.ca_file:
        return (
            f"the CA file {connection.ca_file} does not hold the authority that issued the receiver's "
            f"certificate: {_TRUST}"
        )
    return (
        "the authority that issued the receiver's certificate is not known here: "
        f"{_TRUST}. A receiver that does not send its intermediate certificates looks the same"
    )


def _unusable_file(_: str, __: str, connection: Connection) -> str:
    return (
        f"the CA file {connection.ca_file or 'of this machine'} cannot be used: a file in PEM with at least "
        "one certificate is needed (--cacert, or the receiver's CA file)"
    )


def _other_name(_: str, url: str, __: Connection) -> str:
    return (
        f"the receiver's certificate is for another name than {urlsplit(url).hostname}: "
        "call the receiver by the name in its certificate, or give it one for this name"
    )


def _expired(_: str, __: str, ___: Connection) -> str:
    return "the receiver's certificate has expired: renew it, or mind the clock of this machine"


def _too_early(_: str, __: str, ___: Connection) -> str:
    return "the receiver's certificate is not valid yet: mind the clock of this machine, and the receiver's"


def _wants_client(_: str, __: str, connection: Connection) -> str:
    if connection.client_cert:
        return f"the receiver does not accept the client certificate {connection.client_cert}"
    return "the receiver wants a client certificate: give --cert and --key, or name them at the receiver"


def _other_version(_: str, __: str, ___: Connection) -> str:
    return "the receiver speaks only versions of TLS that are too old: let it speak TLS 1.2 or 1.3"


def _no_agreement(_: str, __: str, connection: Connection) -> str:
    mend = "" if connection.client_cert else ": it may want a client certificate (--cert and --key)"
    return f"the receiver broke off the TLS handshake{mend}"


_TRUST = (
    "give the certificate of its authority, or its own if it is self-signed, as the receiver's CA file "
    "(--cacert)"
)

_CAUSES: tuple[tuple[tuple[str, ...], Callable[[str, str, Connection], str]], ...] = (
    (("self-signed", "self signed"), _self_signed),
    (("unable to get local issuer", "unable to get issuer", "unable to verify the first"), _unknown_issuer),
    (("trust anchors", "certificate verify locations", "setting cert"), _unusable_file),
    (("subject name", "common name", "does not match"), _other_name),
    (("has expired",), _expired),
    (("not yet valid",), _too_early),
    (("certificate required", "bad certificate", "unknown ca"), _wants_client),
    (("alert protocol version", "unsupported protocol", "inappropriate fallback"), _other_version),
    (("alert handshake failure",), _no_agreement),
    (_NOT_TLS, _not_tls),
    (_HUNG_UP, _hung_up),
)
"""From parts of libcurl's words, in lower case, to the words of the fault; the first that applies."""

_CODES = re.compile(
    r"\(?\berror:[0-9A-F]+:|\bSSL routines::?|\bOpenSSL/[\d.]+:? ?|, errno \d+|TLS connect error: "
)


def _plain(words: str) -> str:
    """libcurl's words without numbers and names of its parts."""
    return " ".join(_CODES.sub("", words).split())
