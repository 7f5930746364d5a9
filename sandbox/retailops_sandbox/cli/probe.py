"""`probe`: finds out whether a receiver is fit for production."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retailops_sandbox.cli.log_level import diagnosing, known_secrets, log_level_option
from retailops_sandbox.cli.options import Seconds, current_settings, found_workspace, probing_options
from retailops_sandbox.cli.output import complain, note, show
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.probe.failing import FAIL_ON, FAILS, FailOn
from retailops_sandbox.probe.probes import AREAS, SENT_AREAS, Area
from retailops_sandbox.session.streams import write_out
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retailops_sandbox.model import Delivery
    from retailops_sandbox.probe.report import ProbeReport
    from retailops_sandbox.reporting.probes.progress import ProbeProgressLine
    from retailops_sandbox.session.probing import FinishedProbe, ProbeSetup

_FILE = click.Path(path_type=Path)


@click.command("probe")
@probing_options
@click.option("--action", help="By default that of the receiver's URL.")
@click.option("--edition", help="By default the one that the receiver speaks, else the action's first.")
@click.option("--fixture", metavar="NAME", help="The valid payload to begin with; default unless told.")
@click.option(
    "--only",
    "areas",
    multiple=True,
    type=click.Choice(SENT_AREAS),
    metavar="AREA",
    help=f"Only this area, or another: {', '.join(SENT_AREAS)}.",
)
@click.option("--check", is_flag=True, help="A short probe, after the scenarios that ship.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Makes the same requests again.")
@click.option(
    "--orders",
    metavar="FIRST-LAST",
    help="The ids of the orders that it is about; 9 and eight digits unless told.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(min=1),
    metavar="N",
    help="About so many, a sample that covers every field and every kind.",
)
@click.option("--max-time", type=Seconds(1), metavar="SECONDS", help="The longest it takes; 90 unless told.")
@click.option("--resume", is_flag=True, help="Go on with the last probe of the receiver.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, send nothing.")
@click.option("--baseline", type=_FILE, metavar="FILE", help="Compare with this --report-json.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAIL_ON),
    metavar="WHAT",
    default=FAILS,
    help=f"What ends with exit code 1: {', '.join(FAIL_ON)}; {' and '.join(FAILS)} unless told.",
)
@click.option("--junit-xml", type=_FILE, metavar="FILE", help="Write JUnit XML.")
@click.option("--report-json", type=_FILE, metavar="FILE", help="Write the report, for --baseline.")
@click.option("--report-html", type=_FILE, metavar="FILE", help="Write a page that opens offline.")
@log_level_option
def command(
    fail_on: tuple[FailOn, ...],
    dry_run: bool,
    junit_xml: Path | None,
    report_json: Path | None,
    report_html: Path | None,
    log_level: str | None,
    **given: Any,
) -> None:
    """Find out what a receiver does with what it may be sent: broken payloads, repetitions, odd transport.

    It begins with a valid request that the receiver accepts, and stops where there is none.

    Exit code: 0 nothing that --fail-on names was found, 1 something was, 2 usage or an unreadable file,
    3 only faults, 5 no valid request was accepted, 130 interrupted.
    """
    if "none" in fail_on and len(fail_on) > 1:
        raise UsageError("--fail-on none excludes the others", mend="give it alone")
    workspace = found_workspace(given.pop("workspace"))
    files = {"--junit-xml": junit_xml, "--report-json": report_json, "--report-html": report_html}
    asked = {option: file for option, file in files.items() if file is not None}
    if dry_run and asked:
        raise UsageError(f"--dry-run sends nothing, so there is nothing for {' and '.join(asked)} to report")
    setup = _setup(workspace, **given)
    redact = known_secrets(setup.options, setup.environment, setup.policy).plain
    with diagnosing(log_level, redact, workspace):
        if dry_run:
            _outlined(setup)
            # Nothing was judged, and a --dry-run that was left in a job must not make it green.
            sys.exit(5)
        sys.exit(_probe(setup, asked, fail_on, is_logging=log_level is not None))


def _setup(
    workspace: Workspace,
    *,
    action: str | None,
    edition: str | None,
    fixture: str | None,
    areas: tuple[Area, ...],
    check: bool,
    seed: int | None,
    orders: str | None,
    max_requests: int | None,
    max_time: float | None,
    resume: bool,
    baseline: Path | None,
    wait: float,
    confirmed: bool,
    variables: tuple[str, ...],
    **chosen_by: Any,
) -> ProbeSetup:
    """What is probed, and how, as the options and the settings say."""
    from retailops_sandbox.cli.job import sending
    from retailops_sandbox.probe.keeping import read_report
    from retailops_sandbox.probe.probing import MAX_SECONDS, ProbeOptions
    from retailops_sandbox.redaction import SecretPolicy
    from retailops_sandbox.session import probe_choices, probing

    environment = settings.readable(os.environ)
    chosen = current_settings()
    book = workspace.receivers()
    options = sending(
        book, chosen, 1, timeout=None, retries=0, variables=variables, confirmed=confirmed, **chosen_by
    )
    contract = probe_choices.contract(
        workspace, options.receiver, options.variables, environment, action or "", edition or ""
    )
    compared = None if baseline is None else read_report(baseline)
    probe = ProbeOptions(
        fixtures=probe_choices.fixtures(workspace, contract, fixture or ""),
        areas=probe_choices.areas(areas),
        seed=seed,
        max_requests=max_requests,
        max_seconds=max_time or MAX_SECONDS,
        orders=probe_choices.orders(orders or ""),
    )
    setup = probing.ProbeSetup(
        workspace=workspace,
        contract=contract,
        options=options,
        probe=probe,
        environment=environment,
        policy=SecretPolicy(environment, receivers=book.receivers, named=chosen.secret_env),
        baseline=compared and probe_choices.comparable(compared, contract, str(baseline)),
        wait=wait,
        notice=note,
    )
    if resume:
        named = {"--seed": seed, "--orders": orders, "--only": areas, "--check": check}
        setup = _resumed(setup, [option for option, value in named.items() if value not in (None, False, ())])
    elif check:
        setup = _check(setup, max_requests)
    return setup if setup.probe.seed is not None else _as_before(setup)


def _as_before(setup: ProbeSetup) -> ProbeSetup:
    """The probe with the seed of the one that it is compared with, so that both send alike."""
    import msgspec

    from retailops_sandbox.session.probing import last_report

    compared = setup.baseline or last_report(setup)
    if compared is None:
        return setup
    return msgspec.structs.replace(setup, probe=msgspec.structs.replace(setup.probe, seed=compared.seed))


def _check(setup: ProbeSetup, max_requests: int | None) -> ProbeSetup:
    """The short probe, after the scenarios that ship."""
    if max_requests is not None:
        raise UsageError("--check says how many requests it sends", mend="leave --max-requests out")
    from retailops_sandbox.session import probe_choices, probing

    return probing.quick_check(setup, probe_choices.shipped_plans())


def _resumed(setup: ProbeSetup, excluded: list[str]) -> ProbeSetup:
    """The probe that goes on where the last one of the receiver ended."""
    import msgspec

    from retailops_sandbox.session.probing import last_report

    if excluded:
        raise UsageError(
            f"--resume goes on as the probe began, without {' and '.join(excluded)}", mend="leave one out"
        )
    last = last_report(setup)
    if last is None:
        raise UsageError("there is no probe of this receiver to go on with", mend="leave --resume out")
    if not last.stopped and not any(last.left_out.values()):
        raise UsageError("the last probe of this receiver left nothing out", mend="leave --resume out")
    probe = msgspec.structs.replace(
        setup.probe,
        areas=last.areas_wanted or AREAS,
        seed=last.seed,
        orders=last.orders,
        resumed=last,
    )
    return msgspec.structs.replace(setup, probe=probe)


def _outlined(setup: ProbeSetup) -> ProbeSetup:
    """Say what will be sent; returns the probe that sends just that."""
    import msgspec

    from retailops_sandbox.cli.screen import page_width
    from retailops_sandbox.reporting.probes import console
    from retailops_sandbox.session import probing

    planned = probing.outline(setup)
    for line in console.outline(planned, setup.contract, setup.options.receiver, width=page_width()):
        show(line)
    probe = msgspec.structs.replace(setup.probe, seed=planned.seed, orders=planned.orders, made=planned.made)
    return msgspec.structs.replace(setup, probe=probe)


def _probe(
    setup: ProbeSetup, asked: Mapping[str, Path], fail_on: tuple[FailOn, ...], *, is_logging: bool
) -> int:
    """Probe, print and report; returns the exit code."""
    from retailops_sandbox.cli.screen import page_width, wants_colour
    from retailops_sandbox.engine import require_yes
    from retailops_sandbox.reporting.probes import console
    from retailops_sandbox.reporting.reporters import files
    from retailops_sandbox.session import probing
    from retailops_sandbox.session.exit_code import exit_code_of_probe

    options = setup.options
    require_yes(options.receiver, confirmed=options.confirmed, mend="give --yes if you mean it")
    files.check(asked)
    setup = _outlined(setup)
    line = None if is_logging else _progress_line()
    try:
        finished = probing.execute(setup, line.on_progress if line is not None else lambda _: None)
    finally:
        if line is not None:
            line.end()
    if finished.waited_in_vain:
        complain(f"nothing listened at {finished.report.url} within {setup.wait:g} s")
    for text in console.text(
        finished.report,
        width=page_width(),
        colour=wants_colour(sys.stdout, os.environ),
        fail_on=fail_on,
    ):
        show(text)
    unwritten = [*finished.unwritten, *_reports(setup.workspace, finished, asked, fail_on)]
    for error in unwritten:
        complain(f"error: {error}")
    return exit_code_of_probe(finished, fail_on, unwritten=unwritten)


def _progress_line() -> ProbeProgressLine | None:
    """The line at the bottom of a terminal; None where nobody watches."""
    from retailops_sandbox.cli.screen import is_watched, page_width

    if not is_watched(sys.stdout, os.environ):
        return None
    from retailops_sandbox.reporting.probes.progress import ProbeProgressLine

    return ProbeProgressLine(
        lambda text: write_out(text, flush=True), width=page_width, seconds=time.perf_counter
    )


def _reports(
    workspace: Workspace, finished: FinishedProbe, asked: Mapping[str, Path], fail_on: tuple[FailOn, ...]
) -> list[SandboxError]:
    """Write the reports that are asked for; returns the errors of those that could not be written."""
    from retailops_sandbox.reporting.reporters import files

    report = finished.report

    def junit() -> str:
        from retailops_sandbox.reporting.probes import junit

        return junit.document(report, fail_on)

    def json() -> str:
        from retailops_sandbox.probe.keeping import spelled

        return spelled(report)

    def html() -> str:
        from retailops_sandbox.reporting.probes import html

        return html.document(report, _evidence(workspace, report))

    made: dict[str, Callable[[], str]] = {"--junit-xml": junit, "--report-json": json, "--report-html": html}
    errors: list[SandboxError] = []
    for option, file in asked.items():
        try:
            files.write(file, made[option]())
        except SandboxError as error:
            errors.append(error)
    return errors


def _evidence(workspace: Workspace, report: ProbeReport) -> dict[str, Delivery]:
    """The smallest request of each finding and its answer, as the log keeps them, by id."""
    from retailops_sandbox.cli.log.names import log_of

    log = log_of(workspace)
    entries = (log.delivery(each.smallest.delivery) for each in report.findings if each.smallest.delivery)
    return {entry.delivery.id: entry.delivery for entry in entries if entry is not None}
