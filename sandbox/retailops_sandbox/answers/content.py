"""What the body of an answer is, before anybody asks whether it keeps the contract.

The work is bounded by the body's size: shapes are known by the body's beginning, and what is searched is cut.
"""

from __future__ import annotations

import re
from base64 import b64decode

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.answers import encoding, page, shapes, trace
from retailops_sandbox.errors import SourceError, shortened
from retailops_sandbox.jsontext.printed import wholly_printed
from retailops_sandbox.model import Headers, Json, Response

_SEARCHED = 64 * 1024
"""The most characters that are searched for traces, and in which JSON is looked for behind other text."""
_SHOWN = 160
"""The most characters of an answer that are quoted."""

_MEND_EMPTY = "a program that fails without a word answers like this: its log says why"

NOT_STRICT = {
    "duplicate key": "duplicate key",
    "nested deeper": "depth",
    "the number": "number",
    "surrogate": "encoding",
    "more values": "values",
}
"""From words in the parser's message on JSON that is not strict to the kind of the trouble."""


class Content(msgspec.Struct, frozen=True):
    """What a body is."""

    kind: str
    """One word: html, trace, empty, encoding …; `json` for JSON with a mistake."""
    words: str
    """One sentence without a full stop: `the answer is an HTML page, not JSON: “Not Found”`."""
    mend: str = ""
    """What to do about it; may be empty."""
    pointer: str = ""
    """The place of the mistake in what is JSON otherwise."""
    text: str = ""
    """What of it a person would read: of a page its title and first text, of a trace the error."""
    is_json: bool = False
    """Whether it is strict JSON."""
    what: str = "what is no JSON"
    """The same as a noun, to follow `answered 500 with`: `an HTML page`."""


def of(response: Response, error: SourceError | None = None) -> Content:
    """What the body of a response is. `error` is why it is no JSON, where that is known already."""
    found = describe(response.body, response.headers, is_base64=response.base64, error=error)
    if found.kind == "empty":
        return msgspec.structs.replace(found, words=f"{found.words} (status {response.status})")
    return found


def describe(
    body: str, headers: Headers, *, is_base64: bool = False, error: SourceError | None = None
) -> Content:
    """What a body is. `error` is why it is no JSON, where that is known already."""
    if is_base64:
        found = encoding.describe(b64decode(body), headers)
        shown = f": “{found.shows}”" if found.shows else ""
        return Content(
            found.kind, f"the answer is {found.words}{shown}", found.mend, text=found.shows, what=found.words
        )
    if not body.strip():
        words = "the answer is nothing but white space" if body else "the answer is empty"
        return Content("empty", words, _MEND_EMPTY, what="an empty body" if not body else "white space alone")
    if error is None:
        try:
            return _of_value(jsontext.parse_answer(body))
        except SourceError as refused:
            error = refused
    if body.startswith("\ufeff"):
        return _marked(body, headers)
    return _of_text(body, error)


def of_string(value: str) -> Content | None:
    """What a JSON string as a whole answer is, where it holds JSON; None where it does not."""
    inner = value.lstrip()
    if inner[:1] not in ("{", "["):
        return None
    try:
        jsontext.parse(value)
    except SourceError:
        return None
    what = "JSON inside a JSON string"
    return Content("string", f"the answer is {what}", "encode it once", what=what)


def _of_value(value: Json) -> Content:
    if isinstance(value, str):
        inside = of_string(value)
        return inside or Content("json", "the answer is a JSON string", text=_line(value), is_json=True)
    return Content("json", "the answer is JSON", text=_message(value), is_json=True)


def _marked(body: str, headers: Headers) -> Content:
    rest = body.lstrip("\ufeff")
    if rest.lstrip()[:1] not in ("{", "[", '"'):
        return (
            describe(rest, headers) if rest != body else Content("text", "the answer is no JSON", what="text")
        )
    words = "the answer begins with a byte order mark (0xEF 0xBB 0xBF), which JSON does not allow"
    mend = "save the receiver's source files without one"
    return Content("byte order mark", words, mend, what="a byte order mark before its JSON")


