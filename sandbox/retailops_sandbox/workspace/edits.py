"""Unsaved edits: what was typed about a fixture, kept for a browser until it is saved or reverted.

Each fixture and browser has a file in `.sandbox/edits`. It holds the texts exactly as they were typed:
they may be no JSON, and they may be secret.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Lock

import msgspec

from retailops_sandbox.errors import FileError, SandboxError, unwritable
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.workspace import Workspace

MOST_OF_A_BROWSER = 50
KEPT_DAYS = 30
_MOST_VERSIONS = 8
_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}\.json")
"""The names of these files: hashes of the browser's id and of what is edited."""


class Subject(msgspec.Struct, frozen=True):
    """What is edited: a fixture, or a new one without a name; with `parent`, the payload of that delivery."""

    action: str
    edition: str
    fixture: str = ""
    parent: str = ""


class UnsavedEdit(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one page as they were typed, and the stamps of those that it began with."""

    payload: str
    expectation: str = ""
    variables: str = ""
    loaded: str = ""
    """The stamp of the fixture's file; empty where there is none."""
    opened: str = ""
    """The stamp of the payload that the page began with."""
    expected: str = ""
    """The stamp of the expectation that the page began with."""
    tab: str = ""
    """The page that it was typed in."""
    sequence: int = 0
    """The number of changes in that page until then."""
    revision: str = ""
    """The name of this version; no other version has it."""

    @property
    def texts(self) -> tuple[str, str, str]:
        return self.payload, self.expectation, self.variables


class KeptEdits(msgspec.Struct, frozen=True):
    """The unsaved edits of a subject: the newest version, then those of other pages that it has not seen."""

    versions: tuple[UnsavedEdit, ...] = ()
    problem: str = ""
    """Why they cannot be read or written; empty where they can."""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    subject: Subject
    versions: tuple[UnsavedEdit, ...] = ()


class _Head(msgspec.Struct, frozen=True):
    """What a list needs of a file."""

    subject: Subject


class Edits:
    """Keeps the unsaved edits of a workspace. Threads may share it; all methods block.

    What cannot be written, as the disk is full or read-only, is kept in memory.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.root / ".sandbox" / "edits"
        self._unwritten: dict[Path, str] = {}
        self._lock = Lock()

    def read(self, browser: str, subject: Subject) -> KeptEdits:
        """The unsaved edits of a subject; with a problem where the file cannot be read."""
        try:
            return KeptEdits(self._versions(self._path(browser, subject), subject))
        except SandboxError as error:
            return KeptEdits((), str(error))

    def put(
        self, browser: str, subject: Subject, edit: UnsavedEdit, *, replaces: Collection[str] = ()
    ) -> KeptEdits:
        """Keep what was typed in a page, in place of what it kept before and of the versions `replaces`.

        Versions of other pages stay beside it. Older text of the same page than what is kept changes nothing.
        """
        with self._lock:
            path = self._path(browser, subject)
            before, is_damaged = self._before(path, subject)
            own = next((each for each in before if each.tab == edit.tab), None)
            others = tuple(each for each in before if each is not own)
            if own is not None and own.sequence > edit.sequence:
                return KeptEdits((own, *others))
            left = tuple(each for each in others if _stays(each, edit, replaces))
            if own is not None and left == others and own == _with_revision(edit, own.revision):
                return KeptEdits((own, *others))
            versions = (_with_revision(edit, f"{time.time_ns():x}"), *left)[:_MOST_VERSIONS]
            file = _File(format=1, subject=subject, versions=versions)
            return KeptEdits(versions, self._write(path, file, put_aside=is_damaged))

    def remove(
        self, browser: str, subject: Subject, tab: str, *, replaces: Collection[str] = ()
    ) -> KeptEdits:
        """Forget what was typed in a page, and the versions `replaces`; what other pages typed stays."""
        with self._lock:
            path = self._path(browser, subject)
            try:
                before = self._versions(path, subject)
            except SandboxError:
                return KeptEdits()
            left = tuple(each for each in before if each.tab != tab and each.revision not in replaces)
            if left == before:
                return KeptEdits(left)
            if left:
                return KeptEdits(left, self._write(path, _File(format=1, subject=subject, versions=left)))
            self._unwritten.pop(path, None)
            try:
                self._workspace.delete(path)
            except FileError as error:
                return KeptEdits((), str(error))
            return KeptEdits()

    def subjects(self, browser: str) -> list[Subject]:
        """All that this browser has unsaved edits of; files that cannot be read are left out."""
        files = dict.fromkeys(self._files(_hash(browser)), "")
        files |= {path: text for path, text in self._unwritten.items() if _is_of(path, browser)}
        heads = (_head(path, text) for path, text in files.items())
        return [head.subject for head in heads if head is not None]

    # --- files ---

    def _path(self, browser: str, subject: Subject) -> Path:
        what = msgspec.json.encode(subject).decode()
        return self._folder / f"{_hash(browser)}-{_hash(what)}.json"

    def _versions(self, path: Path, subject: Subject) -> tuple[UnsavedEdit, ...]:
        """The versions in a file, the newest first; FileError where it is damaged or somebody else's."""
        text = self._unwritten.get(path)
        if text is None:
            self._workspace.check_inside(path.parent)
            if not checked(Path.exists, path):
                return ()
            text = read_text(path)
        try:
            kept = msgspec.json.decode(text, type=_File)
        except msgspec.MsgspecError as error:
            raise _damaged(path, str(error)) from error
        if kept.format != 1 or kept.subject != subject:
            raise _damaged(path, "it is of something else")
        return kept.versions

    def _before(self, path: Path, subject: Subject) -> tuple[tuple[UnsavedEdit, ...], bool]:
        """The versions that are kept, and whether the file cannot be read."""
        try:
            return self._versions(path, subject), False
        except SandboxError:
            return (), True

    def _write(self, path: Path, file: _File, *, put_aside: bool = False) -> str:
        """Write a file; the reason where it cannot be written, and is kept in memory.

        With `put_aside` the present one is renamed, not replaced.
        """
        text = msgspec.json.encode(file).decode()
        try:
            is_new = not checked(Path.exists, path)
            if put_aside and not is_new:
                os.replace(path, path.with_suffix(".damaged"))
            self._workspace.write(path, text)
        except (OSError, FileError) as error:
            self._unwritten[path] = text
            return str(unwritable(path, error) if isinstance(error, OSError) else error)
        self._unwritten.pop(path, None)
        if is_new or put_aside:
            self._forget_oldest(path)
        return ""

    def _forget_oldest(self, new: Path) -> None:
        """Delete what is too old, and the oldest of a browser that has too many."""
        since = time.time() - KEPT_DAYS * 24 * 60 * 60
        own = []
        for path in self._files():
            if path != new and _changed_at(path) < since:
                path.unlink(missing_ok=True)
            elif path.name[:16] == new.name[:16]:
                own.append(path)
        for path in sorted(own, key=_changed_at, reverse=True)[MOST_OF_A_BROWSER:]:
            path.unlink(missing_ok=True)

    def _files(self, browser: str = "") -> Iterator[Path]:
        """The files of unsaved edits, of all browsers or of the one with this hash."""
        try:
            self._workspace.check_inside(self._folder)
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.startswith(browser) and _NAME.fullmatch(entry.name):
                        yield Path(entry.path)
        except (FileNotFoundError, NotADirectoryError, FileError):
            # There are none yet, or a link leads out of the workspace, which writing says.
            return


def _stays(other: UnsavedEdit, edit: UnsavedEdit, replaces: Collection[str]) -> bool:
    """Whether another page's version stays beside an edit: whoever typed that has not seen it."""
    return other.revision not in replaces and other.texts != edit.texts


def _with_revision(edit: UnsavedEdit, revision: str) -> UnsavedEdit:
    return msgspec.structs.replace(edit, revision=revision)


def _head(path: Path, text: str) -> _Head | None:
    try:
        return msgspec.json.decode(text or read_text(path), type=_Head)
    except (msgspec.MsgspecError, SandboxError):
        # Opening the fixture says what is wrong with its file.
        return None


def _is_of(path: Path, browser: str) -> bool:
    return path.name.startswith(_hash(browser))


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # Another process has deleted it.


def _damaged(path: Path, why: str) -> FileError:
    return FileError(
        f"holds no unsaved edits that can be read: {why}", file=str(path), mend="it is left as it is"
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
