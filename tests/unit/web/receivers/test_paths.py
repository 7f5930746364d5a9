"""The paths on the page of a receiver: those that differ are in sight, the contract's own are folded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of

ACTIONS = {action for action, _ in SHIPPED_CONTRACTS.names}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    paths = {"order_pull": "/fetch", "catalog_push": ""}
    Workspace(tmp_path).save_receiver(Receiver("till", "http://127.0.0.1:1", paths=paths))
    return TestClient(app_of(tmp_path).asgi, base_url="http://127.0.0.1")


def in_sight_and_folded(page: str) -> tuple[set[str], set[str]]:
    before, _, rest = page.partition('<details class="of-paths">')
    fields = [set(re.findall(r'name="path_(\w+)"', part)) for part in (before, rest)]
    return fields[0], fields[1]


def test_a_new_receiver_has_all_paths_folded(client: TestClient) -> None:
    assert in_sight_and_folded(client.get("/receivers/new").text) == (set(), ACTIONS)


def test_paths_of_its_own_are_in_sight(client: TestClient) -> None:
    shown, folded = in_sight_and_folded(client.get("/receivers/edit?name=till").text)
    assert shown == {"order_pull", "catalog_push"}
    assert folded == ACTIONS - shown


def test_a_path_that_was_refused_is_in_sight(client: TestClient) -> None:
    typed = {"name": "shop", "base_url": "http://127.0.0.1:1", "path_order_cancel": "/a?api_key=secret"}
    refused = client.post("/receivers/save", data={**typed, "timeout_ms": "1", "connect_timeout_ms": "1"})
    assert refused.status_code == 422
    assert in_sight_and_folded(refused.text)[0] == {"order_cancel"}