def _of_text(body: str, error: SourceError) -> Content:
    """What a text is that is not strict JSON."""
    head = body[:_SEARCHED].lstrip()
    if _is_strict_otherwise(error):
        return _json_mistake(error)
    if "expected the end of the text" in error.what:
        return _after_json(body, error)
    if found := trace.find(head):
        return _of_trace(head, found)
    if shape := shapes.shape_of(head):
        detail = _where(error) if shape.kind == "literal" else f"“{_line(head)}”"
        return Content(
            shape.kind,
            f"the answer is {shape.what}, not JSON: {detail}",
            shape.mend,
            text=_line(head),
            what=shape.what,
        )
    if kind := wholly_printed(_without_pre(head)):
        printed = f"what {kind.name} prints"
        words = f"the answer is {printed}, not JSON: “{_line(head)}”"
        return Content("printed", words, kind.mend, text=_line(head), what=printed)
    if head.startswith("<"):
        return _markup(body, head)
    if escaped := _escaped(head):
        return escaped
    if head[0] in '{["':
        return _json_mistake(error)
    return _wrapped(head) or _plain(head)


def _without_pre(head: str) -> str:
    """The text behind a `<pre>`, which PHP's programmers print before what they dump."""
    return head.partition(">")[2].lstrip() if head[:5].lower() in ("<pre>", "<pre ") else head


# --- JSON with a mistake, or with something around it ------------------------------------------------------


def _is_strict_otherwise(error: SourceError) -> bool:
    return any(words in error.what for words in NOT_STRICT)


def _json_mistake(error: SourceError) -> Content:
    kind = next((kind for words, kind in NOT_STRICT.items() if words in error.what), "json")
    what = "JSON to rely on" if kind != "json" else "JSON"
    words = f"the answer is not {what}: {_where(error)}"
    return Content(kind, words, error.mend, error.pointer or "", what="JSON that has a mistake")


def _where(error: SourceError) -> str:
    place = f"line {error.line}, column {error.column}" if error.line else "far behind its beginning"
    return f"{error.what} ({place})"


def _after_json(body: str, error: SourceError) -> Content:
    """What a text is that goes on after a JSON document."""
    if body.lstrip()[0] not in '{["':
        return _plain(body.lstrip())  # a text that begins with a number, or with `true`
    rest = body[_offset(body, error) :][:_SEARCHED].lstrip()
    if rest[:1] in ("{", "["):
        lines = [line for line in body[:_SEARCHED].splitlines() if line.lstrip()[:1] in ("{", "[")]
        what = "more than one JSON document"
        if len(lines) > 1:
            more = "more than " if len(body) > _SEARCHED else ""
            what = f"{more}{len(lines)} JSON documents, one in each line (NDJSON)"
        return Content("NDJSON", f"the answer is {what}", "answer with one document", what=what)
    found = trace.find(rest)
    what = (
        f"{found.what} after its JSON: {found.words}"
        if found
        else f"something after its JSON: “{_line(rest)}”"
    )
    mend = "print nothing after the JSON"
    behind = "text after its JSON"
    return Content("text after", f"the answer has {what}", mend, text=_line(rest), what=behind)


def _offset(body: str, error: SourceError) -> int:
    """The position of an error's line and column."""
    start = 0
    for _ in range(error.line - 1):
        start = body.index("\n", start) + 1
    return start + error.column - 1


def _of_trace(head: str, found: trace.Trace) -> Content:
    rest = head[found.end :]
    if not found.is_fatal:
        last = trace.last_warning(head)
        rest = head[last.end :].lstrip() if last else rest.lstrip()
        if rest[:1] in ("{", "["):
            mend = "mend what it warns of, and keep display_errors off where answers are made"
            return Content(
                "warning",
                f"the answer has {found.what} before its JSON: {found.words}",
                mend,
                text=found.words,
                what=f"{found.what} before its JSON",
            )
    words = f"the answer is {found.what}, not JSON: {found.words}"
    return Content("trace" if found.is_fatal else "warning", words, text=found.words, what=found.what)


_OPENING = re.compile(r"\{\s*(?:\"|\})|\[\s*(?:[{\[\"\]]|-?\d)")
_GUARDS = (")]}'", "for(;;);", "for (;;);", "while(1);", "{}&&")
_CALL = re.compile(
    r"(?:/\*\*/\s{0,9})?(?:typeof [\w$.]{1,100} === 'function' && )?[\w$.\[\]]{1,100}\s{0,9}\(\s{0,9}[{\[\"]"
)


