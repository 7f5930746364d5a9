"""`run`: runs scenario files without a browser."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from retailops_sandbox.cli import job
from retailops_sandbox.cli.log_level import log_level_option
from retailops_sandbox.cli.options import here, sending_options
from retailops_sandbox.cli.output import complain
from retailops_sandbox.workspace.workspace import Workspace


@click.command("run")
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@click.option("-k", "expression", metavar="EXPR", help='Only these: "cancel and not (slow or v1)".')
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only those with this tag, or another.")
@click.option("-x", "first", is_flag=True, help="Send nothing more after the first failure.")
@click.option("--maxfail", type=click.IntRange(min=1), metavar="N", help="Nothing more after N failures.")
@click.option("--dry-run", is_flag=True, help="Compose and check all, show it, send nothing.")
@click.option("--accept", is_flag=True, help="Write what came into the files of scenarios that failed.")
@sending_options
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Scenarios at once; 8 unless told."
)
@log_level_option
def command(
    paths: tuple[str, ...],
    expression: str | None,
    tags: tuple[str, ...],
    first: bool,
    maxfail: int | None,
    dry_run: bool,
    accept: bool,
    **given: Any,
) -> None:
    """Run scenario files; the workspace's where none are named, the shipped ones where it has none.

    Exit code: 0 all passed, 1 failed or errored, 2 usage or an unreadable file, 3 only faults,
    5 nothing was judged, 130 interrupted.
    """
    from retailops_sandbox.session.collect import collect, read_plans

    workspace = Workspace.find(given.pop("workspace"), os.environ, here())
    acceptance = None
    if accept:
        from retailops_sandbox.cli.accept import asked_for

        acceptance = asked_for(workspace, dry_run=dry_run)
    files, lost = collect(paths) if paths else workspace.scenarios_to_run()
    found, broken = read_plans(files, workspace.scenario_id)
    unreadable = [*lost, *broken]
    plans = found
    if expression is not None or tags:
        from retailops_sandbox.scenarios import selection

        plans = selection.choose(found, expression, tags)
    if not plans and not unreadable:
        where = ", ".join(paths) or str(workspace.root)
        chosen = f"none of {len(found)} scenarios is meant by -k and --tag" if found else "no scenario files"
        complain(f"{chosen} in {where}: nothing was judged")
        sys.exit(5)
    if dry_run:
        from retailops_sandbox.cli import dry_run as preview

        preview.execute(workspace, plans, unreadable, **given)
    most = 1 if first else maxfail
    left_out = len(found) - len(plans)
    job.execute(
        workspace,
        plans,
        unreadable,
        kind="run",
        max_failures=most,
        left_out=left_out,
        acceptance=acceptance,
        **given,
    )
