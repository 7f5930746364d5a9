"""The scenarios that pages offer: the workspace's, and shipped ones with other names."""

from __future__ import annotations

import os
from threading import Lock

import msgspec

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.collect import read_plans
from retailops_sandbox.workspace.workspace import Workspace

_Stamp = tuple[int, int, int] | None


class IndexedScenarios(msgspec.Struct, frozen=True):
    """The scenarios in the order of their files, and the errors of those that cannot be read."""

    plans: tuple[Plan, ...]
    unreadable: tuple[SandboxError, ...]


class ScenarioIndex:
    """Reads scenario files, and a known one again only where it has changed. Threads may share it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, tuple[_Stamp, Plan | SandboxError]] = {}
        self._lock = Lock()

    def read(self) -> IndexedScenarios:
        """All scenarios as they are now."""
        files, unreadable = self._workspace.scenario_files()
        with self._lock:
            self._known = {path: self._current(path) for path in files}
            found = [each for _, each in self._known.values()]
        return IndexedScenarios(
            tuple(each for each in found if isinstance(each, Plan)),
            (*unreadable, *(each for each in found if isinstance(each, SandboxError))),
        )

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

    def _current(self, path: str) -> tuple[_Stamp, Plan | SandboxError]:
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp and stamp is not None:
            return known
        plans, unreadable = read_plans([path], self._workspace.scenario_id)
        return stamp, plans[0] if plans else unreadable[0]


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        # Reading it says why.
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