def _wrapped(head: str) -> Content | None:
    """JSON with something before or around it."""
    mend = "answer with the JSON alone"
    if head.startswith(_GUARDS):
        guard = "a guard against scripts before its JSON"
        return Content("guard", f"the answer has {guard}: “{_line(head)}”", mend, what=guard)
    if _CALL.match(head) and head.rstrip().endswith((")", ");")):
        return Content(
            "JSONP",
            f"the answer is JSONP, a call of a function with JSON, not JSON: “{_line(head)}”",
            mend,
            what="JSONP",
        )
    if (found := _OPENING.search(head)) and found.start():
        before = _line(head[: found.start()])
        if "```" in before:
            words = f"the answer has its JSON in a block of Markdown: “{before}”"
            return Content("text before", words, mend, what="JSON in a block of Markdown")
        what = "text before its JSON"
        return Content("text before", f"the answer has {what}: “{before}”", mend, text=before, what=what)
    return None


_AS_IT_IS = "answer with the JSON as it is"
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}\s{0,9}")


def _escaped(head: str) -> Content | None:
    """JSON that was escaped or encoded once more."""
    for begins, what in (
        (
            ("{&quot;", "[&quot;", "[{&quot;", "{&#34;", "[{&#34;"),
            "JSON with HTML entities in place of its quotes",
        ),
        (('{\\"', '[\\"', '[{\\"'), "JSON with a backslash before each quote"),
        (("%7B%22", "%5B", "%7b%22", "%5b"), "URL-encoded JSON"),
    ):
        if head.startswith(begins):
            return Content("escaped", f"the answer is {what}: “{_line(head)}”", _AS_IT_IS, what=what)
    if _BASE64.fullmatch(head) and _decodes_to_json(head):
        what = "JSON in base64"
        return Content("escaped", f"the answer is {what}: “{_line(head)}”", _AS_IT_IS, what=what)
    return None


def _decodes_to_json(head: str) -> bool:
    start = head[:16].replace("-", "+").replace("_", "/")
    start = start[: len(start) // 4 * 4].rstrip("=")
    return b64decode(start[: len(start) // 4 * 4])[:2] in (b'{"', b"{}", b"[{", b"[]", b'["')


# --- Other texts -------------------------------------------------------------------------------------------

_XML = re.compile(
    r"(?:<\?xml[^>]{0,300}\?>\s{0,99})?"
    r"(?:<!--[^>]{0,600}-->\s{0,99}|<!DOCTYPE (?!html)[^>]{0,600}>\s{0,99}){0,3}"
    r"<(?P<root>[A-Za-z_][\w.:-]{0,100})"
)
_HTML = re.compile(
    r"(?i)<(?:!doctype html|html|head|body|title|h[1-6]|p|div|br|b|pre|center|meta|script|style|form|table"
    r"|a|font|hr|ul|span|link)\b|<!--"
)


def _markup(body: str, head: str) -> Content:
    if _HTML.match(head) or "<html" in head[:2000].lower():
        read = page.read(body)
        mend = "a login stands before the receiver: exempt its URL" if read.asks_for_password else ""
        what = "an HTML page, not JSON"
        words = f"the answer is {what}" + (f": {shortened(read.words, 2 * _SHOWN)}" if read.words else "")
        return Content("html", words, mend, text=read.words, what="an HTML page")
    if found := _XML.match(head):
        text = page.read(head).text
        soap = found["root"].lower().endswith("envelope")
        what = "a SOAP message" if soap else f"XML, <{found['root']}>"
        shown = f": “{_line(text)}”" if text else ""
        words = f"the answer is {what}, not JSON{shown}"
        return Content("xml", words, "answer with JSON", text=_line(text), what=what)
    return _plain(head)


def _plain(head: str) -> Content:
    return Content("text", f"the answer is text, not JSON: “{_line(head)}”", text=_line(head), what="text")


# --- Words -------------------------------------------------------------------------------------------------


def _line(text: str) -> str:
    """The beginning of a text in one line."""
    return shortened(" ".join(text[: 4 * _SHOWN].split()), _SHOWN)


_SAYING = ("message", "error", "detail", "title", "error_description", "msg", "reason", "errors")


def _message(value: Json) -> str:
    """What a JSON answer says in words, by the usual names."""
    for _ in range(3):
        if isinstance(value, str):
            return _line(value)
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = next((value[name] for name in _SAYING if value.get(name)), None)
    return _line(value) if isinstance(value, str) else ""
