"""Where a redirect leads: the request that follows it, or why there is none.

Credentials go to the origin that they are meant for, and to the same host by TLS. To any other one a request
has only the headers that say what is accepted; a payload is not sent there at all.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Exchange, Fault, HttpRequest, HttpResponse, Redirect

MOST = 10
"""The most redirects of one delivery that are followed."""
_FOLLOWED = (301, 302, 303, 307, 308)
_SAME_METHOD = (307, 308)
_FOR_ANYBODY = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
"""The headers that go to another origin."""
_OF_BODY = ("content-", "transfer-encoding", "expect")
"""How the names of the headers begin that say something about the body."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


Send: TypeAlias = Callable[[HttpRequest, Connection], Awaitable[Exchange]]


async def followed(first: Exchange, request: HttpRequest, connection: Connection, send: Send) -> Exchange:
    """The exchange after the redirects of the first one, with all of them as its evidence."""
    found: list[Redirect] = []
    exchange, total = first, first.timings.total
    while exchange.fault is None and exchange.response is not None:
        next_hop = hop(request, connection, exchange.response)
        if next_hop is None:
            break
        left = connection.timeout_ms - total
        refusal = _refusal(len(found), left)
        if refusal is not None:
            exchange = msgspec.structs.replace(exchange, fault=refusal)
            break
        if next_hop.request is None:
            found.append(next_hop.redirect)
            break
        request, connection = next_hop.request, next_hop.connection
        try:
            exchange = await send(request, msgspec.structs.replace(connection, timeout_ms=math.ceil(left)))
        except UsageError as error:
            why = f"its Location cannot be asked: {error.what}"
            found.append(msgspec.structs.replace(next_hop.redirect, url="", not_followed=why))
            break
        found.append(next_hop.redirect)
        total += exchange.timings.total
    return msgspec.structs.replace(
        exchange,
        request_headers=first.request_headers,
        timings=msgspec.structs.replace(exchange.timings, total=total),
        redirects=tuple(found),
    )


def _refusal(number: int, left_ms: float) -> Fault | None:
    """The fault where no further redirect is followed."""
    if number == MOST:
        return Fault(
            "malformed", f"the receiver redirected more than {MOST} times: does it lead in a circle?"
        )
    return Fault("deadline", "the time was over after a redirect") if left_ms <= 0 else None


class Hop(msgspec.Struct, frozen=True):
    """A redirect, and the request that follows it."""

    redirect: Redirect
    request: HttpRequest | None
    """None where the redirect is not followed."""
    connection: Connection


def hop(request: HttpRequest, connection: Connection, response: HttpResponse) -> Hop | None:
    """The redirect of a response, and what follows it; None for a response that is none."""
    location = next((value for name, value in response.headers if name.lower() == "location"), "")
    if response.status not in _FOLLOWED or not location:
        return None
    try:
        target = urljoin(request.url, location).partition("#")[0]
        asked, there = urlsplit(request.url), urlsplit(target)
        is_same = _is_same_origin(asked, there)
    except ValueError:
        return _not_followed(response, location, connection, "its Location is no URL")
    if there.scheme not in _DEFAULT_PORTS or not there.hostname:
        return _not_followed(response, location, connection, "its Location is no URL of HTTP")
    again = response.status in _SAME_METHOD
    if again and request.body and not is_same:
        why = "it leads to another origin, which gets no payload: name it as the receiver's URL"
        return _not_followed(response, location, connection, why)
    headers = request.headers
    if not is_same:
        headers = tuple(each for each in headers if each[0].lower() in _FOR_ANYBODY)
        connection = msgspec.structs.replace(connection, client_cert="", client_key="")
    if not again:
        headers = tuple(each for each in headers if not each[0].lower().startswith(_OF_BODY))
    method = request.method if again or request.method == "HEAD" else "GET"
    followed = HttpRequest(method, target, headers, request.body if again else b"")
    if again and is_same and request.wire is not None:
        wire = msgspec.structs.replace(request.wire, path=None)
        followed = msgspec.structs.replace(followed, wire=wire, left_out=request.left_out)
    return Hop(Redirect(response.status, location, target), followed, connection)


def _not_followed(response: HttpResponse, location: str, connection: Connection, why: str) -> Hop:
    return Hop(Redirect(response.status, location, not_followed=why), None, connection)


def _is_same_origin(asked: SplitResult, there: SplitResult) -> bool:
    """Whether both URLs are of one origin, or of one host and the second by TLS."""
    if asked.hostname != there.hostname:
        return False
    upgraded = asked.scheme == "http" and there.scheme == "https"
    if upgraded and _port(asked) == 80 and _port(there) == 443:
        return True
    return asked.scheme == there.scheme and _port(asked) == _port(there)


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)
