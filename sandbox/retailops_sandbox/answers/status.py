"""A status that breaks the contract: said as such, with the hints that fit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from retailops_sandbox.answers import forms
from retailops_sandbox.answers.content import Content
from retailops_sandbox.model import Request, Response, Violation

_SHOWN = 200
"""The most characters of a header or a URL that a hint quotes."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the hints need to know of a request."""

    request: Request
    action: str
    path: str = ""
    """The path that the contract appends to a receiver's URL; empty where the step says another one."""
    proof: str | None = None
    """The token or signature that was sent, as it may be shown; empty where it is missing, None for a
    contract without."""
    proof_at: str = ""
    proof_kind: str = "token"
    """`token` or `signature`."""


def violation(sent: Sent, response: Response, content: Content, wanted: Sequence[int]) -> Violation:
    """The violation of an answer whose status is none of the `wanted` ones."""
    shall = " or ".join(map(str, wanted))
    message = f"answered {response.status}; {sent.action} must be answered with {shall}"
    return Violation("", "status", message, part="status", hints=tuple(hints(sent, response, content)))


def hints(sent: Sent, response: Response, content: Content) -> Iterator[str]:
    """What the answer is, and what its status may mean for this request: the likeliest first."""
    status = response.status
    if told := _told(content):
        yield told
    protection = forms.protection(status, _words(response, content))
    if protection is not None:
        yield (
            f"{protection.framework} refuses like this what comes from no form of its own: exempt the "
            f"receiver, {protection.mend}. Otherwise it wants the header {protection.header}"
        )
    if 300 <= status < 400:
        yield from _of_redirect(sent, response)
    elif protection is not None:
        return
    elif proxy := _proxy(response, content):
        yield proxy
    elif say := _HINTS.get(status):
        yield say(sent, response)
    elif 200 <= status < 300:
        yield "a client that wants exactly 200, as RetailOPS' published tool does, takes it for a failure"
    elif status >= 500:
        yield "the receiver failed: its own log says why"


def _words(response: Response, content: Content) -> str:
    """The words by which a framework is known: those of the answer, or those of a redirect's headers."""
    if content.text or not 300 <= response.status < 400:
        return content.text
    return " ".join([*(name for name, _ in response.headers), _header(response, "Location")])


def _told(content: Content) -> str:
    """What the answer is, with what it says where it is JSON; empty where that adds nothing."""
    if content.is_json:
        return f"the answer says “{content.text}”" if content.text else ""
    return "" if content.kind == "empty" else content.words


# --- Redirects -------------------------------------------------------------------------------------------


def _of_redirect(sent: Sent, response: Response) -> Iterator[str]:
    status = response.status
    location = _header(response, "Location")
    if status == 304:
        yield "304 is for a GET of something that is cached: it answers no POST"
        return
    if not location:
        yield "it names no Location to go to"
        return
    try:
        target = urljoin(sent.request.url, location)
        told = _difference(urlsplit(sent.request.url), urlsplit(target))
    except ValueError:
        yield f"its Location is no URL: {location[:_SHOWN]}"
        return
    yield f"it redirects to {target[:_SHOWN]}"
    if told:
        yield told
    if status in (307, 308) and urlsplit(sent.request.url)[:2] != urlsplit(target)[:2]:
        yield (
            f"RetailOPS' published tool follows a {status} with the same payload. Here none is sent to "
            "another origin: name the target as the receiver's URL"
        )
    elif status in (307, 308):
        yield (
            f"RetailOPS' published tool follows a {status} with the same payload. To follow it here: "
            "--follow-redirects, or the setting of the receiver"
        )
    else:
        yield (
            f"a client that follows a {status} sends a GET without the payload: answer 307 or 308, or name "
            "the target as the receiver's URL. To follow it here: --follow-redirects, or the setting of the "
            "receiver"
        )


def _difference(asked: SplitResult, target: SplitResult) -> str:
    """Why there may be a redirect, where both URLs differ in one thing."""
    if any(word in target.path.lower() for word in ("login", "signin", "sign-in", "sign_in", "auth")):
        return "that is a login: exempt the receiver's URL from it"
    if asked._replace(scheme="") == target._replace(scheme="") and target.scheme == "https":
        return "only the scheme differs: begin the receiver's URL with https://"
    if asked.path.rstrip("/") == target.path.rstrip("/") and asked.netloc == target.netloc:
        slash = "ends in a slash" if target.path.endswith("/") else "has no slash at its end"
        return f"only the slash differs: the receiver's path {slash} there"
    if asked.path == target.path and asked.scheme == target.scheme:
        return f"only the host differs: the receiver is at {target.netloc[:_SHOWN]}"
    return ""


# --- Refusals --------------------------------------------------------------------------------------------


def _bad_request(sent: Sent, _: Response) -> str:
    return "the receiver could not read the request: compare what it expects with the payload that was sent"


