"""A request and a connection as libcurl's options."""

from __future__ import annotations

import os
import re

import pycurl

from retailops_sandbox.model import Connection, Headers, HttpRequest

_UNASKED = ("Accept", "Accept-Encoding", "Content-Type", "Expect", "Proxy-Connection", "User-Agent")
"""The headers that libcurl adds by itself, without Host and Content-Length, which HTTP needs."""

WITH_LENGTH = ("POST", "PUT", "PATCH")
"""The methods that state the length of their body even where it is empty."""

_LOOPBACK = re.compile(
    r"https?://(?:[^/?#]*@)?(?:localhost|[^/?#:@]+\.localhost|127\.[\d.]+|\[::1\])\.?(?=[:/?#]|$)", re.I
)

_header_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_line_break = re.compile(r"[\r\n\0]")

_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""The files with the trusted certificates of Debian, Fedora, CentOS, SUSE, and of macOS or Alpine."""

_READ = 4096
"""The bytes that libcurl reads at once. It reads a hundred times before it returns, and calls us for each
chunk: with its usual 16 KB, for 50 ms where a chunk is a byte."""


def set_options(curl: pycurl.Curl, request: HttpRequest, connection: Connection) -> None:
    """Set all options but callbacks and a body that is not empty. ValueError for what is not HTTP."""
    curl.setopt(pycurl.URL, request.url.encode())
    curl.setopt(pycurl.PATH_AS_IS, 1)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    curl.setopt(pycurl.HTTPHEADER, header_lines(request.headers))
    curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)  # decoding.py undoes it
    curl.setopt(pycurl.HTTP09_ALLOWED, 1)  # not to accept it, but to keep what came in the place of HTTP
    curl.setopt(pycurl.BUFFERSIZE, _READ)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.TIMEOUT_MS, connection.timeout_ms)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, connection.connect_timeout_ms)
    if request.wire is None:
        _set_method(curl, request)
    else:
        _set_custom_method(curl, request.method)
    _set_proxy(curl, request.url, connection)
    _set_tls(curl, request.url, connection)
    if connection.netrc:
        curl.setopt(pycurl.NETRC, pycurl.NETRC_REQUIRED)


def _set_method(curl: pycurl.Curl, request: HttpRequest) -> None:
    method = request.method
    if method == "HEAD":
        if request.body:
            raise ValueError("a HEAD request has no body")
        curl.setopt(pycurl.NOBODY, 1)
        return
    if request.body or method in WITH_LENGTH:
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, b"")
    if method != "POST":
        _set_custom_method(curl, method)


def _set_custom_method(curl: pycurl.Curl, method: str) -> None:
    if not _header_name.fullmatch(method):
        raise ValueError(f"{method!r} is not an HTTP method")
    curl.setopt(pycurl.CUSTOMREQUEST, method)


def header_lines(headers: Headers) -> list[bytes]:
    """The headers as libcurl takes them: `Name;` sends an empty value, `Name:` no header of that name."""
    lines = []
    for name, value in headers:
        if not _header_name.fullmatch(name) or _line_break.search(value):
            raise ValueError(f"the header {name!r} has a name or value that HTTP does not allow")
        lines.append(f"{name}: {value}" if value.strip() else f"{name};")
    given = {name.lower() for name, _ in headers}
    lines += [f"{name}:" for name in _UNASKED if name.lower() not in given]
    return [line.encode("utf-8", "surrogateescape") for line in lines]  # also bytes that are no UTF-8


def _set_proxy(curl: pycurl.Curl, url: str, connection: Connection) -> None:
    if connection.proxy:
        curl.setopt(pycurl.PROXY, connection.proxy.encode())
        curl.setopt(pycurl.NOPROXY, "")  # the receiver's proxy overrides the environment's no_proxy
    elif _LOOPBACK.match(url):
        curl.setopt(pycurl.PROXY, "")


def _set_tls(curl: pycurl.Curl, url: str, connection: Connection) -> None:
    if connection.client_cert:
        curl.setopt(pycurl.SSLCERT, os.fsencode(connection.client_cert))
    if connection.client_key:
        curl.setopt(pycurl.SSLKEY, os.fsencode(connection.client_key))
    if not connection.verify:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    if url[:5].lower() == "https" or connection.proxy[:5].lower() == "https":
        trusted = os.fsencode(connection.ca_file or _trusted_file())
        curl.setopt(pycurl.CAINFO, trusted)
        curl.setopt(pycurl.PROXY_CAINFO, trusted)


def _trusted_file() -> str:
    """The file of the certificates that this machine trusts, which the OpenSSL of pycurl's wheel misses."""
    for path in (os.environ.get("SSL_CERT_FILE", ""), *_CA_FILES):
        if os.path.isfile(path):
            return path
    import certifi

    return certifi.where()
