"""`check`: checks scenario files, fixtures and expectations without sending, as before a commit."""

from __future__ import annotations

import os
import sys

import click

from retailops_sandbox.cli.options import assignment, here, table, variables_option, workspace_option
from retailops_sandbox.cli.output import complain, is_github, say
from retailops_sandbox.session.streams import write_out
from retailops_sandbox.workspace.workspace import Workspace


@click.command("check")
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@click.option(
    "--whole",
    is_flag=True,
    help="Check the whole workspace too, whatever files are named; one without files is no mistake.",
)
@variables_option
@workspace_option
def command(paths: tuple[str, ...], whole: bool, variables: tuple[str, ...], workspace: str | None) -> None:
    """Check scenario files, fixtures and expectations; the workspace's where none are named. Send nothing.

    Each mistake is one line with its file, line and pointer. Variables of the environment may be missing.

    Exit code: 0 all is right, 1 a payload breaks its contract, 2 usage, or something cannot be read or
    composed, 5 nothing was found.
    """
    from retailops_sandbox.session import file_check

    folder = Workspace.find(workspace, os.environ, here())
    given = table((assignment(each, "--var") for each in variables), "--var")
    checked = file_check.check(folder, paths, os.environ, given, whole=whole)
    for problem in checked.problems:
        say(problem.text)
    if checked.exit_code == 5:
        complain(f"no files to check in {', '.join(paths) or folder.root}")
        sys.exit(0 if whole else 5)
    counts = [f"{count:,} {file_check.NOUNS[kind][count != 1]}" for kind, count in checked.files.items()]
    mistakes = len(checked.problems)
    said = f"{mistakes:,} {'mistake' if mistakes == 1 else 'mistakes'}" if mistakes else "all right"
    say(f"checked {', '.join(counts) or 'no file'}: {said}")
    if is_github(os.environ):
        from retailops_sandbox.reporting.reporters import github

        root = os.environ.get("GITHUB_WORKSPACE") or os.getcwd()
        for problem in checked.problems:
            mark = github.annotation(
                problem.text, title="mistake", file=problem.file, line=problem.line, root=root
            )
            write_out(mark + "\n")
    sys.exit(checked.exit_code)
