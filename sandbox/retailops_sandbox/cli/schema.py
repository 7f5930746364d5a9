"""`schema`: the JSON Schema of each file format, for editors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from retailops_sandbox import jsontext
from retailops_sandbox.cli.options import here, workspace_option
from retailops_sandbox.cli.output import say
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import FileError, UsageError, system_reason
from retailops_sandbox.session.streams import write_out
from retailops_sandbox.workspace import schemas
from retailops_sandbox.workspace.files import checked, read_text, write_file
from retailops_sandbox.workspace.workspace import Workspace

_KINDS = ("scenario", "expectation", "receivers", "contract", "fixture")


@click.command("schema")
@click.argument(
    "names", nargs=-1, metavar="[scenario | expectation | receivers | contract | fixture ACTION EDITION]..."
)
@click.option("-o", "--output", metavar="FOLDER", help="Write them into this folder, which may be new.")
@workspace_option
def command(names: tuple[str, ...], output: str | None, workspace: str | None) -> None:
    """Write the JSON Schema of file formats: of all where none is named.

    Editors complete and check files by them: see "Completion in editors" in the documentation.
    `init` writes all of them into .sandbox/schemas of a workspace.
    """
    folder = Workspace.find(workspace, os.environ, here())
    known = of_workspace(folder)
    chosen = {name: known[name] for name in _chosen(names, folder.contracts)} if names else known
    if output is not None:
        for path in write(chosen, Path(output)):
            say(f"made {path}")
    elif len(chosen) == 1:
        (schema,) = chosen.values()
        write_out(jsontext.pretty(schema) + "\n")
    else:
        raise UsageError(f"there are {len(chosen)} schemas", mend="give -o FOLDER, or name one")


def of_workspace(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The schemas of a workspace, by file name; they list its fixtures."""
    contracts = workspace.contracts
    fixtures: dict[str, list[str]] = {}
    for action, edition in contracts.names:
        fixtures.setdefault(action, []).extend(info.name for info in workspace.fixtures(action, edition))
    return schemas.everything(contracts, fixtures)


def write(chosen: dict[str, dict[str, Any]], folder: Path) -> list[Path]:
    """Write schemas into a folder; the paths of those that are new or have changed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot be made: {system_reason(error)}", file=str(folder)) from error
    made = []
    for name, schema in chosen.items():
        path, text = folder / name, jsontext.pretty(schema) + "\n"
        if not checked(Path.is_file, path) or read_text(path) != text:
            write_file(path, text)
            made.append(path)
    return made


def _chosen(names: tuple[str, ...], contracts: Contracts) -> list[str]:
    """The file names of the schemas that the arguments name; `fixture` is followed by action and edition."""
    files = []
    words = iter(names)
    for word in words:
        if word not in _KINDS:
            raise UsageError(f"there is no schema {word!r}", mend=f"there are {', '.join(_KINDS)}")
        if word == "fixture":
            action, edition = next(words, ""), next(words, "")
            if not edition:
                mend = f"for example: fixture {' '.join(contracts.default)}"
                raise UsageError("fixture needs an action and an edition", mend=mend)
            contracts.load(action, edition)
            word = f"fixture.{action}.{edition}"
        files.append(word + schemas.SUFFIX)
    return files
