"""Changes of a workspace's fixtures. Each can be undone, and none overwrites a text unseen by its author."""

from __future__ import annotations

from pathlib import Path

from msgspec import UNSET, UnsetType

from retailops_sandbox import jsontext
from retailops_sandbox.errors import UsageError
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.names import EXPECTATION, fixture_name, free_name, is_expectation
from retailops_sandbox.workspace.undo import Done, UndoableFiles, ended, stamp, with_line_ends_of
from retailops_sandbox.workspace.workspace import Workspace


class Clash(Exception):
    """The error of a fixture whose file holds a text that the author of a change has not seen.

    `is_expectation` says which of its two files that is.
    """

    def __init__(self, name: str, text: str, *, is_expectation: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.text = text
        self.is_expectation = is_expectation


class Fixtures:
    """Changes the fixtures of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._undoable = UndoableFiles(workspace)

    def text(self, action: str, edition: str, name: str) -> str | None:
        """A fixture's present text, the workspace's or else the shipped one; None where there is none."""
        path = self._workspace.find_fixture(action, edition, name)
        return None if path is None else read_text(path)

    def expectation(self, action: str, edition: str, name: str) -> str | None:
        """The present text of a fixture's own expectation, of the payload's layer; None without one."""
        return self._workspace.read_expectation(action, edition, name)

    def save(
        self,
        action: str,
        edition: str,
        name: str,
        text: str,
        *,
        seen: str,
        opened: str = "",
        expectation: str | UnsetType | None = UNSET,
        expectation_seen: str = "",
        copied: bool = False,
    ) -> Done | None:
        """Write a fixture, with its expectation; None where its files have these texts already.

        `seen` is the `stamp` of the text that the author has seen, `expectation_seen` that of the
        expectation, empty where there was none; Clash where a file has another text. An expectation of None
        or without text deletes its file; UNSET leaves it as it is. With `copied`, the workspace gets its
        files also where the shipped ones say the same. SourceError for a text that its file cannot hold.
        """
        jsontext.parse(text, file=f"{fixture_name(name)}.json")
        current = self.text(action, edition, name)
        lonely = self._lonely_expectation(action, edition, name)
        expected = self.expectation(action, edition, name) if lonely is None else lonely
        text = with_line_ends_of(current, ended(text))
        if current is not None and current != text and stamp(current) != seen:
            raise Clash(name, current)
        wanted = expected if expectation is UNSET else self._written_expectation(name, expectation, expected)
        if expected is not None and expected != wanted and stamp(expected) != expectation_seen:
            raise Clash(name, expected, is_expectation=True)
        if (current, expected) == (text, wanted) and lonely is None and not copied:
            return None
        # A shipped fixture is copied whole, so that payload and expectation are of one layer.
        files = self._files(action, edition, name, text, wanted)
        if not files:
            return None
        return self._undoable.make(files, was=opened, now=name)

    def save_expectation(
        self, action: str, edition: str, name: str, text: str | None, *, seen: str, opened: str = ""
    ) -> Done | None:
        """Write a fixture's own expectation, as `save` does; a shipped fixture's payload is copied with it.

        `seen` is the `stamp` of the expectation's text that the author has seen. UsageError where there is no
        such fixture.
        """
        payload = self._workspace.read_fixture(action, edition, name)
        return self.save(
            action,
            edition,
            name,
            payload,
            seen=stamp(payload),
            opened=opened,
            expectation=text,
            expectation_seen=seen,
        )

    def create(
        self,
        action: str,
        edition: str,
        name: str,
        text: str,
        *,
        opened: str = "",
        expectation: str | None = None,
    ) -> Done:
        """Write a new fixture, with its expectation if it has one; UsageError where there is one so named."""
        jsontext.parse(text, file=f"{fixture_name(name)}.json")
        self._expect_free(action, edition, name)
        wanted = self._written_expectation(name, expectation, None)
        files = self._files(action, edition, name, ended(text), wanted)
        return self._undoable.make(files, was=opened, now=name)

    def duplicate(self, action: str, edition: str, name: str, copy: str = "") -> Done:
        """Copy a fixture with its expectation, by default under a free name like its own."""
        text = self._workspace.read_fixture(action, edition, name)
        expected = self.expectation(action, edition, name)
        copy = copy or self.free_name(action, edition, f"{name}-copy")
        self._expect_free(action, edition, copy)
        files = self._files(action, edition, copy, text, expected)
        return self._undoable.make(files, was=name, now=copy)

    def rename(self, action: str, edition: str, name: str, to: str) -> Done:
        """Rename one of the workspace's own fixtures; UsageError where the other name is taken."""
        text = self._own(action, edition, fixture_name(name))
        if text is None:
            raise UsageError(f"{name} ships with the sandbox", mend="duplicate it under the new name")
        self._expect_free(action, edition, to)
        expected = self._own(action, edition, name + EXPECTATION)
        files = {
            **self._files(action, edition, to, text, expected),
            **self._files(action, edition, name, None, None),
        }
        return self._undoable.make(files, was=name, now=to)

    def delete(self, action: str, edition: str, name: str) -> Done:
        """Delete the workspace's files of a fixture; a shipped one of the same name is then in force."""
        if self._own(action, edition, fixture_name(name)) is None:
            raise UsageError(f"there is no file of {name} in the workspace: there is nothing to delete")
        is_shipped = any(
            info.name == name and info.origin == "changed"
            for info in self._workspace.fixtures(action, edition)
        )
        now = name if is_shipped else ""
        files = self._files(action, edition, name, None, None)
        return self._undoable.make(files, was=name, now=now)

    def undo(self, id: str) -> Done:
        """Undo a change; UsageError where it is no longer known, or a file was changed since."""
        return self._undoable.undo(id)

    def free_name(self, action: str, edition: str, wanted: str) -> str:
        """The wanted name, or where a fixture has it, the first name with a number behind it that is free."""
        names = {info.name for info in self._workspace.fixtures(action, edition)}
        return free_name(wanted[:90].rstrip("."), names.__contains__)

    def _expect_free(self, action: str, edition: str, name: str) -> None:
        if self.text(action, edition, name) is not None:
            raise UsageError(f"there is a fixture {name} already", mend="choose another name")
        if self._own(action, edition, name + EXPECTATION) is not None:
            what = f"there is a file {name}{EXPECTATION}.json already, without its fixture"
            raise UsageError(what, mend="choose another name, or delete that file")

    def _lonely_expectation(self, action: str, edition: str, name: str) -> str | None:
        """The text of an expectation in the workspace without its payload; None for any other."""
        if self._own(action, edition, name) is not None:
            return None
        return self._own(action, edition, name + EXPECTATION)

    def _written_expectation(self, name: str, text: str | None, current: str | None) -> str | None:
        """The text of an expectation as its file will hold it; SourceError where it is none."""
        if text is None or not text.strip():
            return None
        scenario.expectation(text, file=f"{name}{EXPECTATION}.json")
        return with_line_ends_of(current, ended(text))

    def _files(
        self, action: str, edition: str, name: str, payload: str | None, expectation: str | None
    ) -> dict[Path, str | None]:
        """The wanted texts of the workspace's two files of a fixture."""
        return {
            self._workspace.own_fixture(action, edition, name): payload,
            self._workspace.own_expectation(action, edition, name): expectation,
        }

    def _own(self, action: str, edition: str, stem: str) -> str | None:
        """The text of a fixture's file in the workspace, or, of a name with `.expect`, its expectation's."""
        if is_expectation(stem):
            return self._undoable.text(
                self._workspace.own_expectation(action, edition, stem.removesuffix(EXPECTATION))
            )
        return self._undoable.text(self._workspace.own_fixture(action, edition, stem))
