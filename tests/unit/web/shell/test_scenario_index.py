"""Scenario files are read again where they have changed, and only there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from retailops_sandbox.web.shell import scenario_index
from retailops_sandbox.web.shell.scenario_index import IndexedScenarios, ScenarioIndex
from retailops_sandbox.workspace.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def write(workspace: Workspace, name: str, title: str = "", tags: str = "") -> Path:
    path = workspace.root / "scenarios" / f"{name}.scenario.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"name": "{title}", "tags": [{tags}], "steps": [{{"fixture": "default"}}]}}')
    return path


def settle(workspace: Workspace) -> None:
    """Let all folders be as they are for a minute."""
    past = time.time() - 60
    for folder, _, _ in os.walk(workspace.root / "scenarios"):
        os.utime(folder, (past, past))


def own(indexed: IndexedScenarios) -> list[str]:
    return [plan.name for plan in indexed.plans if not plan.id.startswith("shipped:")]


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the folders that are listed from now on."""
    folders: list[str] = []
    list_folder = scenario_index.list_folder

    def counted(folder: str, within: Path) -> object:
        folders.append(os.path.basename(folder))
        return list_folder(folder, within)

    monkeypatch.setattr(scenario_index, "list_folder", counted)
    return folders


def test_what_has_not_changed_is_neither_listed_nor_read_again(
    workspace: Workspace, listed: list[str]
) -> None:
    write(workspace, "a", "A")
    write(workspace, "deep/b", "B")
    settle(workspace)
    index = ScenarioIndex(workspace)
    first = index.read()
    assert own(first) == ["A", "B"]
    assert {"scenarios", "deep"} <= set(listed)
    listed.clear()
    assert index.read() is first
    assert listed == []


def test_each_change_is_seen_at_the_next_look(workspace: Workspace) -> None:
    index = ScenarioIndex(workspace)
    assert own(index.read()) == []
    path = write(workspace, "a", "A", '"x"')
    assert own(index.read()) == ["A"]
    settle(workspace)
    assert own(index.read()) == ["A"]
    write(workspace, "a", "An A", '"y", "z"')
    assert own(index.read()) == ["An A"]
    assert {"y", "z"} <= set(index.read().tags)
    assert "x" not in index.read().tags
    write(workspace, "deep/er/b", "B")
    assert own(index.read()) == ["An A", "B"]
    settle(workspace)
    write(workspace, "deep/er/c", "C")
    assert own(index.read()) == ["An A", "B", "C"]
    settle(workspace)
    path.unlink()
    assert own(index.read()) == ["B", "C"]
    settle(workspace)
    (workspace.root / "scenarios" / "deep").rename(workspace.root / "scenarios" / "other")
    assert own(index.read()) == ["B", "C"]
    assert next(plan.id for plan in index.read().plans) == "scenarios/other/er/b.scenario.json"


def test_a_folder_that_has_just_changed_is_not_trusted_to_show_the_next_change(
    workspace: Workspace, listed: list[str]
) -> None:
    """Two changes within the resolution of a file system's clock leave the same time."""
    write(workspace, "a", "A")
    folder = workspace.root / "scenarios"
    index = ScenarioIndex(workspace)
    assert own(index.read()) == ["A"]
    status = folder.stat()
    write(workspace, "b", "B")
    os.utime(folder, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert own(index.read()) == ["A", "B"]


def test_what_cannot_be_read_is_said_until_it_is_mended(workspace: Workspace, tmp_path: Path) -> None:
    path = write(workspace, "a", "A")
    path.write_text("{")
    settle(workspace)
    index = ScenarioIndex(workspace)
    for _ in range(2):
        (error,) = index.read().unreadable
        assert str(error).startswith(f"{path}:")
    write(workspace, "a", "A")
    assert (own(index.read()), index.read().unreadable) == (["A"], ())
    pipe = workspace.root / "scenarios" / "pipe.scenario.json"
    os.mkfifo(pipe)
    settle(workspace)
    assert [str(each) for each in index.read().unreadable] == [f"{pipe}: is not a regular file"]
    pipe.unlink()
    assert index.read().unreadable == ()
    outside = tmp_path.parent / "outside.scenario.json"
    link = workspace.root / "scenarios" / "link.scenario.json"
    link.symlink_to(path)
    settle(workspace)
    assert own(index.read()) == ["A", "A"]
    # The folder does not change with where a link leads.
    middle = workspace.root / "middle"
    middle.symlink_to(path)
    link.unlink()
    link.symlink_to(middle)
    settle(workspace)
    assert own(index.read()) == ["A", "A"]
    middle.unlink()
    middle.symlink_to(outside)
    (error,) = index.read().unreadable
    assert "a link leads out of the folder" in str(error)


def test_words_are_looked_for_in_name_path_tags_action_and_edition(workspace: Workspace) -> None:
    write(workspace, "deep/a", "STRASSE", '"Tag"')
    (found,) = [each for each in ScenarioIndex(workspace).read().scenarios if each.plan.name == "STRASSE"]
    assert found.searched == "strasse scenarios/deep/a.scenario.json tag order_cancel draft"
