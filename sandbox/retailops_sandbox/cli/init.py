"""`init`: a new workspace."""

from __future__ import annotations

from pathlib import Path

import click

from retailops_sandbox.cli.options import here
from retailops_sandbox.cli.output import say
from retailops_sandbox.workspace.workspace import Workspace


@click.command("init")
@click.argument("folder", default=".")
def command(folder: str) -> None:
    """Make FOLDER a workspace: the folders that your fixtures, scenarios and log go to.

    It also writes the schemas that editors complete files by; again, where they are of another version.
    """
    workspace = Workspace(here() / folder)
    made = [*workspace.initialise(), *_schemas(workspace)]
    for path in made:
        say(f"made {path}")
    if not made:
        say(f"{workspace.root} is a workspace already")


def _schemas(workspace: Workspace) -> list[Path]:
    """Write the schemas by which editors complete files; the paths of those that are new or have changed."""
    from retailops_sandbox.cli import schema

    return schema.write(schema.of_workspace(workspace), workspace.root / ".sandbox" / "schemas")
