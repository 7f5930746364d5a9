"""`run`: runs scenario files without a browser."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from retailops_sandbox.cli import job
from retailops_sandbox.cli.log_level import log_level_option
from retailops_sandbox.cli.options import here, sending_options
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.errors import UsageError
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.engine import Options
    from retailops_sandbox.scenarios.scenario import Plan


@click.command("run")
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@click.option("-k", "expression", metavar="EXPR", help='Only these: "cancel and not (slow or v1)".')
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only those with this tag, or another.")
@click.option("--edition", "editions", multiple=True, metavar="EDITION", help="Only those of this edition.")
@click.option("-x", "first", is_flag=True, help="Send nothing more after the first failure.")
@click.option("--maxfail", type=click.IntRange(min=1), metavar="N", help="Nothing more after N failures.")
@click.option("--dry-run", is_flag=True, help="Compose and check all, show it, send nothing.")
@click.option("--accept", is_flag=True, help="Write what came into the files of scenarios that failed.")
@click.option("--exact", is_flag=True, help="With --accept: no rules for values that look volatile.")
@sending_options
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Scenarios at once; 8 unless told."
)
@log_level_option
def command(
    paths: tuple[str, ...],
    expression: str | None,
    tags: tuple[str, ...],
    editions: tuple[str, ...],
    first: bool,
    maxfail: int | None,
    dry_run: bool,
    accept: bool,
    exact: bool,
    **given: Any,
) -> None:
    """Run scenario files; the workspace's where none are named, the shipped ones where it has none.

    Where none are named, only those of the editions that the receiver speaks are run.

    Exit code: 0 all passed, 1 failed or errored, 2 usage or an unreadable file, 3 only faults,
    5 nothing was judged, 130 interrupted.
    """
    from retailops_sandbox.session.collect import collect, read_plans

    workspace = Workspace.find(given.pop("workspace"), os.environ, here())
    acceptance = None
    if accept:
        from retailops_sandbox.cli.accept import asked_for

        acceptance = asked_for(workspace, exact=exact, dry_run=dry_run)
    elif exact:
        raise UsageError("--exact is about what --accept writes", mend="give --accept, or leave it out")
    files, lost = collect(paths) if paths else workspace.scenarios_to_run()
    found, broken = read_plans(files, workspace.scenario_id)
    unreadable = [*lost, *broken]
    plans = found
    if expression is not None or tags or editions:
        from retailops_sandbox.scenarios import selection

        plans = selection.choose(found, expression, tags, editions)
    if not plans and not unreadable:
        where = ", ".join(paths) or str(workspace.root)
        by = "-k, --tag and --edition"
        chosen = f"none of {len(found)} scenarios is meant by {by}" if found else "no scenario files"
        complain(f"{chosen} in {where}: nothing was judged")
        sys.exit(5)

    def choose(options: Options) -> job.Chosen:
        # Whoever names files or editions has chosen, and the receiver's edition may be guessed wrong.
        kept = plans if paths or editions else _fitting(plans, options)
        if not kept and not unreadable:
            complain("no scenario is left to run: nothing was judged")
            sys.exit(5)
        return job.Chosen(kept, len(found) - len(kept))

    if dry_run:
        from retailops_sandbox.cli import dry_run as preview

        preview.execute(workspace, choose, unreadable, **given)
    job.execute(
        workspace,
        choose,
        unreadable,
        kind="run",
        max_failures=1 if first else maxfail,
        acceptance=acceptance,
        **given,
    )


def _fitting(plans: list[Plan], options: Options) -> list[Plan]:
    """The plans that the receiver can answer; what is left out is said in one line."""
    from retailops_sandbox.session.fitting import editions_of, fitting

    fits = fitting(plans, editions_of(options.receiver, options.variables, settings.readable(os.environ)))
    if fits.line:
        say(f"{fits.line}. Name their files, or give --edition, to send them")
    return [*fits.plans]
