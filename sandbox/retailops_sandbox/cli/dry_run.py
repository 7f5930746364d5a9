"""`run --dry-run`: prints the requests that would be sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from retailops_sandbox.cli.job import Choose, sending
from retailops_sandbox.cli.log_level import diagnosing, known_secrets
from retailops_sandbox.cli.options import current_settings, reports_asked_for
from retailops_sandbox.cli.output import show
from retailops_sandbox.engine import Options
from retailops_sandbox.engine.preview import Preview, preview
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.render import preview as report
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import ports
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace


def execute(
    workspace: Workspace,
    choose: Choose,
    unreadable: list[SandboxError],
    *,
    jobs: int | None,
    wait: float,
    verbose: bool,
    log_level: str | None,
    **given: Any,
) -> None:
    """Print what would be sent, send nothing, and leave with the exit code."""
    if asked := reports_asked_for(given):
        named = " and ".join(report.option for report in asked)
        raise UsageError(f"--dry-run judges nothing, so there is nothing for {named} to report")
    chosen = current_settings()
    book = workspace.receivers()
    options = sending(book, chosen, jobs, **given)
    chosen_plans = choose(options)
    options = chosen_plans.numbered(options)
    policy = SecretPolicy(os.environ, receivers=book.receivers, named=chosen.secret_env)
    with diagnosing(log_level, known_secrets(options, os.environ, policy).plain, workspace):
        previews = look(workspace, chosen_plans.plans, options, policy)
    for line in report.text(previews, unreadable, options.receiver):
        show(line)
    sys.exit(_exit_code(previews, unreadable))


def look(
    workspace: Workspace, plans: Sequence[Plan], options: Options, policy: SecretPolicy
) -> list[Preview]:
    """Preview what the plans would send; starts no stand-in."""
    receiver = options.receiver
    if receiver.stand_in:
        # The stand-in listens at a free port, which is not known before it starts.
        receiver = msgspec.structs.replace(receiver, base_url=f"http://stand-in{receiver.base_url}")
    sources = ports.build_sources(workspace, settings.readable(os.environ), policy)
    return list(preview(plans, sources, msgspec.structs.replace(options, receiver=receiver)))


def _exit_code(previews: Sequence[Preview], unreadable: Sequence[SandboxError]) -> int:
    """2 where something cannot be read or composed, 1 where a payload breaks its contract, else 5.

    Never 0: nothing was judged, and a --dry-run that was left in a job must not make it green.
    """
    if unreadable or any(each.mistake for each in previews):
        return 2
    return 1 if any(each.is_refused for each in previews) else 5
