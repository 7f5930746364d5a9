"""workspace.py: finding it, the two layers of fixtures, receivers.json."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tinydb import TinyDB

from retailops_sandbox.errors import FileError, SandboxError, SourceError, UsageError
from retailops_sandbox.model import Basic, Receiver
from retailops_sandbox.workspace.files import checked, write_atomically
from retailops_sandbox.workspace.names import safe_name
from retailops_sandbox.workspace.workspace import Workspace, scenario_files_in

ACTION = ("order_cancel", "draft")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


# --- finding ---


def test_the_one_given_wins_then_the_environment_then_the_nearest_marked_folder(tmp_path: Path):
    marked = tmp_path / "shop"
    below = marked / "deep" / "er"
    below.mkdir(parents=True)
    (marked / "receivers.json").write_text("{}")
    environment = {"RETAILOPS_SANDBOX_WORKSPACE": str(tmp_path / "named")}
    assert Workspace.find(str(tmp_path / "given"), environment, below).root == tmp_path / "given"
    assert Workspace.find(None, environment, below).root == tmp_path / "named"
    assert Workspace.find(None, {}, below).root == marked
    assert Workspace.find(None, {}, tmp_path).root == tmp_path


def test_a_file_is_no_workspace(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        Workspace.find(str(file), {}, tmp_path)


def test_the_home_of_nobody_is_no_workspace(tmp_path: Path):
    with pytest.raises(UsageError, match="no home folder"):
        Workspace.find("~nosuchuser/x", {}, tmp_path)


def test_reading_makes_nothing(workspace: Workspace):
    workspace.fixtures(*ACTION)
    workspace.receivers()
    workspace.scenario_files()
    assert list(workspace.root.iterdir()) == []


# --- fixtures ---


def test_saving_copies_into_the_workspace(workspace: Workspace):
    workspace.save_fixture(*ACTION, "default", '{"mine": 1.50}')
    workspace.save_fixture(*ACTION, "own", "{}")
    assert workspace.read_fixture(*ACTION, "default") == '{"mine": 1.50}\n'
    origins = {info.name: info.origin for info in workspace.fixtures(*ACTION)}
    assert origins["default"] == "changed"
    assert origins["own"] == "workspace"
    assert set(origins.values()) == {"changed", "workspace", "shipped"}


def test_an_unknown_fixture_names_the_nearest(workspace: Workspace):
    with pytest.raises(UsageError, match="did you mean default"):
        workspace.read_fixture(*ACTION, "defautl")


def test_a_fixture_that_is_not_json_is_not_saved(workspace: Workspace):
    with pytest.raises(SourceError):
        workspace.save_fixture(*ACTION, "broken", "{")
    assert not (workspace.root / "fixtures").exists()


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "a\\b", ".hidden", "a..b", "x" * 101, "a\0b", "nul", "COM1.x", "a."]
)
def test_a_name_never_leaves_the_folder(name: str, workspace: Workspace):
    with pytest.raises(UsageError):
        safe_name(name)
    with pytest.raises(UsageError):
        workspace.save_fixture(*ACTION, name, "{}")


@pytest.mark.parametrize("name", ["default", "Größe-2", "v1.2_x", "注文"])
def test_ordinary_names_are_fine(name: str):
    assert safe_name(name) == name


# --- receivers ---


def test_receivers_are_a_tinydb_file_that_reads_back_the_same(workspace: Workspace):
    shop = Receiver(name="shop", base_url="http://h", auth=Basic("u", "${env:P}"), variables={"n": 1})
    workspace.save_receiver(shop, is_default=True)
    workspace.save_receiver(Receiver(name="other", base_url="http://o"))
    book = workspace.receivers()
    assert book.receivers[0] == shop
    assert book.default == "shop"
    with TinyDB(workspace.receivers_file) as database:
        assert [row["name"] for row in database.table("receivers")] == ["shop", "other"]


def test_a_receiver_is_renamed_in_its_place_and_stays_the_default(workspace: Workspace):
    for name in ("a", "b"):
        workspace.save_receiver(Receiver(name=name, base_url="http://h"), is_default=name == "a")
    workspace.save_receiver(Receiver(name="c", base_url="http://h"), replaces="a")
    assert [each.name for each in workspace.receivers().receivers] == ["c", "b"]
    assert workspace.receivers().default == "c"
    with pytest.raises(UsageError, match="already"):
        workspace.save_receiver(Receiver(name="b", base_url="http://h"))
    assert workspace.delete_receiver("c").named("c").name == "c"
    assert workspace.receivers().default == ""


def test_a_receiver_is_saved_with_whether_it_is_the_default(workspace: Workspace):
    shop, till = Receiver(name="shop", base_url="http://s"), Receiver(name="till", base_url="http://t")
    for receiver, is_default, default in (
        (shop, True, "shop"),
        (till, False, "shop"),
        (till, True, "till"),
        (shop, None, "till"),
        (till, None, "till"),
        (till, False, ""),
    ):
        workspace.save_receiver(receiver, replaces=receiver.name, is_default=is_default)
        assert workspace.receivers().default == default


def test_a_receivers_file_with_a_mistake_is_named_by_line_and_pointer(workspace: Workspace):
    rows = {"1": {"name": "shop", "base_url": "http://h", "timeout": 5}}
    workspace.receivers_file.write_text(json.dumps({"receivers": rows}, indent=2))
    with pytest.raises(SourceError) as caught:
        workspace.receivers()
    assert caught.value.pointer == "/receivers/1/timeout"
    assert caught.value.line == 6
    assert "timeout_ms" in str(caught.value)


def test_a_default_receiver_is_a_name(workspace: Workspace):
    workspace.receivers_file.write_text('{"receivers": {}, "settings": {"1": {"default": null}}}')
    with pytest.raises(SourceError) as caught:
        workspace.receivers()
    assert caught.value.pointer == "/settings/1/default"


# --- files ---


def test_scenario_files_are_found_in_order_and_hidden_folders_left_out(tmp_path: Path):
    for name in ("b/2.scenario.json", "a.scenario.json", ".git/x.scenario.json", "b/note.json"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}")
    files, unreadable = scenario_files_in(tmp_path)
    found = [os.path.relpath(path, tmp_path) for path in files]
    assert unreadable == []
    assert found == ["a.scenario.json", "b/2.scenario.json"]


def test_scenario_files_of_the_current_folder_are_named_as_somebody_there_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "deep").mkdir()
    for name in ("a.scenario.json", "deep/b.scenario.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "gone.scenario.json").symlink_to("nowhere")
    (tmp_path / "round.scenario.json").symlink_to("round.scenario.json")
    monkeypatch.chdir(tmp_path)
    found = ["a.scenario.json", "gone.scenario.json", "round.scenario.json", "deep/b.scenario.json"]
    assert scenario_files_in(Path()) == (found, [])


def test_what_cannot_be_read_beneath_a_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "closed").mkdir()
    os.mkfifo(tmp_path / "pipe.scenario.json")
    (tmp_path / "linked").symlink_to(tmp_path)
    (tmp_path / "good.scenario.json").write_text("{}")
    look = os.scandir

    def scandir(path: str) -> object:
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    files, unreadable = scenario_files_in(tmp_path)
    assert [os.path.basename(path) for path in files] == ["good.scenario.json"]
    assert sorted(str(error).removeprefix(f"{tmp_path}{os.sep}") for error in unreadable) == [
        "closed: cannot be read: permission denied",
        "pipe.scenario.json: is not a regular file",
    ]


def test_the_shipped_scenarios_run_only_where_the_workspace_has_none(workspace: Workspace):
    shipped, _ = workspace.scenarios_to_run()
    assert shipped
    assert all(not Path(path).is_relative_to(workspace.root) for path in shipped)
    own = workspace.root / "scenarios" / "own.scenario.json"
    own.parent.mkdir()
    own.write_text("{}")
    assert workspace.scenarios_to_run() == ([str(own)], [])
    assert workspace.scenario_files() == ([str(own), *shipped], [])


def test_the_id_of_a_scenario_leads_to_its_file_and_to_no_other(tmp_path: Path):
    workspace = Workspace(tmp_path / "work")
    own = workspace.root / "scenarios" / "deep" / "own.scenario.json"
    own.parent.mkdir(parents=True)
    own.write_text("{}")
    assert workspace.scenario_id(own) == "scenarios/deep/own.scenario.json"
    for path in workspace.scenario_files()[0]:
        assert workspace.scenario_file(workspace.scenario_id(path)).samefile(path)
    assert workspace.scenario_id(workspace.scenario_files()[0][1]).startswith("shipped:")
    (tmp_path / "outside.scenario.json").write_text("{}")
    (workspace.root / "notes.json").write_text("{}")
    (workspace.root / "link.scenario.json").symlink_to(tmp_path / "outside.scenario.json")
    with pytest.raises(FileError, match=r"link\.scenario\.json: is not read: a link leads out of the folder"):
        workspace.scenario_file("link.scenario.json")
    for id in (
        "../outside.scenario.json",
        str(tmp_path / "outside.scenario.json"),
        "shipped:../order_cancel/draft/default.json",
        "notes.json",
        "gone.scenario.json",
        "nul\0.scenario.json",
        "scenarios",
        "",
    ):
        with pytest.raises(UsageError, match="there is no scenario"):
            workspace.scenario_file(id)


def test_what_the_system_does_not_tell_is_one_line(tmp_path: Path):
    with pytest.raises(FileError, match="cannot be read: file name too long"):
        checked(Path.exists, tmp_path / ("x" * 300))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    file = tmp_path / "f.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "new \ud800")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["f.json"]


def test_a_workspace_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "fixtures").write_text("in the way")
    with pytest.raises(FileError) as caught:
        Workspace(tmp_path).save_fixture(*ACTION, "x", "{}")
    assert "cannot be written" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_init_says_what_it_made_and_nothing_the_second_time(workspace: Workspace):
    assert workspace.initialise()
    assert workspace.initialise() == []


def test_unreadable_files_are_sandbox_errors(workspace: Workspace):
    folder = workspace.root / "fixtures" / "order_cancel" / "draft"
    folder.mkdir(parents=True)
    (folder / "latin.json").write_bytes(b'{"a": "\xe9"}')
    (folder / "folder.json").mkdir()
    for name in ("latin", "folder"):
        with pytest.raises(SandboxError):
            workspace.read_fixture(*ACTION, name)


# --- scenarios ---

SCENARIO = '{"format": 1, "steps": [{"name": "a", "fixture": "default"}]}'


def test_a_scenario_is_saved_once_and_replaced_only_when_told(workspace: Workspace):
    path = workspace.save_scenario("second-cancel", SCENARIO)
    assert path == workspace.root / "scenarios" / "second-cancel.scenario.json"
    assert path.read_text(encoding="utf-8") == SCENARIO + "\n"
    other = SCENARIO.replace("default", "zero-total")
    with pytest.raises(UsageError, match="there is a scenario file"):
        workspace.save_scenario("second-cancel.scenario.json", other)
    assert path.read_text(encoding="utf-8") == SCENARIO + "\n"
    workspace.save_scenario("second-cancel", other, replace=True)
    assert path.read_text(encoding="utf-8") == other + "\n"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "nul"])
def test_a_scenario_is_saved_nowhere_else(workspace: Workspace, name: str):
    with pytest.raises(UsageError, match="scenario file's name"):
        workspace.save_scenario(name, SCENARIO)
    assert not workspace.root.joinpath("scenarios").exists()


def test_what_is_no_scenario_is_not_saved(workspace: Workspace):
    with pytest.raises(SourceError, match="stepz"):
        workspace.save_scenario("x", SCENARIO.replace("steps", "stepz"))
    assert not workspace.root.joinpath("scenarios").exists()
