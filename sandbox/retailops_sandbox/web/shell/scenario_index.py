"""The scenarios that pages offer: the workspace's, and shipped ones with other names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from threading import Lock

import msgspec

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.collect import read_plans
from retailops_sandbox.workspace.files import FileStamp, file_stamp, is_settled
from retailops_sandbox.workspace.workspace import FolderListing, Workspace, list_folder


class IndexedScenario(msgspec.Struct, frozen=True):
    """A scenario, and the text in which words are looked for."""

    plan: Plan
    searched: str
    """Its name, path and tags, and its steps' actions and editions, folded for comparing."""

    @classmethod
    def of(cls, plan: Plan) -> IndexedScenario:
        scenario = plan.scenario
        parts = (plan.name, plan.id, *scenario.tags, *chain(*scenario.contracts))
        return cls(plan, " ".join(parts).casefold())


class IndexedScenarios(msgspec.Struct, frozen=True):
    """The scenarios in the order of their files, and the errors of those that cannot be read."""

    scenarios: tuple[IndexedScenario, ...] = ()
    plans: tuple[Plan, ...] = ()
    """Those of the scenarios, in the same order."""
    unreadable: tuple[SandboxError, ...] = ()
    tags: tuple[str, ...] = ()
    """The tags that scenarios have, sorted."""


class ScenarioIndex:
    """Reads scenario files, and a known one again only where it has changed. Threads may share it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folders = _Folders()
        self._known: dict[str, _Known] = {}
        self._unreadable: list[SandboxError] = []
        self._indexed = IndexedScenarios()
        self._lock = Lock()

    def read(self) -> IndexedScenarios:
        """All scenarios as they are now; the same object as before where nothing has changed."""
        with self._lock:
            files, unreadable = self._workspace.scenario_files(self._folders.listed)
            known = {path: self._current(path) for path in files}
            if list(known.values()) != list(self._known.values()) or unreadable != self._unreadable:
                self._indexed = _indexed([each for _, each in known.values()], unreadable)
            self._known, self._unreadable = known, unreadable
            return self._indexed

    def plan(self, id: str) -> Plan:
        """The scenario with this id; SandboxError where there is none, or it cannot be read."""
        plans, unreadable = read_plans([self._workspace.scenario_file(id)], self._workspace.scenario_id)
        for error in unreadable:
            raise error
        return plans[0]

    def has(self, id: str) -> bool:
        """Whether there is a file of this scenario."""
        try:
            self._workspace.scenario_file(id)
        except SandboxError:
            return False
        return True

    def _current(self, path: str) -> _Known:
        stamp = file_stamp(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp and stamp is not None:
            return known
        plans, unreadable = read_plans([path], self._workspace.scenario_id)
        return stamp, IndexedScenario.of(plans[0]) if plans else unreadable[0]


_Known = tuple[FileStamp | None, IndexedScenario | SandboxError]


class _Folders:
    """Lists folders, and a known one again only where it may have changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[FileStamp | None, FolderListing]] = {}

    def listed(self, folder: str, within: Path) -> FolderListing:
        """The listing of a folder as it is now. `within` is always the same for a folder."""
        stamp = file_stamp(folder)
        known = self._known.pop(folder, None)
        if known is None or known[0] != stamp or stamp is None:
            known = stamp, list_folder(folder, within)
        has_told_all = not (known[1].has_links or known[1].mistakes)
        if stamp is not None and has_told_all and is_settled(stamp):
            self._known[folder] = known
        return known[1]


def _indexed(
    found: Sequence[IndexedScenario | SandboxError], unreadable: Sequence[SandboxError]
) -> IndexedScenarios:
    scenarios = tuple(each for each in found if isinstance(each, IndexedScenario))
    return IndexedScenarios(
        scenarios=scenarios,
        plans=tuple(each.plan for each in scenarios),
        unreadable=(*unreadable, *(each for each in found if isinstance(each, SandboxError))),
        tags=tuple(sorted({tag for each in scenarios for tag in each.plan.scenario.tags})),
    )
