"""One probe without a browser: the receiver, the log, the probe, what is kept of it, the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from retailops_sandbox import diagnostics
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import Clock, Options
from retailops_sandbox.engine import Transport as TransportPort
from retailops_sandbox.errors import FileError, SandboxError
from retailops_sandbox.model import Receiver
from retailops_sandbox.probe.keeping import KeptReports
from retailops_sandbox.probe.probing import ProbeOptions, ProbeOutline, ProbeProgress, Prober
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.runlog.opening import logged_run, open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import SystemClock, build_ports
from retailops_sandbox.session.signals import stopping
from retailops_sandbox.session.stand_in import reachable
from retailops_sandbox.session.waiting import wait_for_receiver
from retailops_sandbox.transport import Transport
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.runlog.ports import RunWriter

_logger = diagnostics.logger(__name__)

CHECK_REQUESTS = 150
"""About how many requests a short probe sends."""


class ProbeSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What is probed, and how."""

    workspace: Workspace
    contract: Contract
    options: Options
    probe: ProbeOptions
    environment: Mapping[str, str]
    policy: SecretPolicy
    baseline: ProbeReport | None = None
    """The report to compare with; the newest of the same receiver where there is none."""
    wait: float = 0.0
    """Seconds to wait until the receiver's port answers."""
    notice: Callable[[str], None] = _logger.warning
    """Takes a line for users about a log that cannot be reached."""


class FinishedProbe(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that has ended."""

    report: ProbeReport
    interrupted: bool = False
    waited_in_vain: bool = False
    unwritten: tuple[SandboxError, ...] = ()
    """Why the log, or the workspace's report, is not whole."""


def prober_and_log(
    setup: ProbeSetup, receiver: Receiver, transport: TransportPort, clock: Clock
) -> tuple[Prober, RunWriter]:
    """The prober of a reachable receiver, and the log of its run. Nothing is written before the log begins.

    Raises UsageError for a protected receiver that is not confirmed, and for one that cannot be called.
    """
    info = new_run("probe", clock.now(), receiver, scenarios=len(setup.probe.scenarios))
    log = open_run(setup.workspace.log_place, info, lambda: setup.workspace.contracts, setup.notice)
    ports = build_ports(setup.workspace, transport, log, setup.environment, setup.policy)
    options = msgspec.structs.replace(setup.options, receiver=receiver)
    given, kept = setup.baseline, KeptReports(setup.workspace)
    earlier = kept.before if given is None else lambda report: given
    probe = msgspec.structs.replace(setup.probe, earlier=earlier)
    return Prober(setup.contract, ports, options, probe, info), log


def quick_check(setup: ProbeSetup, plans: Sequence[Plan]) -> ProbeSetup:
    """A short probe, and before it those of some scenarios that are all about the contract."""
    contract = (setup.contract.action, setup.contract.edition)
    fit = [plan for plan in plans if plan.scenario.contracts == [contract]]
    probe = msgspec.structs.replace(setup.probe, scenarios=fit, max_requests=CHECK_REQUESTS)
    return msgspec.structs.replace(setup, probe=probe)


def outline(setup: ProbeSetup) -> ProbeOutline:
    """What a probe would send. Nothing is sent or written."""
    return _unsent(setup).outline()


def last_report(setup: ProbeSetup) -> ProbeReport | None:
    """The newest report of the receiver, action and edition that had a baseline; None where none is kept."""
    return KeptReports(setup.workspace).before(_unsent(setup).begun)


def _unsent(setup: ProbeSetup) -> Prober:
    """A prober that is only asked what it would do."""
    receiver = setup.options.receiver
    if receiver.stand_in:
        # It has no port before it is started.
        receiver = msgspec.structs.replace(receiver, base_url=f"http://127.0.0.1{receiver.base_url}")
    confirmed = msgspec.structs.replace(setup.options, confirmed=True)
    setup = msgspec.structs.replace(setup, options=confirmed)
    prober, _ = prober_and_log(setup, receiver, Transport(), SystemClock())
    return prober


def execute(
    setup: ProbeSetup,
    on_progress: Callable[[ProbeProgress], None],
    in_loop: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run,
) -> FinishedProbe:
    """Probe to the end, and keep the report.

    Ctrl-C or SIGTERM stops the probe, and it still reports; at a second one it ends with KeyboardInterrupt.
    `in_loop` runs a coroutine.
    """
    finished: list[FinishedProbe] = []

    async def main() -> None:
        # Not returned: asyncio formats its main task with the result when it removes its signal handler.
        finished.append(await _execute(setup, on_progress))

    try:
        in_loop(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return finished[0]


async def _execute(setup: ProbeSetup, on_progress: Callable[[ProbeProgress], None]) -> FinishedProbe:
    clock = SystemClock()
    reached = reachable(setup.options.receiver, lambda: setup.workspace.contracts)
    async with reached as (receiver, _), Transport() as transport:
        prober, log = prober_and_log(setup, receiver, transport, clock)
        with stopping(prober.stop) as stopped:
            waited_in_vain = bool(setup.wait) and not await wait_for_receiver(
                receiver, setup.options.variables, setup.environment, setup.wait, stopped
            )
            log.begin()
            unwritten: list[SandboxError] = []
            async with logged_run(
                log,
                clock.now,
                stopped=lambda: prober.stopped,
                unfinished=unwritten.append,
                in_thread=False,
            ):
                report = await prober.execute(on_progress)
            if prober.unwritten is not None:
                unwritten = [prober.unwritten]
            try:
                KeptReports(setup.workspace).save(report)
            except FileError as error:
                unwritten.append(error)
            return FinishedProbe(
                report=report,
                interrupted=stopped.is_set(),
                waited_in_vain=waited_in_vain,
                unwritten=tuple(unwritten),
            )
