"""The table of hostile and odd answers: raw bytes, and what every face must make of them.

A row is data: what the receiver sends, what it does then, and what must be said. Nothing is expected of it,
so that the contract alone decides. `test_hostile.py` drives all rows through `run`, `serve` and `record`.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Literal

import msgspec

from retailops_sandbox.model import FaultKind, Verdict

TIMEOUT_MS = 2_000
"""The deadline of each delivery."""

JSON = b'{"events":[]}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


Then = Literal["close", "hang", "reset"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, and what must come of it."""

    name: str
    """Also the first part of the path that is answered so: letters, digits and hyphens."""
    answer: bytes
    then: Then = "close"
    """What the receiver does after its answer: closes the connection, does nothing more, or resets it."""
    verdict: Verdict = "failed"
    fault: FaultKind | Literal[""] = ""
    says: str = ""
    """How the reason, or the fault's message, begins."""
    edition: str = "draft"
    relayed: Verdict | None = None
    """The verdict where a relay passes it on, if another: who called may have been wrong on purpose."""


def http(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A response with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def head(*lines: str, body: bytes = JSON) -> bytes:
    """A response with exactly these lines before its body."""
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def page(title: str, text: str = "") -> bytes:
    """An HTML page with more style than text."""
    style = "a{color:red}" * 300
    return (
        f"<!DOCTYPE html>\n<html><head><style>{style}</style><title>{title}</title></head>"
        f"<body><script>var x = 1;</script><p>{text}</p></body></html>"
    ).encode()


def said(text: str, kind: str = "is") -> str:
    return f"the answer {kind} {text}"


def answered(status: int) -> str:
    return f"answered {status}; order_cancel must be answered with 200"


def ok(name: str, answer: bytes, *, then: Then = "close") -> Row:
    """An answer that keeps the contract."""
    return Row(name=name, answer=answer, then=then, verdict="recorded")


def broken(
    name: str, answer: bytes, says: str, *, edition: str = "draft", relayed: Verdict | None = None
) -> Row:
    """An answer that breaks the contract."""
    return Row(name=name, answer=answer, says=says, edition=edition, relayed=relayed)


def faulty(fault: FaultKind, name: str, answer: bytes, says: str, *, then: Then = "close") -> Row:
    """No usable answer."""
    return Row(name=name, answer=answer, then=then, verdict="errored", fault=fault, says=says)


OK = [
    ok("plain", http(JSON)),
    ok("chunked", CHUNKED + b"d\r\n" + JSON + b"\r\n0\r\n\r\n"),
    ok("until-close", head("HTTP/1.1 200 OK")),
    ok("http-1-0", head("HTTP/1.0 200 OK")),
    ok("early-hints", head("HTTP/1.1 103 Early Hints", body=b"") + http(JSON)),
    ok("lone-line-feeds", b"HTTP/1.1 200 OK\nContent-Length: 13\n\n" + JSON),
    ok("no-reason-phrase", head("HTTP/1.1 200", "Content-Length: 13")),
    ok("one-length-twice", head("HTTP/1.1 200 OK", "Content-Length: 13, 13")),
    ok("gzip", http(gzip.compress(JSON), "Content-Encoding: gzip")),
    ok("gzip-in-members", http(gzip.compress(JSON[:5]) + gzip.compress(JSON[5:]), "Content-Encoding: gzip")),
    ok("identity", http(JSON, "Content-Encoding: identity")),
    ok("something-behind", http(JSON) + b"GET / HTTP/1.1\r\n\r\n"),
]

STATUSES = [
    broken("created", http(JSON, status="201 Created"), answered(201)),
    broken("no-content", http(status="204 No Content"), answered(204)),
    broken("bad-request", http(b'{"message":"no client_id"}', status="400 Bad Request"), answered(400)),
    broken(
        "unauthorized",
        http(b"", 'WWW-Authenticate: Basic realm="shop"', status="401 Unauthorized"),
        answered(401),
    ),
    broken(
        "bad-token", http(JSON, status="401 Unauthorized"), answered(401), edition="v1", relayed="recorded"
    ),
    broken(
        "csrf-django",
        http(page("403 Forbidden", "CSRF verification failed. Request aborted."), status="403 Forbidden"),
        answered(403),
    ),
    broken("csrf-laravel", http(page("Page Expired"), status="419 unknown status"), answered(419)),
    broken(
        "csrf-rails",
        http(page("The change you wanted was rejected (422)"), status="422 Unprocessable Entity"),
        answered(422),
    ),
    broken(
        "csrf-magento",
        http(b"", "Location: /", "X-Magento-Cache-Debug: MISS", status="302 Found"),
        answered(302),
    ),
    broken("not-found", http(page("404 Not Found", "nginx"), status="404 Not Found"), answered(404)),
    broken("not-found-plain", http(b"404 page not found\n", status="404 Not Found"), answered(404)),
    broken("not-allowed", http(b"", "Allow: GET", status="405 Method Not Allowed"), answered(405)),
    broken(
        "too-large", http(page("413 Request Entity Too Large"), status="413 Payload Too Large"), answered(413)
    ),
    broken("unsupported", http(b"", status="415 Unsupported Media Type"), answered(415)),
    broken("teapot", http(JSON, status="418 I'm a teapot"), answered(418)),
    broken("too-many", http(b"", "Retry-After: 30", status="429 Too Many Requests"), answered(429)),
    broken("server-error", http(page("500"), status="500 Internal Server Error"), answered(500)),
    broken("bad-gateway", http(page("502 Bad Gateway"), status="502 Bad Gateway"), answered(502)),
    broken("status-999", http(JSON, status="999 Request Denied"), answered(999)),
    broken(
        "moved",
        http(b"", "Location: https://shop.test/order_cancel", status="301 Moved Permanently"),
        answered(301),
    ),
    broken("found-login", http(b"", "Location: /login", status="302 Found"), answered(302)),
    broken(
        "temporary",
        http(b"", "Location: /temporary/order_cancel/", status="307 Temporary Redirect"),
        answered(307),
    ),
    broken("nowhere", http(b"", status="302 Found"), answered(302)),
    broken("bad-location", http(b"", "Location: http://[::1", status="302 Found"), answered(302)),
    broken("not-modified", http(b"", status="304 Not Modified"), answered(304)),
    broken(
        "tls-port",
        http(b"Client sent an HTTP request to an HTTPS server.\n", status="400 Bad Request"),
        answered(400),
    ),
]

BODIES = [
    broken("empty", http(), said("empty (status 200)")),
    broken("blank", http(b" \r\n"), said("nothing but white space")),
    broken(
        "html",
        http(page("Welcome", "Please sign in")),
        said("an HTML page, not JSON: “Welcome”: Please sign in"),
    ),
    broken("html-unclosed", http(b"<html><![CDATA[<!-- <p"), said("an HTML page, not JSON")),
    broken("text", http(b"OK"), said("text, not JSON: “OK”")),
    broken(
        "php-fatal",
        http(b"<br />\n<b>Fatal error</b>:  Uncaught Error: no order in /a.php:3\nStack trace:\n#0 {main}"),
        said("a PHP fatal error, not JSON: Fatal error: Uncaught Error: no order"),
    ),
    broken(
        "php-warning",
        http(
            b"<br />\n<b>Warning</b>:  Undefined variable $x in <b>/a.php</b> on line <b>3</b><br />\n" + JSON
        ),
        said("a PHP warning before its JSON: Warning: Undefined variable $x", "has"),
    ),
    broken(
        "php-warning-behind",
        http(JSON + b"\nWarning: no x in /a.php on line 3\n"),
        said("a PHP warning after its JSON", "has"),
    ),
    broken("php-source", http(b"<?php echo json_encode([]);"), said("PHP source code, which nobody ran")),
    broken(
        "python",
        http(b"Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'order'\n"),
        said("a Python traceback, not JSON: KeyError: 'order'"),
    ),
    broken(
        "node",
        http(b"TypeError: no id\n    at /app/a.js:5:10\n"),
        said("a Node.js stack trace, not JSON: TypeError: no id"),
    ),
    broken(
        "java",
        http(b"java.lang.NullPointerException: x\n\tat com.shop.A.post(A.java:12)\n"),
        said("a Java stack trace"),
    ),
    broken(
        "dotnet",
        http(b"System.Exception: x\r\n   at Shop.A.Post(Order o) in C:\\a.cs:line 12\r\n"),
        said("a .NET stack trace"),
    ),
    broken(
        "ruby",
        http(b"a.rb:12:in `cancel': no id (NoMethodError)\n"),
        said("a Ruby stack trace, not JSON: no id"),
    ),
    broken(
        "xml",
        http(b'<?xml version="1.0"?><answer>no order</answer>'),
        said("XML, <answer>, not JSON: “no order”"),
    ),
    broken("form", http(b"events=&status=ok"), said("a URL-encoded form")),
    broken("ndjson", http(JSON + b"\n" + JSON + b"\n"), said("2 JSON documents, one in each line (NDJSON)")),
    broken("two-documents", http(JSON + JSON), said("more than one JSON document")),
    broken("jsonp", http(b"callback(" + JSON + b");"), said("JSONP")),
    broken("guarded", http(b")]}',\n" + JSON), said("a guard against scripts before its JSON", "has")),
    broken("json-in-a-string", http(json.dumps(JSON.decode()).encode()), said("JSON inside a JSON string")),
    broken("json-in-base64", http(base64.b64encode(JSON)), said("JSON in base64")),
    broken(
        "print-r",
        http(b"Array\n(\n    [events] => Array\n        (\n        )\n\n)\n"),
        said("what PHP's print_r prints"),
    ),
    broken("repr", http(b"{'events': []}"), said("what Python's repr prints")),
    broken("inspect", http(b'{"events"=>[]}'), said("what Ruby's inspect prints")),
    broken("unquoted-keys", http(b"{events: []}"), said("an object with keys that are not quoted")),
    broken(
        "unquoted-word", http(b'{"status":not-found}'), said("not JSON: expected a value, found not-found")
    ),
    broken("cut-off", http(b'{"events":['), said("not JSON: expected a value, found the end of the text")),
    broken("server-sent", http(b"data: " + JSON + b"\n\n"), said("a stream of server-sent events")),
    broken(
        "headers-twice",
        http(b"Content-Type: application/json\r\n\r\n" + JSON),
        said("HTTP headers, where the body should begin"),
    ),
    broken(
        "chunks-bare", http(b"d\r\n" + JSON + b"\r\n0\r\n\r\n"), said("the chunks of a Transfer-Encoding")
    ),
    broken("bom", http(b"\xef\xbb\xbf" + JSON), said("a byte order mark", "begins with")),
    broken(
        "latin",
        http('{"a":"é"}'.encode("latin-1"), "Content-Type: application/json; charset=ISO-8859-1"),
        said("text in another encoding: byte 7, 0xE9, is not UTF-8; Content-Type says ISO-8859-1"),
    ),
    broken("utf-16", http(JSON.decode().encode("utf-16")), said("text in UTF-16, not UTF-8")),
    broken(
        "length-in-characters",
        head("HTTP/1.1 200 OK", "Content-Length: 9", body='{"a":"éé"}'.encode()),
        said("text that ends within a character: byte 9, 0xC3, is not UTF-8"),
    ),
    broken("pdf", http(b"%PDF-1.7\xff\xff"), said("a PDF document")),
    broken(
        "gzip-unsaid",
        http(gzip.compress(JSON)),
        said("gzip-compressed bytes, and no Content-Encoding says so"),
    ),
    broken("null", http(b"null"), "1 violation of the contract"),
    broken("a-number", http(b"12"), "1 violation of the contract"),
    broken(
        "twice-a-key", http(b'{"events":[],"events":[]}'), said('not JSON to rely on: duplicate key "events"')
    ),
    broken(
        "too-deep", http(b"[" * 300 + b"]" * 300), said("not JSON to rely on: nested deeper than 200 levels")
    ),
    broken("reset-content", http(JSON, status="205 Reset Content"), answered(205)),
]

CODINGS = [
    broken("br", http(b'\x0b\x06\x80{"events":[]}\x03', "Content-Encoding: br"), "br was not asked for"),
    broken("deflate", http(zlib.compress(JSON), "Content-Encoding: deflate"), "deflate was not asked for"),
    broken(
        "zstd",
        http(b"\x28\xb5\x2f\xfd\x20\x0d\x69\x00\x00" + JSON, "Content-Encoding: zstd"),
        "zstd was not asked for",
    ),
    broken("coding-utf-8", http(JSON, "Content-Encoding: UTF-8"), "utf-8 was not asked for"),
    faulty(
        "malformed",
        "gzip-cut",
        http(gzip.compress(JSON)[:-6], "Content-Encoding: gzip"),
        "the body is not the gzip that its Content-Encoding says: it is cut short",
    ),
    faulty(
        "malformed",
        "gzip-checksum",
        http(gzip.compress(JSON)[:-8] + b"\0" * 8, "Content-Encoding: gzip"),
        "the body is not the gzip that its Content-Encoding says: its checksum is wrong",
    ),
    faulty(
        "malformed",
        "gzip-and-junk",
        http(gzip.compress(JSON) + b"junk", "Content-Encoding: gzip"),
        "the body is not the gzip that its Content-Encoding says: something else follows",
    ),
    faulty(
        "malformed",
        "no-gzip",
        http(JSON, "Content-Encoding: gzip"),
        "the body is not the gzip that its Content-Encoding says: its bytes are something else",
    ),
]

FRAMING = [
    faulty("closed", "nothing", b"", "the receiver closed the connection without an answer"),
    faulty("closed", "reset", b"", "the receiver reset the connection without an answer", then="reset"),
    faulty("malformed", "no-http", JSON, 'no HTTP status line; it began with {"events":[]}'),
    faulty(
        "malformed",
        "no-http-waits",
        b"220 mail ESMTP\r\n",
        "no HTTP status line; it began with 220 mail ESMTP\\r\\n",
        then="hang",
    ),
    faulty(
        "malformed",
        "tls-alert",
        b"\x15\x03\x03\x00\x02\x02\x46",
        "no HTTP status line, but an alert of TLS: if it speaks TLS, its URL begins with https://",
    ),
    faulty(
        "malformed",
        "http-2",
        head("HTTP/2 200 OK", "Content-Length: 13"),
        "the answer cannot be read: its status line is not of the form HTTP/1.1 200 OK",
    ),
    faulty("malformed", "status-word", head("HTTP/1.1 abc OK"), "the answer cannot be read: its status line"),
    faulty(
        "malformed",
        "small-letters",
        head("http/1.1 200 OK", "Content-Length: 13"),
        "the answer cannot be read: its status line is not of the form",
    ),
    faulty(
        "malformed",
        "header-without-colon",
        head("HTTP/1.1 200 OK", "no colon"),
        "the answer cannot be read: a line of its headers has no colon",
    ),
    faulty(
        "malformed",
        "header-nul",
        head("HTTP/1.1 200 OK", "X: \0"),
        "the answer cannot be read: a line of its headers has a NUL byte",
    ),
    faulty(
        "malformed",
        "length-overflow",
        head("HTTP/1.1 200 OK", "Content-Length: 99999999999999999999999"),
        "the answer cannot be read: its Content-Length is a number that no answer can have",
    ),
    faulty(
        "malformed",
        "length-negative",
        head("HTTP/1.1 200 OK", "Content-Length: -5"),
        "the answer cannot be read: its Content-Length is no number",
    ),
    faulty(
        "malformed",
        "lengths-differ",
        head("HTTP/1.1 200 OK", "Content-Length: 13, 5"),
        "the answer cannot be read: its Content-Length is no number of bytes, or there are two",
    ),
    faulty(
        "closed",
        "length-too-long",
        head("HTTP/1.1 200 OK", "Content-Length: 50"),
        "the receiver closed the connection before its answer was complete: 13 bytes of its "
        "body came, and its Content-Length announces 50",
    ),
    faulty(
        "malformed",
        "chunk-size",
        CHUNKED + b"zz\r\n",
        "the answer cannot be read: it says Transfer-Encoding: chunked, and a chunk does not "
        "begin with its size",
    ),
    faulty(
        "malformed",
        "chunk-overrun",
        CHUNKED + b"d\r\n" + JSON + b"0\r\n\r\n",
        "the answer cannot be read: it says Transfer-Encoding: chunked, and a chunk is longer than its size",
    ),
    faulty(
        "closed",
        "chunk-missing",
        CHUNKED + b"d\r\n" + JSON + b"\r\n",
        "the receiver closed the connection before its answer was complete: 13 bytes of its "
        "body came, and the chunk of size 0",
    ),
    faulty(
        "malformed",
        "transfer-gzip",
        head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
        "the answer cannot be read: it has a Transfer-Encoding other than chunked",
    ),
    faulty(
        "closed",
        "headers-cut",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        "the receiver closed the connection before its answer was complete",
    ),
    faulty(
        "closed",
        "only-100",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        "the receiver closed the connection without an answer",
    ),
    faulty("deadline", "silence", b"", "no answer came within 2000 ms", then="hang"),
    faulty(
        "deadline",
        "endless",
        head("HTTP/1.1 200 OK", "Connection: keep-alive"),
        "its answer did not end within 2000 ms: it has no Content-Length and is not chunked",
        then="hang",
    ),
    faulty(
        "deadline",
        "endless-length",
        head("HTTP/1.1 200 OK", "Content-Length: 50"),
        "its answer was not complete within 2000 ms: 13 bytes of its body came, and its "
        "Content-Length announces 50",
        then="hang",
    ),
]

DISGUISES = [
    # Texts of the sandbox's own, which mean nothing in an answer.
    ok("a-mark", http('{"events":[],"note":"«redacted:HOME»"}'.encode())),
    ok("a-mark-as-a-key", http('{"events":[],"«redacted:HOME»":1}'.encode())),
    ok("a-reference", http(b'{"events":[],"note":"${env:HOME}"}')),
    ok("an-escaped-reference", http(b'{"events":[],"note":"$${env:HOME}"}')),
    ok("a-header-with-a-mark", http(JSON, "X-Note: ${env:HOME}")),
    ok("a-cookie-in-the-text", http(b'{"events":[],"note":"12345678"}', "Set-Cookie: last=12345678")),
    ok("a-token-in-a-number", http(b'{"events":[],"n":99123456789}', "X-Auth-Token: 123456789")),
    ok("a-secret-key", http(b'{"events":[],"12345678":1}', "Set-Cookie: last=12345678")),
    ok("a-command-to-a-runner", http(b'{"events":[],"note":"\\n::error::x"}')),
    broken("a-secret-in-no-json", http(b"you sent 12345678", "Set-Cookie: last=12345678"), said("text")),
]

BOUNDS = [
    broken(
        "too-many-values",
        http(b'{"events":[],"x":[' + b"1," * 200_000 + b"1]}"),
        "the answer is not JSON to rely on: it has more values than the 200,000 that are judged",
    ),
    ok("many-signs-in-a-string", http(b'{"events":[],"x":"' + b"[,{" * 200_000 + b'"}')),
    ok("many-cookies", http(JSON, *[f"Set-Cookie: a{each}=value-number-{each}" for each in range(90)])),
    ok(
        "an-echo-in-each-item",
        http(b'{"events":[],"x":[' + b'"12345678",' * 10_001 + b"1]}", "Set-Cookie: last=12345678"),
    ),
    ok("many-escapes", http(b'{"events":[],"x":"' + b"\\u0041" * 100_000 + b'"}')),
    ok("a-long-name", http(b'{"events":[],"' + b"n" * 1_000_000 + b'":1}')),
]


ROWS = [*OK, *STATUSES, *BODIES, *CODINGS, *FRAMING, *DISGUISES, *BOUNDS]
