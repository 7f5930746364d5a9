"""The folder with the user's fixtures, scenarios, receivers and log, and shipped files as defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Literal

import msgspec

from retailops_sandbox import jsontext, resources
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import (
    FileError,
    SandboxError,
    UsageError,
    did_you_mean,
    unreadable,
    unwritable,
)
from retailops_sandbox.model import Receiver
from retailops_sandbox.regular_files import PRIVATE_FILE, SHARED_FILE, make_private_folder
from retailops_sandbox.runlog.place import LogPlace, check_database_url
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import SUFFIX
from retailops_sandbox.workspace.contracts import ContractFolder
from retailops_sandbox.workspace.files import checked, read_text, write_atomically
from retailops_sandbox.workspace.links import leads_out, link_error
from retailops_sandbox.workspace.names import EXPECTATION, fixture_name, is_expectation, nearest, safe_name
from retailops_sandbox.workspace.receivers import ReceiverBook, read_book

SHIPPED = "shipped:"
"""What the id of a shipped file begins with."""
_ELSEWHERE = "choose another folder with --workspace"
_HERE = os.path.join(os.curdir, "")

Origin = Literal["shipped", "workspace", "changed"]


class FixtureInfo(msgspec.Struct, frozen=True):
    """A fixture's name and origin; `changed` is a workspace's file in place of a shipped one of that name."""

    name: str
    origin: Origin


class Workspace:
    """A user's folder. Nothing is created in it before the first write."""

    def __init__(self, root: Path, database: str = "") -> None:
        """`database` is the URL of the PostgreSQL database that keeps the log; without one, files do."""
        self.root = root
        self.database = database
        self.is_log_named = False
        """Whether an option named the database."""
        self._prefix = os.path.join(os.path.abspath(root), "")
        self._contracts = ContractFolder(self.contracts_dir, root)

    @classmethod
    def find(
        cls, given: str | None, environment: Mapping[str, str], start: Path, database: str = ""
    ) -> Workspace:
        """The folder that is given, else the environment's, else the nearest workspace above `start`.

        `start` itself is the workspace where there is none. `database` is the URL of the one that keeps its
        log; UsageError where that is no URL of a PostgreSQL database.
        """
        if database:
            check_database_url(database)
        chosen = given or environment.get("RETAILOPS_SANDBOX_WORKSPACE")
        if chosen:
            try:
                root = Path(chosen).expanduser()
            except RuntimeError as error:
                raise UsageError(
                    f"the workspace {chosen} has no home folder", mend="name a folder"
                ) from error
            if checked(Path.exists, root) and not checked(Path.is_dir, root):
                raise UsageError(f"the workspace {root} is not a folder", mend="name a folder")
            return cls(root.absolute(), database)
        for folder in (start, *start.parents):
            if checked(Path.is_file, folder / "receivers.json") or checked(Path.is_dir, folder / ".sandbox"):
                return cls(folder, database)
        return cls(start, database)

    @classmethod
    def shipped(cls) -> Workspace:
        """A workspace that has the shipped files alone. It has no folder, and can only be read."""
        return cls(resources.fixtures_dir() / "nobody")

    @property
    def runs_dir(self) -> Path:
        """The folder of the log; FileError where a link leads out of the workspace."""
        return self._inside(self.root / ".sandbox" / "runs")

    @property
    def log_place(self) -> LogPlace:
        """Where the log is kept; FileError where a link leads out of the workspace."""
        place = LogPlace(self.runs_dir, self.database, self.is_log_named)
        if place.database:
            self.check_inside(place.spool_dir)
        return place

    def check_inside(self, path: Path) -> None:
        """FileError for a path on which a link leads out of the workspace."""
        self._inside(path)

    def _inside(self, path: Path) -> Path:
        """The path of a file or folder; FileError where a link leads out of the workspace.

        A workspace may be somebody else's, and a link in it name any file of this machine.
        """
        if leads_out(path, self.root):
            raise link_error(path)
        return path

    def initialise(self) -> list[Path]:
        """Create the folders of a workspace; the paths that were new are returned."""
        folders = [self.root / "fixtures", self.root / "scenarios", self.root / ".sandbox"]
        made = [folder for folder in folders if not folder.exists()]
        try:
            for folder in folders[:-1]:
                folder.mkdir(parents=True, exist_ok=True)
            make_private_folder(folders[-1])
            ignore = self.root / ".sandbox" / ".gitignore"
            if not ignore.exists():
                write_atomically(ignore, "*\n")
                made.append(ignore)
        except OSError as error:
            raise unwritable(self.root, error, mend=_ELSEWHERE) from error
        return made

    # --- contracts ---

    @property
    def contracts_dir(self) -> Path:
        """The folder of the workspace's own contracts, whether it exists or not."""
        return self.root / "contracts"

    def own_contract(self, action: str, edition: str) -> Path:
        """The path of a contract's file in the workspace, whether it exists or not."""
        return self.contracts_dir / f"{safe_name(action)}.{safe_name(edition)}.json"

    @property
    def contracts(self) -> Contracts:
        """The contracts as they are now: the workspace's own over the shipped ones."""
        return self._contracts.read()

    # --- fixtures ---

    def fixtures(self, action: str, edition: str) -> list[FixtureInfo]:
        """All fixtures of an action's edition, `default` first, then by name."""
        own = _stems(self._inside(self._own_fixtures(action, edition)))
        known = _stems(resources.fixtures_dir() / action / edition)
        infos = [
            FixtureInfo(name, "shipped" if name not in own else "changed" if name in known else "workspace")
            for name in own | known
        ]
        return sorted(infos, key=lambda info: (info.name != "default", info.name))

    def read_fixture(self, action: str, edition: str, name: str) -> str:
        """A fixture's text; UsageError, with similar names, where there is no such fixture."""
        return read_text(self.fixture_path(action, edition, name))

    def fixture_path(self, action: str, edition: str, name: str) -> Path:
        """The file of a fixture; UsageError, with similar names, where there is no such fixture."""
        found = self.find_fixture(action, edition, name)
        if found is None:
            names = [info.name for info in self.fixtures(action, edition)]
            raise UsageError(f"there is no {action} {edition} fixture {name!r}", mend=nearest(name, names))
        return found

    def find_fixture(self, action: str, edition: str, name: str) -> Path | None:
        """The file of a fixture, the workspace's or else the shipped one; None where there is none."""
        own = self.own_fixture(action, edition, name)
        if checked(Path.exists, own):
            return self._inside(own)
        below = resources.fixtures_dir() / action / edition / own.name
        return below if below.exists() else None

    def own_fixture(self, action: str, edition: str, name: str) -> Path:
        """The path of a fixture's file in the workspace, whether it exists or not."""
        return self._own_fixtures(action, edition) / f"{fixture_name(name)}.json"

    def find_expectation(self, action: str, edition: str, name: str) -> Path | None:
        """The file of a fixture's own expectation, beside its payload; None where there is none.

        Raises FileError for one in the workspace whose payload is not there too: the two are of one layer.
        """
        payload = self.find_fixture(action, edition, name)
        own = self.own_expectation(action, edition, name)
        if payload != own.with_name(f"{name}.json") and checked(Path.exists, own):
            raise FileError(
                f"has no {name}.json beside it, whose answer it expects",
                mend="save the fixture in the workspace too, or delete this file",
                file=str(own),
            )
        if payload is None:
            return None
        path = payload.with_name(own.name)
        if not checked(Path.exists, path):
            return None
        return self._inside(path) if path == own else path

    def own_expectation(self, action: str, edition: str, name: str) -> Path:
        """The path of a fixture's expectation in the workspace, whether it exists or not."""
        return self._own_fixtures(action, edition) / f"{fixture_name(name)}{EXPECTATION}.json"

    def read_expectation(self, action: str, edition: str, name: str) -> str | None:
        """The text of a fixture's own expectation; None where there is none."""
        path = self.find_expectation(action, edition, name)
        return None if path is None else read_text(path)

    def fixture_id(self, path: Path) -> str:
        """The file of a fixture or its expectation: its path in the workspace, `shipped:` before others."""
        shipped = resources.fixtures_dir()
        if path.is_relative_to(shipped):
            return f"{SHIPPED}fixtures/{path.relative_to(shipped).as_posix()}"
        return path.relative_to(self.root).as_posix()

    def save_fixture(self, action: str, edition: str, name: str, text: str) -> Path:
        """Write a fixture into the workspace, atomically; SourceError if the text is not JSON."""
        path = self.own_fixture(action, edition, name)
        jsontext.parse(text, file=path.name)
        self.write(path, text if text.endswith("\n") else text + "\n")
        return path

    def _own_fixtures(self, action: str, edition: str) -> Path:
        return self.root / "fixtures" / safe_name(action) / safe_name(edition)

    # --- scenarios ---

    def scenario_files(self, listed: ListFolder | None = None) -> tuple[list[str], list[SandboxError]]:
        """The workspace's scenario files, then shipped ones with other names; and the errors of reading.

        `listed` stands in for `list_folder`.
        """
        above, below = self.root / "scenarios", resources.fixtures_dir() / "scenarios"
        listed = listed or list_folder
        own, mistakes = scenario_files_in(above, within=self.root, listed=listed)
        known, _ = scenario_files_in(below, listed=listed)
        taken = set(own)
        free = [path for path in known if str(above / os.path.relpath(path, below)) not in taken]
        return own + free, mistakes

    def scenarios_to_run(self) -> tuple[list[str], list[SandboxError]]:
        """The workspace's own scenario files, else the shipped ones; and the errors of reading."""
        files, mistakes = scenario_files_in(self.root / "scenarios", within=self.root)
        if files or mistakes:
            return files, mistakes
        return scenario_files_in(resources.fixtures_dir() / "scenarios")

    def scenario_path(self, name: str) -> Path:
        """The path for a scenario that is saved under a name; UsageError for an impossible name."""
        return self.root / "scenarios" / (safe_name(name.removesuffix(SUFFIX), "a scenario file's") + SUFFIX)

    def save_scenario(self, name: str, text: str, *, replace: bool = False) -> Path:
        """Write a scenario into the workspace, atomically.

        SourceError if the text is no scenario; UsageError where the file exists and `replace` is false.
        """
        path = self.scenario_path(name)
        scenario.read(text, id=path.name, file=path.name)
        if not replace and checked(Path.exists, path):
            raise UsageError(
                f"there is a scenario file {path.name} already", mend="choose another name, or replace it"
            )
        self.write(path, text if text.endswith("\n") else text + "\n")
        return path

    def scenario_id(self, path: Path | str) -> str:
        """The id of a scenario file: its path in the workspace; outside of it, the whole path.

        A shipped file has the same id wherever the sandbox is installed.
        """
        known = os.path.abspath(path)
        if known.startswith(self._shipped):
            return SHIPPED + known.removeprefix(self._shipped).replace(os.sep, "/")
        return known.removeprefix(self._prefix).replace(os.sep, "/")

    def scenario_file(self, id: str) -> Path:
        """The file of the scenario with an id, the workspace's or a shipped one; UsageError without one."""
        path = self._scenario_place(id)
        if path is None or not checked(Path.is_file, path):
            raise self._no_scenario(id)
        return path if id.startswith(SHIPPED) else self._inside(path)

    def own_scenario(self, id: str) -> Path:
        """The path in the workspace of the file, or for a shipped one of its copy, whether it exists or not.

        UsageError for what is no id of a scenario.
        """
        place = self._scenario_place(id)
        if place is None:
            raise self._no_scenario(id)
        if id.startswith(SHIPPED):
            place = self.root / "scenarios" / id.removeprefix(SHIPPED)
        return self._inside(place)

    def _scenario_place(self, id: str) -> Path | None:
        """Where the file of an id is, if there is one; None for what is no id."""
        name = id.removeprefix(SHIPPED)
        folder = self._prefix if name == id else self._shipped
        path = Path(os.path.normpath(folder + name))
        inside = str(path).startswith(folder) and id.endswith(SUFFIX) and "\0" not in id
        return path if inside else None

    def _no_scenario(self, id: str) -> UsageError:
        return UsageError(f"there is no scenario {id} in {self.root}", mend="it may have been renamed")

    def read_scenario(self, id: str) -> str:
        """The text of the scenario file with an id; UsageError without one."""
        return read_text(self.scenario_file(id))

    @cached_property
    def _shipped(self) -> str:
        return os.path.join(os.path.abspath(resources.fixtures_dir() / "scenarios"), "")

    # --- receivers ---

    @property
    def receivers_file(self) -> Path:
        return self.root / "receivers.json"

    def receivers(self) -> ReceiverBook:
        """The receivers of this workspace; SourceError with line and pointer where the file is wrong."""
        return read_book(self._inside(self.receivers_file))

    def save_receiver(
        self, receiver: Receiver, *, replaces: str = "", is_default: bool | None = None
    ) -> None:
        """Add a receiver, or replace the one named `replaces`; UsageError where its name is taken.

        `is_default` says whether it is the one that is used where none is named; None leaves that as it was.
        """
        from retailops_sandbox.workspace import receiver_database  # TinyDB: only a change needs it

        file = self._inside(self.receivers_file)
        receiver_database.save(file, self._writing, receiver, replaces=replaces, is_default=is_default)

    def delete_receiver(self, name: str) -> ReceiverBook:
        """Remove a receiver from the file, and return what it held before; UsageError for an unknown name."""
        from retailops_sandbox.workspace import receiver_database  # TinyDB: only a change needs it

        return receiver_database.delete(self._inside(self.receivers_file), self._writing, name)

    def write(self, path: Path, text: str) -> None:
        """Write a file of the workspace, atomically, with its folders; FileError if it cannot be written."""
        is_private = path.is_relative_to(self.root / ".sandbox")
        with self._writing(path):
            write_atomically(path, text, mode=PRIVATE_FILE if is_private else SHARED_FILE)

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Make the folders of a file before the block writes it; FileError where that cannot be done."""
        try:
            self._inside(path.parent)
            if not self.root.exists() or not (self.root / ".sandbox").exists():
                self.initialise()
            path.parent.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise unwritable(path, error, mend=_ELSEWHERE) from error

    def delete(self, path: Path) -> None:
        """Delete a file of the workspace, if there is one; FileError if it cannot be deleted."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path, error, mend=_ELSEWHERE) from error


