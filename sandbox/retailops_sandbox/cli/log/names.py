"""The log of a workspace, and the run or delivery that a word names."""

from __future__ import annotations

import click

from retailops_sandbox.cli.options import found_workspace
from retailops_sandbox.cli.output import complain, note
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.runlog.opening import open_log
from retailops_sandbox.runlog.ports import Log, LogReader
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.workspace.workspace import Workspace

LATEST = "latest"


def log_of(workspace: str | Workspace | None) -> Log:
    """The log of a workspace, by default of the one that `--workspace` means."""
    if not isinstance(workspace, Workspace):
        workspace = found_workspace(workspace)
    return open_log(workspace.log_place, lambda: workspace.contracts, note)


def asked_log(workspace: Workspace) -> Log:
    """As `log_of`, for a command that answers from the log: it says at its end what the answer lacks."""
    log = log_of(workspace)
    say_at_end_what_lacks(log, workspace)
    return log


def reached(log: Log) -> None:
    """SandboxError where the log cannot be reached, so that what is here would be taken for all of it."""
    log.count()
    if away := log.away():
        raise SandboxError(away, mend="--log '' lists what this workspace keeps in files")


def say_at_end_what_lacks(log: Log, workspace: Workspace) -> None:
    """Say at the command's end what its answer from a log lacks."""

    def say_what_lacks() -> None:
        if away := log.away():
            complain(f"warning: {away}; this is what waits here")
        if waiting := len(log.waiting()):
            what = "run waits" if waiting == 1 else "runs wait"
            push = f"retailops-sandbox log push{workspace.log_place.option}"
            complain(f"note: {waiting} {what} here for the shared log: {push}")

    click.get_current_context().call_on_close(say_what_lacks)


def shared_workspace(given: str | None) -> Workspace:
    """The workspace that `--workspace` means; UsageError where no database keeps its log."""
    found = found_workspace(given)
    if not found.database:
        raise UsageError("no database is named", mend="give --log postgresql://user@host:5432/database")
    return found


def run_named(what: str, log: LogReader) -> RunSummary | None:
    """The run of this id, `latest` the newest; None if there is none."""
    if what == LATEST:
        return next((run for run in log.runs() if not run.is_idle), None)
    return log.run(what)


def unknown(what: str, log: LogReader, kind: str) -> SandboxError:
    """The error for a word that names nothing of this kind; for a delivery of a damaged run, its damage."""
    damaged = log.run(what.rpartition(".")[0])
    if damaged is not None and damaged.problems:
        return damaged.problems[0]
    newest = [run.id for run in log.runs() if not run.is_idle][:3]
    known = f"the newest runs are {', '.join(newest)}" if newest else "nothing was sent yet"
    return UsageError(f"there is no {kind} {what!r} in the log", mend=known)
