"""Changes of a workspace's files that can be undone.

The texts that a change replaces are kept in a file in `.sandbox/undo`, so that another process can undo it.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.links import leads_out, link_error
from retailops_sandbox.workspace.workspace import Workspace

KEPT_CHANGES = 100
"""The number of latest changes that can be undone."""
_ID = re.compile(r"[0-9a-f]{32}")
"""The id of a change: the time at which it was made, then random digits."""
_JSON = ".json"


class Sides(msgspec.Struct, frozen=True):
    """A file's text before and after a change; None where there was no file."""

    before: str | None
    after: str | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of files."""

    files: dict[str, Sides]
    """The texts of each file before and after, by its path in the workspace."""
    was: str = ""
    """What was open before the change: a fixture's name, or a scenario's id."""
    now: str = ""
    """What is open after the change."""
    words: str = ""
    """What was done, in a sentence."""
    is_undo: bool = False
    """Whether it undoes the change that the words are about."""

    @property
    def stems(self) -> dict[str, Sides]:
        """The texts before and after by the file's name without `.json`."""
        return {PurePosixPath(path).name.removesuffix(_JSON): each for path, each in self.files.items()}

    @property
    def reversed(self) -> Change:
        """The change that undoes this one."""
        files = {path: Sides(each.after, each.before) for path, each in self.files.items()}
        return msgspec.structs.replace(
            self, files=files, was=self.now, now=self.was, is_undo=not self.is_undo
        )


class Done(msgspec.Struct, frozen=True):
    """A change that was made, and the id by which it can be undone."""

    id: str
    change: Change


def stamp(text: str) -> str:
    """The hash of a text, by which it is known that its author has seen it."""
    return hashlib.sha256(text.encode()).hexdigest()


def ended(text: str) -> str:
    """The text with a line end behind the last line."""
    return text if text.endswith("\n") else text + "\n"


def with_line_ends_of(current: str | None, text: str) -> str:
    """The text with the line ends of the current file."""
    is_crlf = current is not None and "\r\n" in current and "\r\n" not in text
    return text.replace("\n", "\r\n") if is_crlf else text


class UndoableFiles:
    """Changes the files of a workspace, and keeps what is needed to undo the latest changes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept = workspace.root / ".sandbox" / "undo"

    def text(self, path: Path) -> str | None:
        """The text of a file of the workspace; None where there is none."""
        return read_text(path) if checked(Path.exists, path) else None

    def make(
        self, wanted: Mapping[Path, str | None], *, was: str = "", now: str = "", words: str = ""
    ) -> Done:
        """Give files of the workspace these texts; None deletes a file."""
        sides = {path: Sides(self.text(path), text) for path, text in wanted.items()}
        files = {
            Path(os.path.relpath(path, self._workspace.root)).as_posix(): each
            for path, each in sides.items()
            if each.before != each.after
        }
        return self._make(Change(files=files, was=was, now=now, words=words))

    def change(self, id: str) -> Change:
        """A change that was made; UsageError where it is no longer known."""
        path = self._kept / f"{id}.json"
        if not _ID.fullmatch(id) or not checked(Path.exists, path):
            raise UsageError(f"this is too long ago: the last {KEPT_CHANGES} changes can be taken back")
        try:
            return msgspec.json.decode(read_text(path), type=Change)
        except msgspec.MsgspecError as error:
            raise FileError(f"is damaged: {error}", file=str(path), mend="it cannot be taken back") from error

    def undo(self, id: str) -> Done:
        """Undo a change; UsageError where it is no longer known, or a file was changed since."""
        change = self.change(id).reversed
        for path, each in change.files.items():
            if self.text(self._path(path)) != each.before:
                name = PurePosixPath(path).name.removesuffix(_JSON)
                raise UsageError(f"{name} was changed since: nothing was taken back", mend="look at it first")
        done = self._make(change)
        (self._kept / f"{id}.json").unlink(missing_ok=True)
        return done

    def _path(self, path: str) -> Path:
        """The file of a kept change; FileError for one out of the workspace, which may be somebody else's."""
        found = self._workspace.root / path
        if leads_out(found, self._workspace.root):
            raise link_error(found)
        return found

    def _make(self, change: Change) -> Done:
        """Keep the replaced texts, then write, then delete, so that nothing is lost if the process dies."""
        id = f"{time.time_ns():016x}{os.urandom(8).hex()}"
        self._workspace.write(self._kept / f"{id}.json", msgspec.json.encode(change).decode())
        for path, each in sorted(change.files.items(), key=lambda item: item[1].after is None):
            file = self._path(path)
            if each.after is not None:
                # A symbolic link stays one: the file that it leads to is written.
                self._workspace.write(Path(os.path.realpath(file)) if file.is_symlink() else file, each.after)
            else:
                self._workspace.delete(file)
        self._forget_oldest()
        return Done(id, change)

    def _forget_oldest(self) -> None:
        kept = sorted(self._kept.glob("*.json"), reverse=True)
        for path in kept[KEPT_CHANGES:]:
            path.unlink(missing_ok=True)
