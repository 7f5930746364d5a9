"""From the options of `run` and `send` to a run, and its exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import msgspec

from retailops_sandbox.cli.log_level import diagnosing, known_secrets
from retailops_sandbox.cli.options import (
    assignment,
    check_receiver,
    chosen_receiver,
    current_settings,
    reports_asked_for,
    table,
)
from retailops_sandbox.cli.output import complain, note, say
from retailops_sandbox.cli.screen import Screen
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import RunKind
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import receivers
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.receivers import ReceiverBook
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.cli.accept import Acceptance
    from retailops_sandbox.engine import Options
    from retailops_sandbox.reporting.reporters.reporter import FinishedRun
    from retailops_sandbox.scenarios.sharding import Part


class Found(msgspec.Struct, frozen=True):
    """The scenarios that a command line means."""

    plans: list[Plan]
    count: int
    """The number of all scenarios in the files, also of those that are not meant."""
    unreadable: list[SandboxError]


class Chosen(msgspec.Struct, frozen=True):
    """The plans of a run, and the number of those that are left out of it."""

    plans: list[Plan]
    left_out: int = 0
    part: Part | None = None
    """What the plans are of a run that is divided into shards; None of a whole run."""

    def numbered(self, options: Options) -> Options:
        """The options under which the plans have the `${sequence}` that they have in the whole run."""
        if self.part is None:
            return options
        return msgspec.structs.replace(options, sequences=self.part.sequences)


Choose: TypeAlias = "Callable[[Options], Chosen]"
"""Chooses the plans of a run when its receiver is known."""


def execute(workspace: Workspace, choose: Choose, unreadable: list[SandboxError], **given: Any) -> NoReturn:
    """Run the chosen plans as the options say, print and report, and leave with the exit code."""
    from retailops_sandbox.session.exit_code import exit_code

    finished = run_once(workspace, choose, unreadable, **given)
    code = exit_code(finished)
    steps = [step for result in finished.results for step in result.steps]
    if code == 0 and steps and not any(step.verdict == "passed" for step in steps):
        note("this shard judged nothing; `merge` tells whether the whole run did")
    sys.exit(code)


def run_once(
    workspace: Workspace,
    choose: Choose,
    unreadable: list[SandboxError],
    *,
    jobs: int | None,
    kind: RunKind,
    wait: float,
    verbose: bool,
    max_failures: int | None = None,
    acceptance: Acceptance | None = None,
    log_level: str | None = None,
    in_loop: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run,
    **given: Any,
) -> FinishedRun:
    """Run the chosen plans as the options say, print and report."""
    from retailops_sandbox.engine import require_yes
    from retailops_sandbox.reporting.reporters import files
    from retailops_sandbox.session import run

    asked = reports_asked_for(given)
    chosen = current_settings()
    book = workspace.receivers()
    options = sending(book, chosen, jobs, max_failures=max_failures, **given)
    require_yes(options.receiver, confirmed=options.confirmed, mend="give --yes if you mean it")
    files.check({report.option: file for report, file in asked.items()})
    selection = choose(options)
    options = selection.numbered(options)
    environment = settings.readable(os.environ)
    policy = SecretPolicy(environment, receivers=book.receivers, named=chosen.secret_env)
    setup = run.RunSetup(
        workspace=workspace,
        plans=selection.plans,
        unreadable=unreadable,
        options=options,
        environment=environment,
        policy=policy,
        kind=kind,
        wait=wait,
        notice=note,
        shard=selection.part.shard if selection.part is not None else None,
    )
    reporters = [report.reporter(file) for report, file in asked.items()]
    if acceptance is not None:
        reporters.append(acceptance)
    if log_level is not None:
        from retailops_sandbox.reporting.reporters.diagnostics import Diagnostics

        reporters.append(Diagnostics())
    screen = Screen(
        sys.stdout,
        os.environ,
        plans=selection.plans,
        verbose=verbose,
        left_out=selection.left_out,
        progress=log_level is None,
    )
    redact = known_secrets(options, environment, policy).plain
    with diagnosing(log_level, redact, workspace), screen:
        finished = run.execute(setup, [*reporters, *screen.reporters], screen.tick, in_loop)
    for error in finished.unwritten:
        complain(f"error: {error}")
    if finished.waited_in_vain:
        url = receivers.without_user(finished.receiver.base_url)
        complain(f"nothing listened at {url} within {wait:g} s")
    if acceptance is not None:
        finished = acceptance.accept(finished)
    return finished


def sending(
    book: ReceiverBook,
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
    """The engine's options, from the command line and the settings."""
    from retailops_sandbox.engine import Options

    receiver = chosen_receiver(book, chosen.receiver, **given)
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


def fitting_plans(
    plans: list[Plan], options: Options, actions: Collection[str], contracts: Contracts
) -> list[Plan]:
    """The plans that the receiver can answer; what is left out is said in one line."""
    from retailops_sandbox.session.fitting import editions_of, fitting

    environment = settings.readable(os.environ)
    speaks = editions_of(options.receiver, options.variables, environment, contracts)
    fits = fitting(plans, speaks.of_any_action() if actions else speaks)
    if fits.line:
        say(f"{fits.line}. Name their files, or give --action or --edition, to send them")
    return [*fits.plans]
