"""JUnit XML: one testcase for each scenario; failures name step and pointer, faults are errors.

Only what the XSD of Jenkins allows: it has no `file` of a testcase, and wants its errors before its failures.
"""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import in_xml, quoted, visible
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.reporters import files
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter


class Report(Reporter):
    """Writes the report at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def finish(self, run: FinishedRun) -> None:
        files.write(self._file, document(run))


def document(run: FinishedRun) -> str:
    """The whole report as text; files that could not be read, and shards
    that a merged run lacks, are testcases with an error."""
    results = run.results
    broken = [
        *(_broken(error, error.file or "file", "unreadable") for error in run.unreadable),
        *(_broken(error, error.file or "shard", "incomplete") for error in run.incomplete),
    ]
    failures = sum(result.verdict == "failed" for result in results)
    errors = sum(result.verdict == "errored" for result in results) + len(broken)
    skipped = sum(result.verdict in ("skipped", "recorded") for result in results)
    tests = len(results) + len(broken)
    counts = f'tests="{tests}" failures="{failures}" errors="{errors}"'
    time = f'time="{run.seconds:.3f}"'
    timestamp = f"timestamp={_attribute(run.info.started_at[:19])}"
    head = f'name="retailops-sandbox" {counts} skipped="{skipped}" {time} {timestamp}'
    receiver = run.receiver
    properties = {"receiver": receiver.name, "stand_in": "true" if receiver.stand_in else "false"}
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="retailops-sandbox" {counts} {time}>',
            f"<testsuite {head}>",
            "<properties>",
            *(
                f"<property name={_attribute(name)} value={_attribute(text)}/>"
                for name, text in properties.items()
            ),
            "</properties>",
            *(_testcase(result) for result in results),
            *broken,
            "</testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _testcase(result: ScenarioResult) -> str:
    plan = result.plan
    head = (
        f"<testcase classname={_attribute(plan.id or 'send')} name={_attribute(plan.name)} "
        f'time="{result.seconds:.3f}"'
    )
    inner = _inside(result)
    return f"{head}>{inner}</testcase>" if inner else f"{head}/>"


def _inside(result: ScenarioResult) -> str:
    inner = ""
    if result.verdict in ("errored", "failed"):
        inner = "".join(
            _outcome(result, step)
            for verdict in ("errored", "failed")
            for step in result.steps
            if step.verdict == verdict
        )
    elif result.verdict in ("skipped", "recorded"):
        reason = next((step.reason for step in result.steps if step.reason), "nothing was expected")
        inner = f"<skipped>{in_xml(reason)}</skipped>"
    notes = [
        f"step {quoted(step.name)}: after {step.attempts} attempts"
        for step in result.steps
        if step.attempts > 1
    ]
    if said := lines.steps_repeated(result):
        notes.append(f"step {said}")
    for step in result.steps:
        if said := lines.remarks(step):
            notes.append(f"step {quoted(step.name)}: {said}")
    return f"{inner}<system-out>{in_xml(chr(10).join(notes))}</system-out>" if notes else inner


def _outcome(result: ScenarioResult, step: StepResult) -> str:
    said = lines.step(step)
    element = "failure" if step.verdict == "failed" else "error"
    kind = "difference" if step.verdict == "failed" else "fault" if step.faults else "not sent"
    message = f"step {quoted(step.name)}: {lines.headline(step)}"
    body = "\n".join(
        [f"{result.plan.place(step.number)} step {quoted(step.name)} {step.verdict}".strip(), *said]
    )
    return f"<{element} message={_attribute(message)} type={_attribute(kind)}>{in_xml(body)}</{element}>"


def _broken(error: SandboxError, name: str, kind: str) -> str:
    named = _attribute(name)
    return (
        f'<testcase classname={named} name={named} time="0">'
        f'<error message={_attribute(str(error))} type="{kind}"/></testcase>'
    )


def _attribute(text: str) -> str:
    return f'"{in_xml(visible(text))}"'
