"""Exchanges, judgements and payloads as they may be kept: redacted before anything is written."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Delivery,
    Exchange,
    Fault,
    Headers,
    HttpRequest,
    HttpResponse,
    Json,
    Redirect,
    Request,
    Response,
    StruckOut,
    Wire,
)
from retailops_sandbox.redaction import credentials, listing, octets
from retailops_sandbox.redaction.marks import Span
from retailops_sandbox.redaction.places import Body, KeptBody, in_text, leaves
from retailops_sandbox.redaction.policy import is_reference
from retailops_sandbox.redaction.secrets import Secrets

_BEGINNING = 60
"""The most bytes that a message quotes of what came in the place of a status line; a multiple of 3."""
_SMALL = 4_096
"""The most bytes of an answer that is remembered as it was read."""
_Side = TypeVar("_Side", bound=Request | Response)


class RedactedExchange(NamedTuple):
    """An exchange as it may be kept, without its secrets."""

    request: Request
    response: Response | None
    fault: Fault | None
    redirects: tuple[Redirect, ...]
    struck_out: tuple[StruckOut, ...]
    secrets: Secrets
    """All secrets that were looked for, including those that the exchange itself gave away."""
    answered: Response | None
    """The response as it was, secrets included: it is judged, and never kept."""


def exchange(
    request: HttpRequest,
    exchange: Exchange,
    secrets: Secrets,
    secret_pointers: tuple[str, ...] = (),
    document: Any = UNSET,
) -> RedactedExchange:
    """The exchange as it may be kept: the headers really sent, bodies as text where they are UTF-8.

    What the exchange itself gives away as secret (a cookie, the value at a secret pointer) is looked for in
    all of it, too. `document` is the JSON value of the request's body, where that is known.
    """
    sent = exchange.request_headers or request.headers
    composed = request.body if request.composed is None else request.composed
    sent_body = Body.of(composed, secret_pointers, document)
    answer = _answer(exchange.response, secret_pointers)
    came, received_body, answered = answer.headers, answer.body, answer.response
    proofs = secrets.proofs
    harmless = credentials.is_harmless(sent, proofs) and credentials.is_harmless(came, proofs)
    harmless = harmless and not exchange.redirects and "@" not in request.url and "?" not in request.url
    disclosed = [] if harmless else [*credentials.disclosed(request.url, sent + came, proofs)]
    for place in (*sent_body.places, *received_body.places):
        disclosed += [(place.name, leaf) for leaf in leaves(place.value)]
    secrets = secrets.and_learned(disclosed)
    asked = Request(
        method=request.method,
        url=request.url,
        headers=sent,
        body=sent_body.unredacted,
        base64=sent_body.binary,
    )
    if harmless and not secrets and not sent_body.places and not received_body.places:
        told = _told(exchange.fault, answered)
        return RedactedExchange(asked, answered, told, exchange.redirects, (), secrets, answered)
    plain = harmless and exchange.fault is None and not received_body.places
    # As nearly always, only the payload's token is secret.
    if plain and secrets.are_not_in(request.url, sent, came, received_body.text):
        body = sent_body.kept(secrets, "/request/body")
        asked = msgspec.structs.replace(asked, body=body.text)
        return RedactedExchange(asked, answered, None, (), body.struck_out, secrets, answered)
    request_url = _struck_url(request.url, "/request/url", secrets)
    kept_request, in_request = _side(asked, sent_body, "/request", secrets, is_sent=True)
    kept_response, in_response = (
        (None, ()) if answered is None else _side(answered, received_body, "/response", secrets)
    )
    fault, in_fault = _fault(exchange.fault, secrets)
    fault = _told(fault, kept_response)
    redirects, in_redirects = _redirects(exchange.redirects, secrets)
    return RedactedExchange(
        msgspec.structs.replace(kept_request, url=request_url[0]),
        kept_response,
        fault,
        redirects,
        (*request_url[1], *in_request, *in_response, *in_fault, *in_redirects),
        secrets,
        answered,
    )


class _Answer(NamedTuple):
    """What came back, as text; nothing where there was no response."""

    headers: Headers
    body: Body
    response: Response | None


def _answer(received: HttpResponse | None, secret_pointers: tuple[str, ...]) -> _Answer:
    if received is None:
        return _NO_ANSWER
    read = _read_small if len(received.body) <= _SMALL else _read
    return read(received, secret_pointers)


def _read(received: HttpResponse, secret_pointers: tuple[str, ...]) -> _Answer:
    body = Body.of(received.body, secret_pointers)
    response = Response(
        status=received.status,
        http_version=received.http_version,
        headers=received.headers,
        body=body.unredacted,
        base64=body.binary,
    )
    return _Answer(received.headers, body, response)


_read_small = lru_cache(maxsize=64)(_read)
"""The same small answer often comes again."""
_NO_ANSWER = _Answer((), Body("", False, []), None)


def _told(fault: Fault | None, answer: Response | None) -> Fault | None:
    """The fault, which quotes the beginning of what came in the place of a status line."""
    if fault is None or answer is None or answer.status:
        return fault
    return Fault(fault.kind, f"{fault.message}; it began with {_beginning(answer)}")


def _beginning(answer: Response) -> str:
    """How bytes without a status line begin. Cut after they were redacted, so that no secret is cut."""
    body = b64decode(answer.body[: 2 * _BEGINNING]) if answer.base64 else answer.body.encode()
    shown = body[:_BEGINNING].decode("ascii", "backslashreplace")
    more = "…" if len(body) > _BEGINNING else ""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in shown) + more


def template(
    text: bytes, secrets: Secrets, secret_pointers: tuple[str, ...] = (), document: Any = UNSET
) -> KeptBody:
    """A payload before its placeholders were filled, as it may be kept: references stay where they are.

    `document` is its JSON value, where that is known.
    """
    body = Body.of(text, secret_pointers, document)
    places = [place for place in body.places if not _is_reference(place.value)]
    disclosed = [(place.name, leaf) for place in places for leaf in leaves(place.value)]
    return msgspec.structs.replace(body, places=places).kept(secrets.and_learned(disclosed), "/composed")


def own_headers(
    written: Mapping[str, str | None],
    secrets: Secrets,
    known: Mapping[str, Sequence[StruckOut]] = listing.NOTHING,
) -> tuple[dict[str, str | None], list[StruckOut]]:
    """Headers of a step as it writes them, as they may be kept. `known` is what was struck out already."""
    kept: dict[str, str | None] = {}
    found: list[StruckOut] = []
    for name, text in written.items():
        if text is None:
            kept[name] = None
            continue
        part = f"/own_headers/{pointer.escape(name)}"
        kept[name], spans = secrets.struck_text(text, listing.spans(known.get(part, ())))
        found += [in_text(part, span) for span in spans]
    return kept, found


def wire(
    written: Wire, secrets: Secrets, known: Mapping[str, Sequence[StruckOut]] = listing.NOTHING
) -> tuple[Wire, list[StruckOut]]:
    """The spelling of a request as it may be kept. `known` is what was struck out of it already."""
    found: list[StruckOut] = []
    lines: list[str] = []
    for number, line in enumerate(written.headers):
        part = f"/wire/headers/{number}"
        line, spans = _struck_line(line, secrets, listing.spans(known.get(part, ())))
        lines.append(line)
        found += [in_text(part, span) for span in spans]
    path = written.path
    if path is not None:
        path, in_path = _struck_path(path, secrets, known.get("/wire/path", ()))
        found += in_path
    return msgspec.structs.replace(written, headers=lines, path=path), found


def _struck_line(line: str, secrets: Secrets, known: Sequence[Span]) -> tuple[str, list[Span]]:
    """A header line without its secrets; a reference to the environment stays, which a step may write."""
    name, _, rest = line.partition(":")
    value = rest.strip(" \t")
    if known or is_reference(value):
        return secrets.struck_text(line, known)
    (kept,), found = secrets.struck_headers(((name, value),), sent=True)
    between = line[len(name) : len(line) - len(rest.lstrip(" \t"))]
    before = len(kept[0]) + len(between)
    spans = [
        span if is_name else Span(span.start + before, span.end + before, span.name)
        for _, is_name, span in found
    ]
    return f"{kept[0]}{between}{kept[1]}", spans


def _struck_path(path: str, secrets: Secrets, known: Sequence[StruckOut]) -> tuple[str, list[StruckOut]]:
    """A path without its secrets; a parameter that is a reference to the environment stays."""
    parameters = re.findall(credentials.QUERY, path)
    refers = [is_reference(value) for name, value in parameters if credentials.is_credential(name)]
    if not refers or not all(refers):
        return _struck_url(path, "/wire/path", secrets, known)
    text, spans = secrets.struck_text(path, listing.spans(known))
    return text, [in_text("/wire/path", span) for span in spans]


def delivery(kept: Delivery, secrets: Secrets) -> Delivery:
    """A delivery of the log as it may leave it: secrets that were not known when it was sent struck out."""
    if not secrets:
        return kept
    known = listing.by_part(kept)
    url = _struck_url(kept.request.url, "/request/url", secrets, known.get("/request/url", ()))
    request, in_request = _again(kept.request, "/request", secrets, known, is_sent=True)
    response, in_response = (
        (None, ()) if kept.response is None else _again(kept.response, "/response", secrets, known)
    )
    fault, in_fault = _fault(kept.fault, secrets, known.get("/fault/message", ()))
    redirects, in_redirects = _redirects(kept.redirects, secrets, known)
    composed = Body(kept.composed, False, []).kept(secrets, "/composed", tuple(known.get("/composed", ())))
    own, in_own = own_headers(kept.own_headers, secrets, known)
    spelling, in_wire = (None, []) if kept.wire is None else wire(kept.wire, secrets, known)
    return msgspec.structs.replace(
        kept,
        request=msgspec.structs.replace(request, url=url[0]),
        response=response,
        fault=fault,
        redirects=redirects,
        composed=composed.text,
        own_headers=own,
        wire=spelling,
        struck_out=(
            *url[1],
            *in_request,
            *in_response,
            *in_fault,
            *in_redirects,
            *composed.struck_out,
            *in_own,
            *in_wire,
        ),
    )


def _redirects(
    found: Sequence[Redirect], secrets: Secrets, known: Mapping[str, Sequence[StruckOut]] = listing.NOTHING
) -> tuple[tuple[Redirect, ...], list[StruckOut]]:
    kept: list[Redirect] = []
    listed: list[StruckOut] = []
    for number, each in enumerate(found):
        for field in ("location", "url"):
            part = f"/redirects/{number}/{field}"
            text, places = _struck_url(getattr(each, field), part, secrets, known.get(part, ()))
            each = msgspec.structs.replace(each, **{field: text})
            listed += places
        kept.append(each)
    return tuple(kept), listed


def _again(
    side: _Side,
    part: str,
    secrets: Secrets,
    known: Mapping[str, Sequence[StruckOut]],
    *,
    is_sent: bool = False,
) -> tuple[_Side, tuple[StruckOut, ...]]:
    body = Body(side.body, False, [])
    if side.base64:
        body = Body(octets.text_of(b64decode(side.body)), True, [], side.body)
    return _side(side, body, part, secrets, known, is_sent=is_sent)


def _side(
    side: _Side,
    body: Body,
    part: str,
    secrets: Secrets,
    known: Mapping[str, Sequence[StruckOut]] = listing.NOTHING,
    *,
    is_sent: bool = False,
) -> tuple[_Side, tuple[StruckOut, ...]]:
    """A request or response as it may be kept, and what was struck out of its headers and body."""
    in_headers: dict[tuple[int, bool], Sequence[Span]] = {}
    for position in range(len(side.headers) if known else 0):
        for is_name in (True, False):
            if places := known.get(_header_part(part, position, is_name)):
                in_headers[position, is_name] = listing.spans(places)
    struck = secrets.struck_headers(side.headers, sent=is_sent, known=in_headers)
    kept = body.kept(secrets, f"{part}/body", tuple(known.get(f"{part}/body", ())))
    if not struck[1] and not kept.struck_out:
        return side, ()
    return (
        msgspec.structs.replace(side, headers=struck[0], body=kept.text),
        (*_in_headers(part, struck[1]), *kept.struck_out),
    )


def _in_headers(part: str, spans: Iterable[tuple[int, bool, Span]]) -> Iterator[StruckOut]:
    for position, is_name, span in spans:
        yield in_text(_header_part(part, position, is_name), span)


def _header_part(part: str, position: int, is_name: bool) -> str:
    """The pointer into the record to a header's name or value."""
    return f"{part}/headers/{position}/{0 if is_name else 1}"


def _struck_url(
    url: str, part: str, secrets: Secrets, known: Sequence[StruckOut] = ()
) -> tuple[str, list[StruckOut]]:
    kept, spans = secrets.struck_url(url, listing.spans(known))
    return kept, [in_text(part, span) for span in spans]


def _fault(
    fault: Fault | None, secrets: Secrets, known: Sequence[StruckOut] = ()
) -> tuple[Fault | None, list[StruckOut]]:
    if fault is None:
        return None, []
    message, found = _struck_url(fault.message, "/fault/message", secrets, known)
    return Fault(fault.kind, message), found


def _is_reference(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\$\{[^{}]+\}", value) is not None
