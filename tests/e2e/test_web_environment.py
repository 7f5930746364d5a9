"""Which variables of the environment pages give: those that the workspace refers to, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from retailops_sandbox.model import Receiver as Target
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden, words
from tests.support.receivers import Receiver, answering, receiver, response
from tests.support.serving import serving

VALUE = "the-value-of-the-host"
NAMES = (
    "HOST_SECRET",
    "OF_FIXTURE",
    "OF_SCENARIO",
    "OF_RECEIVER",
    "OF_SECRET_ENV",
    "OF_SETTINGS",
    "OF_EXPECTED",
)
ENVIRONMENT = {
    **{name: f"{VALUE}-{name}" for name in NAMES},
    "RETAILOPS_SANDBOX_VAR_given": VALUE,
    "RETAILOPS_SANDBOX_SECRET_ENV": "OF_SETTINGS",
}
ANSWER = response(b'{"events": []}', "Content-Type: application/json")


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(ANSWER)) as shop:
        yield shop


@pytest.fixture
def client(tmp_path: Path, shop: Receiver) -> Iterator[ComposeClient]:
    workspace = Workspace(tmp_path / "workspace")
    workspace.root.mkdir()
    workspace.save_fixture("order_cancel", "draft", "mine", json.dumps({"a": "${env:OF_FIXTURE}"}))
    expected = workspace.own_fixture("order_cancel", "draft", "mine").with_name("mine.expect.json")
    expected.write_text(json.dumps({"body": {"a": "${env:OF_EXPECTED}"}}))
    step = {
        "fixture": "default",
        "set": {"/data/order/id": "x ${env:OF_SCENARIO}"},
        "expect": {"status": 200},
    }
    workspace.save_scenario("mine", json.dumps({"steps": [step]}))
    workspace.save_receiver(
        Target("shop", shop.url, variables={"x": "${env:OF_RECEIVER}"}, secret_env=("OF_SECRET_ENV",)),
        is_default=True,
    )
    with serving(workspace.root, **ENVIRONMENT) as served:
        client = ComposeClient(served)
        yield client
        client.http.close()


def as_sent(client: ComposeClient, name: str) -> str:
    """The page that shows a payload with this variable as it would be sent."""
    payload = json.dumps({"version": f"${{{name}}}"})
    return client.http.post("/compose", data=client.filled(payload=payload, do="view:sent", view="sent")).text


def test_a_variable_that_nothing_refers_to_is_neither_shown_nor_sent(client: ComposeClient, shop: Receiver):
    page = as_sent(client, "env:HOST_SECRET")
    assert VALUE not in page
    assert "nothing in this workspace refers to it" in words(page)
    assert "secret-env" in words(page)
    for fields in (
        {"payload": json.dumps({"version": "${env:HOST_SECRET}"}), "off_contract": "on"},
        {"expectation": json.dumps({"body": {"a": "${env:HOST_SECRET}"}})},
        {
            "variables": json.dumps({"v": "${env:HOST_SECRET}"}),
            "payload": '{"version": "${v}"}',
            "off_contract": "on",
        },
    ):
        refused = client.http.post("/send", data={**client.filled(receiver="shop"), **fields})
        assert refused.status_code == 422, fields
        assert "HOST_SECRET" in words(refused.text)
        assert VALUE not in refused.text
    assert shop.requests == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "HOST_SECRET"])
def test_a_variable_that_the_workspace_refers_to_is_used(client: ComposeClient, name: str):
    page = as_sent(client, f"env:{name}")
    assert "nothing in this workspace refers to it" not in words(page)
    assert f"{VALUE}-{name}" in page or "«redacted:" in page


def test_a_variable_for_placeholders_is_given(client: ComposeClient):
    assert VALUE in as_sent(client, "given")


def test_a_variable_is_given_as_soon_as_something_saved_refers_to_it(client: ComposeClient):
    assert "refers to it" in words(as_sent(client, "env:HOST_SECRET"))
    form = client.filled(payload='{"version": "${env:HOST_SECRET}"}', save_as="new", do="save")
    assert client.http.post("/compose", data=form).status_code == 200
    assert "refers to it" not in words(as_sent(client, "env:HOST_SECRET"))


def test_a_receiver_that_is_not_saved_yet_can_be_checked(client: ComposeClient, shop: Receiver):
    fields = {"name": "new", "base_url": shop.url, "headers": "X-Key: ${env:HOST_SECRET}"}
    page = client.http.post("/receivers/try", data=fields)
    assert page.status_code == 200
    assert "refers to it" not in words(page.text)
    assert VALUE not in page.text


def test_a_scenario_of_the_workspace_runs_with_its_variables(client: ComposeClient, shop: Receiver):
    part = client.http.post("/scenarios", data={"receiver": "shop"}, headers={"HX-Target": "target"}).text
    form = {**hidden(client.http.get("/scenarios").text), **hidden(part), "receiver": "shop"}
    started = client.http.post(
        "/scenarios/run", data={**form, "do": "selected", "pick": "scenarios/mine.scenario.json"}
    )
    with client.http.stream("GET", f"{started.headers['location']}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())
    assert f"{VALUE}-OF_SCENARIO".encode() in shop.requests[-1]
