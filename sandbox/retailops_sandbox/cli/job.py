"""From options to a job, and its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from retailops_sandbox.cli.options import assignment, check_receiver, chosen_receiver, here, table
from retailops_sandbox.cli.output import complain
from retailops_sandbox.cli.screen import Screen, tell_github
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import RunKind
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import receivers
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.cli.accept import Acceptance
    from retailops_sandbox.engine import Event, Options


def execute(
    workspace: Workspace,
    plans: list[Plan],
    unreadable: list[SandboxError],
    *,
    jobs: int | None,
    kind: RunKind,
    wait: float,
    verbose: bool,
    max_failures: int | None = None,
    left_out: int = 0,
    acceptance: Acceptance | None = None,
    **given: Any,
) -> None:
    """Run the plans as the options say, print and report, and leave with the exit code."""
    from retailops_sandbox.engine import require_yes
    from retailops_sandbox.reporting.reporters.files import Reports
    from retailops_sandbox.session import headless, ports

    reports = Reports(**{name: given.pop(name) for name in Reports.__struct_fields__})
    chosen = settings.read(os.environ, here())
    options = sending(workspace, chosen, jobs, max_failures=max_failures, **given)
    require_yes(options.receiver, confirmed=options.confirmed, mend="give --yes if you mean it")
    reports.check()
    environment = settings.readable(os.environ)
    job = headless.Job(
        workspace=workspace,
        plans=plans,
        unreadable=unreadable,
        options=options,
        environment=environment,
        policy=ports.secret_policy(workspace, environment, chosen.secret_env),
        kind=kind,
        wait=wait,
        reports=reports,
    )
    with Screen(sys.stdout, os.environ, plans=plans, verbose=verbose) as screen:
        listen = screen.on_event if acceptance is None else _both(screen.on_event, acceptance.on_event)
        outcome = headless.run(job, listen, screen.tick)
    screen.console.finish(
        outcome.results,
        unreadable,
        outcome.receiver,
        outcome.seconds,
        left_out=left_out,
        trends=outcome.trends,
    )
    for error in outcome.unwritten:
        complain(f"error: {error}")
    if outcome.waited_in_vain:
        complain(f"nothing listened at {receivers.without_user(outcome.receiver.base_url)} within {wait:g} s")
    tell_github(outcome, unreadable)
    if acceptance is not None:
        outcome, unwritten = acceptance.finish(outcome)
        unreadable = [*unreadable, *unwritten]
    sys.exit(headless.exit_code(outcome, unreadable))


def _both(one: Callable[[Event], None], other: Callable[[Event], None]) -> Callable[[Event], None]:
    def on_event(event: Event) -> None:
        one(event)
        other(event)

    return on_event


def sending(
    workspace: Workspace,
    chosen: settings.Settings,
    jobs: int | None,
    *,
    timeout: float | None,
    retries: int | None,
    variables: tuple[str, ...],
    confirmed: bool,
    max_failures: int | None = None,
    **given: Any,
) -> Options:
    """How to send, as the options and the settings say."""
    from retailops_sandbox.engine import Options

    receiver = chosen_receiver(workspace, chosen.receiver, **given)
    check_receiver(receiver)
    return Options(
        receiver=receiver,
        jobs=jobs or chosen.jobs,
        retries=chosen.retries if retries is None else retries,
        variables=table((assignment(each, "--var") for each in variables), "--var"),
        timeout_ms=int(timeout * 1000) if timeout else chosen.timeout_ms,
        confirmed=confirmed,
        max_failures=max_failures,
    )
