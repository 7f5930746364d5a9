"""The compose page makes no more than it is asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell import scenario_index
from retailops_sandbox.workspace import files
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of
from tests.support.pages import hidden

TYPED = {"action": "order_cancel", "edition": "draft", "receiver": "shop", "payload": '{"version": 1}'}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a receiver, which nobody has changed for a minute."""
    workspace = Workspace(tmp_path)
    workspace.save_receiver(Receiver("shop", "http://shop.test"))
    past = time.time() - 60
    os.utime(workspace.receivers_file, (past, past))
    return workspace


@pytest.fixture
def client(workspace: Workspace) -> TestClient:
    return TestClient(app_of(workspace.root).asgi, base_url="http://127.0.0.1")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files and folders that are read from now on."""
    names: list[str] = []
    regular, list_folder = files.regular, scenario_index.list_folder

    def opened(path: str | os.PathLike[str], flags: int) -> int:
        names.append(os.path.basename(path))
        return regular(path, flags)

    def listed(folder: str, within: Path) -> object:
        names.append(os.path.basename(folder))
        return list_folder(folder, within)

    monkeypatch.setattr(files, "regular", opened)
    monkeypatch.setattr(scenario_index, "list_folder", listed)
    return names


def ask(client: TestClient, part: str, **fields: str) -> str:
    answer = client.post("/compose", data={**TYPED, **fields}, headers={"HX-Target": part})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_findings_read_no_file_once_the_receivers_are_known(client: TestClient, read: list[str]) -> None:
    open_fixture = {"fixture": "default", "loaded": hidden(client.get("/?fixture=default").text)["loaded"]}
    del read[:]
    assert "Breaks the contract of order_cancel draft" in ask(client, "findings", **open_fixture)
    assert read == []


def test_findings_see_a_receiver_that_has_changed(
    workspace: Workspace, client: TestClient, read: list[str]
) -> None:
    typed = {"payload": '{"version": "${shop_id}"}'}
    assert "shop_id" in ask(client, "findings", **typed)
    workspace.save_receiver(Receiver("shop", "http://shop.test", variables={"shop_id": "1"}), replaces="shop")
    del read[:]
    assert "shop_id" not in ask(client, "findings", **typed)
    assert read == ["receivers.json"]


def test_other_parts_read_only_what_they_show(client: TestClient, read: list[str]) -> None:
    ask(client, "target")
    assert read == ["receivers.json"]
    assert "default" in ask(client, "fixture-list", fixture="default")
    assert "scenarios" not in read
