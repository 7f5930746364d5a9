from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox.load.agreement import Agreement, agreement
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.model import Receiver
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.session.ports import build_sources
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.policies import secret_policy

URL = "http://127.0.0.1:8000"
DEFAULT = {"fixture": "default"}


def agreed(folder: Path, *steps: dict[str, Any], url: str = URL, ends: str = "\n", **asked: Any) -> Agreement:
    """What a process agrees to that sends a scenario of these steps from a workspace."""
    text = json.dumps({"steps": steps or [DEFAULT]}, indent=1).replace("\n", ends)
    plan = scenario.read(text, id=str(folder), file=f"{folder}/s.scenario.json")
    receiver = Receiver(name="r", base_url=url)
    setup = LoadSetup(workspace=folder, plans=(plan,), receiver=receiver, **asked)
    return agreement(setup, url, build_sources(Workspace(folder), {}, secret_policy()))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two workspaces, of which the second has a default fixture of its own."""
    one, other = tmp_path / "one", tmp_path / "other"
    fixture = other / "fixtures/order_cancel/draft/default.json"
    for folder in (one, fixture.parent):
        folder.mkdir(parents=True)
    fixture.write_text("{}")
    return one, other


def test_where_files_are_and_how_their_lines_end_does_not_matter(folders: tuple[Path, Path]) -> None:
    raw = {"raw": "{}"}
    one, other = agreed(folders[0], raw), agreed(folders[1], raw, ends="\r\n")
    assert one.refusal(other) == ""
    assert Agreement.from_message(other.to_message()) == other


def test_a_refusal_says_what_is_not_the_same(folders: tuple[Path, Path]) -> None:
    one, other = folders
    master = agreed(one)
    assert master.refusal(agreed(other)) == "its fixtures differ from the master's"
    assert master.refusal(agreed(one, timeout_ms=1)) == "its --var and --timeout differ from the master's"
    v1 = agreed(one, {**DEFAULT, "edition": "v1"})
    assert master.refusal(v1) == "its scenarios, fixtures and contracts differ from the master's"
    elsewhere = agreed(one, url="http://127.0.0.1:9")
    assert master.refusal(elsewhere) == f"it sends to http://127.0.0.1:9, and the master's test is of {URL}"
    old = msgspec.structs.replace(master, version="0.0.1")
    assert master.refusal(old).startswith("it has version 0.0.1 of this program, and the master has ")
