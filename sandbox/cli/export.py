"""`export`: what was sent, or is to be sent, for another tool."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from sandbox import receivers, scenario, settings
from sandbox.cli.options import here, workspace_option
from sandbox.cli.output import complain, say
from sandbox.errors import FileError, SandboxError, UsageError
from sandbox.model import Judgement, Receiver
from sandbox.report import exporting
from sandbox.report.exporting import FORMATS, Export, Format, Sources
from sandbox.store import runfile
from sandbox.store.log import Entry, Log
from sandbox.workspace import Workspace, checked, read_text, write_file

LATEST = "latest"


@click.command("export")
@click.argument("what", metavar="DELIVERY|RUN|FILE")
@click.option(
    "--format", "format", type=click.Choice(FORMATS), required=True, help="What the other tool reads."
)
@click.option("-o", "--output", metavar="FILE", help="Write this file, or into this folder.")
@click.option("--action", default="", help="Of a run: the deliveries of this action.")
@click.option("--edition", default="", help="Of a run: the deliveries of this edition.")
@click.option("--replace", is_flag=True, help="Replace the file that is there.")
@click.option("--receiver", metavar="URL_OR_NAME", help="Of a scenario file as curl: where it would be sent.")
@workspace_option
def command(
    what: str,
    format: Format,
    output: str | None,
    action: str,
    edition: str,
    replace: bool,
    receiver: str | None,
    workspace: str | None,
) -> None:
    """Write a delivery, a run or a scenario file as a curl command, HAR, a pytest file or a scenario.

    Deliveries and runs go by their ids in the log; `latest` is the newest run. FILE is a scenario file or a
    run file. Secrets stay struck out.
    """
    folder = Workspace.find(workspace, os.environ, here())
    path = Path(what)
    if checked(Path.is_file, path) and path.name.endswith(scenario.SUFFIX):
        made = _of_file(path, format, folder, receiver)
    else:
        made = _of_log(what, format, folder, action, edition)
    for note in made.notes:
        complain(f"note: {note}")
    if output is None:
        say(made.text, end="" if made.text.endswith("\n") else "\n")
        return
    written = _path(output, made, replace)
    write_file(written, made.text)
    say(f"made {written}")


def _of_file(path: Path, format: Format, folder: Workspace, receiver: str | None) -> Export:
    """A scenario file, for another tool."""
    plan = scenario.read(read_text(path), id=folder.scenario_id(path), file=str(path))
    if format != "curl":
        return exporting.scenario_file(plan, format, _sources(folder))
    chosen = receiver or settings.read(os.environ, here()).receiver or folder.receivers().default
    if not chosen:
        raise UsageError(
            "no receiver is named, and a curl command needs an address", mend="give --receiver URL_OR_NAME"
        )
    from sandbox.cli.dry_run import look
    from sandbox.engine import Options

    there = receivers.named(folder, chosen)
    previews = asyncio.run(look(folder, [plan], Options(receiver=there, confirmed=True)))
    return exporting.commands(previews, there, name=exporting.scenario_name(plan.id))


def _of_log(what: str, format: Format, folder: Workspace, action: str, edition: str) -> Export:
    """A delivery or a run of the log, or a run file, for another tool."""
    name, entries = _found(what, Log(folder.runs_dir))
    wanted = [
        each
        for each in entries
        if action in ("", each.delivery.action) and edition in ("", each.delivery.edition)
    ]
    return exporting.deliveries(wanted, format, _sources(folder), name=name)


def _found(what: str, log: Log) -> tuple[str, list[Entry]]:
    """The name of what is meant, and its deliveries; UsageError where there is nothing of that name."""
    path = Path(what)
    if checked(Path.is_file, path):
        return path.stem, _entries_of(path)
    if what == LATEST:
        what = next((run.id for run in log.runs()), what)
    if one := log.get(what):
        return what, [one]
    if run := log.run(what):
        return what, run[1]
    newest = [run.id for run in log.runs()[:3]]
    known = f"the newest runs are {', '.join(newest)}" if newest else "nothing was sent from there yet"
    raise UsageError(f"there is no delivery, run or file {what!r} in this workspace", mend=known)


def _sources(folder: Workspace) -> Sources:
    return exporting.sources(folder, lambda name: _receiver(folder, name))


def _entries_of(path: Path) -> list[Entry]:
    """The deliveries of a run file that lies anywhere, such as the one that `--report-json` wrote."""
    content = runfile.read(path)
    if content.problems:
        raise content.problems[0]
    by_delivery: dict[str, list[Judgement]] = {}
    for judgement, _ in content.judgements:
        by_delivery.setdefault(judgement.delivery, []).append(judgement)
    return [Entry(each, tuple(by_delivery.get(each.id, ()))) for each, _ in content.deliveries]


def _receiver(folder: Workspace, name: str) -> Receiver | None:
    """The receiver that was sent to; None where its settings are not known any more."""
    try:
        return receivers.named(folder, name)
    except SandboxError:
        return None


def _path(output: str, made: Export, replace: bool) -> Path:
    path = Path(output)
    if checked(Path.is_dir, path):
        path /= made.name
    if checked(Path.exists, path) and not replace:
        raise UsageError(f"there is a file {path} already", mend="choose another name, or give --replace")
    if not checked(Path.is_dir, path.parent):
        raise FileError(f"cannot be written: there is no folder {path.parent}", file=output)
    return path
