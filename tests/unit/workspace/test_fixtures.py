"""Changing fixtures: nothing unseen is overwritten, and every change can be taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import resources
from retailops_sandbox.errors import FileError, SourceError, UsageError
from retailops_sandbox.workspace.fixtures import Clash, Fixtures
from retailops_sandbox.workspace.undo import KEPT_CHANGES, stamp
from retailops_sandbox.workspace.workspace import Workspace

ACTION = ("order_cancel", "draft")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work")


@pytest.fixture
def fixtures(workspace: Workspace) -> Fixtures:
    return Fixtures(workspace)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped fixtures in a folder of its own, without expectations."""
    folder = tmp_path / "shipped"
    shutil.copytree(resources.fixtures_dir(), folder)
    monkeypatch.setattr(resources, "fixtures_dir", lambda: folder)
    for path in folder.glob("*/*/*.expect.json"):
        path.unlink()
    return folder / "order_cancel" / "draft"


def files(workspace: Workspace) -> dict[str, str]:
    """The workspace's own fixture files."""
    folder = workspace.root / "fixtures" / "order_cancel" / "draft"
    return {path.stem: path.read_bytes().decode() for path in folder.glob("*.json")}


def payloads(workspace: Workspace) -> dict[str, str]:
    """The workspace's own payloads, without what they expect."""
    return {stem: text for stem, text in files(workspace).items() if not stem.endswith(".expect")}


def origin(workspace: Workspace, name: str) -> str:
    return next((info.origin for info in workspace.fixtures(*ACTION) if info.name == name), "")


def test_what_was_seen_is_saved_over_and_what_was_not_is_a_clash(workspace: Workspace, fixtures: Fixtures):
    shipped = workspace.read_fixture(*ACTION, "default")
    fixtures.save(*ACTION, "default", '{"mine": 1.50}', seen=stamp(shipped))
    assert payloads(workspace) == {"default": '{"mine": 1.50}\n'}
    with pytest.raises(Clash) as caught:
        fixtures.save(*ACTION, "default", '{"yours": 2}', seen=stamp(shipped))
    assert (caught.value.name, caught.value.text) == ("default", '{"mine": 1.50}\n')
    with pytest.raises(Clash):
        fixtures.save(*ACTION, "already-shipped", "{}", seen="")
    assert payloads(workspace) == {"default": '{"mine": 1.50}\n'}
    fixtures.save(*ACTION, "default", '{"yours": 2}', seen=stamp(caught.value.text))
    assert payloads(workspace) == {"default": '{"yours": 2}\n'}


def test_a_file_that_says_it_already_is_not_written(workspace: Workspace, fixtures: Fixtures):
    shipped = workspace.read_fixture(*ACTION, "default")
    assert fixtures.save(*ACTION, "default", shipped, seen="") is None
    assert not workspace.root.exists()


def test_what_is_not_json_is_not_saved(workspace: Workspace, fixtures: Fixtures):
    for attempt in (
        lambda: fixtures.save(*ACTION, "broken", "{", seen=""),
        lambda: fixtures.create(*ACTION, "broken", "{"),
    ):
        with pytest.raises(SourceError, match=r"broken\.json"):
            attempt()
    assert not workspace.root.exists()


def test_lines_keep_the_ends_that_the_file_has(workspace: Workspace, fixtures: Fixtures):
    workspace.save_fixture(*ACTION, "dos", "{\r\n}\r\n")
    fixtures.save(*ACTION, "dos", '{\n"a": 1\n}', seen=stamp("{\r\n}\r\n"))
    assert files(workspace) == {"dos": '{\r\n"a": 1\r\n}\r\n'}


def test_a_copy_gets_a_free_name_or_the_one_it_is_given(workspace: Workspace, fixtures: Fixtures):
    assert fixtures.duplicate(*ACTION, "default").change.now == "default-copy"
    assert fixtures.duplicate(*ACTION, "default").change.now == "default-copy-2"
    assert fixtures.duplicate(*ACTION, "default", "third").change.now == "third"
    assert set(payloads(workspace).values()) == {workspace.read_fixture(*ACTION, "default")}
    with pytest.raises(UsageError, match="there is a fixture third already"):
        fixtures.duplicate(*ACTION, "default", "third")
    long = "x" * 100
    workspace.save_fixture(*ACTION, long, "{}")
    assert len(fixtures.duplicate(*ACTION, long).change.now) <= 100


