"""A workspace's fixtures as payloads, for runs and for recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from retailops_sandbox.composing import Template
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.workspace import Workspace


def fixture_reader(workspace: Workspace) -> Callable[[str, str, str], Template]:
    """A reader of a workspace's fixtures that reads each file once, so that a run sees no later change."""
    known: dict[tuple[str, str, str], Template] = {}

    def fixture(action: str, edition: str, name: str) -> Template:
        key = (action, edition, name)
        if key not in known:
            path = workspace.fixture_path(action, edition, name)
            known[key] = Template.read(read_text(path), file=str(path))
        return known[key]

    return fixture


def fixture_payloads(workspace: Workspace) -> Callable[[str, str, str], Any]:
    """A reader of a workspace's payloads; UNSET for a fixture that is missing or cannot be read."""
    fixture = fixture_reader(workspace)

    def payload(action: str, edition: str, name: str) -> Any:
        try:
            return fixture(action, edition, name).payload
        except SandboxError:
            return UNSET

    return payload
