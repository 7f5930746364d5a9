"""A workspace's fixtures as payloads and expectations, for runs and for recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import UNSET

from retailops_sandbox.composing import Template
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Expectation
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import OwnExpectation
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.workspace import Workspace


class CaseReader:
    """Reads each file of a workspace's fixtures once, so that a run sees no later change."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._payloads: dict[tuple[str, str, str], Template] = {}
        self._expectations: dict[tuple[str, str, str], OwnExpectation | None] = {}

    def payload(self, action: str, edition: str, name: str) -> Template:
        """The payload of a fixture; SandboxError where there is none."""
        key = (action, edition, name)
        if key not in self._payloads:
            path = self._workspace.fixture_path(*key)
            self._payloads[key] = Template.read(read_text(path), file=str(path))
        return self._payloads[key]

    def payload_if_any(self, action: str, edition: str, name: str) -> Any:
        """The JSON value of a fixture; UNSET for one that is missing or cannot be read."""
        try:
            return self.payload(action, edition, name).payload
        except SandboxError:
            return UNSET

    def expectation(self, action: str, edition: str, name: str) -> OwnExpectation | None:
        """The expectation beside the payload; None without one, SandboxError where it cannot be read."""
        key = (action, edition, name)
        if key not in self._expectations:
            path = self._workspace.find_expectation(*key)
            self._expectations[key] = None if path is None else self._read(path)
        return self._expectations[key]

    def expected(self, action: str, edition: str, name: str) -> Expectation | None:
        """What a fixture expects, as its file says it; None or SandboxError as in `expectation`."""
        own = self.expectation(action, edition, name)
        return None if own is None else own.expectation

    def _read(self, path: Path) -> OwnExpectation:
        name = self._workspace.fixture_id(path)
        return scenario.own_expectation(read_text(path), file=str(path), name=name)
