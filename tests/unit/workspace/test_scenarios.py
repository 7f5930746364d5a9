"""Changing scenario files: nothing unseen is overwritten, and every change can be taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retailops_sandbox.errors import FileError, SourceError, UsageError
from retailops_sandbox.workspace.scenarios import Edited, ScenarioClash, ScenarioFiles
from retailops_sandbox.workspace.undo import UndoableFiles, stamp
from retailops_sandbox.workspace.workspace import Workspace

SHIPPED = "shipped:draft-cancel.scenario.json"
COPY = "scenarios/draft-cancel.scenario.json"
MINE = "scenarios/mine.scenario.json"
TEXT = '{"steps": [{"name": "one", "fixture": "default"}]}\n'
OTHER = '{"steps": [{"name": "two", "fixture": "default"}]}\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work")


@pytest.fixture
def scenarios(workspace: Workspace) -> ScenarioFiles:
    return ScenarioFiles(workspace)


def typed(text: str) -> Callable[[str | None], Edited]:
    """An edit that makes a file say this."""
    return lambda _: Edited(text, "Saved.")


def files(workspace: Workspace) -> dict[str, str]:
    """The workspace's own scenario files, by their paths."""
    found = (workspace.root / "scenarios").rglob("*.json")
    return {path.relative_to(workspace.root).as_posix(): path.read_bytes().decode() for path in found}


def test_a_new_file_has_a_free_name_and_is_taken_back(workspace: Workspace, scenarios: ScenarioFiles):
    done = scenarios.create("mine", TEXT)
    assert done.change.now == MINE
    assert files(workspace) == {MINE: TEXT}
    for name, why in (("mine", "already"), ("../out", "cannot be"), ("con", "cannot be"), ("", "cannot be")):
        with pytest.raises(UsageError, match=why):
            scenarios.create(name, TEXT)
    with pytest.raises(SourceError, match="no steps"):
        scenarios.create("empty", '{"steps": []}')
    scenarios.undo(done.id)
    assert files(workspace) == {}


def test_a_text_that_was_not_seen_is_not_overwritten(workspace: Workspace, scenarios: ScenarioFiles):
    scenarios.create("mine", TEXT)
    with pytest.raises(ScenarioClash) as caught:
        scenarios.save(MINE, typed(OTHER), seen=stamp("something else"))
    assert caught.value.text == TEXT
    assert scenarios.save(MINE, typed(TEXT), seen="") is None
    done = scenarios.save(MINE, typed(OTHER), seen=stamp(TEXT))
    assert done is not None
    assert files(workspace) == {MINE: OTHER}
    scenarios.undo(done.id)
    assert files(workspace) == {MINE: TEXT}
    (workspace.root / MINE).unlink()
    with pytest.raises(ScenarioClash) as caught:
        scenarios.save(MINE, typed(OTHER), seen=stamp(TEXT))
    assert caught.value.text is None


def test_a_shipped_one_is_copied_and_restored(workspace: Workspace, scenarios: ScenarioFiles):
    shipped = workspace.read_scenario(SHIPPED)
    assert not scenarios.hides_shipped(SHIPPED)
    done = scenarios.save(SHIPPED, typed(OTHER), seen=stamp(shipped))
    assert done is not None
    assert done.change.now == COPY
    assert files(workspace) == {COPY: OTHER}
    assert scenarios.hides_shipped(COPY)
    with pytest.raises(ScenarioClash):
        scenarios.save(SHIPPED, typed(TEXT), seen=stamp(shipped))
    restored = scenarios.delete(COPY)
    assert restored.change.now == SHIPPED
    assert files(workspace) == {}
    assert scenarios.undo(restored.id).change.now == COPY
    assert files(workspace) == {COPY: OTHER}


def test_what_ships_is_neither_renamed_nor_deleted(scenarios: ScenarioFiles):
    with pytest.raises(UsageError, match="ships"):
        scenarios.rename(SHIPPED, "other")
    with pytest.raises(UsageError, match="ships"):
        scenarios.delete(SHIPPED)


def test_copies_and_new_names_stay_in_the_folder(workspace: Workspace, scenarios: ScenarioFiles):
    path = workspace.root / "scenarios" / "deep" / "one.scenario.json"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    one = "scenarios/deep/one.scenario.json"
    assert scenarios.duplicate(one).change.now == "scenarios/deep/one-copy.scenario.json"
    assert scenarios.duplicate(one).change.now == "scenarios/deep/one-copy-2.scenario.json"
    with pytest.raises(UsageError, match="already"):
        scenarios.rename(one, "one-copy")
    with pytest.raises(UsageError, match="this name"):
        scenarios.rename(one, "one")
    done = scenarios.rename(one, "other")
    assert set(files(workspace)) == {
        f"scenarios/deep/{name}.scenario.json" for name in ("one-copy", "one-copy-2", "other")
    }
    scenarios.undo(done.id)
    assert scenarios.duplicate(SHIPPED, "mine").change.now == MINE
    deleted = scenarios.delete(one)
    assert deleted.change.now == ""
    path.write_text(OTHER)
    with pytest.raises(UsageError, match="changed since"):
        scenarios.undo(deleted.id)
    assert path.read_text() == OTHER


@pytest.mark.parametrize("before", ['"mine"', "null"])
def test_a_kept_change_of_somebody_else_leads_to_no_file_outside(
    workspace: Workspace, tmp_path: Path, before: str
):
    outside = tmp_path / "outside.json"
    outside.write_text("theirs")
    kept = workspace.root / ".sandbox" / "undo" / f"{'0' * 32}.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(f'{{"files": {{"../outside.json": {{"before": {before}, "after": "theirs"}}}}}}')
    with pytest.raises(FileError, match="leads out"):
        UndoableFiles(workspace).undo("0" * 32)
    assert outside.read_text() == "theirs"


def test_a_link_stays_one(workspace: Workspace, scenarios: ScenarioFiles):
    scenarios.create("real", TEXT)
    link = workspace.root / MINE
    link.symlink_to("real.scenario.json")
    scenarios.save(MINE, typed(OTHER), seen=stamp(TEXT))
    assert link.is_symlink()
    assert link.with_name("real.scenario.json").read_text() == OTHER


def test_of_saves_at_the_same_time_one_is_written_and_the_others_clash(
    workspace: Workspace, scenarios: ScenarioFiles, monkeypatch: pytest.MonkeyPatch
):
    scenarios.create("mine", TEXT)
    read = UndoableFiles.text

    def slowly(files: UndoableFiles, path: Path) -> str | None:
        found = read(files, path)
        time.sleep(0.01)  # Time for the others to read the same.
        return found

    monkeypatch.setattr(UndoableFiles, "text", slowly)
    texts = [TEXT.replace("one", f"step {number}") for number in range(20)]

    def save(text: str) -> str:
        try:
            scenarios.save(MINE, typed(text), seen=stamp(TEXT))
        except ScenarioClash:
            return ""
        return text

    with ThreadPoolExecutor(len(texts)) as threads:
        written = [text for text in threads.map(save, texts) if text]
    assert written == [files(workspace)[MINE]]
