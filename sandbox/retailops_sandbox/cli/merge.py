"""`merge`: makes one run of the run files of its shards, and reports it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from retailops_sandbox.cli.options import file_reports, found_workspace, log_options, reports_asked_for
from retailops_sandbox.cli.output import complain, note
from retailops_sandbox.cli.screen import Screen
from retailops_sandbox.errors import UsageError
from retailops_sandbox.reporting import reporters


@click.command("merge")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The run file to write."
)
@file_reports
@click.option("-v", "--verbose", is_flag=True, help="Show each delivery, also where it passed.")
@log_options
def command(
    files: tuple[Path, ...], output: Path | None, verbose: bool, workspace: str | None, **given: Any
) -> None:
    """Make one run of the run files that `run --shard` wrote, and report it as `run` does.

    The exit code is that of the whole run; 2 where a shard is missing, damaged or did not end.
    """
    from retailops_sandbox.reporting.reporters.files import check
    from retailops_sandbox.runlog.opening import shard_files
    from retailops_sandbox.session import merging
    from retailops_sandbox.session.exit_code import exit_code

    asked = reports_asked_for(given)
    if output is not None:
        if reporters.RUN_FILE in asked:
            option = reporters.RUN_FILE.option
            raise UsageError(f"-o and {option} both name the run file", mend="leave one out")
        asked[reporters.RUN_FILE] = output
    check({"-o" if file is output else report.option: file for report, file in asked.items()})
    folder = found_workspace(workspace)
    with shard_files(files) as shards:
        for each in shards.notes:
            note(each)
        if shards.refusals or shards.are_none:
            for error in (*shards.problems, *shards.refusals):
                complain(f"error: {error}")
            complain("nothing was merged")
            sys.exit(2)
        screen = Screen(sys.stdout, os.environ, scenarios=shards.results, verbose=verbose, progress=False)
        written = [report.reporter(file) for report, file in asked.items()]
        with screen:
            finished = merging.merge(shards, folder, [*written, *screen.reporters], note)
        for unwritten in finished.unwritten:
            complain(f"error: {unwritten}")
    sys.exit(exit_code(finished))
