"""`log pin`, `log unpin` and `log reindex`."""

from __future__ import annotations

import click

from retailops_sandbox.cli.log import shapes
from retailops_sandbox.cli.log.names import log_of, run_named, unknown
from retailops_sandbox.cli.options import log_options
from retailops_sandbox.cli.output import complain, say, write_json
from retailops_sandbox.errors import once_a_file
from retailops_sandbox.model import encoder


@click.command("pin")
@click.argument("run", metavar="RUN|latest")
@log_options
def pin(run: str, workspace: str | None) -> None:
    """Let a run stay, whatever retention says."""
    _mark(run, workspace, stays=True)


@click.command("unpin")
@click.argument("run", metavar="RUN|latest")
@log_options
def unpin(run: str, workspace: str | None) -> None:
    """Let a pinned run go when its time has come."""
    _mark(run, workspace, stays=False)


def _mark(what: str, workspace: str | None, *, stays: bool) -> None:
    log = log_of(workspace)
    run = run_named(what, log)
    if run is None:
        raise unknown(what, log, "run")
    (log.pin if stays else log.unpin)(run.id)
    say(f"◆ pinned {run.id}" if stays else f"unpinned {run.id}")


@click.command("reindex")
@click.option(
    "--format", "format", type=click.Choice(("text", "json")), default="text", help="json: one document."
)
@log_options
def reindex(format: str, workspace: str | None) -> None:
    """Make the index of the log anew, and sweep up what dead processes left.

    The run files are the truth and are not touched. Exit code 2 where one of them is damaged.
    """
    done = log_of(workspace).reindex()
    if format == "json":
        problems = [str(each) for each in done.problems]
        document = shapes.ReindexedRuns(runs=done.made, swept=done.swept, problems=problems)
        write_json(encoder.encode(document))
    else:
        say(f"indexed {done.made:,} {'run' if done.made == 1 else 'runs'} anew")
        if done.swept:
            say(f"swept up {done.swept:,} {'file' if done.swept == 1 else 'files'} that nobody needs")
    for line in once_a_file(done.problems):
        complain(f"error: {line}")
    if done.problems:
        click.get_current_context().exit(2)