def _unauthorized(sent: Sent, response: Response) -> str:
    wanted = _header(response, "WWW-Authenticate")
    if wanted and sent.proof_at.lower() != "header authorization":
        return (
            f"the receiver asks for {wanted[:_SHOWN]}: name user and password or a token at the receiver (-H)"
        )
    if sent.proof == "":
        return f"no {sent.proof_kind} was sent: give --receiver-token, or a receiver with a token"
    if sent.proof is not None:
        own = "it the receiver's own (--receiver-token)"
        if sent.proof_kind == "signature":
            own = "the secret the receiver's own (--receiver-token), and does it sign the body's exact bytes"
        return (
            f"the {sent.proof_kind} {sent.proof[:_SHOWN]} that was sent at {sent.proof_at} was refused: is "
            f'{own}? If the step is about a refusal, expect "status": 401'
        )
    return f"this edition of {sent.action} has no token: a header of the receiver proves who calls"


def _forbidden(_: Sent, __: Response) -> str:
    return (
        "the receiver knows the URL and refuses: a login, a list of addresses, a firewall or the protection "
        "of a form may stand before it"
    )


def _not_found(sent: Sent, _: Response) -> str:
    url = sent.request.url
    appended = sent.path and urlsplit(url).path.endswith(sent.path)
    doubled = appended and urlsplit(url).path.removesuffix(sent.path).endswith(sent.path)
    where = f"the full URL was {sent.request.method} {url[:_SHOWN]}"
    if doubled:
        return f"{where}: {sent.path} stands there twice. Leave it out of the receiver's URL or of its path"
    if appended:
        return f"{where}: {sent.path}, the action's path, is appended to a receiver's URL without it"
    return where


def _not_allowed(sent: Sent, response: Response) -> str:
    allowed = _header(response, "Allow")
    only = f" only {allowed[:_SHOWN]}" if allowed else " no POST"
    return f"there is something at {sent.request.url[:_SHOWN]}, and it takes{only}: let the route take POST"


def _too_large(sent: Sent, _: Response) -> str:
    size = len(sent.request.body.encode())
    return (
        f"the payload of {size:,} bytes is more than the receiver, or a proxy before it, takes "
        "(client_max_body_size, post_max_size, express.json's limit …)"
    )


def _unsupported(sent: Sent, response: Response) -> str:
    said = _request_header(sent, "Content-Type")
    accepted = _header(response, "Accept-Post") or _header(response, "Accept")
    wants = f", and the receiver takes {accepted[:_SHOWN]}" if accepted else ""
    return f"the payload was sent as {said or 'no type'}{wants}: RetailOPS sends application/json"


def _unprocessable(_: Sent, __: Response) -> str:
    return (
        "the receiver read the payload and does not accept its values: a validation of its own refused them"
    )


def _length_required(_: Sent, __: Response) -> str:
    return "the receiver wants a Content-Length, which was sent: a proxy before it may drop it"


def _too_many(_: Sent, response: Response) -> str:
    after = _header(response, "Retry-After")
    return "the receiver limits how often it is called" + (f": again after {after[:_SHOWN]}" if after else "")


def _headers_too_large(_: Sent, __: Response) -> str:
    return "the headers of the request are more than the receiver takes"


def _timeout(_: Sent, __: Response) -> str:
    return "the receiver did not wait for the request, or a proxy before it did not"


def _gone(sent: Sent, response: Response) -> str:
    return _not_found(sent, response)


def _failed(_: Sent, __: Response) -> str:
    return "the receiver failed: its own log says why"


def _not_implemented(sent: Sent, _: Response) -> str:
    return f"the receiver does not know {sent.request.method}, or not this URL"


def _bad_gateway(_: Sent, __: Response) -> str:
    return "a proxy answers, and the receiver behind it does not: is it running?"


def _gateway_timeout(_: Sent, __: Response) -> str:
    return "a proxy answers, because the receiver behind it took longer than it waits"


_HINTS = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    405: _not_allowed,
    408: _timeout,
    410: _gone,
    411: _length_required,
    413: _too_large,
    415: _unsupported,
    422: _unprocessable,
    429: _too_many,
    431: _headers_too_large,
    500: _failed,
    501: _not_implemented,
    502: _bad_gateway,
    503: _bad_gateway,
    504: _gateway_timeout,
}
"""What a status means for a request."""

_PLAIN_TO_TLS = (
    "plain HTTP request was sent to HTTPS port",
    "speaking plain HTTP to an SSL-enabled",
    "sent an HTTP request to an HTTPS server",
    "This combination of host and port requires TLS",
)


def _proxy(response: Response, content: Content) -> str:
    """What stood before the receiver and answered in its place; empty where nothing says so."""
    text = content.text
    if any(words.lower() in text.lower() for words in _PLAIN_TO_TLS):
        return "the port speaks TLS: begin the receiver's URL with https://"
    if code := _header(response, "ngrok-error-code"):
        return f"ngrok answers in the receiver's place ({code[:_SHOWN]}): is the receiver running?"
    if response.status in (403, 429, 503) and "cloudflare" in _header(response, "Server").lower():
        return "Cloudflare may have answered in the receiver's place: let it pass requests to this URL"
    return ""


def _header(response: Response, wanted: str) -> str:
    return next((value for name, value in response.headers if name.lower() == wanted.lower()), "")


def _request_header(sent: Sent, wanted: str) -> str:
    return next((value for name, value in sent.request.headers if name.lower() == wanted.lower()), "")
