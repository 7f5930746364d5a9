"""The request that a send would make, without sending it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from retailops_sandbox.engine.preview import Preview, preview
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Headers, Netrc, Receiver, Request
from retailops_sandbox.web.shell.sending import SendRequest


class RequestPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What would go out, secrets struck out, or why nothing would."""

    problem: str = ""
    start_line: str = ""
    headers: Headers = ()
    body: str = ""
    size: int = 0
    is_base64: bool = False
    notes: tuple[str, ...] = ()


def rehearse(order: SendRequest) -> RequestPreview:
    """Compose and build a send as the engine does, up to where it would be sent."""
    try:
        made = next(iter(preview([order.plan], order.ports, order.options)))
    except SandboxError as error:
        return RequestPreview(problem=str(error))
    if made.request is None:
        return RequestPreview(problem=made.mistake or made.waits)
    request = made.request
    return RequestPreview(
        start_line=f"{request.method} {_target(request.url)} HTTP/1.1",
        headers=_on_the_wire(request, made.size),
        body=request.body,
        size=made.size,
        is_base64=request.base64,
        notes=tuple(_notes(order, made)),
    )


def _target(url: str) -> str:
    """What the request line names."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _on_the_wire(request: Request, size: int) -> Headers:
    """The headers, with the two that HTTP itself needs."""
    given = {name.lower() for name, _ in request.headers}
    host = urlsplit(request.url).netloc.rpartition("@")[2]
    needed = (("Host", host), ("Content-Length", str(size)))
    first, last = (tuple(each for each in (pair,) if pair[0].lower() not in given) for pair in needed)
    return (*first, *request.headers, *last)


def _notes(order: SendRequest, made: Preview) -> Iterator[str]:
    receiver: Receiver = order.options.receiver
    if made.is_refused:
        yield "It breaks the contract: nothing is sent unless that is ticked above."
    if isinstance(receiver.auth, Netrc):
        yield "Authorization is taken from netrc when it is sent."
    if receiver.proxy:
        yield "It goes through the receiver's proxy, which may see another request line."
    if "${uuid}" in order.payload or "${now}" in order.payload:
        yield "${uuid} and ${now} are made anew for each send."
