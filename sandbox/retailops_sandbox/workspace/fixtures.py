"""Changes of a workspace's fixtures. Each can be undone, and none overwrites a text unseen by its author.

The texts that a change replaces are kept in a file in `.sandbox/undo`, so that another process can undo it.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from retailops_sandbox import jsontext
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.names import EXPECTATION, fixture_name, free_name, is_expectation
from retailops_sandbox.workspace.workspace import Workspace

KEPT_CHANGES = 100
"""The number of latest changes that can be undone."""
_ID = re.compile(r"[0-9a-f]{32}")
"""The id of a change: the time at which it was made, then random digits."""


class Clash(Exception):
    """The error of a fixture whose file holds a text that the author of a change has not seen.

    `is_expectation` says which of its two files that is.
    """

    def __init__(self, name: str, text: str, *, is_expectation: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.text = text
        self.is_expectation = is_expectation


class Sides(msgspec.Struct, frozen=True):
    """A file's text before and after a change; None where there was no file."""

    before: str | None
    after: str | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one contract's fixtures."""

    action: str
    edition: str
    files: dict[str, Sides]
    """The texts of each file before and after, by its name without `.json`."""
    was: str = ""
    """The fixture that was open before the change."""
    now: str = ""
    """The fixture that is open after the change."""

    @property
    def reversed(self) -> Change:
        """The change that undoes this one."""
        files = {name: Sides(each.after, each.before) for name, each in self.files.items()}
        return msgspec.structs.replace(self, files=files, was=self.now, now=self.was)


class Done(msgspec.Struct, frozen=True):
    """A change that was made, and the id by which it can be undone."""

    id: str
    change: Change


def stamp(text: str) -> str:
    """The hash of a text, by which it is known that its author has seen it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Fixtures:
    """Changes the fixtures of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept = workspace.root / ".sandbox" / "undo"

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
    ) -> Done | None:
        """Write a fixture, with its expectation; None where its files have these texts already.

        `seen` is the `stamp` of the text that the author has seen, `expectation_seen` that of the
        expectation, empty where there was none; Clash where a file has another text. An expectation of None
        or without text deletes its file; UNSET leaves it as it is. SourceError for a text that its file
        cannot hold.
        """
        jsontext.parse(text, file=f"{fixture_name(name)}.json")
        current = self.text(action, edition, name)
        lonely = self._lonely_expectation(action, edition, name)
        expected = self.expectation(action, edition, name) if lonely is None else lonely
        text = _with_line_ends_of(current, text)
        if current is not None and current != text and stamp(current) != seen:
            raise Clash(name, current)
        wanted = expected if expectation is UNSET else self._written_expectation(name, expectation, expected)
        if expected is not None and expected != wanted and stamp(expected) != expectation_seen:
            raise Clash(name, expected, is_expectation=True)
        if (current, expected) == (text, wanted) and lonely is None:
            return None
        # A shipped fixture is copied whole, so that payload and expectation are of one layer.
        files = self._files(action, edition, name, text, wanted)
        return self._make(action, edition, files, was=opened, now=name)

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
        files = self._files(action, edition, name, _with_line_ends_of(None, text), wanted)
        return self._make(action, edition, files, was=opened, now=name)

    def duplicate(self, action: str, edition: str, name: str, copy: str = "") -> Done:
        """Copy a fixture with its expectation, by default under a free name like its own."""
        text = self._workspace.read_fixture(action, edition, name)
        expected = self.expectation(action, edition, name)
        copy = copy or self.free_name(action, edition, f"{name}-copy")
        self._expect_free(action, edition, copy)
        files = self._files(action, edition, copy, text, expected)
        return self._make(action, edition, files, was=name, now=copy)

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
        return self._make(action, edition, files, was=name, now=to)

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
        return self._make(action, edition, files, was=name, now=now)

    def undo(self, id: str) -> Done:
        """Undo a change; UsageError where it is no longer known, or a file was changed since."""
        change = self._read(id).reversed
        for name, each in change.files.items():
            if self._own(change.action, change.edition, name) != each.before:
                raise UsageError(f"{name} was changed since: nothing was taken back", mend="look at it first")
        done = self._make(change.action, change.edition, change.files, was=change.was, now=change.now)
        (self._kept / f"{id}.json").unlink(missing_ok=True)
        return done

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
        return _with_line_ends_of(current, text)

    def _files(
        self, action: str, edition: str, name: str, payload: str | None, expectation: str | None
    ) -> dict[str, Sides]:
        """The change that gives the workspace's two files of a fixture these texts."""
        wanted = {name: payload, name + EXPECTATION: expectation}
        sides = {stem: Sides(self._own(action, edition, stem), text) for stem, text in wanted.items()}
        return {stem: each for stem, each in sides.items() if each.before != each.after}

    def _path(self, action: str, edition: str, stem: str) -> Path:
        """The workspace's file of a fixture or, with `.expect` behind its name, of its expectation."""
        if is_expectation(stem):
            return self._workspace.own_expectation(action, edition, stem.removesuffix(EXPECTATION))
        return self._workspace.own_fixture(action, edition, stem)

    def _own(self, action: str, edition: str, stem: str) -> str | None:
        path = self._path(action, edition, stem)
        return read_text(path) if checked(Path.exists, path) else None

    def _make(self, action: str, edition: str, files: dict[str, Sides], *, was: str, now: str) -> Done:
        """Keep the replaced texts, then write, then delete, so that nothing is lost if the process dies."""
        change = Change(action=action, edition=edition, files=files, was=was, now=now)
        id = f"{time.time_ns():016x}{os.urandom(8).hex()}"
        self._workspace.write(self._kept / f"{id}.json", msgspec.json.encode(change).decode())
        for name, each in sorted(files.items(), key=lambda item: item[1].after is None):
            path = self._path(action, edition, name)
            if each.after is not None:
                self._workspace.write(path, each.after)
            else:
                self._workspace.delete(path)
        self._forget_oldest()
        return Done(id, change)

    def _read(self, id: str) -> Change:
        path = self._kept / f"{id}.json"
        if not _ID.fullmatch(id) or not checked(Path.exists, path):
            raise UsageError(f"this is too long ago: the last {KEPT_CHANGES} changes can be taken back")
        try:
            return msgspec.json.decode(read_text(path), type=Change)
        except msgspec.MsgspecError as error:
            raise FileError(f"is damaged: {error}", file=str(path), mend="it cannot be taken back") from error

    def _forget_oldest(self) -> None:
        kept = sorted(self._kept.glob("*.json"), reverse=True)
        for path in kept[KEPT_CHANGES:]:
            path.unlink(missing_ok=True)


def _with_line_ends_of(current: str | None, text: str) -> str:
    """The text with a line end behind the last line, and with the line ends of the current file."""
    text = text if text.endswith("\n") else text + "\n"
    is_crlf = current is not None and "\r\n" in current and "\r\n" not in text
    return text.replace("\n", "\r\n") if is_crlf else text
