"""What pages of scenarios say about their files: the name, and what was done to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec
from starlette.requests import Request

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.scenarios.scenario import SUFFIX
from retailops_sandbox.web.shell.pages import problems
from retailops_sandbox.workspace.scenarios import ScenarioFiles
from retailops_sandbox.workspace.workspace import SHIPPED


class FileNotice(msgspec.Struct, frozen=True):
    """What was done to a scenario's file, and how to undo it."""

    text: str
    undo: str
    """The id of the change."""
    is_undo: bool
    """Whether the change was an undo, so that undoing it is a redo."""


class FilePanel(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a scenario's file, as it can be changed."""

    name: str
    """As typed, without what every name ends in."""
    is_shipped: bool
    hides_shipped: bool
    """Whether it is in the place of a shipped file, so that deleting it restores that."""
    problems: Mapping[str, str]


def file_notice(files: ScenarioFiles, request: Request) -> FileNotice | None:
    """The notice about the change that the address names in `done`; None where it is not known any more."""
    id = request.query_params.get("done")
    if not id:
        return None
    try:
        change = files.change(id)
    except SandboxError:
        # It was undone meanwhile, or is too long ago.
        return None
    text = f"Taken back: {change.words}" if change.is_undo else change.words
    return FileNotice(text, id, change.is_undo)


def file_panel(files: ScenarioFiles, id: str, name: str | None, wrong: Mapping[str, str] | None) -> FilePanel:
    """The panel of a scenario's file; `name` is what was typed as its name."""
    return FilePanel(
        name=PurePosixPath(id.removeprefix(SHIPPED)).name.removesuffix(SUFFIX) if name is None else name,
        is_shipped=id.startswith(SHIPPED),
        hides_shipped=files.hides_shipped(id),
        problems=problems(wrong),
    )
