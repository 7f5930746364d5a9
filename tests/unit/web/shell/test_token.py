"""The token: where it may be shown, and how often it may be guessed."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from retailops_sandbox.web.shell.token import GUESSES_PER, MOST_GUESSES, Guesses, Token, cookie_name

TOKEN = "a-token-of-some-length"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def request(headers: dict[str, str] | None = None, query: str = "", address: str = "10.0.0.1") -> Request:
    lines = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": query.encode(),
        "headers": [(b"host", b"box:8080"), *lines],
        "server": ("box", 8080),
        "client": (address, 1),
        "scheme": "http",
    }
    return Request(scope)


def shown(text: str, way: str) -> Request:
    if way == "cookie":
        return request({"Cookie": f"{cookie_name(request(), 'token')}={text}"})
    return request({"Authorization": f"Bearer {text}"}) if way == "bearer" else request(query=f"token={text}")


@pytest.mark.parametrize("way", ["cookie", "bearer", "query"])
def test_wrong_tokens_are_counted_wherever_they_are_shown(way: str):
    clock = Clock()
    token = Token(TOKEN, clock)
    for number in range(MOST_GUESSES + 1):
        assert not token.is_locked(request())
        assert not token.is_shown_by(shown(f"wrong-{number}", way))
    assert token.is_locked(request())
    assert not token.is_locked(request(address="10.0.0.2"))
    clock.now += GUESSES_PER
    assert not token.is_locked(request())
    assert token.is_shown_by(shown(TOKEN, way))


def test_one_wrong_token_shown_again_and_again_is_one_guess():
    token = Token(TOKEN, Clock())
    for _ in range(3 * MOST_GUESSES):
        assert not token.is_shown_by(shown("of-an-earlier-process", "cookie"))
        assert token.is_shown_by(shown(TOKEN, "bearer"))
    assert not token.is_locked(request())


def test_what_is_remembered_is_bounded():
    guesses = Guesses(Clock())
    for number in range(5_000):
        guesses.add(f"address {number}", "wrong")
        guesses.add("one address", f"wrong {number}")
    assert len(guesses._wrong) <= 1_001
    assert max(map(len, guesses._wrong.values())) <= MOST_GUESSES + 1


def test_without_a_token_nothing_is_asked_for_and_none_is_right():
    token = Token("", Clock())
    assert not token.is_asked_for
    assert not token.is_right(request(), "")
