"""From options to a job, and its exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from sandbox import receivers, settings
from sandbox.cli.options import assignment, check_receiver, chosen_receiver, here, table
from sandbox.cli.output import complain, say
from sandbox.errors import FileError, SandboxError, UsageError
from sandbox.model import RunKind
from sandbox.scenario import Plan
from sandbox.workspace import Workspace, checked


def execute(
    workspace: Workspace,
    plans: list[Plan],
    unreadable: list[SandboxError],
    *,
    jobs: int | None,
    kind: RunKind,
    wait: float,
    junit_xml: Path | None,
    report_json: Path | None,
    verbose: bool,
    **given: Any,
) -> None:
    """Run the plans as the options say, print and report, and leave with the exit code."""
    from sandbox import headless
    from sandbox.engine import Options
    from sandbox.report.console import Console

    chosen = settings.read(os.environ, here())
    timeout = given.pop("timeout")
    retries = given.pop("retries")
    variables = table((assignment(each, "--var") for each in given.pop("variables")), "--var")
    confirmed = given.pop("confirmed")
    receiver = chosen_receiver(workspace, chosen.receiver, **given)
    check_receiver(receiver)
    if receiver.protected and not confirmed:
        raise UsageError(
            f"the receiver {receiver.name!r} is protected: nothing is sent without an explicit yes",
            mend="give --yes if you mean it",
        )
    options = Options(
        receiver=receiver,
        jobs=jobs or chosen.jobs,
        retries=chosen.retries if retries is None else retries,
        variables=variables,
        timeout_ms=int(timeout * 1000) if timeout else chosen.timeout_ms,
        confirmed=confirmed,
    )
    _check_reports([report for report in (junit_xml, report_json) if report is not None])
    console = Console(
        say,
        colour=_wants_colour(sys.stdout, os.environ),
        width=shutil.get_terminal_size((120, 24)).columns,
        verbose=verbose,
    )
    job = headless.Job(
        workspace=workspace,
        plans=plans,
        unreadable=unreadable,
        options=options,
        environment=settings.readable(os.environ),
        kind=kind,
        wait=wait,
        junit_xml=junit_xml,
        report_json=report_json,
    )
    outcome = headless.run(job, console.hear)
    console.finish(outcome.results, unreadable, outcome.receiver, outcome.seconds)
    if outcome.waited_in_vain:
        complain(f"nothing listened at {receivers.without_user(outcome.receiver.base_url)} within {wait:g} s")
    sys.exit(headless.exit_code(outcome, unreadable))


def _wants_colour(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """A terminal is coloured unless NO_COLOR, anything else only if FORCE_COLOR."""
    is_terminal = stream is not None and stream.isatty()
    return bool(environment.get("FORCE_COLOR")) or (is_terminal and not environment.get("NO_COLOR"))


def _check_reports(reports: list[Path]) -> None:
    """Before anything is sent: a report that cannot be written would come to light too late."""
    from sandbox.headless import is_special

    if len({os.path.realpath(report) for report in reports}) < len(reports):
        raise UsageError(f"--junit-xml and --report-json both name {reports[0]}", mend="name two files")
    for report in reports:
        if checked(Path.is_dir, report):
            raise FileError("is a folder", file=str(report), mend="name a file")
        # What is there and no file is written in place, anything else replaced in its folder.
        written = report if is_special(report) else Path(os.path.realpath(report)).parent
        if not checked(Path.exists, written):
            raise FileError(f"cannot be written: there is no folder {report.parent}", file=str(report))
        if not os.access(written, os.W_OK):
            raise FileError("cannot be written: permission denied", file=str(report))
