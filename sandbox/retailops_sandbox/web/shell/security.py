"""Which requests the sandbox answers, and the security policy of its pages.

A page of another site must not be able to make the sandbox send, nor to read its log. So every request must
name a host of the sandbox, every request that changes anything must come from one of its own pages, and at an
address other than loopback a token is needed as well.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retailops_sandbox.httpserver import host_name, is_loopback
from retailops_sandbox.web.shell.token import Token

HEALTH = "/healthz"
"""The address at which a container engine or a load balancer asks whether the process answers."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Refusal(Protocol):
    """Makes the page that says why a request was refused."""

    def __call__(self, request: Request, status: HTTPStatus, message: str, mend: str = "") -> Response: ...


class Guard:
    """ASGI middleware that refuses forbidden requests, and adds the policy's headers to every answer.

    With a token any host name is allowed: under a rebound name, browsers do not send the cookie.
    """

    def __init__(self, app: ASGIApp, *, token: Token, refuse: Refusal) -> None:
        self.app = app
        self._token = token
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope["csp_nonce"] = nonce
        request = Request(scope)
        answer = self._refusal(request) or self._token_in_query(request) or self.app

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                _set_policy(MutableHeaders(scope=message), nonce)
            await send(message)

        await answer(scope, receive, send_with_policy)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if not self._token.is_asked_for and not is_loopback(host_name(host)):
            return self._refuse(
                request,
                HTTPStatus.FORBIDDEN,
                f"This sandbox does not answer to the name {host or '(none)'}.",
                "Open it by the address that it printed when it started.",
            )
        if request.method not in _SAFE_METHODS and not _from_own_page(request, host):
            return self._refuse(
                request,
                HTTPStatus.FORBIDDEN,
                "Another site tried to change something here. Nothing was changed, and nothing was sent.",
                "If it was you, open the sandbox's own page and do it there.",
            )
        if not self._token.is_asked_for or needs_no_token(request):
            return None
        if self._token.is_locked(request):
            return self._refuse(
                request,
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many wrong tokens came from this address.",
                "Wait a minute.",
            )
        if not self._token.is_shown_by(request) and not is_open(request):
            return self._refuse(request, HTTPStatus.UNAUTHORIZED, "This sandbox asks for its token.")
        return None

    def _token_in_query(self, request: Request) -> Response | None:
        """The redirect that moves a token from the address into a cookie; None where there is none."""
        if not self._token.is_asked_for or needs_no_token(request):
            return None
        if "token" not in request.query_params or request.method != "GET":
            return None
        query = urlencode([pair for pair in parse_qsl(request.url.query, True) if pair[0] != "token"])
        path = "/" + request.url.path.lstrip("/")
        answer = RedirectResponse(path + (f"?{query}" if query else ""), HTTPStatus.SEE_OTHER)
        if self._token.is_right(request, request.query_params["token"]):
            self._token.remember(request, answer)
        return answer


def is_open(request: Request) -> bool:
    """Whether a request is answered without the token: the login, and what needs none."""
    return request.url.path == "/login" or needs_no_token(request)


def needs_no_token(request: Request) -> bool:
    """Whether a request is for an asset or the health check.

    No token is looked at there, so that none can be guessed.
    """
    return request.url.path == HEALTH or request.url.path.startswith("/static/")


def _from_own_page(request: Request, host: str) -> bool:
    """Whether a changing request comes from a page of this sandbox, or from no page at all (curl, a script).

    `same-site` is not enough: another port of this machine is the same site.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or (bool(host) and origin.partition("://")[2] == host)


def _set_policy(headers: MutableHeaders, nonce: str) -> None:
    headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
    headers["X-Content-Type-Options"] = "nosniff"
    # With `no-referrer`, browsers would send `Origin: null` from the sandbox's own forms.
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "private, no-cache")
