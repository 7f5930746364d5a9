"""Redirects that are followed: each with its evidence, and credentials for their own origin alone."""

from __future__ import annotations

import asyncio

import pytest

from retailops_sandbox.model import Connection, Exchange, HttpRequest, HttpResponse, Redirect, Wire
from retailops_sandbox.transport import Transport
from retailops_sandbox.transport.redirects import hop
from tests.support.receivers import answering, receiver, response

FOLLOW = Connection(follow_redirects=True)
KEY = ("X-Api-Key", "a-secret-key")
HEADERS = (("Accept", "application/json"), ("Content-Type", "application/json"), KEY, ("Cookie", "a=b"))


def send(url: str, body: bytes = b"{}", connection: Connection = FOLLOW) -> Exchange:
    async def once() -> Exchange:
        async with Transport() as transport:
            return await transport.send(HttpRequest("POST", url, HEADERS, body), connection)

    return asyncio.run(once())


def moved(to: str, status: str = "307 Temporary Redirect") -> bytes:
    return response(b"moved", f"Location: {to}", status=status)


def test_a_redirect_at_the_same_origin_gets_everything_again():
    with receiver(answering(moved("/there?a=b#c"), response(b"arrived"))) as there:
        exchange = send(there.url)
    assert exchange.redirects == (Redirect(307, "/there?a=b#c", f"{there.url}/there?a=b"),)
    first, second = there.requests
    assert second.startswith(b"POST /there?a=b HTTP/1.1\r\n")
    assert first.partition(b"\r\n")[2] == second.partition(b"\r\n")[2]
    assert exchange.response is not None
    assert exchange.response.body == b"arrived"
    assert exchange.timings.total > 0


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other"])
def test_another_origin_gets_a_get_without_credentials(status: str):
    with (
        receiver(answering(response(b"arrived"))) as other,
        receiver(answering(moved(f"{other.url}/x", status))) as there,
    ):
        exchange = send(there.url)
    (request,) = other.requests
    assert request.startswith(b"GET /x HTTP/1.1\r\n")
    assert b"accept: application/json" in request.lower()
    for name in (b"x-api-key", b"cookie", b"content-type", b"content-length"):
        assert name not in request.lower()
    assert dict(exchange.request_headers)["X-Api-Key"] == "a-secret-key"
    assert exchange.response is not None
    assert exchange.response.body == b"arrived"


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
def test_another_origin_gets_no_payload(status: str):
    with (
        receiver(answering(response(b"arrived"))) as other,
        receiver(answering(moved(f"{other.url}/x", status))) as there,
    ):
        exchange = send(there.url)
    assert other.requests == []
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (int(status[:3]), b"moved")
    (redirect,) = exchange.redirects
    assert redirect.url == ""
    assert "gets no payload" in redirect.not_followed


def test_several_redirects_are_all_told():
    answers = (moved("/b"), moved("c", "302 Found"), response(b"arrived"))
    with receiver(answering(*answers)) as there:
        exchange = send(f"{there.url}/a/")
    assert [each.url.removeprefix(there.url) for each in exchange.redirects] == ["/b", "/c"]
    assert [request.split(b" ", 2)[:2] for request in there.requests] == [
        [b"POST", b"/a/"],
        [b"POST", b"/b"],
        [b"GET", b"/c"],
    ]


def test_the_time_limit_is_for_all_of_them():
    with receiver(answering(moved("/"))) as there:
        exchange = send(there.url, connection=Connection(follow_redirects=True, timeout_ms=1_000))
    assert exchange.fault is not None
    assert exchange.fault.kind in ("malformed", "deadline")
    assert len(there.requests) <= 11


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("ftp://127.0.0.1/x", "no URL of HTTP"),
        ("javascript:alert(1)", "no URL of HTTP"),
        ("http://[::1", "no URL"),
        ("http://127.0.0.1:99999/", "no URL"),
    ],
)
def test_a_location_that_is_none_is_not_followed(location: str, why: str):
    with receiver(answering(moved(location, "302 Found"))) as there:
        exchange = send(there.url)
    assert len(there.requests) == 1
    assert exchange.response is not None
    assert exchange.response.status == 302
    assert why in exchange.redirects[0].not_followed


@pytest.mark.parametrize("status", [300, 304, 305, 200])
def test_what_is_no_redirect_is_an_answer(status: int):
    answer = HttpResponse(status, "1.1", (("Location", "/x"),), b"")
    assert hop(HttpRequest("POST", "http://a/", (), b""), FOLLOW, answer) is None


@pytest.mark.parametrize(
    ("asked", "location", "is_same"),
    [
        ("http://shop/x", "http://shop:80/y", True),
        ("http://shop/x", "https://shop/x", True),
        ("https://shop/x", "https://SHOP:443/x", True),
        ("https://shop/x", "http://shop/x", False),
        ("http://shop:8080/x", "https://shop/x", False),
        ("http://shop/x", "http://shop:8080/x", False),
        ("http://shop/x", "http://shop.example/x", False),
        ("http://shop/x", "//other/x", False),
        ("http://me:pw@shop/x", "http://you@shop/x", True),
    ],
)
def test_which_origin_is_the_same(asked: str, location: str, is_same: bool):
    request = HttpRequest("POST", asked, HEADERS, b"{}")
    connection = Connection(follow_redirects=True, client_cert="cert", client_key="key")
    found = hop(request, connection, HttpResponse(302, "1.1", (("Location", location),), b""))
    assert found is not None
    assert found.request is not None
    assert (KEY in found.request.headers) == is_same
    assert (found.connection.client_cert == "cert") == is_same


SPELLED = HttpRequest(
    "PUT",
    "http://shop/x",
    (*HEADERS, ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("X-Line", "1")),
    b"{}",
    Wire(path="/x", chunked=1, expect_continue=True, headers=["X-Line: 1"]),
    left_out=("host",),
)


def test_the_same_request_is_spelled_alike_after_a_redirect_but_for_its_path():
    found = hop(SPELLED, FOLLOW, HttpResponse(307, "1.1", (("Location", "/y"),), b""))
    assert found is not None
    assert found.request is not None
    assert found.request.wire == Wire(chunked=1, expect_continue=True, headers=["X-Line: 1"])
    assert (found.request.method, found.request.left_out) == ("PUT", ("host",))
    assert found.request.headers == SPELLED.headers


@pytest.mark.parametrize(("location", "stays"), [("/y", True), ("http://elsewhere/y", False)])
def test_a_get_after_a_redirect_is_spelled_in_the_usual_way(location: str, stays: bool):
    found = hop(SPELLED, FOLLOW, HttpResponse(303, "1.1", (("Location", location),), b""))
    assert found is not None
    assert found.request is not None
    assert (found.request.method, found.request.wire, found.request.body) == ("GET", None, b"")
    names = {name for name, _ in found.request.headers}
    assert names.isdisjoint({"Transfer-Encoding", "Expect", "Content-Type"})
    assert ("X-Line" in names) == stays
