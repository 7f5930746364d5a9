"""`log prune`: deletes runs."""

from __future__ import annotations

from collections.abc import Iterator

import click

from retailops_sandbox.cli.log import shapes
from retailops_sandbox.cli.log.names import log_of
from retailops_sandbox.cli.options import current_settings, log_options
from retailops_sandbox.cli.output import complain, say, write_json
from retailops_sandbox.errors import UsageError, once_a_file
from retailops_sandbox.model import encoder
from retailops_sandbox.reporting.render import shown
from retailops_sandbox.runlog.retention import Pruned, Retention
from retailops_sandbox.session.ports import SystemClock


@click.command("prune")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Keep the N newest runs.")
@click.option(
    "--days", type=click.IntRange(0, 36_500), metavar="N", help="Keep what ended in the last N days."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option(
    "--format", "format", type=click.Choice(("text", "json")), default="text", help="json: one document."
)
@log_options
def command(keep: int | None, days: int | None, dry_run: bool, format: str, workspace: str | None) -> None:
    """Delete runs that there are too many of, or that are too old; with both options, either is enough.

    Without them the settings keep-runs and keep-days say what is kept. Runs that go on, that are pinned, or
    that are damaged stay, and so does a run that judged deliveries of a run that stays again.
    """
    wanted = Retention(keep, days)
    if not wanted.is_any:
        chosen = current_settings()
        wanted = Retention(chosen.keep_runs, chosen.keep_days)
    if not wanted.is_any:
        raise UsageError(
            "nothing says which runs to keep, so nothing is deleted",
            mend="give --keep N or --days N, or set keep-runs or keep-days",
        )
    pruned = log_of(workspace).prune(wanted, SystemClock().now(), dry_run=dry_run)
    if format == "json":
        write_json(encoder.encode(_document(pruned, dry_run)))
    else:
        for line in pruned_lines(pruned, dry_run=dry_run):
            say(line)
    for line in once_a_file(pruned.problems):
        complain(f"error: {line}")
    if pruned.problems:
        click.get_current_context().exit(2)


def pruned_lines(pruned: Pruned, *, dry_run: bool = False) -> Iterator[str]:
    """What pruning did, or would do, in lines."""
    verb = "would remove" if dry_run else "removed"
    count, deliveries = len(pruned.removed), pruned.deliveries
    runs = f"{count:,} {'run' if count == 1 else 'runs'}"
    sent = f"{deliveries:,} {'delivery' if deliveries == 1 else 'deliveries'}"
    yield f"{verb} {runs}, {sent}, {shown.bytes_in_words(pruned.size)}"
    for gone in pruned.removed:
        yield f"  {gone.run.id}  {gone.run.deliveries:,} sent  {shown.bytes_in_words(gone.size)}"
    for kept in pruned.kept:
        yield f"  {kept.run.id}  stays: {kept.reason}"


def _document(pruned: Pruned, dry_run: bool) -> shapes.PrunedRuns:
    return shapes.PrunedRuns(
        dry_run=dry_run,
        removed=[
            shapes.PrunedRun(
                id=each.run.id,
                started_at=each.run.info.started_at if each.run.info else "",
                deliveries=each.run.deliveries,
                bytes=each.size,
            )
            for each in pruned.removed
        ],
        kept=[shapes.KeptRun(id=each.run.id, reason=each.reason) for each in pruned.kept],
        deliveries=pruned.deliveries,
        bytes=pruned.size,
        problems=[str(each) for each in pruned.problems],
    )