def test_a_fixture_is_renamed_to_a_free_name_only(workspace: Workspace, fixtures: Fixtures):
    workspace.save_fixture(*ACTION, "old", '{"a": 1}')
    done = fixtures.rename(*ACTION, "old", "new")
    assert files(workspace) == {"new": '{"a": 1}\n'}
    for taken in ("default", "new"):
        with pytest.raises(UsageError, match="already"):
            fixtures.rename(*ACTION, "new", taken)
    with pytest.raises(UsageError, match="ships with the sandbox"):
        fixtures.rename(*ACTION, "default", "other")
    undone = fixtures.undo(done.id)
    assert files(workspace) == {"old": '{"a": 1}\n'}
    assert (undone.change.was, undone.change.now) == ("new", "old")
    fixtures.undo(undone.id)
    assert files(workspace) == {"new": '{"a": 1}\n'}


def test_a_changed_copy_is_deleted_and_the_shipped_one_shows_again(workspace: Workspace, fixtures: Fixtures):
    shipped = workspace.read_fixture(*ACTION, "default")
    workspace.save_fixture(*ACTION, "default", "{}")
    assert fixtures.delete(*ACTION, "default").change.now == "default"
    assert workspace.read_fixture(*ACTION, "default") == shipped
    with pytest.raises(UsageError, match="nothing to delete"):
        fixtures.delete(*ACTION, "default")


def test_a_deleted_fixture_comes_back_in_another_process(workspace: Workspace, fixtures: Fixtures):
    workspace.save_fixture(*ACTION, "mine", '{"total": 35.00}')
    done = fixtures.delete(*ACTION, "mine")
    assert origin(workspace, "mine") == ""
    Fixtures(Workspace(workspace.root)).undo(done.id)
    assert files(workspace) == {"mine": '{"total": 35.00}\n'}
    with pytest.raises(UsageError, match="too long ago"):
        fixtures.undo(done.id)


def test_nothing_is_taken_back_over_a_later_change(workspace: Workspace, fixtures: Fixtures):
    done = fixtures.create(*ACTION, "mine", "{}")
    workspace.save_fixture(*ACTION, "mine", '{"later": 1}')
    with pytest.raises(UsageError, match="mine was changed since"):
        fixtures.undo(done.id)
    assert files(workspace) == {"mine": '{"later": 1}\n'}


@pytest.mark.parametrize("id", ["", "../../../receivers", "a" * 32, "a" * 31 + "/"])
def test_only_a_change_that_is_kept_can_be_taken_back(fixtures: Fixtures, id: str):
    with pytest.raises(UsageError, match="too long ago"):
        fixtures.undo(id)


def test_a_damaged_change_is_named(workspace: Workspace, fixtures: Fixtures):
    done = fixtures.create(*ACTION, "mine", "{}")
    kept = workspace.root / ".sandbox" / "undo" / f"{done.id}.json"
    kept.write_text("{")
    with pytest.raises(FileError, match="is damaged"):
        fixtures.undo(done.id)
    assert kept.read_text() == "{"


def test_only_the_latest_changes_are_kept(workspace: Workspace, fixtures: Fixtures, monkeypatch):
    monkeypatch.setattr("retailops_sandbox.workspace.undo.KEPT_CHANGES", 3)
    assert KEPT_CHANGES > 3
    done = [fixtures.create(*ACTION, f"mine-{number}", "{}") for number in range(5)]
    assert len(list((workspace.root / ".sandbox" / "undo").iterdir())) == 3
    fixtures.undo(done[4].id)
    with pytest.raises(UsageError, match="too long ago"):
        fixtures.undo(done[0].id)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "x" * 101, "a\0b"])
def test_no_name_leads_out_of_the_folder(workspace: Workspace, fixtures: Fixtures, name: str):
    workspace.save_fixture(*ACTION, "mine", "{}")
    for attempt in (
        lambda: fixtures.save(*ACTION, name, "{}", seen=""),
        lambda: fixtures.create(*ACTION, name, "{}"),
        lambda: fixtures.rename(*ACTION, "mine", name),
        lambda: fixtures.rename(*ACTION, name, "other"),
        lambda: fixtures.delete(*ACTION, name),
        lambda: fixtures.text(*ACTION, name),
    ):
        with pytest.raises(UsageError, match="cannot be a fixture's name"):
            attempt()
    assert files(workspace) == {"mine": "{}\n"}


# --- expectations ---

OK = '{"status": 200}'


def test_payload_and_expectation_are_saved_duplicated_renamed_and_deleted_together(
    workspace: Workspace, fixtures: Fixtures
):
    fixtures.create(*ACTION, "mine", "{}", expectation=OK)
    assert files(workspace) == {"mine": "{}\n", "mine.expect": OK + "\n"}
    fixtures.duplicate(*ACTION, "mine", "copy")
    renamed = fixtures.rename(*ACTION, "mine", "other")
    whole = {"copy": "{}\n", "copy.expect": OK + "\n", "other": "{}\n", "other.expect": OK + "\n"}
    assert files(workspace) == whole
    deleted = fixtures.delete(*ACTION, "copy")
    assert files(workspace) == {"other": "{}\n", "other.expect": OK + "\n"}
    fixtures.undo(deleted.id)
    assert files(workspace) == whole
    fixtures.undo(renamed.id)
    assert set(files(workspace)) == {"mine", "mine.expect", "copy", "copy.expect"}
    assert {info.name for info in workspace.fixtures(*ACTION) if info.origin == "workspace"} == {
        "mine",
        "copy",
    }


