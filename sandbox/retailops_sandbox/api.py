"""For Python programs: a scenario run and judged, a receiver probed. `retailops_sandbox` exports them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.engine import Options, ScenarioResult, require_yes
from retailops_sandbox.errors import UsageError
from retailops_sandbox.probe.probes import Area
from retailops_sandbox.probe.probing import MAX_SECONDS, ProbeOptions
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import collect, probe_choices, probing, receivers, run
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
    _refuse_running_loop("run_scenario(scenario, receiver)")
    workspace = _workspace()
    environment = settings.readable(os.environ)
    options, policy = _sending(workspace, environment, receiver, token, variables, confirmed=confirmed)
    setup = run.RunSetup(
        workspace=workspace, plans=[scenario], options=options, environment=environment, policy=policy
    )
    finished = run.execute(setup, [])
    if finished.interrupted:
        raise KeyboardInterrupt
    if finished.unwritten:
        raise finished.unwritten[0]
    return finished.results[0]


def probe_receiver(
    receiver: str,
    *,
    action: str = "",
    edition: str = "",
    fixture: str = "",
    token: str = "",
    variables: Mapping[str, Any] | None = None,
    only: Collection[Area] = (),
    seed: int | None = None,
    orders: str = "",
    max_requests: int | None = None,
    max_seconds: float = MAX_SECONDS,
    confirmed: bool = False,
) -> ProbeReport:
    """Probe a receiver: find out what it does with what it may be sent, and log its deliveries.

    `receiver`, `token`, `variables` and `confirmed` are those of `run_scenario`; the others are the options
    of `retailops-sandbox probe`.

    Whatever the receiver does is in the report. SandboxError where nothing can be sent or logged.
    KeyboardInterrupt where Ctrl-C or SIGTERM stops the probe.
    """
    _refuse_running_loop("probe_receiver(receiver)")
    workspace = _workspace()
    environment = settings.readable(os.environ)
    options, policy = _sending(workspace, environment, receiver, token, variables, confirmed=confirmed)
    agreed = probe_choices.contract(
        workspace, options.receiver, options.variables, environment, action, edition
    )
    setup = probing.ProbeSetup(
        workspace=workspace,
        contract=agreed,
        options=options,
        probe=ProbeOptions(
            fixtures=probe_choices.fixtures(workspace, agreed, fixture),
            areas=probe_choices.areas(only),
            seed=seed,
            orders=probe_choices.orders(orders),
            max_requests=max_requests,
            max_seconds=max_seconds,
        ),
        environment=environment,
        policy=policy,
    )
    finished = probing.execute(setup, lambda _: None)
    if finished.interrupted:
        raise KeyboardInterrupt
    if finished.unwritten:
        raise finished.unwritten[0]
    return finished.report


def _sending(
    workspace: Workspace,
    environment: Mapping[str, str],
    receiver: str,
    token: str,
    variables: Mapping[str, Any] | None,
    *,
    confirmed: bool,
) -> tuple[Options, SecretPolicy]:
    """How to send, and what is secret; UsageError for a protected receiver that is not confirmed."""
    chosen = settings.read(environment, Path.cwd())
    book = workspace.receivers()
    target = receivers.named(book, receiver)
    if token:
        target = msgspec.structs.replace(target, token=token)
    require_yes(target, confirmed=confirmed, mend="give confirmed=True if you mean it")
    options = Options(
        receiver=target,
        jobs=1,
        retries=chosen.retries,
        variables={
            name: jsontext.from_python(value, f"/{jsontext.pointer.escape(name)}")
            for name, value in (variables or {}).items()
        },
        timeout_ms=chosen.timeout_ms,
        confirmed=confirmed,
    )
    return options, SecretPolicy(environment, receivers=book.receivers, named=chosen.secret_env)


def _workspace() -> Workspace:
    here = Path.cwd()
    return Workspace.find(None, os.environ, here, settings.read(os.environ, here).log)


def _refuse_running_loop(call: str) -> None:
    """Raise UsageError in a running event loop, which the call would block until its end."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    function, _, arguments = call.removesuffix(")").partition("(")
    raise UsageError(
        f"{function} blocks until its end, and an event loop is running here",
        mend=f"await asyncio.to_thread({function}, {arguments})",
    )
