"""Every address that takes a form: who may post there, and that no form is a fault of the sandbox."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from retailops_sandbox.web.shell.security import Guard
from tests.support.apps import app_of
from tests.support.tour import PLACES, Place, Tour, prepared
from tests.support.typed_forms import PageForm, forms_of


def _routes() -> list[str]:
    """The paths that take a POST, from the application's own table."""
    guard = cast(Guard, cast(GZipMiddleware, app_of(Path("nowhere")).asgi).app)
    routes = cast(Starlette, guard.app).routes
    return [each.path for each in routes if isinstance(each, Route) and "POST" in (each.methods or ())]


ROUTES = _routes()


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    with prepared(tmp_path_factory.mktemp("tour")) as tour:
        yield tour


@pytest.fixture
def client(tour: Tour) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=tour.served["full"].url, timeout=60) as client:
        yield client


# --- who may post ---

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": ""},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_form_is_taken_from_elsewhere(client: httpx.Client, headers: dict[str, str]):
    assert len(ROUTES) > 20
    for route in ROUTES:
        answer = client.post(re.sub(r"\{\w+\}", "x", route), data={"name": "x"}, headers=headers)
        assert (route, answer.status_code) == (route, 403)
        assert answer.headers.get("location") is None


def test_no_form_is_taken_without_the_token(tour: Tour):
    with httpx.Client(base_url=tour.served["guarded"].url, timeout=60) as client:
        for route in set(ROUTES) - {"/login"}:
            assert client.post(re.sub(r"\{\w+\}", "x", route), data={"a": "b"}).status_code == 401


# --- what a form may hold ---

HUGE = "9" * 200_000
WEIRD = "\x00\u202e/a~2/${env:X}/-1/\ud7ff[{]"
_CHANGES = ("missing", "empty", "huge", "weird", "file", "twice")
_SHORT = 300
"""How many requests the short form makes, of all that it could."""


REVIEWS = [
    Place("", f"/deliveries/{{run}}.{number:06}/review{page}")
    for number in range(1, 7)
    for page in ("", "/changes")
]
"""Of each delivery of the run: which of them failed depends on their order."""


@pytest.fixture(scope="module")
def known(tour: Tour) -> list[PageForm]:
    """The forms of all places of the tour, before any test stops what goes on there."""
    with httpx.Client(base_url=tour.served["full"].url, timeout=60) as client:
        return _forms(client, tour)


def _forms(client: httpx.Client, tour: Tour) -> list[PageForm]:
    """The forms of all places, each address with each set of fields once."""
    found: dict[tuple[str, tuple[str, ...]], PageForm] = {}
    for place in [*PLACES, *REVIEWS]:
        if place.within != "full":
            continue
        path = place.path.format_map(tour.known)
        answer = client.get(path) if place.form is None else client.post(path, data=dict(place.form))
        assert answer.status_code < 500, place.name
        for form in forms_of(answer.text, path):
            for action, name, value in [(form.action, "", ""), *form.buttons]:
                if action.startswith("/") and action != "/record/start":
                    fields = {**form.fields, **({name: value} if name else {})}
                    word = value.partition(":")[0] if name else ""
                    found.setdefault((_route(action), (word, *sorted(form.fields))), PageForm(action, fields))
    return list(found.values())


def _route(action: str) -> str:
    path = urlsplit(action).path
    for route in sorted(ROUTES, key=lambda each: each.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path):
            return route
    return path


def _changed(fields: dict[str, str], name: str, change: str) -> tuple[list[tuple[str, str]], Sequence[str]]:
    """The fields with one of them changed, and the names of those that are sent as files."""
    others = [(each, value) for each, value in fields.items() if each != name]
    if change == "missing":
        return others, ()
    if change == "twice":
        return [*others, (name, fields[name]), (name, WEIRD)], ()
    value = {"empty": "", "huge": HUGE, "weird": WEIRD, "file": fields[name]}[change]
    return [*others, (name, value)], (name,) if change == "file" else ()


def _post(
    client: httpx.Client, path: str, fields: list[tuple[str, str]], as_files: Sequence[str] = ()
) -> httpx.Response:
    if as_files:
        parts = [
            (
                name,
                ("x.json", value.encode(), "application/json")
                if name in as_files
                else (None, value.encode()),
            )
            for name, value in fields
        ]
        return client.post(path, files=parts)
    listed: dict[str, list[str]] = {}
    for name, value in fields:
        listed.setdefault(name, []).append(value)
    return client.post(path, data=listed)


def test_no_form_is_a_fault_of_the_sandbox(client: httpx.Client, known: list[PageForm], soak: bool):
    reached = {_route(form.action) for form in known}
    # The stops of a batch and of a probe are there only while these go on: test_web_selected.py and
    # test_web_probe.py press them.
    others = {"/login", "/record/start", "/deliveries/again/{key}/stop", "/probe/{run}/stop"}
    assert set(ROUTES) - reached <= others, "a form is on no place of the tour"
    cases = [(form, name, change) for form in known for name in form.fields for change in _CHANGES]
    random.Random(12).shuffle(cases)
    for form, name, change in cases if soak else cases[:_SHORT]:
        fields, as_files = _changed(form.fields, name, change)
        answer = _post(client, form.action, fields, as_files)
        assert answer.status_code < 500, (form.action, form.fields.get("do"), name, change)


def test_an_empty_form_is_no_fault_of_the_sandbox(client: httpx.Client, known: list[PageForm], soak: bool):
    # Forms that differ in their other fields are one and the same here.
    buttons = dict.fromkeys((form.action, form.fields.get("do", "")) for form in known)
    case = [("action", "order_cancel"), ("edition", "draft")]
    for address, button in buttons:
        sent = ([], [("do", button)], [("do", "")], [("do", f"{button}:{WEIRD}")])
        for number, fields in enumerate(sent):
            for more in ([], case) if soak else ([case, []][number % 2],):
                answer = _post(client, address, [*fields, *more])
                assert answer.status_code < 500, (address, fields, more)


@pytest.mark.parametrize("do", ["expect-rule", "expect-rule:", "expect-rule:/body"])
@pytest.mark.parametrize("at", ["", "/", "x", "/body/events/-", "/rules/~"])
def test_a_rule_at_no_value_is_said(client: httpx.Client, do: str, at: str):
    fields = {"action": "order_cancel", "edition": "draft", "do": do, "rule_at": at, "rule_word": "any"}
    answer = client.post("/compose", data={**fields, "expectation": '{"body": {"events": []}}'})
    assert answer.status_code == 200
    assert "The value of that rule is not there any more." in answer.text


# --- clients that leave ---


def test_a_client_that_leaves_in_the_middle_of_a_form_leaves_no_trace(tour: Tour):
    """`serving` asserts at its end that no traceback was printed."""
    url = urlsplit(tour.served["full"].url)
    for route in ROUTES:
        for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
            with socket.create_connection((url.hostname, url.port)) as sock:
                head = f"POST {route} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: {content_type}\r\n"
                sock.sendall(f"{head}Content-Length: 100000\r\n\r\n--b\r\na=b".encode())
    with httpx.Client(base_url=tour.served["full"].url, timeout=60) as client:
        assert client.get("/theme").status_code == 303
