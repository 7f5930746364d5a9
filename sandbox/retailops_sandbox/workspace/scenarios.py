"""Changes of a workspace's scenario files. Each can be undone, and none overwrites an unseen text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from retailops_sandbox import resources
from retailops_sandbox.errors import UsageError
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import SUFFIX
from retailops_sandbox.workspace.files import checked
from retailops_sandbox.workspace.names import free_name
from retailops_sandbox.workspace.undo import Change, Done, UndoableFiles, ended, stamp, with_line_ends_of
from retailops_sandbox.workspace.workspace import SHIPPED, Workspace


class ScenarioClash(Exception):
    """The error of a scenario whose file holds a text that the author of a change has not seen."""

    def __init__(self, text: str | None) -> None:
        super().__init__()
        self.text = text
        """The text of the file; None where it is gone."""


class Edited(NamedTuple):
    """A scenario's text after an edit."""

    text: str
    words: str
    """What was done, as the page says it."""


class ScenarioFiles:
    """Changes the scenario files of a workspace. A scenario is named by its id."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._undoable = UndoableFiles(workspace)
        self._saving = Lock()

    def create(self, name: str, text: str, *, words: str = "") -> Done:
        """Write a new file of this name; UsageError where there is one, SourceError for no scenario."""
        path = self._free(self._workspace.scenario_path(name))
        return self._write(path, ended(text), words=words or f"Made {path.name}.")

    def save(self, id: str, edited: Callable[[str | None], Edited], *, seen: str) -> Done | None:
        """Edit a scenario's file, a shipped one as a copy in the workspace; None where nothing changes.

        `edited` is given the text of the file, None where it is gone. `seen` is the `stamp` of the text
        that the author has seen, empty where there was no file; ScenarioClash where that is otherwise.
        SourceError for a text that is no scenario, UsageError for what is no id.
        """
        path = self._workspace.own_scenario(id)
        # What was read must not be another text when it is written over: saves come in threads.
        with self._saving:
            current = self._text(id, path)
            text, words = edited(current)
            if id.startswith(SHIPPED) and checked(Path.exists, path):
                raise ScenarioClash(self._undoable.text(path))
            text = with_line_ends_of(current, text)
            if current == text:
                return None
            if seen != (stamp(current) if current is not None else ""):
                raise ScenarioClash(current)
            return self._write(path, text, was=id, words=words)

    def _text(self, id: str, path: Path) -> str | None:
        return self._workspace.read_scenario(id) if id.startswith(SHIPPED) else self._undoable.text(path)

    def duplicate(self, id: str, name: str = "") -> Done:
        """Copy a scenario's file, by default under a free name like its own."""
        text = self._workspace.read_scenario(id)
        path = self._workspace.own_scenario(id)
        if name:
            copy = self._free(self._named(path, name))
        else:
            stem = path.name.removesuffix(SUFFIX)[:90].rstrip(".")
            free = free_name(f"{stem}-copy", lambda each: checked(Path.exists, self._named(path, each)))
            copy = self._named(path, free)
        return self._make({copy: text}, was=id, now=copy, words=f"Copied as {copy.name}.")

    def rename(self, id: str, name: str) -> Done:
        """Rename one of the workspace's own files within its folder; UsageError where the name is taken."""
        path = self._own(id, "duplicate it under the new name")
        new = self._named(path, name)
        if new == path:
            raise UsageError(f"{path.name} has this name already", mend="type another")
        files = {self._free(new): self._workspace.read_scenario(id), path: None}
        return self._make(files, was=id, now=new, words=f"{path.name} is {new.name} now.")

    def delete(self, id: str) -> Done:
        """Delete a scenario's file in the workspace; a shipped one of the same name is then in force."""
        path = self._own(id, "a shipped file cannot be deleted")
        hidden = self._hidden_by(path)
        if hidden is not None:
            words = f"{path.name} is the shipped one again."
            return self._make({path: None}, was=id, now=hidden, words=words)
        return self._make({path: None}, was=id, now=None, words=f"{path.name} is deleted.")

    def change(self, id: str) -> Change:
        """A change that was made, by its own id; UsageError where it is no longer known."""
        return self._undoable.change(id)

    def undo(self, id: str) -> Done:
        """Undo a change; UsageError where it is no longer known, or a file was changed since."""
        return self._undoable.undo(id)

    def hides_shipped(self, id: str) -> bool:
        """Whether the file is in the place of a shipped one, so that deleting it restores that."""
        return not id.startswith(SHIPPED) and self._hidden_by(self._workspace.own_scenario(id)) is not None

    def _own(self, id: str, mend: str) -> Path:
        if id.startswith(SHIPPED):
            raise UsageError(f"{id.removeprefix(SHIPPED)} ships with the sandbox", mend=mend)
        return self._workspace.scenario_file(id)

    def _named(self, beside: Path, name: str) -> Path:
        """The path of a file with this name in the folder of another; UsageError for an impossible name."""
        return beside.with_name(self._workspace.scenario_path(name).name)

    def _free(self, path: Path) -> Path:
        if checked(Path.exists, path):
            raise UsageError(f"there is a scenario file {path.name} already", mend="choose another name")
        return path

    def _hidden_by(self, path: Path) -> Path | None:
        """The shipped file in whose place a file of the workspace is; None where there is none."""
        folder = self._workspace.root / "scenarios"
        if not path.is_relative_to(folder):
            return None
        shipped = resources.fixtures_dir() / "scenarios" / path.relative_to(folder)
        return shipped if checked(Path.exists, shipped) else None

    def _write(self, path: Path, text: str, *, was: str = "", words: str) -> Done:
        scenario.read(text, id=path.name, file=path.name)
        return self._make({path: text}, was=was, now=path, words=words)

    def _make(self, files: dict[Path, str | None], *, was: str, now: Path | None, words: str) -> Done:
        id = "" if now is None else self._workspace.scenario_id(now)
        return self._undoable.make(files, was=was, now=id, words=words)
