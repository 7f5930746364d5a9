"""The pages of scenarios are made beside the event loop, which times the deliveries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from starlette.testclient import TestClient

from retailops_sandbox.web.shell.scenario_index import ScenarioIndex
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of

WORK = (
    (Workspace, "receivers"),
    (Workspace, "scenario_file"),
    (ScenarioIndex, "read"),
    (jinja2.Template, "render"),
)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was done from now on, and whether in the event loop."""
    done: list[tuple[str, bool]] = []

    def watched(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def call(*given: Any, **named: Any) -> object:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop()
                done.append((name, True))
                return work(*given, **named)
            done.append((name, False))
            return work(*given, **named)

        return call

    for owner, name in WORK:
        monkeypatch.setattr(owner, name, watched(name, getattr(owner, name)))
    return done


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(app_of(tmp_path).asgi, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.mark.parametrize(
    ("method", "path", "fields", "target", "status"),
    [
        ("GET", "/scenarios?q=cancel&page=2", {}, "", 200),
        ("GET", "/scenarios/show?id=shipped:draft-cancel.scenario.json", {}, "", 200),
        ("POST", "/scenarios", {"q": "cancel"}, "", 303),
        ("POST", "/scenarios", {"q": "cancel", "to": "2"}, "scenario-list", 200),
        ("POST", "/scenarios", {"receiver": "stand-in"}, "target", 200),
        ("POST", "/scenarios/run", {"do": "selected"}, "", 422),
        ("POST", "/scenarios/run", {"do": "listed", "receiver": "gone"}, "", 422),
    ],
)
def test_no_page_of_scenarios_is_made_where_deliveries_are_timed(
    client: TestClient,
    places: list[tuple[str, bool]],
    method: str,
    path: str,
    fields: dict[str, str],
    target: str,
    status: int,
) -> None:
    headers = {"HX-Target": target} if target else {}
    answer = client.request(method, path, data=fields, headers=headers)
    assert answer.status_code == status
    assert places
    assert [name for name, in_loop in places if in_loop] == []