def test_saving_either_of_a_shipped_case_copies_both_and_restoring_deletes_both(
    workspace: Workspace, fixtures: Fixtures, shipped: Path
):
    payload = workspace.read_fixture(*ACTION, "default")
    (shipped / "default.expect.json").write_text(OK)
    fixtures.save(*ACTION, "default", '{"mine": 1}', seen=stamp(payload))
    assert files(workspace) == {"default": '{"mine": 1}\n', "default.expect": OK}
    fixtures.delete(*ACTION, "default")
    assert files(workspace) == {}
    mine = '{"status": 201}\n'
    fixtures.save_expectation(*ACTION, "default", mine, seen=stamp(OK))
    assert files(workspace) == {"default": payload, "default.expect": mine}
    done = fixtures.save_expectation(*ACTION, "default", "", seen=stamp(mine))
    assert files(workspace) == {"default": payload}
    assert fixtures.expectation(*ACTION, "default") is None
    assert done
    fixtures.undo(done.id)
    assert fixtures.expectation(*ACTION, "default") == mine
    assert fixtures.save_expectation(*ACTION, "default", mine, seen="") is None


def test_no_expectation_is_overwritten_unseen(workspace: Workspace, fixtures: Fixtures):
    fixtures.create(*ACTION, "mine", "{}", expectation=OK)
    for text in ('{"status": 201}', None):
        with pytest.raises(Clash) as caught:
            fixtures.save(*ACTION, "mine", "{}", seen="", expectation=text)
        assert (caught.value.text, caught.value.is_expectation) == (OK + "\n", True)
    with pytest.raises(SourceError, match=r"mine\.expect\.json:1:12 at /status"):
        fixtures.save_expectation(*ACTION, "mine", '{"status": "x"}', seen=stamp(OK + "\n"))
    assert files(workspace)["mine.expect"] == OK + "\n"


def test_an_expectation_without_its_payload_is_kept(workspace: Workspace, fixtures: Fixtures):
    orphan = workspace.own_expectation(*ACTION, "lonely")
    workspace.write(orphan, OK)
    with pytest.raises(UsageError, match=r"lonely\.expect\.json already"):
        fixtures.create(*ACTION, "lonely", "{}")
    workspace.write(workspace.own_expectation(*ACTION, "default"), OK)
    payload = workspace.read_fixture(*ACTION, "default")
    with pytest.raises(FileError, match=r"has no default\.json beside it"):
        workspace.read_expectation(*ACTION, "default")
    fixtures.save(*ACTION, "default", payload, seen=stamp(payload))
    assert files(workspace) == {"default": payload, "default.expect": OK, "lonely.expect": OK}


@pytest.mark.parametrize("name", ["a.expect", "A.EXPECT", "a.expect.expect"])
def test_an_expectations_name_is_no_fixtures_name(workspace: Workspace, fixtures: Fixtures, name: str):
    with pytest.raises(UsageError, match=r"is what .* expects"):
        fixtures.create(*ACTION, name, "{}")
    with pytest.raises(UsageError, match=r"is what .* expects"):
        workspace.read_fixture(*ACTION, name)


_NAMES = st.sampled_from(["default", "mine", "other"])
_STEPS = st.lists(
    st.tuples(st.sampled_from(["save", "duplicate", "rename", "delete"]), _NAMES, _NAMES), max_size=8
)


@given(_STEPS)
def test_whatever_was_done_is_taken_back_step_by_step(tmp_path_factory: pytest.TempPathFactory, steps):
    workspace = Workspace(tmp_path_factory.mktemp("work"))
    fixtures = Fixtures(workspace)
    before, ids = [], []
    for number, (word, name, other) in enumerate(steps):
        state = files(workspace)
        try:
            if word == "save":
                seen = stamp(fixtures.text(*ACTION, name) or "")
                done = fixtures.save(*ACTION, name, f'{{"n": {number}}}', seen=seen)
            else:
                done = getattr(fixtures, word)(*ACTION, name, *([] if word == "delete" else [other]))
        except UsageError:
            assert files(workspace) == state
            continue
        assert done is not None
        before.append(state)
        ids.append(done.id)
    while ids:
        fixtures.undo(ids.pop())
        assert files(workspace) == before.pop()
