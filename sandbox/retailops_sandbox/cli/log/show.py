"""`log show`: one delivery or run, with all its evidence."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

from retailops_sandbox.cli.log import shapes
from retailops_sandbox.cli.log.names import asked_log, run_named, unknown
from retailops_sandbox.cli.options import found_workspace, log_options
from retailops_sandbox.cli.output import show, write_json
from retailops_sandbox.cli.screen import page_width, wants_colour
from retailops_sandbox.model import encoder
from retailops_sandbox.runlog.runs import RunSummary


@click.command("show")
@click.argument("what", metavar="DELIVERY|RUN|latest")
@click.option(
    "--format", "format", type=click.Choice(("text", "json")), default="text", help="json: one document."
)
@log_options
def command(what: str, format: str, workspace: str | None) -> None:
    """Show a delivery, or a run and its results; `latest` is the newest run."""
    from retailops_sandbox.reporting.render import delivery_text

    folder = found_workspace(workspace)
    log = asked_log(folder)
    entry = log.delivery(what)
    if entry is not None:
        if format == "json":
            document = shapes.ShownDelivery(delivery=entry.delivery, judgements=entry.judgements)
            write_json(encoder.encode(document))
            return
        colour = wants_colour(sys.stdout, os.environ)
        _print(delivery_text.delivery(entry, folder.contracts, width=page_width(), colour=colour))
        return
    run = run_named(what, log)
    if run is None:
        raise unknown(what, log, "delivery or run")
    results = log.results(run.id)
    if format == "json":
        write_json(encoder.encode(shapes.ShownRun(run=shapes.run(run), results=results)))
        return
    spoiled = {each.scenario for each in results if each.verdict in ("failed", "errored")}
    _print(delivery_text.run(run, results, log.deliveries(run.id, spoiled) if spoiled else []))
    _print(_hints(run, folder.log_place.option))


def _hints(run: RunSummary, option: str) -> Iterable[str]:
    if run.deliveries:
        yield ""
        yield f"its deliveries: retailops-sandbox log list --run {run.id}{option}"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        show(line)