class FolderListing(msgspec.Struct, frozen=True):
    """What a folder has for those who look for scenario files."""

    files: list[str]
    folders: list[str]
    """The folders in it that are looked into."""
    mistakes: list[SandboxError]
    has_links: bool
    """Whether it has links to files, so that the answer also depends on other folders."""


ListFolder = Callable[[str, Path], FolderListing]
"""Lists a folder; links are followed where they stay in the second."""


def list_folder(folder: str, within: Path) -> FolderListing:
    """The scenario files of a folder, by name; links to files are followed where those are in `within`."""
    files: list[str] = []
    folders: list[str] = []
    mistakes: list[SandboxError] = []
    has_links = False
    try:
        with os.scandir(folder) as unsorted:
            entries = sorted(unsorted, key=_by_name)
    except OSError as error:
        return FolderListing([], [], [unreadable(str(error.filename), error)], False)
    for entry in entries:
        kind = _kind(entry)
        if kind == "folder":
            if not entry.name.startswith(".") and not entry.is_symlink():
                folders.append(entry.path)
            continue
        if not entry.name.endswith(SUFFIX):
            if _is_misspelled(entry.name):
                what = f"is passed over, as its name does not end in {SUFFIX}"
                mistakes.append(FileError(what, mend="rename it", file=entry.path.removeprefix(_HERE)))
            continue
        is_link = entry.is_symlink()
        has_links = has_links or is_link
        if is_link and leads_out(Path(entry.path), within):
            mistakes.append(link_error(Path(entry.path)))
        elif kind == "file":
            files.append(entry.path.removeprefix(_HERE))
        else:
            # Reading a pipe would wait without end.
            mistakes.append(FileError("is not a regular file", file=entry.path))
    return FolderListing(files, folders, mistakes, has_links)


