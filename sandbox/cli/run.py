"""`run`: scenario files, headless."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from sandbox.cli.job import execute
from sandbox.cli.options import here, sending_options
from sandbox.cli.output import complain
from sandbox.workspace import Workspace


@click.command("run")
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@sending_options
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Scenarios at once; 8 unless told."
)
def command(paths: tuple[str, ...], jobs: int | None, **given: Any) -> None:
    """Run scenario files; the workspace's where none are named, the shipped ones where it has none.

    Exit code: 0 all passed, 1 failed or errored, 2 usage or an unreadable file, 3 only faults,
    5 nothing was judged, 130 interrupted.
    """
    from sandbox.headless import collect, read_plans

    workspace = Workspace.find(given.pop("workspace"), os.environ, here())
    files, lost = collect(paths) if paths else workspace.scenarios_to_run()
    plans, broken = read_plans(files, workspace.scenario_id)
    unreadable = [*lost, *broken]
    if not plans and not unreadable:
        complain(f"no scenario files in {', '.join(paths) or workspace.root}: nothing was judged")
        sys.exit(5)
    execute(workspace, plans, unreadable, jobs=jobs, kind="run", **given)
