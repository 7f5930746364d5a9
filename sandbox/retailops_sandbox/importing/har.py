"""The requests of a HAR 1.2 archive, as browsers, proxies, apps and our own export write it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import field

from retailops_sandbox import jsontext
from retailops_sandbox.importing import har_body
from retailops_sandbox.importing.found import FoundRequest, shown
from retailops_sandbox.importing.har_body import Body, NotBase64, Written
from retailops_sandbox.importing.mending import is_json
from retailops_sandbox.model import Headers, HttpResponse, Json

_BODIES = ("PATCH", "POST", "PUT")


class _Header(msgspec.Struct, frozen=True):
    name: str
    value: str | None = None


_Headers = list[_Header] | dict[str, str] | None


class _Request(msgspec.Struct, frozen=True):
    method: str
    url: str
    headers: _Headers = None
    posted: Written | str | None = field(default=None, name="postData")
    own_posted: Written | str | None = field(default=None, name="_postData")
    content: Written | None = field(default=None, name="_content")
    status: str | None = field(default=None, name="_requestBodyStatus")
    size: int | None = field(default=None, name="bodySize")


class _Content(msgspec.Struct, frozen=True):
    size: int | None = None
    text: str | None = None
    encoding: str | None = None


class _Response(msgspec.Struct, frozen=True):
    status: int | None = None
    headers: _Headers = None
    content: _Content | None = None
    error: str | None = field(default=None, name="_error")


class _Entry(msgspec.Struct, frozen=True):
    request: _Request
    response: _Response | None = None
    started: str | None = field(default=None, name="startedDateTime")


class _Log(msgspec.Struct, frozen=True):
    entries: list[_Entry]


class _Archive(msgspec.Struct, frozen=True):
    log: _Log


def is_archive(document: Json) -> bool:
    """Whether a JSON document has the outline of a HAR archive, of several in an array, or of one entry."""
    if isinstance(document, list):
        return bool(document) and all(map(_is_log, document))
    return _is_log(document) or _is_entry(document)


def _is_log(document: Json) -> bool:
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and "entries" in log


def _is_entry(document: Json) -> bool:
    request = document.get("request") if isinstance(document, dict) else None
    return isinstance(request, dict) and {"url", "method", "postData"} <= set(request)


def read(document: Json, text: str, *, file: str) -> list[FoundRequest]:
    """The requests that sent a body, as their times order them.

    SourceError, with line and pointer, where the document is not HAR.
    """
    reader = _Reader(text, file)
    placed = list(_entries(document, text, file))
    found = [
        (entry.started, request)
        for number, (at, entry) in enumerate(placed, 1)
        if (request := reader.found(entry, at, number))
    ]
    return [request for _, request in _by_time(found)]


def _entries(document: Json, text: str, file: str) -> Iterator[tuple[str, _Entry]]:
    """The entries of the document, with their pointers."""
    if isinstance(document, list):
        for number, each in enumerate(jsontext.convert(document, list[_Archive], text, file=file)):
            yield from _of_log(each.log, f"/{number}/log")
    elif _is_log(document):
        yield from _of_log(jsontext.convert(document, _Archive, text, file=file).log, "/log")
    else:
        yield "", jsontext.convert(document, _Entry, text, file=file)


def _of_log(log: _Log, at: str) -> Iterator[tuple[str, _Entry]]:
    for number, entry in enumerate(log.entries):
        yield f"{at}/entries/{number}", entry


def _by_time(found: list[tuple[str | None, FoundRequest]]) -> list[tuple[str | None, FoundRequest]]:
    """In the order of their times, where all have one: HAR leaves sorting to readers."""
    try:
        return sorted(found, key=lambda each: _time(each[0]))
    except ValueError:
        return found


def _time(written: str | None) -> datetime:
    time = datetime.fromisoformat(written or "")
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class _Sent(NamedTuple):
    """What an archive has of a request's body."""

    body: bytes = b""
    notes: tuple[str, ...] = ()
    lacks: str = ""
    """Why the archive does not have the body; empty where it does."""


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def found(self, entry: _Entry, at: str, number: int) -> FoundRequest | None:
        """The request of the entry at a pointer; None where it sent no body."""
        request = entry.request
        headers = _pairs(request.headers)
        sent = self._sent(request, headers, f"{at}/request")
        if sent is None:
            return None
        response, response_notes = self._answer(entry.response, f"{at}/response")
        return FoundRequest(
            place=f"entry {number}",
            body=sent.body,
            method=request.method.upper(),
            url=request.url,
            headers=headers,
            response=response,
            notes=(*sent.notes, *response_notes),
            lacks=sent.lacks,
        )

    def _sent(self, request: _Request, headers: Headers, at: str) -> _Sent | None:
        """What the archive has of a request's body; None where there was none."""
        for name, written in (
            ("postData/text", request.posted),
            ("_postData/text", request.own_posted),
            ("_content/text", request.content),
        ):
            if written is None:
                continue
            posted = Written(text=written) if isinstance(written, str) else written
            try:
                body = har_body.read(posted)
            except NotBase64 as error:
                raise self._wrong(f"{at}/{name}", error) from None
            if body is not None:
                return _plain(body, headers)
            if lacks := _lack(posted):
                return _Sent(lacks=lacks)
        if request.method.upper() in _BODIES and (request.size or 0) > 0:
            why = f" ({shown(request.status)})" if request.status else ""
            return _Sent(
                lacks=f"the archive says that it sent {request.size:,} bytes, and does not have them{why}"
            )
        return None

    def _answer(self, received: _Response | None, at: str) -> tuple[HttpResponse | None, tuple[str, ...]]:
        """The response, None where it did not arrive whole or the archive does not have it; and notes."""
        if received is None or received.error or not received.status or received.status < 0:
            if received is None:
                return None, ()
            why = f" ({shown(received.error)})" if received.error else ""
            return None, (f"there was no whole answer{why}: nothing is expected of it",)
        content = received.content or _Content()
        headers = _pairs(received.headers)
        if content.text is None and (content.size or 0) > 0:
            return None, ("the archive does not have the body of its answer: nothing is expected of it",)
        encoded = (content.encoding or "").lower() == "base64"
        try:
            body = har_body.octets(content.text or "") if encoded else (content.text or "").encode()
        except NotBase64 as error:
            # Firefox says base64 of some texts that are none.
            if not is_json(content.text or ""):
                raise self._wrong(f"{at}/content/text", error) from None
            body = (content.text or "").encode()
        plain = har_body.decompressed(body, _header(headers, "content-encoding")) if encoded else body
        if plain is None:
            return None, (
                "its answer is compressed in a way that is not read here: nothing is expected of it",
            )
        return HttpResponse(received.status, "1.1", headers, plain), ()

    def _wrong(self, pointer: str, error: NotBase64) -> Exception:
        what, mend = f"is not base64: {error}", "export the archive again"
        return jsontext.error_in(self._text, pointer, what, mend=mend, file=self._file)


def _plain(body: Body, headers: Headers) -> _Sent:
    """The body without its compression."""
    encoding = _header(headers, "content-encoding")
    plain = har_body.decompressed(body.content, encoding)
    compressed = f"compressed ({shown(encoding)})"
    if plain is None:
        return _Sent(lacks=f"its body is {compressed} in a way that is not read here")
    notes = (f"its body was {compressed}: it is sent plain",) if plain != body.content else ()
    return _Sent(plain, (*body.notes, *notes))


def _lack(posted: Written) -> str:
    """Why an archive does not have a body; empty where there was none."""
    if beside := posted.file or posted.sha1:
        return f"its body is in the file '{shown(beside)}' beside the archive, which is not read"
    if posted.params:
        return "its body is a form with files, which a payload cannot be"
    return ""


def _pairs(headers: _Headers) -> Headers:
    if isinstance(headers, dict):
        return tuple(headers.items())
    return tuple((each.name, each.value or "") for each in headers or ())


def _header(headers: Headers, wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")