def _is_misspelled(name: str) -> bool:
    """Whether a file's name nearly ends as those of scenario files do."""
    _, _, ending = name.lower().removesuffix(".json").rpartition(".")
    return name.count(".") > 1 and name.lower().endswith(".json") and bool(did_you_mean(ending, ["scenario"]))


def scenario_files_in(
    folder: Path, *, within: Path | None = None, listed: ListFolder = list_folder
) -> tuple[list[str], list[SandboxError]]:
    """The scenario files in a folder and its subfolders, by path; and the errors of reading.

    Hidden folders are left out, and folders that are symbolic links are not followed. A link to a file is
    followed where that is in the folder `within`, by default the folder itself.
    """
    found: list[str] = []
    mistakes: list[SandboxError] = []
    if within is not None and leads_out(folder, within):
        return found, [link_error(folder)]
    waiting = [str(folder)] if checked(Path.exists, folder) else []
    while waiting:
        listing = listed(waiting.pop(), within or folder)
        found += listing.files
        mistakes += listing.mistakes
        waiting += reversed(listing.folders)
    return found, mistakes


_by_name = attrgetter("name")


def _kind(entry: os.DirEntry[str]) -> Literal["file", "folder", "other"]:
    """The kind of a folder's entry. A dangling link counts as a file: reading it gives the error."""
    try:
        if entry.is_file():
            return "file"
        return "folder" if entry.is_dir() else "other" if os.path.exists(entry) else "file"
    except OSError:
        return "file"


def _stems(folder: Path) -> set[str]:
    """The names of a folder's fixtures: its JSON files, without expectations and hidden files."""
    stems = {path.stem for path in folder.glob("*.json") if not path.name.startswith(".")}
    return {stem for stem in stems if not is_expectation(stem)}
