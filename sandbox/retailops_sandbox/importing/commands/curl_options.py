"""curl's options, by what they mean for the request that is sent."""

from __future__ import annotations

from retailops_sandbox.importing.commands.options import options

# fmt: off
_REQUEST = (
    "request", "url", "header", "data", "data-ascii", "data-raw", "data-binary", "json", "user-agent",
    "referer",
)
_SECRET = {
    "user": "the user and password of -u",
    "cookie": "the cookies of -b",
    "oauth2-bearer": "the token of --oauth2-bearer",
    "proxy-user": "the user and password of --proxy-user",
    "pass": "the pass phrase of --pass",
}
_RECEIVER_SWITCHES = ("insecure", "netrc", "location", "location-trusted", "proxy-insecure")
_RECEIVER_VALUES = (
    "max-time", "connect-timeout", "cacert", "capath", "cert", "cert-type", "key", "key-type", "proxy",
    "resolve", "connect-to", "interface", "ciphers", "tls-max", "noproxy", "netrc-file",
)
_IDLE_SWITCHES = (
    "silent", "show-error", "verbose", "include", "fail", "fail-with-body", "fail-early", "globoff",
    "no-buffer", "remote-name", "remote-header-name", "disable", "http1.0", "http1.1", "http2",
    "http2-prior-knowledge", "http3", "tlsv1", "tlsv1.2", "tlsv1.3", "ipv4", "ipv6", "progress-bar",
    "no-progress-meter", "path-as-is", "compressed", "tcp-nodelay", "no-keepalive", "ssl-reqd",
    "anyauth", "basic", "parallel", "raw", "no-sessionid", "no-alpn", "styled-output", "ssl-no-revoke",
    "create-dirs", "remote-time", "trace-time", "retry-all-errors", "retry-connrefused", "http3-only",
    "digest", "negotiate", "ntlm", "tcp-fastopen", "suppress-connect-headers", "no-location",
)
_IDLE_VALUES = (
    "output", "write-out", "cookie-jar", "dump-header", "retry", "retry-delay", "retry-max-time",
    "limit-rate", "trace", "trace-ascii", "stderr", "keepalive-time", "output-dir", "speed-limit",
    "speed-time", "max-filesize",
)
_REFUSED_SWITCHES = {"get": "sends no body", "head": "sends no body", "next": "begins another request"}
_REFUSED_VALUES = {
    "form": "sends a form and no JSON",
    "form-string": "sends a form and no JSON",
    "data-urlencode": "sends a form and no JSON",
    "upload-file": "sends a file",
    "config": "reads options from a file",
    "range": "asks for a part",
}
# fmt: on

OPTIONS = options(
    request=_REQUEST,
    secret=_SECRET,
    receiver_switches=_RECEIVER_SWITCHES,
    receiver=_RECEIVER_VALUES,
    idle_switches=_IDLE_SWITCHES,
    idle=_IDLE_VALUES,
    refused_switches=_REFUSED_SWITCHES,
    refused=_REFUSED_VALUES,
)

SHORT = {
    "X": "request",
    "H": "header",
    "d": "data",
    "u": "user",
    "b": "cookie",
    "A": "user-agent",
    "e": "referer",
    "k": "insecure",
    "s": "silent",
    "S": "show-error",
    "v": "verbose",
    "i": "include",
    "L": "location",
    "f": "fail",
    "n": "netrc",
    "g": "globoff",
    "N": "no-buffer",
    "O": "remote-name",
    "J": "remote-header-name",
    "q": "disable",
    "0": "http1.0",
    "1": "tlsv1",
    "4": "ipv4",
    "6": "ipv6",
    "#": "progress-bar",
    "o": "output",
    "m": "max-time",
    "w": "write-out",
    "E": "cert",
    "x": "proxy",
    "U": "proxy-user",
    "c": "cookie-jar",
    "D": "dump-header",
    "T": "upload-file",
    "F": "form",
    "G": "get",
    "I": "head",
    "K": "config",
    "r": "range",
    "Z": "parallel",
}
"""Short options by their long names."""
