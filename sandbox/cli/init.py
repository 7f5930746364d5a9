"""`init`: a new workspace."""

from __future__ import annotations

import click

from sandbox.cli.options import here
from sandbox.cli.output import say
from sandbox.workspace import Workspace


@click.command("init")
@click.argument("folder", default=".")
def command(folder: str) -> None:
    """Make FOLDER a workspace: the folders that your fixtures, scenarios and log go to."""
    workspace = Workspace(here() / folder)
    made = workspace.initialise()
    for path in made:
        say(f"made {path}")
    if not made:
        say(f"{workspace.root} is a workspace already")
