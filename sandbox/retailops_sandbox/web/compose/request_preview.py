"""The request that a send would make."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from retailops_sandbox.contracts import auth
from retailops_sandbox.engine.preview import Preview, preview
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.model import Headers, Netrc, Receiver, Request
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.send_form import SendForm, variables
from retailops_sandbox.web.shell.sends import send_request


class RequestPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The request that would be sent, redacted, or why none can be made."""

    problem: str = ""
    request: Request | None = None
    """None where there is a problem."""
    size: int = 0
    """The size of its body in bytes."""
    notes: tuple[str, ...] = ()
    proof: str = ""
    """How its header that proves the sender is made; empty where it has none."""

    @property
    def start_line(self) -> str:
        """The request line, for a receiver without a proxy."""
        assert self.request is not None
        parts = urlsplit(self.request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return f"{self.request.method} {target} HTTP/1.1"

    @property
    def headers(self) -> Headers:
        """The headers, with the two that HTTP itself needs."""
        assert self.request is not None
        given = {name.lower() for name, _ in self.request.headers}
        host = urlsplit(self.request.url).netloc.rpartition("@")[2]
        needed = (("Host", host), ("Content-Length", str(self.size)))
        first, last = (tuple(each for each in (pair,) if pair[0].lower() not in given) for pair in needed)
        return (*first, *self.request.headers, *last)


def of(context: AppContext, receivers: KnownReceivers, send_form: SendForm) -> RequestPreview:
    """The preview of the typed form: composed and built as by the engine, and not sent."""
    try:
        receiver, policy = receivers.named(send_form.receiver), context.policy(receivers)
        wanted = send_request(context, send_form, receiver, policy, variables=variables(send_form.variables))
        made = next(iter(preview([wanted.plan], wanted.ports, wanted.options)))
    except SandboxError as error:
        return RequestPreview(problem=str(error))
    if made.request is None:
        return RequestPreview(problem=made.mistake or made.waits)
    notes = tuple(_notes(receiver, send_form.payload, made))
    proof = in_line(auth.how_made(made.proof)) if made.proof is not None else ""
    return RequestPreview(request=made.request, size=made.size, notes=notes, proof=proof)


def _notes(receiver: Receiver, payload: str, made: Preview) -> Iterator[str]:
    if made.is_refused:
        yield "It breaks the contract: nothing is sent unless that is selected above."
    if isinstance(receiver.auth, Netrc):
        yield "Authorization is taken from netrc when it is sent."
    if receiver.proxy:
        yield "It goes through the receiver's proxy, which may see another request line."
    if "${uuid}" in payload or "${now}" in payload:
        yield "${uuid} and ${now} are made anew for each send."
