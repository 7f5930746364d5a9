"""`log list`: deliveries or runs, each on a line, the newest first."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, get_args

import click
import msgspec

from retailops_sandbox.cli.log import shapes, table
from retailops_sandbox.cli.log.names import LATEST, log_of, reached, run_named, say_at_end_what_lacks, unknown
from retailops_sandbox.cli.options import found_workspace, log_options
from retailops_sandbox.cli.output import complain, say, show, write_json
from retailops_sandbox.cli.screen import wants_colour
from retailops_sandbox.errors import UsageError, once_a_file
from retailops_sandbox.model import Verdict, encoder
from retailops_sandbox.reporting.render.delivery_text import verdict
from retailops_sandbox.runlog.ports import LogReader
from retailops_sandbox.runlog.query import FAULTS, VERDICTS, Query
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.runlog.runs import RunSummary

_LIMIT = 50
_FILTERS: dict[str, dict[str, Any]] = {
    "receiver": {"metavar": "NAME", "help": "Sent to this receiver."},
    "action": {"metavar": "ACTION", "help": "Of this action."},
    "edition": {"metavar": "EDITION", "help": "Of this edition."},
    "scenario": {"metavar": "ID", "help": "Sent for this scenario, by its path in the workspace."},
    "fixture": {"metavar": "NAME", "help": "With this fixture as payload, as it is or edited."},
    "run": {"metavar": "RUN|latest", "help": "Of this run."},
    "verdict": {"type": click.Choice(VERDICTS), "help": "The latest verdict."},
    "status": {"metavar": "STATUS", "help": "Answered so: 404, or a class such as 5xx."},
    "fault": {"type": click.Choice(FAULTS), "help": "Ended in this fault."},
    "order": {"metavar": "ID", "help": "About this order."},
    "code": {"metavar": "CODE", "help": "An event with this code came back."},
    "since": {"metavar": "TIME", "help": "Sent then or later, UTC: 2024-05-01 or 2024-05-01T12:00Z."},
    "until": {"metavar": "TIME", "help": "Sent before; a day is meant to its end."},
    "parent": {"metavar": "DELIVERY", "help": "Sent again from this delivery."},
    "text": {"metavar": "TEXT", "help": "With this text in request or response."},
}
"""An option for each field of a query."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for name, said in reversed(_FILTERS.items()):
        command = click.option(f"--{name}", **said)(command)
    return command


@click.command("list")
@click.option("--runs", is_flag=True, help="List runs, instead of deliveries.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_LIMIT,
    metavar="N",
    help="At most so many; 50 unless told.",
)
@_filters
@click.option(
    "--format",
    "format",
    type=click.Choice(("text", "json")),
    default="text",
    help="json: one document a line.",
)
@log_options
def command(runs: bool, limit: int, format: str, workspace: str | None, **given: str | None) -> None:
    """List what was sent, the newest first. Options that are given together are all meant."""
    folder = found_workspace(workspace)
    log = log_of(folder)
    asked = {name: value for name, value in given.items() if value}
    if asked.get("run", LATEST) == LATEST or log.run(asked["run"]) is None:
        reached(log)
    say_at_end_what_lacks(log, folder)
    if runs:
        if asked:
            raise UsageError(
                f"--{next(iter(asked))} asks for deliveries, and --runs for runs", mend="give one of them"
            )
        _list_runs(log, limit, as_json=format == "json")
    else:
        _list_deliveries(log, _query(asked, log), limit, as_json=format == "json")
    for line in once_a_file(problem for run in log.runs() for problem in run.problems):
        complain(f"warning: {line}")


def _query(asked: dict[str, str], log: LogReader) -> Query:
    wanted = Query(**asked).checked()
    if not wanted.run:
        return wanted
    run = run_named(wanted.run, log)
    if run is None and wanted.run == LATEST:
        return wanted
    if run is None:
        raise unknown(wanted.run, log, "run")
    return msgspec.structs.replace(wanted, run=run.id)


def _list_deliveries(log: LogReader, query: Query, limit: int, *, as_json: bool) -> None:
    rows = log.rows(query)
    if as_json:
        _print_json(shapes.delivery(row) for row in islice(rows, limit))
        return
    page = list(islice(rows, limit))
    head = ("id", "time (UTC)", "verdict", "answer", "ms", "receiver", "fixture or step")
    _print_table(
        head,
        [_delivery(row) for row in page],
        nothing="nothing was sent" if query == Query() else "nothing is like that",
    )
    if next(rows, None) is not None:
        say(f"the newest {len(page)}; --limit N shows more")


def _list_runs(log: LogReader, limit: int, *, as_json: bool) -> None:
    runs = [run for run in log.runs() if not run.is_idle]
    if as_json:
        _print_json(map(shapes.run, runs[:limit]))
        return
    head: tuple[str, ...] = ("id", "started (UTC)", "kind", "state", "results", "deliveries", "receiver")
    rows = [_run(run) for run in runs[:limit]]
    hosts = [run.info.host if run.info else "" for run in runs[:limit]]
    if any(hosts):
        head = (*head, "machine")
        rows = [(*row, host) for row, host in zip(rows, hosts, strict=True)]
    _print_table(head, rows, nothing="nothing was run")
    if len(runs) > limit:
        say(f"the newest {limit} of {len(runs):,}; --limit N shows more")


def _print_json(documents: Iterable[object]) -> None:
    for document in documents:
        write_json(encoder.encode(document))


def _print_table(head: tuple[str, ...], rows: list[tuple[str, ...]], *, nothing: str) -> None:
    if not rows:
        say(nothing)
        return
    colour = wants_colour(sys.stdout, os.environ)
    for line in table.lines(head, rows, right=("ms", "deliveries"), colour=colour):
        show(line)


def _delivery(row: DeliveryRow) -> tuple[str, ...]:
    word = "dropped on purpose" if row.dropped and row.verdict is None else row.verdict_word
    return (
        row.id,
        row.sent_at[:19].replace("T", " "),
        verdict(word),
        row.answer,
        f"{row.total_ms:.1f}" if row.total_ms < 100 else f"{row.total_ms:.0f}",
        row.receiver,
        row.label,
    )


def _run(run: RunSummary) -> tuple[str, ...]:
    info = run.info
    return (
        run.id,
        info.started_at[:19].replace("T", " ") if info else "",
        info.kind if info else "",
        f"{run.state}, ◆ pinned" if run.is_pinned else run.state,
        ", ".join(f"{run.outcomes[word]} {word}" for word in get_args(Verdict) if run.outcomes[word]),
        str(run.deliveries),
        info.receiver if info else "",
    )
