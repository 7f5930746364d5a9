"""The variables of the environment that pages can ask for with `${env:NAME}`."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from retailops_sandbox import composing
from retailops_sandbox.errors import ComposeError, SandboxError
from retailops_sandbox.model import Receiver, encoder
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.settings import PREFIX
from retailops_sandbox.workspace.workspace import Workspace


class WorkspaceEnvironment(Mapping[str, str]):
    """An environment that gives the values of those variables alone that the workspace refers to.

    Whoever reaches the port could otherwise read any variable of the process by a payload that is never
    saved. A variable is known to be set all the same.
    """

    def __init__(self, workspace: Workspace, values: ChainMap[str, str], named: Iterable[str]) -> None:
        """The first map of `values` are secrets that were typed; `named` are variables that settings name."""
        self._workspace = workspace
        self._values = values
        self._typed = values.maps[0]
        self._allowed = {*named}

    def allow(self, names: Iterable[str]) -> None:
        """Give the values of these variables from now on: a receiver refers to them."""
        self._allowed.update(name for name in names if name in self._values)

    def __getitem__(self, name: str) -> str:
        """The value of a variable. KeyError where it is not set; ComposeError where it is not given."""
        value = self._values[name]
        if name in self._typed or name in self._allowed or name.startswith(f"{PREFIX}VAR_"):
            return value
        self._allowed |= {each for each in self._referred_to() if each in self._values}
        if name in self._allowed:
            return value
        raise ComposeError(
            f"pages do not get the environment variable {name}, as nothing in this workspace refers to it",
            mend=f"save a fixture, a scenario or a receiver with ${{env:{name}}}, or add it to the setting "
            "secret-env",
        )

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _referred_to(self) -> Iterator[str]:
        for path in self._files():
            yield from composing.environment_variables(_text(path))

    def _files(self) -> Iterator[Path]:
        yield from (self._workspace.root / "fixtures").glob("*/*/*.json")
        yield from map(Path, self._workspace.scenario_files()[0])


def named_variables(receiver: Receiver) -> Iterator[str]:
    """The variables that a receiver refers to or names as secret."""
    yield from composing.environment_variables(encoder.encode(receiver).decode())
    yield from receiver.secret_env


def _text(path: Path) -> str:
    """The text of a file; empty where it cannot be read, as such a file refers to nothing."""
    try:
        return read_text(path)
    except SandboxError:
        return ""
