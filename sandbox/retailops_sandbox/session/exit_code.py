"""The exit code of a run, and of a probe."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from retailops_sandbox.model import Verdict
from retailops_sandbox.reporting.reporters.reporter import FinishedRun

if TYPE_CHECKING:
    from retailops_sandbox.errors import SandboxError
    from retailops_sandbox.probe.failing import FailOn
    from retailops_sandbox.session.probing import FinishedProbe


def exit_code(run: FinishedRun) -> int:
    """The first that applies: 130 interrupted, 2 not read or written, 3 only faults, 1 failed, 5 unjudged.

    Where nothing was judged in a shard of several, it ends with 0: others may have judged, as `merge` says.
    """
    steps = [step for result in run.results for step in result.steps]
    code = exit_code_of(
        {step.verdict for step in steps},
        sent=sum(step.sent for step in steps),
        faults=sum(step.faults for step in steps if step.verdict == "errored"),
        interrupted=run.interrupted,
        lost=bool(run.unreadable or run.incomplete or run.unwritten)
        or any(step.unreadable for step in steps),
    )
    is_part = run.info.shard is not None and run.info.shard.count > 1
    return 0 if code == 5 and is_part else code


def exit_code_of(
    verdicts: Collection[Verdict], *, sent: int, faults: int, interrupted: bool, lost: bool
) -> int:
    """The exit code of steps with these verdicts.

    `faults` is the number of deliveries, of those sent, by whose faults steps errored; `lost` says that
    something could not be read or written.
    """
    if interrupted:
        return 130
    if lost:
        return 2
    if sent and faults == sent:
        return 3
    if "failed" in verdicts or "errored" in verdicts:
        return 1
    return 0 if "passed" in verdicts else 5


def exit_code_of_probe(
    probe: FinishedProbe, fail_on: Collection[FailOn], *, unwritten: Sequence[SandboxError] = ()
) -> int:
    """The first that applies: 130 interrupted, 2 not written, 3 only faults, 5 no baseline, 1 failed."""
    from retailops_sandbox.probe.failing import failing

    report = probe.report
    if probe.interrupted:
        return 130
    if unwritten or probe.unwritten:
        return 2
    if report.requests and report.faults == report.requests:
        return 3
    if report.baseline:
        return 5
    return 1 if failing(report, fail_on) else 0
