"""What a browser chose last, kept in its cookies."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from retailops_sandbox.web.shell.choices import Choice

SIZE = Choice("size", ("small", "large"))


def request_with(cookie: str = "") -> Request:
    headers = [(b"host", b"127.0.0.1:8080"), (b"cookie", cookie.encode())]
    return Request({"type": "http", "path": "/", "headers": headers, "scheme": "http", "server": None})


@pytest.mark.parametrize(
    ("cookie", "word"),
    [
        ("", "small"),
        ("sandbox_size_8080=large", "large"),
        ("sandbox_size_8080=huge", "small"),
        ("sandbox_size_8081=large", "small"),
    ],
)
def test_the_word_of_the_cookie_is_chosen_else_the_first(cookie: str, word: str):
    assert SIZE.of(request_with(cookie)) == word


def test_only_a_word_of_the_choice_is_remembered():
    response = Response()
    SIZE.remember(request_with(), response, "huge")
    assert "set-cookie" not in response.headers
    SIZE.remember(request_with(), response, "large")
    assert response.headers["set-cookie"].startswith("sandbox_size_8080=large;")
