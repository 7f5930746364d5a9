"""For Python programs: one scenario, run and judged. `retailops_sandbox` exports its functions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.engine import Options, ScenarioResult, require_yes
from retailops_sandbox.errors import UsageError
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import collect, receivers, run
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace


def load_scenario(path: str | os.PathLike[str]) -> Plan:
    """The scenario of a file, checked and ready to run.

    SandboxError for a file that cannot be read or is no scenario, with its line and pointer.
    """
    plans, unreadable = collect.read_plans([Path(path)], _workspace().scenario_id)
    if unreadable:
        raise unreadable[0]
    return plans[0]


def run_scenario(
    scenario: Plan,
    receiver: str,
    *,
    token: str = "",
    variables: Mapping[str, Any] | None = None,
    confirmed: bool = False,
) -> ScenarioResult:
    """Run a scenario against a receiver, log its deliveries, and judge the answers.

    `receiver` is a URL, or the name of a receiver of the workspace; `token` is the token of RetailOPS
    in edition v1; `variables` are values of placeholders; `confirmed` allows a protected receiver.

    Whatever the receiver does is in the result. SandboxError where nothing can be sent or logged.
    KeyboardInterrupt where Ctrl-C or SIGTERM stops the run.
    """
    _refuse_running_loop()
    workspace = _workspace()
    environment = settings.readable(os.environ)
    chosen = settings.read(environment, Path.cwd())
    book = workspace.receivers()
    target = receivers.named(book, receiver)
    if token:
        target = msgspec.structs.replace(target, token=token)
    require_yes(target, confirmed=confirmed, mend="give confirmed=True if you mean it")
    setup = run.RunSetup(
        workspace=workspace,
        plans=[scenario],
        options=Options(
            receiver=target,
            jobs=1,
            retries=chosen.retries,
            variables={
                name: jsontext.from_python(value, f"/{jsontext.pointer.escape(name)}")
                for name, value in (variables or {}).items()
            },
            timeout_ms=chosen.timeout_ms,
            confirmed=confirmed,
        ),
        environment=environment,
        policy=SecretPolicy(environment, receivers=book.receivers, named=chosen.secret_env),
    )
    finished = run.execute(setup, [])
    if finished.interrupted:
        raise KeyboardInterrupt
    if finished.unwritten:
        raise finished.unwritten[0]
    return finished.results[0]


def _workspace() -> Workspace:
    return Workspace.find(None, os.environ, Path.cwd())


def _refuse_running_loop() -> None:
    """Raise UsageError in a running event loop, which the run would block until its end."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        "run_scenario blocks until the run ends, and an event loop is running here",
        mend="await asyncio.to_thread(run_scenario, scenario, receiver)",
    )
