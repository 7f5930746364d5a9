"""From paths to plans: scenario files, and the errors of those that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from retailops_sandbox.errors import FileError, SandboxError, UsageError
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.workspace import scenario_files_in


def collect(paths: Sequence[str]) -> tuple[list[str], list[SandboxError]]:
    """The scenario files at these paths and in these folders, and the errors of unreadable folders.

    Raises UsageError for a path that does not exist.
    """
    found: dict[str, None] = {}
    unreadable: list[SandboxError] = []
    for given in paths:
        path = Path(given)
        if checked(Path.is_dir, path):
            files, broken = scenario_files_in(path)
            found.update(dict.fromkeys(files))
            unreadable += broken
        elif checked(Path.exists, path):
            found[str(path)] = None
        else:
            raise UsageError(
                f"there is no file or folder {given!r}", mend="name a scenario file, or a folder of them"
            )
    return list(found), unreadable


def read_plans(
    files: Sequence[Path | str], scenario_id: Callable[[Path | str], str]
) -> tuple[list[Plan], list[SandboxError]]:
    """The plans of these files, and the errors of those that cannot be read."""
    plans, unreadable = [], []
    here = os.path.join(os.getcwd(), "")
    for file in files:
        shown = str(file).removeprefix(here)
        try:
            plans.append(scenario.read(read_text(file), id=_spelled(scenario_id(file)), file=shown))
        except SandboxError as error:
            error.file = error.file or shown
            unreadable.append(error)
    return plans, unreadable


def read_with_mistakes(
    file: str, scenario_id: Callable[[Path | str], str]
) -> tuple[Plan | None, Sequence[SandboxError]]:
    """The plan of a file with all mistakes of its scenario; no plan where the file cannot be read."""
    shown = file.removeprefix(os.path.join(os.getcwd(), ""))
    try:
        return scenario.read_with_mistakes(read_text(file), id=_spelled(scenario_id(file)), file=shown)
    except SandboxError as error:
        error.file = error.file or shown
        return None, [error]


def _spelled(name: str) -> str:
    """The name of a file; FileError if reports and the log could not write it."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise FileError("has a name that is not UTF-8", mend="rename it") from error
    return name
