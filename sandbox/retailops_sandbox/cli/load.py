"""`load`: runs scenarios as the users of a load test."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from retailops_sandbox.cli import job
from retailops_sandbox.cli.options import Seconds, current_settings, found_workspace, probing_options
from retailops_sandbox.cli.output import complain, note
from retailops_sandbox.errors import UsageError
from retailops_sandbox.load.setup import LOCALHOST, MASTER_PORT, WEB_PORT
from retailops_sandbox.session import receivers
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.engine.preview import Preview
    from retailops_sandbox.scenarios.scenario import Plan

_FILE = click.Path(path_type=Path)
_FASTEST = 100
"""The most users that are started a second unless told: Locust warns of more."""
_NAMED = "named"
"""What is said for the orders that scenarios name."""
_OF_THE_MASTER = (
    *("--users", "--spawn-rate", "--time", "--rate", "--step-load", "--orders", "--collide"),
    *("--web", "--web-port", "--csv", "--html", "--json"),
)
"""What a worker is told by its master, or does not do."""
_PORT = click.IntRange(1, 65_535)


@click.command("load")
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@click.option(
    "--users",
    type=click.IntRange(min=1),
    metavar="N",
    help="Users at once; 10 unless told, with --rate and --step-load 15 for each scenario a second.",
)
@click.option(
    "--spawn-rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="R",
    help="Users started a second; up to 100 unless told.",
)
@click.option("--time", "seconds", type=Seconds(0.1), metavar="SECONDS", help="How long; 60 unless told.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="R",
    help="Hold a constant rate: so many scenarios a second.",
)
@click.option(
    "--step-load",
    metavar="FROM:TO:STEP[:SECONDS]",
    help="Hold rising rates, each for 30 seconds unless told, and find where answers change.",
)
@click.option(
    "--orders",
    metavar="FIRST-LAST",
    help="The ids that orders get, each once; 9 and eight digits unless told. named: scenarios keep theirs.",
)
@click.option("--collide", is_flag=True, help="Have two users at a time send about the same order.")
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Send from N processes of this machine."
)
@click.option("--master", is_flag=True, help="Be the master of workers on other machines.")
@click.option("--worker", is_flag=True, help="Be a worker: send what a master says.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="With --master: wait for so many workers.",
)
@click.option(
    "--master-host", default=LOCALHOST, metavar="HOST", help="Where the master listens, or is found."
)
@click.option(
    "--master-port", type=_PORT, default=MASTER_PORT, metavar="PORT", help="Its port; 5557 unless told."
)
@click.option("--web", is_flag=True, help="Serve Locust's page, on which tests are started.")
@click.option(
    "--web-port", type=_PORT, default=WEB_PORT, metavar="PORT", help="The page's port; 8089 unless told."
)
@click.option("--csv", metavar="PREFIX", default="", help="Write Locust's CSV files, whose names begin so.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write Locust's report.")
@click.option("--json", type=_FILE, metavar="FILE", help="Write Locust's statistics as JSON.")
@click.option("--timeout", type=Seconds(0.001), metavar="SECONDS", help="Per delivery.")
@probing_options
def command(
    paths: tuple[str, ...],
    users: int | None,
    spawn_rate: float | None,
    seconds: float | None,
    rate: float | None,
    step_load: str | None,
    orders: str | None,
    collide: bool,
    processes: int | None,
    master: bool,
    worker: bool,
    workers: int,
    master_host: str,
    master_port: int,
    web: bool,
    web_port: int,
    csv: str,
    html: Path | None,
    json: Path | None,
    **given: Any,
) -> None:
    """Run scenarios as the users of a load test, with Locust's statistics, page and reports.

    Every answer is judged as by `run`: a wrong answer is a failure with its differences, and so is a fault.
    The log keeps the first deliveries that failed, at most 100.

    Each scenario is about orders of its own. With --rate the report says which rate was reached. With
    --step-load one line says which rate the receiver holds, and what changes at the next.

    Exit code: 0 passed and held, 1 failed, errored or not held, 2 usage or a step that cannot be composed,
    3 only faults, 5 nothing was judged or a rate could not be measured, 130 interrupted.
    """
    if sum((bool(processes), master, worker)) > 1:
        raise UsageError("--processes, --master and --worker exclude each other", mend="give one of them")
    _refuse_meaningless(master=master, worker=worker, web=web, collides_alone=collide and users == 1)
    from retailops_sandbox.cli import dry_run
    from retailops_sandbox.cli.screen import is_watched
    from retailops_sandbox.engine import require_yes
    from retailops_sandbox.load import certain_orders, launching, order_need
    from retailops_sandbox.load.setup import LoadSetup
    from retailops_sandbox.redaction import SecretPolicy
    from retailops_sandbox.reporting.reporters import files
    from retailops_sandbox.session.ports import build_sources

    launching.require_locust()
    workspace = found_workspace(given.pop("workspace"))
    wait = given.pop("wait")
    chosen = current_settings()
    options = job.sending(workspace.receivers(), chosen, None, retries=0, **given)
    require_yes(options.receiver, confirmed=options.confirmed, mend="give --yes if you mean it")
    plans = _plans(workspace, paths)
    if not paths:
        plans = job.fitting_plans(plans, options, (), workspace.contracts)
    policy = SecretPolicy(os.environ, receivers=workspace.receivers().receivers, named=chosen.secret_env)
    for each in dry_run.look(workspace, plans, options, policy):
        _require_sending(each)
    asked_for = {"--html": html, "--json": json, "--csv": Path(f"{csv}_stats.csv") if csv else None}
    files.check({option: file for option, file in asked_for.items() if file is not None})
    sending = processes or (workers if master else 1)
    asked = LoadSetup(
        workspace=workspace.root,
        database=workspace.database,
        plans=tuple(plans),
        receiver=options.receiver,
        variables=options.variables,
        timeout_ms=options.timeout_ms,
        confirmed=options.confirmed,
        secret_env=chosen.secret_env,
        **_load(users, spawn_rate, seconds, rate, step_load, orders, collide, sending),
        role="master" if master else "worker" if worker else "alone",
        master_host=master_host,
        master_port=master_port,
        workers=workers,
        web_port=web_port if web else None,
        csv=csv,
        html=str(html or ""),
        json=str(json or ""),
        is_watched=is_watched(sys.stdout, os.environ),
    )
    if not worker:
        sources = build_sources(workspace, dict(os.environ), policy)
        order_need.check(asked, sources, workers=sending)
        if asked.orders is not None and (said := certain_orders.note(plans, sources)):
            note(said)
    environment = dict(settings.readable(os.environ))
    launch = launching.Launch(
        setup=asked,
        processes=processes or 0,
        contracts=lambda: workspace.contracts,
        environment=environment,
        wait=wait,
    )
    finished = launching.execute(launch)
    if finished.unreachable:
        url = receivers.without_user(options.receiver.base_url)
        if wait:
            complain(f"nothing listened at {url} within {wait:g} s")
        else:
            complain(f"nothing listens at {url} (start your receiver, or give --wait SECONDS)")
    sys.exit(finished.exit_code)


def _refuse_meaningless(*, master: bool, worker: bool, web: bool, collides_alone: bool) -> None:
    """Raise UsageError for an option that would change nothing."""
    context = click.get_current_context()
    given = {
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }
    meaningless = (
        (() if master else ("--workers",), "without --master", "leave it out, or give --master"),
        (
            () if master or worker else ("--master-host", "--master-port"),
            "without --master or --worker",
            "leave it out, or give one of these",
        ),
        (() if web else ("--web-port",), "without --web", "leave it out, or give --web"),
        (_OF_THE_MASTER if worker else (), "with --worker", "give it to the master"),
        (("--collide",) if collides_alone else (), "with one user", "give --users 2 or more"),
    )
    for options, where, mend in meaningless:
        for option in options:
            if option in given:
                raise UsageError(f"{option} has no meaning {where}", mend=mend)


def _load(
    users: int | None,
    spawn_rate: float | None,
    seconds: float | None,
    rate: float | None,
    step_load: str | None,
    orders: str | None,
    collide: bool,
    processes: int,
) -> dict[str, Any]:
    """How much is sent, how long, and about which orders."""
    from retailops_sandbox.load import pacing
    from retailops_sandbox.load.order_numbers import some_orders
    from retailops_sandbox.load.series import StepLoad
    from retailops_sandbox.probe.orders import OrderIds

    if rate and step_load:
        raise UsageError("--rate and --step-load exclude each other", mend="give one of them")
    if step_load and seconds:
        raise UsageError(
            "--time has no meaning with --step-load", mend="write the seconds behind it: FROM:TO:STEP:SECONDS"
        )
    steps = StepLoad.read(step_load) if step_load else None
    held = seconds or 60.0
    highest = steps.last if steps else rate or 0.0
    ids = None
    if orders != _NAMED:
        ids = OrderIds.read(orders) if orders else some_orders()
    count = users or (pacing.patient_users(highest, processes) if highest else 10)
    return {
        "users": count,
        "spawn_rate": spawn_rate or (0.0 if highest else float(min(count, _FASTEST))),
        "pace": count / highest if highest else 0.0,
        "seconds": held,
        "rate": rate or 0.0,
        "step_load": steps,
        "orders": ids,
        "collide": collide,
    }


def _plans(workspace: Workspace, paths: tuple[str, ...]) -> list[Plan]:
    """The scenarios that are meant. Raises the error of the first that cannot be read."""
    from retailops_sandbox.session.collect import collect, read_plans

    found, lost = collect(paths) if paths else workspace.scenarios_to_run()
    plans, broken = read_plans(found, workspace.scenario_id)
    for error in (*lost, *broken):
        raise error
    if not plans:
        where = ", ".join(paths) or str(workspace.root)
        raise UsageError(f"no scenario files in {where}", mend="name a scenario file, or a folder of them")
    return plans


def _require_sending(step: Preview) -> None:
    """Raise UsageError for a step that would send nothing: users would do it again and again."""
    if step.mistake:
        raise UsageError(f"step {step.step.name!r} of {step.plan.id} cannot be sent: {step.mistake}")
    if step.is_refused:
        first = step.violations[0]
        raise UsageError(
            f"step {step.step.name!r} of {step.plan.id} cannot be sent: "
            f"its payload breaks the contract at {first.pointer or '(the whole)'}: {first.message}",
            mend="correct it, or say off_contract",
        )
