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

from retailops_sandbox import jsontext
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.names import free_name, safe_name
from retailops_sandbox.workspace.workspace import Workspace

KEPT_CHANGES = 100
"""The number of latest changes that can be undone."""
_ID = re.compile(r"[0-9a-f]{32}")
"""The id of a change: the time at which it was made, then random digits."""


class Clash(Exception):
    """The error of a fixture whose file holds a text that the author of a change has not seen."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name)
        self.name = name
        self.text = text


class Sides(msgspec.Struct, frozen=True):
    """A file's text before and after a change; None where there was no file."""

    before: str | None
    after: str | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one contract's fixtures."""

    action: str
    edition: str
    files: dict[str, Sides]
    """The texts of each fixture before and after, by its name."""
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

    def save(
        self, action: str, edition: str, name: str, text: str, *, seen: str, opened: str = ""
    ) -> Done | None:
        """Write a fixture; None where its file has that text already.

        `seen` is the `stamp` of the text that the author has seen; Clash where the fixture has another text.
        SourceError if the text is not JSON.
        """
        jsontext.parse(text, file=f"{safe_name(name)}.json")
        own, current = self._own(action, edition, name), self.text(action, edition, name)
        text = _with_line_ends_of(current, text)
        if current is not None and current != text and stamp(current) != seen:
            raise Clash(name, current)
        if current == text:
            return None
        return self._make(action, edition, {name: Sides(own, text)}, was=opened, now=name)

    def create(self, action: str, edition: str, name: str, text: str, *, opened: str = "") -> Done:
        """Write a new fixture; UsageError where there is one of this name."""
        jsontext.parse(text, file=f"{safe_name(name)}.json")
        self._expect_free(action, edition, name)
        files = {name: Sides(None, _with_line_ends_of(None, text))}
        return self._make(action, edition, files, was=opened, now=name)

    def duplicate(self, action: str, edition: str, name: str, copy: str = "") -> Done:
        """Copy a fixture, by default under a free name like its own."""
        text = self._workspace.read_fixture(action, edition, name)
        copy = copy or self.free_name(action, edition, f"{name}-copy")
        return self.create(action, edition, copy, text, opened=name)

    def rename(self, action: str, edition: str, name: str, to: str) -> Done:
        """Rename one of the workspace's own fixtures; UsageError where the other name is taken."""
        text = self._own(action, edition, safe_name(name))
        if text is None:
            raise UsageError(f"{name} ships with the sandbox", mend="duplicate it under the new name")
        self._expect_free(action, edition, to)
        files = {to: Sides(None, text), name: Sides(text, None)}
        return self._make(action, edition, files, was=name, now=to)

    def delete(self, action: str, edition: str, name: str) -> Done:
        """Delete the workspace's file of a fixture; a shipped one of the same name is then in force."""
        text = self._own(action, edition, safe_name(name))
        if text is None:
            raise UsageError(f"there is no file of {name} in the workspace: there is nothing to delete")
        is_shipped = any(
            info.name == name and info.origin == "changed"
            for info in self._workspace.fixtures(action, edition)
        )
        now = name if is_shipped else ""
        return self._make(action, edition, {name: Sides(text, None)}, was=name, now=now)

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

    def _own(self, action: str, edition: str, name: str) -> str | None:
        path = self._workspace.own_fixture(action, edition, name)
        return read_text(path) if checked(Path.exists, path) else None

    def _make(self, action: str, edition: str, files: dict[str, Sides], *, was: str, now: str) -> Done:
        """Keep the replaced texts, then write, then delete, so that nothing is lost if the process dies."""
        change = Change(action=action, edition=edition, files=files, was=was, now=now)
        id = f"{time.time_ns():016x}{os.urandom(8).hex()}"
        self._workspace.write(self._kept / f"{id}.json", msgspec.json.encode(change).decode())
        for name, each in sorted(files.items(), key=lambda item: item[1].after is None):
            path = self._workspace.own_fixture(action, edition, name)
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
