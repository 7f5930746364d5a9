"""The token that `serve` asks for, where the browser keeps it, and how often it may be guessed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

SHORTEST_TOKEN = 16
"""Characters."""
MOST_GUESSES = 20
"""The most wrong tokens that one address may show within GUESSES_PER seconds."""
GUESSES_PER = 60.0
_MOST_ADDRESSES = 1_000


class Guesses:
    """The wrong tokens that each address has shown lately, each counted once.

    A page that is open with the token of an earlier process shows that token again and again.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._wrong: dict[str, dict[bytes, float]] = {}

    def add(self, address: str, shown: str) -> None:
        """Count a wrong token."""
        if address not in self._wrong and len(self._wrong) >= _MOST_ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
        wrong = self._recent(address)
        if len(wrong) <= MOST_GUESSES:
            wrong.setdefault(
                hashlib.sha256(shown.encode("utf-8", "surrogateescape")).digest(), self._seconds()
            )
        self._wrong[address] = wrong

    def are_too_many(self, address: str) -> bool:
        """Whether no further token of this address is looked at for now."""
        return len(self._recent(address)) > MOST_GUESSES

    def _recent(self, address: str) -> dict[bytes, float]:
        since = self._seconds() - GUESSES_PER
        return {digest: at for digest, at in self._wrong.get(address, {}).items() if at > since}


class Token:
    """The token of one process; an empty one asks for nothing."""

    def __init__(self, text: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._text = text
        self._guesses = Guesses(seconds)

    @property
    def is_asked_for(self) -> bool:
        return bool(self._text)

    def is_locked(self, request: Request) -> bool:
        """Whether the request's address has shown too many wrong tokens."""
        return self.is_asked_for and self._guesses.are_too_many(_address(request))

    def is_shown_by(self, request: Request) -> bool:
        """Whether the request has the token in its cookie, as its bearer, or in its address."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        shown = (
            request.cookies.get(cookie_name(request, "token"), ""),
            bearer if scheme.lower() == "bearer" else "",
            request.query_params.get("token", "") if request.method in ("GET", "HEAD", "OPTIONS") else "",
        )
        return any(self.is_right(request, each) for each in shown if each)

    def is_right(self, request: Request, shown: str) -> bool:
        """Whether this is the token, compared in constant time; a wrong one counts as a guess."""
        shown_bytes = shown.encode("utf-8", "surrogateescape")
        if self.is_asked_for and hmac.compare_digest(shown_bytes, self._text.encode()):
            return True
        self._guesses.add(_address(request), shown)
        return False

    def remember(self, request: Request, answer: Response) -> None:
        """Keep the token in a cookie, so that the user enters it only once."""
        secure = request.url.scheme == "https"
        name = cookie_name(request, "token")
        answer.set_cookie(name, self._text, httponly=True, samesite="lax", secure=secure)


def cookie_name(request: Request, name: str) -> str:
    """The name of a cookie of this sandbox, with its port: browsers share cookies between ports."""
    return f"sandbox_{name}_{request.url.port or 80}"


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
