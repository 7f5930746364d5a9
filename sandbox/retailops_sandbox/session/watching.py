"""Watching for what makes a run worth repeating: a changed file, or a receiver that was started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import watchfiles

from retailops_sandbox.model import Verdict
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.transport import is_listening, wait_until_listening
from retailops_sandbox.workspace.workspace import Workspace

_LOOK = 0.2
"""Seconds between two looks at the receiver's port."""
_QUIET_MS = 300
"""The most milliseconds in which changes of files are taken together."""
_RELOAD = 1.0
"""Seconds that a receiver may take until it notices that its source changed."""
_START = 30.0
"""The most seconds that a receiver may take to start again."""
_FILES = ("receivers.json", "pyproject.toml")
"""The files of a workspace's folder itself whose changes count."""
_FOLDERS = ("scenarios", "fixtures", "contracts")


class Change(msgspec.Struct, frozen=True):
    """What happened."""

    words: str
    files: frozenset[Path] = frozenset()
    """The files that changed, by their absolute paths; empty where the receiver came back."""


class Watched(msgspec.Struct, frozen=True):
    """The files and folders that are watched."""

    workspace: Workspace
    scenarios: Sequence[Path]
    """Scenario files, and folders of them."""
    others: Sequence[Path] = ()
    """Files and folders in which every change counts, such as the receiver's source."""

    def counts(self, change: watchfiles.Change, path: str) -> bool:
        """Whether a change of this path counts."""
        changed = Path(path)
        if self.is_other(changed):
            return watchfiles.DefaultFilter()(watchfiles.Change.modified, path)
        root = self.workspace.root.absolute()
        if changed.parent == root and changed.name in (*_FILES, *_FOLDERS):
            return True
        if changed.is_relative_to(root / ".sandbox"):
            return False
        # What is in a new folder may be older than the watch of that folder, and so is not told of.
        is_new_folder = change == watchfiles.Change.added and changed.is_dir()
        return changed.suffix == ".json" or (is_new_folder and watchfiles.DefaultFilter()(change, path))

    def is_other(self, path: Path) -> bool:
        """Whether it is one of the other files, or in one of the other folders."""
        return any(path.is_relative_to(other.absolute()) for other in self.others)

    def folders(self) -> tuple[list[Path], list[Path]]:
        """The folders to watch with all that is in them, and those of which only the files are watched.

        A file is watched by its folder, because editors replace a file by another one.
        """
        root = self.workspace.root
        wanted = [*self.scenarios, *self.others, *(root / name for name in _FOLDERS)]
        whole = [path for path in wanted if path.is_dir()]
        single = [path.absolute().parent for path in wanted if path.is_file()]
        return list(dict.fromkeys(whole)), list(dict.fromkeys([*single, *([root] if root.is_dir() else [])]))


def worth_repeating(plans: Sequence[Plan], verdicts: Mapping[str, Verdict], change: Change) -> Sequence[Plan]:
    """The scenarios that did not pass, that are new, or whose files changed; where there are none, all.

    `verdicts` has the last one of each scenario, by its id.
    """
    return [
        plan
        for plan in plans
        if verdicts.get(plan.id) not in ("passed", "recorded") or Path(plan.file).absolute() in change.files
    ] or plans


@asynccontextmanager
async def watching(url: str, watched: Watched) -> AsyncIterator[asyncio.Queue[Change]]:
    """What happens until the block ends; an empty URL watches no port."""
    happened: asyncio.Queue[Change] = asyncio.Queue()
    whole, single = watched.folders()
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_files(folders, watched, happened, stop, recursive=recursive))
        for folders, recursive in ((whole, True), (single, False))
        if folders
    ]
    if url:
        # Whoever watches from now on is told of a receiver that comes back from now on.
        was_listening = await is_listening(url)
        tasks.append(asyncio.create_task(_port(url, happened, was_listening=was_listening)))
    try:
        yield happened
    finally:
        stop.set()
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


async def _files(
    folders: Sequence[Path],
    watched: Watched,
    happened: asyncio.Queue[Change],
    stop: asyncio.Event,
    *,
    recursive: bool,
) -> None:
    changes = watchfiles.awatch(
        *folders, watch_filter=watched.counts, debounce=_QUIET_MS, stop_event=stop, recursive=recursive
    )
    async for found in changes:
        files = frozenset(Path(path) for _, path in found)
        happened.put_nowait(Change(_words(files, watched), files))


def _words(files: Collection[Path], watched: Watched) -> str:
    first = min(files)
    root = watched.workspace.root.absolute()
    name = first.relative_to(root) if first.is_relative_to(root) else first.name
    return f"{name} changed" if len(files) == 1 else f"{name} and {len(files) - 1} more changed"


def forget_returns(happened: asyncio.Queue[Change]) -> None:
    """Forget that the receiver came back, where a run has waited for just that."""
    changes = [happened.get_nowait() for _ in range(happened.qsize())]
    for change in changes:
        if change.files:
            happened.put_nowait(change)


async def _port(url: str, happened: asyncio.Queue[Change], *, was_listening: bool) -> None:
    """Tell each time when a port answers that did not before."""
    while True:
        await asyncio.sleep(_LOOK)
        listens = await is_listening(url)
        if listens and not was_listening:
            happened.put_nowait(Change("the receiver is back"))
        was_listening = listens


async def settled(happened: asyncio.Queue[Change], watched: Watched, url: str) -> Change:
    """The next change, together with what else happens until the receiver can be asked again.

    A receiver that starts itself again when its source changes gets the time to do so.
    """
    changes = [await happened.get()]
    while True:
        is_source = any(watched.is_other(file) for change in changes for file in change.files)
        await asyncio.sleep(_RELOAD if is_source else _QUIET_MS / 1000)
        if url and is_source:
            await wait_until_listening(url, _START)
        if happened.empty():
            break
        while not happened.empty():
            changes.append(happened.get_nowait())
    words = ", ".join(dict.fromkeys(change.words for change in changes))
    return Change(words, frozenset().union(*(change.files for change in changes)))
