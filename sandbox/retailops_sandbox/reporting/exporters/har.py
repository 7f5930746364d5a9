"""Deliveries as a HAR 1.2 archive, which browsers' developer tools and others open.

Members that HAR does not define begin with `_`, as it demands: `_error` is a fault, `_retailops` has the
delivery's id, contract, receiver, scenario and verdict, and how the step spelled its request on the wire
where that is not the usual way; `_encoding` is that of a binary request body.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import msgspec

from retailops_sandbox import __version__, jsontext, redaction
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.model import Delivery, Headers, Request, Response
from retailops_sandbox.reporting.exporters.exporter import (
    ExportedFile,
    Exporter,
    SentDeliveries,
    Sources,
    file_name,
)
from retailops_sandbox.reporting.render.wire_words import body_note
from retailops_sandbox.runlog.entries import Entry

_UNKNOWN = -1
_RESERVED = "!$%&'()*+,/:;=?@~"


class Export(Exporter):
    """Exports as HAR archives."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        return ExportedFile(
            name=file_name(sent.name, ".har"),
            media_type="application/json",
            text=document(sent.entries, sources.proof),
            notes=tuple(sent.notes),
        )


def document(entries: Sequence[Entry], proof: Callable[[Delivery], Auth | None] = lambda sent: None) -> str:
    """The text of an archive of these entries, in their order.

    `proof` says how the contract of a delivery proves the sender.
    """
    log: dict[str, Any] = {
        "version": "1.2",
        "creator": {"name": "retailops-sandbox", "version": __version__},
        "entries": [_entry(each, proof(each.delivery)) for each in entries],
        "comment": "Made by the RetailOPS sandbox, which leaves out secrets.",
    }
    return jsontext.pretty({"log": log}) + "\n"


def _entry(entry: Entry, proof: Auth | None) -> dict[str, Any]:
    sent = entry.delivery
    struck_out = redaction.listing.names(sent, "/request", "/response", "/wire")
    return {
        "startedDateTime": sent.sent_at,
        "time": _milliseconds(sent.timings.total),
        "request": _request(sent, proof),
        "response": _response(sent),
        "cache": {},
        "timings": _timings(sent),
        **({"comment": f"struck out: {', '.join(struck_out)}"} if struck_out else {}),
        "_retailops": {
            "delivery": sent.id,
            "action": sent.action,
            "edition": sent.edition,
            "receiver": sent.receiver,
            "stand_in": sent.stand_in,
            **{name: value for name in ("scenario", "step", "fixture") if (value := getattr(sent, name))},
            **({"verdict": entry.judgement.verdict} if entry.judgement else {}),
            **({"wire": msgspec.to_builtins(sent.wire)} if sent.wire else {}),
        },
    }


def _request(sent: Delivery, proof: Auth | None) -> dict[str, Any]:
    request = sent.request
    parts = urlsplit(request.url)
    return {
        "method": request.method,
        "url": _uri(request.url),
        "httpVersion": f"HTTP/{sent.wire.http}" if sent.wire else _version(sent.response),
        "cookies": [],
        "headers": [_with_recipe(each, proof) for each in _headers(request.headers)],
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN if body_note(sent) else _size(request, sent),
        **({"postData": _posted(request, body_note(sent))} if request.body else {}),
    }


def _posted(request: Request, note: str) -> dict[str, Any]:
    posted = {"mimeType": _header(request.headers, "Content-Type"), "text": request.body}
    posted |= {"comment": note} if note else {}
    return posted | ({"_encoding": "base64"} if request.base64 else {})


def _response(sent: Delivery) -> dict[str, Any]:
    """The response; status 0 where none came, as browsers write it."""
    received = sent.response
    fault = {"_error": f"{sent.fault.kind}: {sent.fault.message}"} if sent.fault else {}
    headers = received.headers if received else ()
    return {
        "status": received.status if received else 0,
        "statusText": _phrase(received.status) if received else "",
        "httpVersion": _version(received) if received else "",
        "cookies": [],
        "headers": _headers(headers),
        "content": _content(received, sent),
        "redirectURL": _header(headers, "Location"),
        "headersSize": _UNKNOWN,
        # The log keeps the decoded body, so the size of an encoded one is unknown.
        "bodySize": _UNKNOWN
        if received is None or _header(headers, "Content-Encoding")
        else _size(received, sent),
        **fault,
    }


def _content(received: Response | None, sent: Delivery) -> dict[str, Any]:
    if received is None:
        return {"size": 0, "mimeType": "x-unknown"}
    return {
        "size": max(_size(received, sent), 0),
        "mimeType": _header(received.headers, "Content-Type") or "x-unknown",
        "text": received.body,
        **({"encoding": "base64"} if received.base64 else {}),
    }


def _timings(sent: Delivery) -> dict[str, float]:
    """The phases by HAR's names, in milliseconds that add up to the total; -1 for one that did not happen."""
    timings = sent.timings
    before = timings.lookup + timings.connect + timings.tls
    rest = max(timings.total - before, 0.0)
    # Without an answer, the rest of the time was spent waiting for it.
    wait = min(timings.first_byte, rest) if sent.response else rest
    connect = timings.connect + timings.tls
    return {
        "blocked": _UNKNOWN,
        "dns": _milliseconds(timings.lookup) if timings.lookup else _UNKNOWN,
        "connect": _milliseconds(connect) if connect else _UNKNOWN,
        "ssl": _milliseconds(timings.tls) if timings.tls else _UNKNOWN,
        "send": 0,
        "wait": _milliseconds(wait),
        "receive": _milliseconds(rest - wait),
    }


def _milliseconds(time: float) -> float:
    return round(time, 3)


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _with_recipe(header: dict[str, str], proof: Auth | None) -> dict[str, str]:
    """A header; with a comment on how it is made, if the contract proves the sender by it."""
    is_proof = proof is not None and header["name"].lower() == proof.header.lower()
    return header | {"comment": proof.recipe} if proof is not None and is_proof else header


def _header(headers: Headers, wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted.lower()), "")


def _version(received: Response | None) -> str:
    return f"HTTP/{received.http_version}" if received and received.http_version else "HTTP/1.1"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _size(side: Request | Response, sent: Delivery) -> int:
    """The bytes of a body; -1 where a secret was struck out of it."""
    part = "/request/body" if side is sent.request else "/response/body"
    if redaction.listing.in_part(sent, part):
        return _UNKNOWN
    return len(b64decode(side.body)) if side.base64 else len(side.body.encode())


def _uri(url: str) -> str:
    """The URL with all characters encoded that a URI must not have."""
    scheme, host, path, query, _ = urlsplit(re.sub("%(?![0-9A-Fa-f]{2})", "%25", url))
    brackets = "[]" if "[" in host else ""
    path, query = (quote(part, safe=_RESERVED) for part in (path, query))
    return urlunsplit((scheme, quote(host, safe=_RESERVED + brackets), path, query, ""))
