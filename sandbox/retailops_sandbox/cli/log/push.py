"""`log push`: brings run files into the shared log."""

from __future__ import annotations

from pathlib import Path

import click

from retailops_sandbox.cli.log.names import shared_workspace
from retailops_sandbox.cli.options import log_options
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.opening import push_run_file, waiting_run_files
from retailops_sandbox.runlog.runs import PushedRun


@click.command("push")
@click.argument("files", nargs=-1, metavar="[FILE...]", type=click.Path(path_type=Path))
@log_options
def command(files: tuple[Path, ...], workspace: str | None) -> None:
    """Bring run files into the log in PostgreSQL: these, or all that wait for it in the workspace.

    Runs wait that went on while the database could not be reached. Any other run file may be brought in, too.
    What the log has already is left, so a file may be pushed again.
    """
    found = shared_workspace(workspace)
    place = found.log_place
    problems: list[FileError] = []
    paths = list(files)
    if not paths:
        paths, problems = waiting_run_files(place)
        if not paths and not problems:
            say("no run waits for the log")
    for path in paths:
        try:
            pushed = push_run_file(place, path, lambda: found.contracts)
            if pushed.added or pushed.is_new or not pushed.different:
                say(_line(pushed))
            if pushed.different:
                problems.append(_differs(pushed, path))
        except FileError as error:
            problems.append(error)
    for problem in problems:
        complain(f"error: {problem}")
    if problems:
        click.get_current_context().exit(2)


def _differs(pushed: PushedRun, path: Path) -> FileError:
    return FileError(
        f"{pushed.different:,} of its records are otherwise in the log, which was left as it is",
        file=str(path),
        mend="a run of this id is brought in once: the log, or this file, was changed by hand",
    )


def _line(pushed: PushedRun) -> str:
    if not pushed.added and not pushed.is_new:
        return f"{pushed.id}: the log has all of it already"
    records = f"{pushed.added:,} {'record' if pushed.added == 1 else 'records'}"
    return f"{pushed.id}: brought in, {records}"
