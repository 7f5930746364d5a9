"""What a request or a command needs is read once, however many of its parts ask for it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import command
from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden
from tests.support.readings import Readings
from tests.support.receivers import answering, receiver, response
from tests.support.serving import serving

FILE = "receivers.json"
ANSWER = response(b'{"events": []}', "Content-Type: application/json")
STEP = {"name": "send", "fixture": "default", "expect": {"status": 200}}


@pytest.fixture
def readings(tmp_path: Path) -> Readings:
    folder = tmp_path / "hook"
    folder.mkdir()
    return Readings(folder)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a receiver that answers, a scenario, a fixture and settings."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.retailops-sandbox]\nretries = 1\n")
    workspace = Workspace(root)
    workspace.save_fixture("order_cancel", "draft", "mine", '{"version": "1"}')
    workspace.save_scenario("cancel", json.dumps({"name": "Cancel", "steps": [STEP]}))
    with receiver(answering(ANSWER)) as there:
        workspace.save_receiver(Receiver("shop", there.url, token="${env:SHOP_TOKEN}"), is_default=True)
        yield workspace


# --- forms ---


class Forms:
    """A browser that posts forms, and counts what the server reads for each."""

    def __init__(self, client: ComposeClient, readings: Readings) -> None:
        self.client = client
        self._readings = readings

    def post(self, path: str, status: int = 303, **fields: Any) -> str:
        """Post a form; where the answer leads to, or its text."""
        self._prepare()
        answer = self.client.http.post(path, data=fields)
        assert answer.status_code == status, answer.text
        return answer.headers.get("location", answer.text)

    def get(self, path: str) -> None:
        self._prepare()
        assert self.client.http.get(path).status_code == 200

    def _prepare(self) -> None:
        # A file that was changed just now is read anew; one that rests for a while is known.
        (self.client.workspace.root / FILE).touch()
        self._readings.forget()

    @property
    def read(self) -> int:
        """How often the last request read the receivers."""
        return self.read_of(FILE)

    def read_of(self, name: str) -> int:
        """How often the last request read a file of the workspace."""
        return self._readings.below(self.client.workspace.root)[name]


@pytest.fixture
def forms(workspace: Workspace, readings: Readings) -> Iterator[Forms]:
    with serving(workspace.root, SHOP_TOKEN="s", **readings.environment) as served:
        client = ComposeClient(served)
        with client.http:
            yield Forms(client, readings)


def test_a_send_reads_the_receivers_once(forms: Forms):
    filled = forms.client.filled(receiver="shop")
    delivery = forms.post("/send", **filled)
    assert forms.read == 1
    forms.client.landed(delivery)
    again = hidden(forms.client.http.get(delivery).text)
    forms.post(f"{delivery}/again", **again)
    assert forms.read == 1
    forms.post("/compose", 200, **{**filled, "view": "sent"})
    assert forms.read == 1
    forms.post("/send", 422, **{**filled, "variables": "["})
    assert forms.read == 1


def test_the_open_fixture_is_read_once_for_all_panels(forms: Forms):
    fixture = "fixtures/order_cancel/draft/mine.json"
    forms.get("/?fixture=mine")
    assert forms.read_of(fixture) == 1
    typed = forms.client.form("/?fixture=mine")
    for view in ("raw", "form", "sent"):
        forms.post("/compose", 200, **{**typed, "view": view})
        assert forms.read_of(fixture) == 1, view


def test_a_run_reads_the_receivers_once(forms: Forms):
    chosen = {"receiver": "shop", "one": "scenarios/cancel.scenario.json"}
    page = forms.client.http.get(f"/scenarios/show?id={chosen['one']}&receiver=shop").text
    forms.post("/scenarios", 200, receiver="shop", pick=["x" * 5000])
    assert forms.read == 1
    forms.post("/scenarios/run", 422, **chosen)
    assert forms.read == 1
    forms.post("/scenarios/run", **{**hidden(page), **chosen})
    assert forms.read == 1


def test_a_relay_is_started_with_one_reading(forms: Forms):
    forms.post("/record/start", receiver="shop", bind="127.0.0.1", port="0")
    assert forms.read == 1
    forms.post("/record/stop")


def test_only_a_change_of_the_receivers_reads_them_again_right_before_it_writes(forms: Forms):
    form = {"name": "second", "base_url": "http://127.0.0.1:9"}
    form |= {"timeout_ms": "15000", "connect_timeout_ms": "5000"}
    forms.post("/receivers/save", 422, **{**form, "base_url": ""})
    assert forms.read == 1
    forms.post("/receivers/save", **form)
    assert forms.read == 2
    forms.post("/receivers/check", 200, name="second")
    assert forms.read == 1
    forms.post("/receivers/delete", name="second")
    assert forms.read == 1
    forms.post("/receivers/undo", name="second")
    assert forms.read == 1


# --- commands ---


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "scenarios", "--receiver", "shop"),
        ("run", "scenarios"),
        ("run", "scenarios", "--dry-run"),
        ("send", "mine", "--receiver", "shop", "--off-contract"),
        ("export", "scenarios/cancel.scenario.json", "--format", "curl", "--receiver", "shop"),
    ],
)
def test_a_command_reads_each_file_once(workspace: Workspace, readings: Readings, arguments: tuple[str, ...]):
    done = command.run(*arguments, cwd=workspace.root, SHOP_TOKEN="s", **readings.environment)
    assert done.returncode in (0, 5), done.stderr
    assert _read(workspace, readings) == {FILE: 1, "pyproject.toml": 1}


def test_an_export_of_many_deliveries_reads_the_receivers_once(workspace: Workspace, readings: Readings):
    steps = [{**STEP, "name": name} for name in "abc"]
    workspace.save_scenario("cancel", json.dumps({"name": "Cancel", "steps": steps}), replace=True)
    environment = {"SHOP_TOKEN": "s", **readings.environment}
    command.run("run", "scenarios", cwd=workspace.root, **environment)
    readings.forget()
    made = command.run("export", "latest", "--format", "curl", cwd=workspace.root, **environment)
    assert made.stdout.count("curl ") == 3, made.stderr
    assert _read(workspace, readings) == {FILE: 1, "pyproject.toml": 1}


def test_pytest_reads_the_receivers_once(workspace: Workspace, readings: Readings):
    python = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q")
    done = command.run(
        "scenarios",
        cwd=workspace.root,
        command=python,
        SHOP_TOKEN="s",
        **readings.environment,
    )
    assert done.returncode == 0, done.stdout
    assert readings.below(workspace.root)[FILE] == 1


def _read(workspace: Workspace, readings: Readings) -> Counter[str]:
    """How often the receivers and the settings were read."""
    found = readings.below(workspace.root)
    return Counter({name: found[name] for name in (FILE, "pyproject.toml")})
