"""The requests of a HAR 1.2 archive, as browsers' developer tools, proxies and our own export write it."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error

import msgspec
from msgspec import field

from retailops_sandbox import jsontext
from retailops_sandbox.importing.found import FoundRequest
from retailops_sandbox.model import HttpResponse, Json


class _Header(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Posted(msgspec.Struct, frozen=True):
    text: str | None = None
    encoding: str | None = field(default=None, name="_encoding")


class _Request(msgspec.Struct, frozen=True):
    method: str
    url: str
    headers: list[_Header] = []
    posted: _Posted | None = field(default=None, name="postData")


class _Content(msgspec.Struct, frozen=True):
    text: str | None = None
    encoding: str | None = None


class _Response(msgspec.Struct, frozen=True):
    status: int
    headers: list[_Header] = []
    content: _Content = _Content()
    error: str | None = field(default=None, name="_error")


class _Entry(msgspec.Struct, frozen=True):
    request: _Request
    response: _Response | None = None


class _Log(msgspec.Struct, frozen=True):
    entries: list[_Entry]


class _Archive(msgspec.Struct, frozen=True):
    log: _Log


def is_archive(document: Json) -> bool:
    """Whether a JSON document has the outline of a HAR archive: `log.entries`."""
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and "entries" in log


def read(document: Json, text: str, *, file: str) -> list[FoundRequest]:
    """The requests that sent a body; SourceError, with line and pointer, where the document is not HAR."""
    archive = jsontext.convert(document, _Archive, text, file=file)
    found = []
    for number, entry in enumerate(archive.log.entries):
        at = f"/log/entries/{number}"
        sent = entry.request
        if sent.posted is None or not sent.posted.text:
            continue
        encoded = sent.posted.encoding == "base64"
        body = _octets(sent.posted.text, encoded, f"{at}/request/postData/text", text, file)
        found.append(
            FoundRequest(
                place=f"entry {number + 1}",
                body=body,
                method=sent.method,
                url=sent.url,
                headers=_pairs(sent.headers),
                response=_answer(entry.response, at, text, file),
                notes=_notes(entry.response),
            )
        )
    return found


def _answer(received: _Response | None, at: str, text: str, file: str) -> HttpResponse | None:
    """The response; None where it did not arrive completely."""
    if received is None or received.error or not received.status:
        return None
    content = received.content
    body = _octets(
        content.text or "", content.encoding == "base64", f"{at}/response/content/text", text, file
    )
    return HttpResponse(received.status, "1.1", _pairs(received.headers), body)


def _notes(received: _Response | None) -> tuple[str, ...]:
    if received is None or (received.status and not received.error):
        return ()
    why = f" ({received.error})" if received.error else ""
    return (f"there was no whole answer{why}: nothing is expected of it",)


def _octets(written: str, encoded: bool, pointer: str, text: str, file: str) -> bytes:
    if not encoded:
        return written.encode()
    try:
        return b64decode(written, validate=True)
    except Base64Error as error:
        what, mend = f"is not base64: {error}", "export the archive again"
        raise jsontext.error_in(text, pointer, what, mend=mend, file=file) from None


def _pairs(headers: list[_Header]) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.value) for each in headers)
