"""The exit code of a run."""

from __future__ import annotations

from retailops_sandbox.reporting.reporters.reporter import FinishedRun


def exit_code(run: FinishedRun) -> int:
    """The first that applies: 130 interrupted, 2 not read or written, 3 only faults, 1 failed, 5 unjudged."""
    steps = [step for result in run.results for step in result.steps]
    sent = sum(step.sent for step in steps)
    verdicts = {step.verdict for step in steps}
    if run.interrupted:
        return 130
    if run.unreadable or run.unwritten or any(step.unreadable for step in steps):
        return 2
    if sent and sum(step.faults for step in steps if step.verdict == "errored") == sent:
        return 3
    if verdicts & {"failed", "errored"}:
        return 1
    return 0 if "passed" in verdicts else 5
