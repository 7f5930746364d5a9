"""What the palette finds, and in which order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of

SCENARIO = '{"name": "Cancel <twice>", "steps": [{"name": "send", "fixture": "default"}]}'


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    workspace = Workspace(tmp_path)
    workspace.save_receiver(Receiver("till & co", "http://127.0.0.1:1/hook"))
    workspace.save_scenario("twice", SCENARIO)
    return TestClient(app_of(tmp_path).asgi, base_url="http://127.0.0.1")


def found(client: TestClient, q: str) -> list[tuple[str, str]]:
    """The kinds and names of what the dialog's list shows, in its order."""
    part = client.get("/palette", params={"q": q}, headers={"HX-Target": "palette-list"}).text
    assert "<html" not in part
    kinds = r'class="kind[^>]*>([^<]*)</span> <span class="name">([^<]*)<'
    return re.findall(kinds, part)


def test_places_come_first_and_everything_is_there(client: TestClient):
    assert found(client, "")[:7] == [
        ("place", "Workbench"),
        ("place", "Scenarios"),
        ("place", "Runs"),
        ("place", "Probe"),
        ("place", "Log"),
        ("place", "Record"),
        ("place", "Receivers"),
    ]
    assert "more: type to find them" in client.get("/palette").text


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("ALREADY", ("case", "already-shipped")),
        ("already-shipped v1", ("case", "already-shipped")),
        ("<twice> cancel", ("scenario", "Cancel &lt;twice&gt;")),
        ("127.0.0.1:1/hook", ("send to", "till &amp; co")),
        ("till", ("send to", "till &amp; co")),
        ("rec", ("place", "Record")),
        ("order_cancel v1", ("action", "order_cancel")),
    ],
)
def test_each_is_found_by_words_of_its_name_or_of_where_it_is(
    client: TestClient, q: str, first: tuple[str, str]
):
    assert found(client, q)[0] == first


def test_names_that_begin_with_it_come_before_others(client: TestClient):
    names = [name for _, name in found(client, "log")]
    assert names[0] == "Log"


def test_what_is_nowhere_is_said(client: TestClient):
    assert found(client, "nothing is called so") == []
    assert "Nothing is called so." in client.get("/palette", params={"q": "<b>"}).text


def test_a_case_leads_to_the_workbench_and_a_receiver_is_chosen_by_a_form(client: TestClient):
    page = client.get("/palette", params={"q": "partly-shipped v1"}).text
    assert 'href="/?action=order_cancel&amp;edition=v1&amp;fixture=partly-shipped"' in page
    chosen = client.post("/receivers/choose", data={"name": "till & co"}, follow_redirects=True)
    assert "http://127.0.0.1:1/hook" in chosen.text
