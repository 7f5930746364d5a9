"""`receivers.json` is a TinyDB database that people edit by hand, too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import TinyDB, where

from retailops_sandbox import jsontext
from retailops_sandbox.errors import FileError, SourceError, UsageError
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.workspace.workspace import Workspace

SHOP, TILL = Receiver("shop", "http://s", variables={"n": 1}), Receiver("till", "http://t")

WRITTEN_BEFORE = """{
  "receivers": {
    "1": {
      "name": "shop",
      "base_url": "http://s",
      "variables": {
        "amount": 35.00,
        "huge": 123456789012345678901234567890
      }
    },
    "7": {
      "base_url": "http://t",
      "name": "till"
    }
  },
  "settings": {
    "1": {
      "default": "till",
      "note": "edited by hand"
    },
    "4": {
      "mine": 1.50
    }
  }
}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_a_change_leaves_every_other_byte_of_a_file_of_before(workspace: Workspace) -> None:
    workspace.receivers_file.write_text(WRITTEN_BEFORE)
    workspace.save_receiver(Receiver("counter", "http://t"), replaces="till")
    assert workspace.receivers_file.read_text() == WRITTEN_BEFORE.replace(
        """      "base_url": "http://t",
      "name": "till"
""",
        """      "name": "counter",
      "base_url": "http://t"
""",
    ).replace('"default": "till"', '"default": "counter"')
    workspace.save_receiver(Receiver("new", "http://n"))
    text = workspace.receivers_file.read_text()
    assert '"huge": 123456789012345678901234567890' in text
    assert list(json.loads(text)["receivers"]) == ["1", "7", "8"]
    workspace.delete_receiver("new")
    workspace.delete_receiver("counter")
    assert json.loads(workspace.receivers_file.read_text())["settings"] == {
        "1": {"default": "", "note": "edited by hand"},
        "4": {"mine": 1.5},
    }


def test_a_new_file_is_laid_out_for_people(workspace: Workspace) -> None:
    workspace.save_receiver(TILL, is_default=True)
    assert (
        workspace.receivers_file.read_text()
        == """{
  "receivers": {
    "1": {
      "name": "till",
      "base_url": "http://t"
    }
  },
  "settings": {
    "1": {
      "default": "till"
    }
  }
}
"""
    )


VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.dictionaries(
    st.integers(1, 99).map(str),
    st.fixed_dictionaries(
        {"name": st.sampled_from("abcdef"), "base_url": st.just("http://h")},
        optional={"variables": st.dictionaries(st.text("xyz", min_size=1), VALUES, max_size=3)},
    ),
    max_size=5,
)
SETTINGS = st.dictionaries(
    st.integers(1, 99).map(str),
    st.fixed_dictionaries({}, optional={"default": st.sampled_from("abcdef"), "other": VALUES}),
    max_size=3,
)


@given(ROWS, SETTINGS, st.sampled_from("abcdef"))
def test_what_a_change_is_not_about_stays(rows: dict[str, Any], settings: dict[str, Any], name: str) -> None:
    with TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        workspace.receivers_file.write_bytes(jsontext.compact({"receivers": rows, "settings": settings}))
        book = workspace.receivers()
        workspace.save_receiver(Receiver(name, "http://new"), replaces=name)
        changed = json.loads(workspace.receivers_file.read_text())
        at = next((id for id, row in rows.items() if row["name"] == name), None)
        if at is None:
            at = str(max(map(int, rows), default=0) + 1)
        assert changed["receivers"] == {**rows, at: {"name": name, "base_url": "http://new"}}
        first = next(iter(settings), "1")
        assert changed["settings"] == {
            **settings,
            first: {**settings.get(first, {}), "default": book.default},
        }
        workspace.delete_receiver(name)
        left = {id: row for id, row in changed["receivers"].items() if row["name"] != name}
        assert json.loads(workspace.receivers_file.read_text())["receivers"] == left


def test_stock_tinydb_reads_and_changes_it_and_it_is_still_read(workspace: Workspace) -> None:
    workspace.save_receiver(SHOP, is_default=True)
    before = workspace.receivers_file.read_bytes()
    with TinyDB(workspace.receivers_file) as database:
        (row,) = database.table("receivers").search(where("name") == "shop")
        assert (row["base_url"], database.table("settings").all()) == ("http://s", [{"default": "shop"}])
    assert workspace.receivers_file.read_bytes() == before
    with TinyDB(workspace.receivers_file) as database:
        database.table("receivers").insert({"name": "ü", "base_url": "http://u"})
    assert workspace.receivers().named("ü").base_url == "http://u"
    workspace.save_receiver(TILL)
    assert [each.name for each in workspace.receivers().receivers] == ["shop", "ü", "till"]


def test_an_empty_file_has_no_receivers(workspace: Workspace) -> None:
    TinyDB(workspace.receivers_file).close()
    assert workspace.receivers_file.read_bytes() == b""
    assert workspace.receivers().receivers == ()
    workspace.save_receiver(SHOP)
    assert workspace.receivers().receivers == (SHOP,)


@pytest.mark.parametrize("change", ["save", "delete"])
def test_a_file_with_a_mistake_is_not_changed(workspace: Workspace, change: str) -> None:
    text = WRITTEN_BEFORE.replace('"base_url": "http://t"', '"base_uri": "http://t"')
    workspace.receivers_file.write_text(text)
    with pytest.raises(SourceError) as raised:
        workspace.save_receiver(SHOP) if change == "save" else workspace.delete_receiver("shop")
    assert (raised.value.line, raised.value.pointer) == (12, "/receivers/7/base_uri")
    assert workspace.receivers_file.read_text() == text


def test_a_name_that_is_taken_changes_nothing(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="there is no receiver 'shop'"):
        workspace.delete_receiver("shop")
    assert list(workspace.root.iterdir()) == []
    workspace.save_receiver(SHOP, is_default=True)
    workspace.save_receiver(TILL)
    before = workspace.receivers_file.read_bytes()
    with pytest.raises(UsageError, match="already"):
        workspace.save_receiver(SHOP, replaces="till")
    with pytest.raises(UsageError, match="already"):
        workspace.save_receiver(SHOP)
    assert workspace.receivers_file.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_file_as_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.save_receiver(SHOP)
    before = workspace.receivers_file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="cannot be written: no space left on device") as raised:
        workspace.save_receiver(TILL)
    assert raised.value.file == str(workspace.receivers_file)
    assert workspace.receivers_file.read_bytes() == before
    assert [path.name for path in workspace.root.iterdir() if path.name.startswith(".r")] == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_kill_leaves_the_file_as_it_was(workspace: Workspace, step: str) -> None:
    workspace.save_receiver(SHOP)
    before = workspace.receivers_file.read_bytes()
    code = f"""
import os, signal, sys
from pathlib import Path
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
os.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Workspace(Path(sys.argv[1])).save_receiver(Receiver("till", "http://t"))
"""
    done = subprocess.run([sys.executable, "-c", code, workspace.root], check=False)
    assert done.returncode == -signal.SIGKILL
    assert workspace.receivers_file.read_bytes() == before


def test_reading_receivers_needs_no_tinydb() -> None:
    code = "import sys, retailops_sandbox.workspace.workspace; assert 'tinydb' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
