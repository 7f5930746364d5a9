"""Exchanges, expectations and payloads as they may be kept: redacted before anything is written."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from retailops_sandbox.comparing.matchers import MATCHERS
from retailops_sandbox.model import (
    Delivery,
    Exchange,
    Expectation,
    Fault,
    HttpRequest,
    Json,
    Request,
    Response,
    Rule,
)
from retailops_sandbox.redaction import credentials
from retailops_sandbox.redaction.places import Body, leaves
from retailops_sandbox.redaction.secrets import Secrets

_BEGINNING = 60
"""The most bytes that a message quotes of what came in the place of a status line; a multiple of 3."""


class RedactedExchange(NamedTuple):
    """An exchange as it may be kept, without its secrets."""

    request: Request
    response: Response | None
    fault: Fault | None
    secrets: Secrets
    """All secrets that were looked for, including those that the exchange itself gave away."""


def exchange(
    request: HttpRequest, exchange: Exchange, secrets: Secrets, secret_pointers: tuple[str, ...] = ()
) -> RedactedExchange:
    """The exchange as it may be kept: the headers really sent, bodies as text where they are UTF-8.

    What the exchange itself gives away as secret (a cookie, the value at a secret pointer) is looked for in
    all of it, too.
    """
    sent = exchange.request_headers or request.headers
    received = exchange.response
    came = () if received is None else received.headers
    sent_body = Body.of(request.body, secret_pointers)
    received_body = Body.of(b"" if received is None else received.body, secret_pointers)
    harmless = credentials.is_harmless(sent) and credentials.is_harmless(came) and "@" not in request.url
    disclosed = [] if harmless else [*credentials.disclosed(request.url, sent + came)]
    for place in (*sent_body.places, *received_body.places):
        disclosed += [(place.name, leaf) for leaf in leaves(place.value)]
    secrets = secrets.and_also(disclosed)
    nothing_hidden = harmless and not secrets
    answer = None
    if received is not None:
        answer = Response(
            status=received.status,
            http_version=received.http_version,
            headers=came if nothing_hidden else secrets.headers(came),
            body=received_body.kept(secrets),
            base64=received_body.binary,
        )
    fault = exchange.fault
    if fault is not None:
        begun = "" if answer is None or answer.status else f"; it began with {_beginning(answer)}"
        fault = Fault(fault.kind, secrets.url(fault.message) + begun)
    return RedactedExchange(
        Request(
            method=request.method,
            url=secrets.url(request.url),
            headers=sent if nothing_hidden else secrets.headers(sent, sent=True),
            body=sent_body.kept(secrets),
            base64=sent_body.binary,
        ),
        answer,
        fault,
        secrets,
    )


def _beginning(answer: Response) -> str:
    """How bytes without a status line begin. Cut after they were redacted, so that no secret is cut."""
    body = b64decode(answer.body[: 2 * _BEGINNING]) if answer.base64 else answer.body.encode()
    shown = body[:_BEGINNING].decode("ascii", "backslashreplace")
    more = "…" if len(body) > _BEGINNING else ""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in shown) + more


def expectation(expected: Expectation, secrets: Secrets) -> Expectation:
    """An expectation, redacted as the answer that it will be compared with."""
    headers = expected.headers
    if not secrets and not any(map(credentials.credential_header, headers)):
        return expected
    return msgspec.structs.replace(
        expected,
        body=expected.body if expected.body is UNSET else secrets.json(expected.body),
        rules={path: secrets.json(rule) for path, rule in expected.rules.items()},
        headers={name: _expected_header(name, rule, secrets) for name, rule in headers.items()},
    )


def _expected_header(name: str, rule: Rule, secrets: Secrets) -> Any:
    if not isinstance(rule, str) or rule in MATCHERS:
        return secrets.json(rule)
    ((_, value),) = secrets.headers(((name, rule),))
    return value


def template(text: bytes, secrets: Secrets, secret_pointers: tuple[str, ...] = ()) -> str:
    """A payload before its placeholders were filled, as it may be kept: references stay where they are."""
    body = Body.of(text, secret_pointers)
    places = [place for place in body.places if not _is_reference(place.value)]
    disclosed = [(place.name, leaf) for place in places for leaf in leaves(place.value)]
    return msgspec.structs.replace(body, places=places).kept(secrets.and_also(disclosed))


def delivery(kept: Delivery, secrets: Secrets) -> Delivery:
    """A delivery of the log as it may leave it: secrets that were not known when it was sent struck out."""
    if not secrets:
        return kept
    answer = kept.response
    return msgspec.structs.replace(
        kept,
        request=msgspec.structs.replace(
            kept.request,
            url=secrets.url(kept.request.url),
            headers=secrets.headers(kept.request.headers, sent=True),
            body=_kept_body(kept.request, secrets),
        ),
        response=answer
        and msgspec.structs.replace(
            answer, headers=secrets.headers(answer.headers), body=_kept_body(answer, secrets)
        ),
        fault=kept.fault and Fault(kept.fault.kind, secrets.url(kept.fault.message)),
        composed=secrets.document(kept.composed),
        own_headers={name: secrets.plain(value) for name, value in kept.own_headers.items()},
    )


def _kept_body(side: Request | Response, secrets: Secrets) -> str:
    if not side.base64:
        return secrets.document(side.body)
    return Body(b64decode(side.body).decode("utf-8", "surrogateescape"), True, []).kept(secrets)


def _is_reference(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\$\{[^{}]+\}", value) is not None
