"""Unsaved edits are kept as they were typed, and no page's text is lost to another's."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from retailops_sandbox.workspace import edits as edits_module
from retailops_sandbox.workspace.edits import KEPT_DAYS, MOST_OF_A_BROWSER, Edits, Subject, UnsavedEdit
from retailops_sandbox.workspace.workspace import Workspace

DEFAULT = Subject("order_cancel", "draft", "default")
SECOND = Subject("order_cancel", "draft", "second")


@pytest.fixture
def edits(tmp_path: Path) -> Edits:
    return Edits(Workspace(tmp_path))


def edit(payload: str, tab: str = "one", sequence: int = 0) -> UnsavedEdit:
    return UnsavedEdit(payload=payload, tab=tab, sequence=sequence)


def texts(edits: Edits, subject: Subject = DEFAULT, browser: str = "me") -> list[str]:
    return [each.payload for each in edits.read(browser, subject).versions]


def files(edits: Edits) -> list[Path]:
    return sorted((edits._workspace.root / ".sandbox" / "edits").glob("*.json"))


def test_what_is_typed_is_there_for_a_new_process_as_typed(edits: Edits, tmp_path: Path):
    typed = '{"broken":\r\n"ü\\ud800", \t'
    edits.put(
        "me", DEFAULT, UnsavedEdit(payload=typed, expectation="{", variables="x", loaded="s", tab="one")
    )
    [kept] = Edits(Workspace(tmp_path)).read("me", DEFAULT).versions
    assert (kept.payload, kept.expectation, kept.variables, kept.loaded) == (typed, "{", "x", "s")
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(edits)] == [0o600]


def test_each_browser_and_fixture_has_its_own(edits: Edits):
    edits.put("me", DEFAULT, edit("1"))
    edits.put("me", SECOND, edit("2"))
    edits.put("you", DEFAULT, edit("3"))
    assert (texts(edits), texts(edits, SECOND), texts(edits, browser="you")) == (["1"], ["2"], ["3"])
    assert sorted(each.fixture for each in edits.subjects("me")) == ["default", "second"]
    assert texts(edits, browser="../../x") == []


def test_a_page_replaces_its_own_text_also_where_it_missed_the_answer(edits: Edits):
    edits.put("me", DEFAULT, edit("1", sequence=1))
    edits.put("me", DEFAULT, edit("12", sequence=2))
    assert texts(edits) == ["12"]


def test_a_post_that_comes_late_does_not_bring_back_older_text(edits: Edits):
    edits.put("me", DEFAULT, edit("12", sequence=2))
    late = edits.put("me", DEFAULT, edit("1", sequence=1))
    assert texts(edits) == ["12"] == [each.payload for each in late.versions]


def test_two_pages_do_not_overwrite_each_other_unseen(edits: Edits):
    first = edits.put("me", DEFAULT, edit("first", "one")).versions[0]
    both = edits.put("me", DEFAULT, edit("second", "two")).versions
    assert [each.payload for each in both] == ["second", "first"]
    # The first types on: it has not seen the second.
    again = edits.put("me", DEFAULT, edit("first!", "one"), replaces=[first.revision]).versions
    assert [each.payload for each in again] == ["first!", "second"]
    # A choice names what it has seen.
    edits.put("me", DEFAULT, edit("first!", "one"), replaces=[each.revision for each in again])
    assert texts(edits) == ["first!"]


def test_a_page_that_goes_on_with_another_ones_text_replaces_it(edits: Edits):
    first = edits.put("me", DEFAULT, edit("first", "one")).versions[0]
    edits.put("me", DEFAULT, edit("first, then second", "two"), replaces=[first.revision])
    assert texts(edits) == ["first, then second"]
    edits.put("me", DEFAULT, edit("first again", "one"), replaces=[first.revision])
    assert texts(edits) == ["first again", "first, then second"]


def test_the_same_text_in_two_pages_is_one(edits: Edits):
    edits.put("me", DEFAULT, edit("same", "one"))
    edits.put("me", DEFAULT, edit("same", "two"))
    assert texts(edits) == ["same"]


def test_a_page_forgets_its_own_text_alone(edits: Edits):
    edits.put("me", DEFAULT, edit("first", "one"))
    edits.put("me", DEFAULT, edit("second", "two"))
    edits.remove("me", DEFAULT, "two")
    assert texts(edits) == ["first"]
    edits.remove("me", DEFAULT, "one")
    edits.remove("me", DEFAULT, "one")
    assert (texts(edits), files(edits), edits.subjects("me")) == ([], [], [])


def test_what_has_not_changed_is_not_written_again(edits: Edits):
    edits.put("me", DEFAULT, edit("1"))
    before = files(edits)[0].stat().st_ino
    edits.put("me", DEFAULT, edit("1"))
    assert files(edits)[0].stat().st_ino == before


@pytest.mark.parametrize("damage", ["", "{", "[]", "\udcff", '{"format": 2}', "other"])
def test_a_damaged_file_is_said_and_put_aside(edits: Edits, damage: str):
    edits.put("me", DEFAULT, edit("lost"))
    [path] = files(edits)
    if damage == "other":
        edits.put("me", SECOND, edit("foreign"))
        other = next(each for each in files(edits) if each != path)
        damage = other.read_text()
        other.unlink()
    path.write_bytes(damage.encode(errors="surrogateescape"))
    kept = edits.read("me", DEFAULT)
    assert kept.versions == ()
    assert path.name in kept.problem
    assert edits.put("me", DEFAULT, edit("new")).problem == ""
    assert texts(edits) == ["new"]
    assert path.with_suffix(".damaged").read_bytes() == damage.encode(errors="surrogateescape")


def test_other_files_there_are_left_alone(edits: Edits):
    edits.put("me", DEFAULT, edit("1"))
    folder = files(edits)[0].parent
    (folder / "notes.json").write_text("mine")
    os.utime(folder / "notes.json", (0, 0))
    edits.put("me", SECOND, edit("2"))
    assert len(edits.subjects("me")) == 2
    assert (folder / "notes.json").read_text() == "mine"


def test_where_nothing_can_be_written_memory_keeps_it(edits: Edits, tmp_path: Path):
    folder = tmp_path / ".sandbox"
    folder.write_text("in the way")
    kept = edits.put("me", DEFAULT, edit("1"))
    assert "cannot be written" in kept.problem
    edits.put("me", DEFAULT, edit("12"))
    assert texts(edits) == ["12"]
    assert edits.subjects("me") == [DEFAULT]
    folder.unlink()
    assert edits.put("me", DEFAULT, edit("123")).problem == ""
    assert texts(Edits(Workspace(tmp_path))) == ["123"]


def test_a_link_that_leads_out_is_not_followed(edits: Edits, tmp_path: Path):
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()
    (tmp_path / ".sandbox").mkdir()
    (tmp_path / ".sandbox" / "edits").symlink_to(outside)
    assert "leads out" in edits.read("me", DEFAULT).problem
    assert "leads out" in edits.put("me", DEFAULT, edit("1")).problem
    assert list(outside.iterdir()) == []


def test_only_so_many_of_a_browser_are_kept(edits: Edits, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(edits_module, "MOST_OF_A_BROWSER", 3)
    edits.put("you", DEFAULT, edit("yours"))
    for number in range(5):
        edits.put("me", Subject("order_cancel", "draft", f"f{number}"), edit(str(number)))
        for path in files(edits):
            status = path.stat()
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 1_000_000_000))
    assert sorted(each.fixture for each in edits.subjects("me")) == ["f2", "f3", "f4"]
    assert texts(edits, browser="you") == ["yours"]


def test_what_is_too_old_goes(edits: Edits):
    edits.put("you", DEFAULT, edit("old"))
    past = time.time() - (KEPT_DAYS + 1) * 24 * 60 * 60
    os.utime(files(edits)[0], (past, past))
    edits.put("me", DEFAULT, edit("new"))
    assert (texts(edits, browser="you"), texts(edits)) == ([], ["new"])


def test_the_limits_are_as_documented():
    assert (MOST_OF_A_BROWSER, KEPT_DAYS) == (50, 30)
