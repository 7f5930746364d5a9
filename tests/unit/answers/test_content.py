"""What an answer is told for: one sentence for each kind, in bounded work."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.answers import content, page, trace
from retailops_sandbox.model import Response

JSON = '{"events":[]}'
PHP_WARNING = "<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/r.php</b> on line <b>3</b><br />\n"
PAGE = (
    "<html><head><style>a{}</style><title>404 Not\nFound</title></head>"
    "<body><script>x</script><p>nginx &amp; co"
)

TEXTS = [
    ("", "empty", "the answer is empty"),
    (" \n", "empty", "the answer is nothing but white space"),
    ("OK", "text", "the answer is text, not JSON: “OK”"),
    ("404 page not found\n", "text", "the answer is text, not JSON: “404 page not found”"),
    (PAGE, "html", "the answer is an HTML page, not JSON: “404 Not Found”: nginx & co"),
    ("<h1>Oh no</h1>", "html", "the answer is an HTML page, not JSON: Oh no"),
    ("<html><style>a{}</style></html>", "html", "the answer is an HTML page, not JSON"),
    (
        PHP_WARNING + JSON,
        "warning",
        "the answer has a PHP warning before its JSON: Warning: Undefined variable $x",
    ),
    (
        "Deprecated: x() in /a.php on line 1\nNotice: y in /b.php on line 2\n{}",
        "warning",
        "the answer has a PHP deprecation before its JSON",
    ),
    (PHP_WARNING, "warning", "the answer is a PHP warning, not JSON: Warning: Undefined variable $x"),
    (
        "<br />\n<b>Fatal error</b>:  Uncaught Error: no &lt;x&gt; in /a.php:3\nStack trace:\n#0 {main}",
        "trace",
        "the answer is a PHP fatal error, not JSON: Fatal error: Uncaught Error: no <x>",
    ),
    (
        "PHP Parse error:  unexpected token in /a.php on line 3",
        "trace",
        "the answer is a PHP fatal error, not JSON: Parse error: unexpected",
    ),
    (
        "Traceback (most recent call last):\n  File \"a.py\", line 1\n    x\nKeyError: 'order'\n",
        "trace",
        "the answer is a Python traceback, not JSON: KeyError: 'order'",
    ),
    (
        "Traceback (most recent call last):\nTypeError: not <class 'int'> but <b>list</b>\n",
        "trace",
        "the answer is a Python traceback, not JSON: TypeError: not <class 'int'> but list",
    ),
    (
        "TypeError: no 'id'\n    at /app/a.js:5:10\n    at run (a.js:1:1)",
        "trace",
        "the answer is a Node.js stack trace, not JSON: TypeError: no 'id'",
    ),
    (
        "java.lang.NullPointerException: x\n\tat com.shop.Cancel.post(Cancel.java:12)\n",
        "trace",
        "the answer is a Java stack trace, not JSON: java.lang.NullPointerException: x",
    ),
    (
        "System.NullReferenceException: no order\r\n   at Shop.Cancel.Post(Order o) in C:\\a.cs:line 12\r\n",
        "trace",
        "the answer is a .NET stack trace, not JSON: System.NullReferenceException: no order",
    ),
    (
        "a.rb:12:in `cancel': no id (NoMethodError)\n\tfrom a.rb:3",
        "trace",
        "the answer is a Ruby stack trace, not JSON: no id (NoMethodError)",
    ),
    (
        "NoMethodError (no id):\n\napp/a.rb:12:in `cancel'",
        "trace",
        "the answer is a Ruby stack trace, not JSON: NoMethodError (no id)",
    ),
    (
        "panic: no order\n\ngoroutine 1 [running]:\nmain.main()",
        "trace",
        "the answer is a Go panic, not JSON: panic: no order",
    ),
    (
        "No order at /srv/a.pl line 12.\n",
        "trace",
        "the answer is a Perl error, not JSON: No order at /srv/a.pl line 12.",
    ),
    (
        '<?xml version="1.0"?><answer><ok>yes</ok></answer>',
        "xml",
        "the answer is XML, <answer>, not JSON: “yes”",
    ),
    (
        "<s:Envelope><s:Body>No order</s:Body></s:Envelope>",
        "xml",
        "the answer is a SOAP message, not JSON: “No order”",
    ),
    ("events=&status=ok", "form", "the answer is a URL-encoded form, not JSON"),
    (f"{JSON}\n{JSON}\n", "NDJSON", "the answer is 2 JSON documents, one in each line (NDJSON)"),
    (JSON + JSON, "NDJSON", "the answer is more than one JSON document"),
    (f"{JSON}0", "text after", "the answer has something after its JSON: “0”"),
    (JSON + PHP_WARNING, "text after", "the answer has a PHP warning after its JSON"),
    (f"Here: {JSON}", "text before", "the answer has text before its JSON: “Here:”"),
    (f"```json\n{JSON}\n```", "text before", "the answer has its JSON in a block of Markdown"),
    (f"callback({JSON});", "JSONP", "the answer is JSONP"),
    (f")]}}',\n{JSON}", "guard", "the answer has a guard against scripts before its JSON"),
    (json.dumps(JSON), "string", "the answer is JSON inside a JSON string"),
    (
        "Array\n(\n    [events] => Array\n        (\n        )\n\n)\n",
        "printed",
        "the answer is what PHP's print_r prints",
    ),
    ("<pre>array(1) {\n  [0]=> int(1)\n}</pre>", "printed", "the answer is what PHP's var_dump prints"),
    ("{'events': [], 'ok': True}", "printed", "the answer is what Python's repr prints"),
    ('{"events"=>[]}', "printed", "the answer is what Ruby's inspect prints"),
    ("[object Object]", "printed", "the answer is what JavaScript's String(object) prints"),
    ("{events: []}", "literal", "the answer is an object with keys that are not quoted"),
    ("<?php echo 1;", "source", "the answer is PHP source code, which nobody ran"),
    (f"data: {JSON}\n\n", "events", "the answer is a stream of server-sent events"),
    ("--x\r\nContent-Type: a/b\r\n\r\n{}", "multipart", "the answer is a multipart body"),
    (
        f"Content-Type: a/b\r\n\r\n{JSON}",
        "headers",
        "the answer is HTTP headers, where the body should begin",
    ),
    (f"d\r\n{JSON}\r\n0\r\n\r\n", "chunks", "the answer is the chunks of a Transfer-Encoding"),
    ("---\nevents: []\n", "yaml", "the answer is YAML"),
    ("{&quot;events&quot;:[]}", "escaped", "the answer is JSON with HTML entities in place of its quotes"),
    ('{\\"events\\":[]}', "escaped", "the answer is JSON with a backslash before each quote"),
    ("%7B%22events%22%3A%5B%5D%7D", "escaped", "the answer is URL-encoded JSON"),
    (base64.b64encode(JSON.encode()).decode(), "escaped", "the answer is JSON in base64"),
    ("\ufeff" + JSON, "byte order mark", "the answer begins with a byte order mark (0xEF 0xBB 0xBF)"),
    ("\ufeffOK", "text", "the answer is text, not JSON: “OK”"),
    (
        '{"events":[]',
        "json",
        "the answer is not JSON: expected a comma or }, found the end of the text (line 1, column 13)",
    ),
    ('{"a":1,"a":2}', "duplicate key", 'the answer is not JSON to rely on: duplicate key "a"'),
    ('{"status":ok}', "json", "the answer is not JSON: expected a value, found ok (line 1, column 11)"),
    (
        '{"a":Müller-Lüdenscheidt}',
        "json",
        "the answer is not JSON: expected a value, found Müller-Lüdenscheidt (line",
    ),
    (
        '{"at":2026-01-02T10:00:00Z}',
        "json",
        "the answer is not JSON: 2026-01-02T10:00:00Z is not a number of JSON",
    ),
    (
        '{"at":http://shop.test/a}',
        "json",
        "the answer is not JSON: expected a value, found http://shop.test/a (line",
    ),
]


@pytest.mark.parametrize(("text", "kind", "words"), TEXTS)
def test_what_a_text_is(text: str, kind: str, words: str):
    told = content.describe(text, ())
    assert told.kind == kind
    assert told.words.startswith(words)
    assert "\n" not in told.words
    assert not told.is_json


LATIN = '{"events":["Grüße"]}'.encode("latin-1")
BYTES = [
    (
        LATIN,
        "application/json; charset=ISO-8859-1",
        "",
        (
            "the answer is text in another encoding: byte 15, 0xFC, is not UTF-8; Content-Type says "
            'ISO-8859-1: “{"events":["Grüße"]}”'
        ),
    ),
    (
        LATIN,
        "application/json",
        "",
        "the answer is text in another encoding: byte 15, 0xFC, is not UTF-8; Content-Type names no charset",
    ),
    (
        LATIN,
        "text/x; charset=no-such",
        "",
        "the answer is text in another encoding: byte 15, 0xFC, is not UTF-8; Content-Type says no-such",
    ),
    ("é".encode()[:1], "", "", "the answer is text that ends within a character: byte 1, 0xC3, is not UTF-8"),
    (JSON.encode("utf-16"), "", "", 'the answer is text in UTF-16, not UTF-8: “{"events":[]}”'),
    (JSON.encode("utf-16-be"), "", "", 'the answer is text in UTF-16BE, not UTF-8: “{"events":[]}”'),
    (JSON.encode("utf-32-le"), "", "", "the answer is text in UTF-32LE, not UTF-8"),
    (
        gzip.compress(b"{}", mtime=0),
        "",
        "",
        "the answer is gzip-compressed bytes, and no Content-Encoding says so",
    ),
    (
        gzip.compress(b"{}", mtime=0),
        "",
        "deflate",
        "the answer is gzip-compressed bytes, where its Content-Encoding says deflate",
    ),
    (zlib.compress(b"{}"), "", "", "the answer is deflate-compressed bytes, and no Content-Encoding says so"),
    (
        b"\x28\xb5\x2f\xfd\xff",
        "",
        "zstd",
        "the answer is zstd-compressed bytes, as its Content-Encoding says",
    ),
    (b"\x0b\x06\x80\xff", "", "br", "the answer is bytes in the coding br, as its Content-Encoding says"),
    (b"%PDF-1.7\xff", "", "", "the answer is a PDF document, not JSON"),
    (bytes(range(256)), "", "", "the answer is bytes that are no text: byte 129, 0x80, is not UTF-8"),
]


@pytest.mark.parametrize(("body", "type", "coding", "words"), BYTES)
def test_what_bytes_are(body: bytes, type: str, coding: str, words: str):
    headers = tuple(
        (name, value) for name, value in (("content-type", type), ("Content-Encoding", coding)) if value
    )
    told = content.describe(base64.b64encode(body).decode(), headers, is_base64=True)
    assert told.words.startswith(words)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"message":"No  order"}', "No order"),
        ('{"error":{"message":"No order"}}', "No order"),
        ('{"errors":[{"detail":"No order"}]}', "No order"),
        ('{"detail":[{"loc":["body"],"msg":"field required"}]}', "field required"),
        ('"No order"', "No order"),
        ("{}", ""),
        ("[]", ""),
        ("12", ""),
        ('{"message":12}', ""),
    ],
)
def test_what_json_says(body: str, says: str):
    told = content.of(Response(status=400, body=body))
    assert (told.is_json, told.text) == (True, says)


def test_nothing_says_its_status():
    assert content.of(Response(status=500)).words == "the answer is empty (status 500)"


def test_a_login_is_advised_about():
    form = "<title>Sign in</title><form><input type=password name=p></form>"
    assert "login" in content.describe(form, ()).mend


@given(st.text(max_size=300))
def test_every_text_is_told(text: str):
    told = content.describe(text, ())
    assert told.words
    assert told.is_json or told.words.startswith("the answer ")


@given(st.binary(min_size=1, max_size=100))
def test_all_bytes_are_told(body: bytes):
    assert content.describe(
        base64.b64encode(body).decode(), (("Content-Type", "x;charset=idna"),), is_base64=True
    )


PIECES = [
    "<",
    "<a ",
    "<![",
    "<!--",
    "</",
    "<b>Warning</b>:",
    "Traceback (most recent call last):\n ",
    "a.rb:",
    "\n  at ",
    "'",
    "f(",
    "[",
    "{",
    '{"a":',
    "1,",
    "a: 1\n",
    "a=1&",
    " ",
    "eyJh",
    ".pl line ",
    "panic: ",
    "&quot;",
    "\\",
    "Fatal error: Uncaught ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_the_work_grows_no_faster_than_the_answer(piece: str):
    """Counted in lines of Python and not in seconds, which depend on the machine."""

    def lines(size: int) -> int:
        counted = 0

        def count(*_: object) -> object:
            nonlocal counted
            counted += 1
            return count

        text = piece * (size // len(piece))
        sys.settrace(count)
        try:
            content.describe(text, ())
        finally:
            sys.settrace(None)
        return counted

    lines(200_000)  # What is only done once, such as compiling a pattern, is done here.
    assert lines(400_000) <= 3 * lines(200_000) + 10_000


def test_a_page_is_read_up_to_a_bound():
    assert page.read("<style>" + "a{}" * 200_000 + "</style><title>x</title>").title == ""
    assert page.read("<title>x</title>" + "<p>word " * 200_000).text.startswith("word word")


def test_no_trace_in_ordinary_text():
    assert trace.find("The warning: at noon on line 3 we met at the shop.") is None
    assert trace.find("   at home\n   at work") is None
