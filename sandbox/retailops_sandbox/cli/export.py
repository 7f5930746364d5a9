"""`export`: deliveries, runs and scenario files, for another tool."""

from __future__ import annotations

import io
import os
from pathlib import Path

import click

from retailops_sandbox.cli.log.names import asked_log, run_named, unknown
from retailops_sandbox.cli.options import current_settings, found_workspace, log_options
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.engine.preview import Preview
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.exporters import FORMATS, Format, exporting
from retailops_sandbox.reporting.exporters.exporter import ExportedFile, Sources
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.opening import read_run_file
from retailops_sandbox.runlog.ports import LogReader
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import receivers
from retailops_sandbox.session.streams import write_out
from retailops_sandbox.workspace.files import check_writable, checked, read_text, write_file
from retailops_sandbox.workspace.receivers import ReceiverBook
from retailops_sandbox.workspace.settings import Settings
from retailops_sandbox.workspace.workspace import Workspace

RUN_FILE = "run"
"""The format of a run file, which another sandbox reads."""


@click.command("export")
@click.argument("what", metavar="DELIVERY|RUN|FILE")
@click.option(
    "--format",
    "format",
    type=click.Choice((*FORMATS, RUN_FILE)),
    required=True,
    help="What the other tool reads; run: the run file, for somebody else's sandbox.",
)
@click.option("-o", "--output", metavar="FILE", help="Write this file, or into this folder.")
@click.option("--action", default="", help="Of a run: the deliveries of this action.")
@click.option("--edition", default="", help="Of a run: the deliveries of this edition.")
@click.option("--replace", is_flag=True, help="Replace the file that is there.")
@click.option("--receiver", metavar="URL_OR_NAME", help="Of a scenario file as curl: where it would be sent.")
@log_options
def command(
    what: str,
    format: str,
    output: str | None,
    action: str,
    edition: str,
    replace: bool,
    receiver: str | None,
    workspace: str | None,
) -> None:
    """Write a delivery, a run or a scenario file as a curl command, HAR, a pytest file or a scenario.

    Deliveries and runs go by their ids in the log; `latest` is the newest run. FILE is a scenario file or a
    run file. Secrets stay struck out. A run can also be written as its run file, which `serve --open` shows
    anywhere.
    """
    folder = found_workspace(workspace)
    if format == RUN_FILE:
        _write_run(what, asked_log(folder), output, replace)
        return
    path = Path(what)
    if checked(Path.is_file, path) and path.name.endswith(scenario.SUFFIX):
        made = _of_file(path, FORMATS[format], folder, receiver)
    else:
        made = _of_log(what, FORMATS[format], folder, action, edition)
    for note in made.notes:
        complain(f"note: {note}")
    if output is None:
        write_out(made.text if made.text.endswith("\n") else f"{made.text}\n")
        return
    written = _path(output, made.name, replace)
    write_file(written, made.text)
    say(f"made {written}")


def _of_file(path: Path, format: Format, folder: Workspace, receiver: str | None) -> ExportedFile:
    """The exported scenario file."""
    plan = scenario.read(read_text(path), id=folder.scenario_id(path), file=str(path))
    known, book = current_settings(), folder.receivers()
    chosen = receiver or known.receiver or book.default
    sources = _sources(folder, book, known)
    return exporting.scenario_file(
        plan, format, sources, lambda: _previews(plan, folder, book, chosen, sources.policy)
    )


def _previews(
    plan: Plan, folder: Workspace, book: ReceiverBook, chosen: str, policy: SecretPolicy
) -> tuple[list[Preview], Receiver]:
    """The requests that a plan's steps would send, and their receiver; UsageError where none is named."""
    if not chosen:
        raise UsageError(
            "no receiver is named, and a curl command needs an address", mend="give --receiver URL_OR_NAME"
        )
    from retailops_sandbox.cli.dry_run import look
    from retailops_sandbox.engine import Options

    there = receivers.named(book, chosen)
    return look(folder, [plan], Options(receiver=there), policy), there


def _of_log(what: str, format: Format, folder: Workspace, action: str, edition: str) -> ExportedFile:
    """The exported delivery or run of the log, or run file."""
    name, entries, own = _found(what, asked_log(folder))
    wanted = [
        each
        for each in entries
        if action in ("", each.delivery.action) and edition in ("", each.delivery.edition)
    ]
    sources = _sources(folder, folder.receivers(), current_settings())
    return exporting.deliveries(wanted, format, sources, name=name, own=own)


def _found(what: str, log: LogReader) -> tuple[str, list[Entry], bool]:
    """The name and deliveries of a delivery, run or run file, and whether the log of the workspace has them.

    UsageError where there is none.
    """
    path = Path(what)
    if checked(Path.is_file, path):
        return path.stem, read_run_file(path), False
    if one := log.delivery(what):
        return what, [one], True
    run = run_named(what, log)
    if run is not None:
        found = log.deliveries(run.id)
        if run.problems and not found:
            raise run.problems[0]
        if run.problems:
            complain(f"note: some of it cannot be read: {run.problems[0]}")
        return run.id, found, True
    raise unknown(what, log, "delivery, run or file")


def _write_run(what: str, log: LogReader, output: str | None, replace: bool) -> None:
    """Write the run file of a run in the log."""
    run = run_named(what, log)
    if run is None:
        if log.delivery(what) is not None:
            raise UsageError(f"{what} is a delivery, no run", mend=f"give {what.rpartition('.')[0]}")
        raise unknown(what, log, "run")
    if output is None:
        text = io.BytesIO()
        if not log.copy(run.id, text):
            raise unknown(run.id, log, "run")  # The run was deleted meanwhile.
        write_out(text.getvalue().decode(errors="replace"))
        return
    path = _path(output, f"{run.id}.json", replace)
    if not log.export(run.id, path):
        raise unknown(run.id, log, "run")
    say(f"made {path}")


def _sources(folder: Workspace, book: ReceiverBook, known: Settings) -> Sources:
    policy = SecretPolicy(os.environ, receivers=book.receivers, named=known.secret_env)
    return exporting.workspace_sources(folder, lambda name: _receiver(book, name), policy)


def _receiver(book: ReceiverBook, name: str) -> Receiver | None:
    """The receiver of this name; None where there is none any more."""
    try:
        return receivers.named(book, name)
    except SandboxError:
        return None


def _path(output: str, name: str, replace: bool) -> Path:
    path = Path(output)
    if checked(Path.is_dir, path):
        path /= name
    if checked(Path.exists, path) and not replace:
        raise UsageError(f"there is a file {path} already", mend="choose another name, or give --replace")
    check_writable(path)
    return path
