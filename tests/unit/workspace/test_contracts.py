"""workspace/contracts.py and contracts/catalogue.py: a workspace's contracts over the shipped ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox import resources
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.contracts import ACTION, EDITION, write_contract

SHIPPED = SHIPPED_CONTRACTS.names


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def settle(path: Path) -> None:
    """Have a file be as old as one that nobody writes to just now."""
    os.utime(path, (1_700_000_000, 1_700_000_000))


def refusal(workspace: Workspace, action: str = ACTION, edition: str = EDITION) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        workspace.contracts.load(action, edition)
    return caught.value


def test_without_a_folder_there_are_the_shipped_ones(workspace: Workspace):
    assert workspace.contracts is SHIPPED_CONTRACTS
    assert SHIPPED_CONTRACTS.problems == ()


def test_a_file_is_found_at_once_and_gone_when_it_is_deleted(workspace: Workspace):
    path = write_contract(workspace.root)
    assert set(workspace.contracts.names) - set(SHIPPED) == {(ACTION, EDITION)}
    assert workspace.contracts.load(ACTION, EDITION).path == "/order_hold_v1"
    assert workspace.contracts.is_own(ACTION, EDITION)
    assert workspace.contracts.names[0] == SHIPPED[0]
    path.unlink()
    assert workspace.contracts.names == SHIPPED


def test_a_file_is_read_again_where_it_has_changed_and_else_not(workspace: Workspace):
    path = write_contract(workspace.root)
    other = write_contract(workspace.root, action="order_release", path="/release")
    for each in (path, other):
        settle(each)
    before = workspace.contracts
    kept = before.load(ACTION, EDITION)
    assert workspace.contracts is before
    write_contract(workspace.root, action="order_release", path="/released")
    after = workspace.contracts
    assert after is not before
    assert after.load("order_release", EDITION).path == "/released"
    assert before.load("order_release", EDITION).path == "/release"
    assert after.load(ACTION, EDITION) is kept


def test_two_workspaces_of_one_process_share_none(tmp_path: Path):
    one, other = Workspace(tmp_path / "one"), Workspace(tmp_path / "other")
    write_contract(one.root)
    write_contract(other.root, edition="v2", path="/v2")
    assert one.contracts.editions(ACTION) == ("v1",)
    assert other.contracts.editions(ACTION) == ("v2",)


def test_one_with_the_name_of_a_shipped_one_takes_its_place(workspace: Workspace):
    write_contract(workspace.root, **{**shipped_v1(), "path": "/mine"})
    assert workspace.contracts.load("order_cancel", "v1").path == "/mine"
    assert workspace.contracts.names == SHIPPED


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a pointer that leads nowhere": ({"secrets": ["/tokens"]}, "/secrets/0", "the schema has no 'tokens'"),
    "an example that breaks its schema": (
        {"examples": {"request": {"hold": {}}, "response": {"results": []}}},
        "/examples/request",
        "/hold/refnum is missing",
    ),
    "an unknown field": ({"events_at": "/results"}, "/events_at", "unknown field"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_broken_one_is_one_line_and_the_others_work(workspace: Workspace, kind: str):
    changes, place, what = WRONG[kind]
    path = write_contract(workspace.root, **changes)
    write_contract(workspace.root, action="order_release", path="/release")
    error = refusal(workspace)
    assert (error.file, error.pointer) == (str(path), place)
    assert error.line > 1
    assert what in str(error)
    assert "\n" not in str(error)
    assert [str(each) for each in workspace.contracts.problems] == [str(error)]
    assert set(workspace.contracts.names) == {*SHIPPED, ("order_release", EDITION)}
    assert workspace.contracts.find(ACTION, EDITION) is None


def test_a_file_that_is_no_json_is_one_line(workspace: Workspace):
    path = write_contract(workspace.root)
    path.write_text('{"action": "order_hold",}')
    assert refusal(workspace).line == 1
    assert workspace.contracts.names == SHIPPED


def test_the_name_of_a_file_and_what_it_says_agree(workspace: Workspace):
    path = write_contract(workspace.root)
    path.rename(path.with_name("order_hold.v2.json"))
    error = refusal(workspace, edition="v2")
    assert error.pointer == "/edition"
    assert str(error).endswith("(name the file order_hold.v1.json, or write v2)")
    assert refusal(workspace).what == error.what
    with pytest.raises(UsageError, match="there is no contract"):
        workspace.contracts.load("nothing", "v1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", {"kind": "order", "request": ["/order/retailops_order_id"]}),
        ("auth", None),
        ("codes", ["/status"]),
        ("events", None),
        ("secrets", None),
    ],
)
def test_one_that_would_read_old_deliveries_otherwise_is_refused(
    workspace: Workspace, field: str, value: Any
):
    document = {**shipped_v1(), field: value}
    path = workspace.root / "contracts" / "order_cancel.v1.json"
    path.parent.mkdir()
    path.write_text(json.dumps({name: each for name, each in document.items() if each is not None}, indent=1))
    error = refusal(workspace, "order_cancel", "v1")
    assert f"{field} is not that of the shipped contract" in str(error)
    assert "or give the contract an edition of its own" in str(error)
    assert ("order_cancel", "v1") not in workspace.contracts.names
    assert workspace.contracts.load("order_cancel", "draft")
    # What is in the log is read as before.
    assert workspace.contracts.find("order_cancel", "v1") is SHIPPED_CONTRACTS.load("order_cancel", "v1")


@pytest.mark.parametrize("name", ["hold.json", "x..v1.json", "order hold.v1.json"])
def test_a_file_of_another_name_is_named(workspace: Workspace, name: str):
    path = write_contract(workspace.root)
    path.rename(path.with_name(name))
    (problem,) = workspace.contracts.problems
    assert "name it <action>.<edition>.json" in str(problem)
    assert problem.file.endswith(name)


def test_what_is_no_json_file_is_none_of_them(workspace: Workspace):
    path = write_contract(workspace.root)
    for name in ("README.md", ".hidden.v1.json", "order_hold.v1.json~"):
        path.with_name(name).write_text("nothing")
    assert workspace.contracts.problems == ()


def test_a_link_that_leads_out_is_not_followed(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
):
    elsewhere = write_contract(tmp_path_factory.mktemp("elsewhere"))
    folder = workspace.root / "contracts"
    folder.mkdir()
    (folder / elsewhere.name).symlink_to(elsewhere)
    assert "a link leads out of the folder" in str(refusal(workspace))
    (folder / elsewhere.name).unlink()
    folder.rmdir()
    folder.symlink_to(elsewhere.parent)
    (problem,) = workspace.contracts.problems
    assert "a link leads out of the folder" in str(problem)
    assert workspace.contracts.names == SHIPPED


def test_a_file_that_cannot_be_read_is_named(workspace: Workspace):
    path = write_contract(workspace.root)
    path.unlink()
    path.mkdir()
    assert "is a directory" in str(refusal(workspace))


def shipped_v1() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.contract_text("order_cancel.v1"))
    return found
