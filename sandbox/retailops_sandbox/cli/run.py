"""`run`: runs scenario files without a browser."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retailops_sandbox.cli import job
from retailops_sandbox.cli.log_level import log_level_option
from retailops_sandbox.cli.options import found_workspace, sending_options
from retailops_sandbox.cli.output import complain
from retailops_sandbox.errors import UsageError
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.engine import Options


@click.command("run")
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@click.option("-k", "expression", metavar="EXPR", help='Only these: "cancel and not (slow or v1)".')
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only those with this tag, or another.")
@click.option("--action", "actions", multiple=True, metavar="ACTION", help="Only those of this action.")
@click.option("--edition", "editions", multiple=True, metavar="EDITION", help="Only those of this edition.")
@click.option("-x", "first", is_flag=True, help="Send nothing more after the first failure.")
@click.option("--maxfail", type=click.IntRange(min=1), metavar="N", help="Nothing more after N failures.")
@click.option("--dry-run", is_flag=True, help="Compose and check all, show it, send nothing.")
@click.option("--accept", is_flag=True, help="Write what came into the files of scenarios that failed.")
@click.option("--exact", is_flag=True, help="With --accept: no rules for values that look volatile.")
@click.option(
    "--watch", is_flag=True, help="Run the failed ones again when a file changes or the receiver is back."
)
@click.option(
    "--watch-also",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True),
    help="Watch this too, such as the receiver's source.",
)
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts, such as 2/5, divided by their ids.")
@click.option(
    "--shard-times",
    metavar="RUN",
    type=click.Path(path_type=Path),
    help="With --shard: parts that take about as long, by the seconds in this run file.",
)
@sending_options
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Scenarios at once; 8 unless told."
)
@log_level_option
def command(
    paths: tuple[str, ...],
    expression: str | None,
    tags: tuple[str, ...],
    actions: tuple[str, ...],
    editions: tuple[str, ...],
    first: bool,
    maxfail: int | None,
    dry_run: bool,
    accept: bool,
    exact: bool,
    watch: bool,
    watch_also: tuple[str, ...],
    shard: str | None,
    shard_times: Path | None,
    **given: Any,
) -> None:
    """Run scenario files; the workspace's where none are named, the shipped ones where it has none.

    Where none are named, only those of the editions that the receiver speaks are run, and only those of one
    action where its URL is that of the action.

    Exit code: 0 all passed, 1 failed or errored, 2 usage or an unreadable file, 3 only faults,
    5 nothing was judged, 130 interrupted. A shard that has no scenario ends with 0.
    """
    workspace = found_workspace(given.pop("workspace"))
    acceptance = None
    if accept:
        from retailops_sandbox.cli.accept import asked_for

        acceptance = asked_for(workspace, exact=exact, dry_run=dry_run)
    elif exact:
        raise UsageError("--exact is about what --accept writes", mend="give --accept, or leave it out")

    sharding = None
    if shard is not None or shard_times is not None:
        from retailops_sandbox.cli.sharding import asked_for as shard_asked_for

        sharding = shard_asked_for(shard, shard_times, watch=watch or bool(watch_also))

    def read() -> job.Found:
        return _read(workspace, paths, expression, tags, actions, editions)

    def choose(found: job.Found, options: Options) -> job.Chosen:
        # Whoever names files or editions has chosen, and the receiver's edition may be guessed wrong.
        kept = (
            found.plans
            if paths or editions
            else job.fitting_plans(found.plans, options, actions, workspace.contracts)
        )
        if not kept and not found.unreadable:
            complain("no scenario is left to run: nothing was judged")
            sys.exit(5)
        chosen = job.Chosen(kept, found.count - len(kept))
        return chosen if sharding is None else sharding.part(chosen)

    found = read()
    if not found.plans and not found.unreadable:
        where = ", ".join(paths) or str(workspace.root)
        by = "-k, --tag, --action and --edition"
        chosen = f"none of {found.count} scenarios is meant by {by}" if found.count else "no scenario files"
        complain(f"{chosen} in {where}: nothing was judged")
        sys.exit(5)
    unreadable = found.unreadable
    if sharding is not None:
        unreadable = sharding.unreadable(unreadable, workspace.scenario_id)
    if watch or watch_also:
        from retailops_sandbox.cli import watch as watching
        from retailops_sandbox.session.watching import Watched

        if accept or dry_run:
            raise UsageError("--watch goes on and on, without --accept and --dry-run", mend="leave one out")
        scenarios, others = [Path(path) for path in paths], [Path(path) for path in watch_also]
        watched = Watched(workspace, scenarios, others)
        watching.execute(watched, read, choose, max_failures=1 if first else maxfail, **given)
    if dry_run:
        from retailops_sandbox.cli import dry_run as preview

        preview.execute(workspace, partial(choose, found), unreadable, **given)
    job.execute(
        workspace,
        partial(choose, found),
        unreadable,
        kind="run",
        max_failures=1 if first else maxfail,
        acceptance=acceptance,
        **given,
    )


def _read(
    workspace: Workspace,
    paths: tuple[str, ...],
    expression: str | None,
    tags: tuple[str, ...],
    actions: tuple[str, ...],
    editions: tuple[str, ...],
) -> job.Found:
    """The scenarios that are meant, as their files are now."""
    from retailops_sandbox.session.collect import collect, read_plans

    files, lost = collect(paths) if paths else workspace.scenarios_to_run()
    plans, broken = read_plans(files, workspace.scenario_id)
    chosen = plans
    if expression is not None or tags or actions or editions:
        from retailops_sandbox.scenarios import selection

        chosen = selection.choose(plans, expression, tags, actions, editions)
    return job.Found(chosen, len(plans), [*lost, *broken])
