"""A probe as JUnit XML: a testcase for each probe, whose failures are the findings that it shows.

Only what the XSD of Jenkins allows, as of a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from retailops_sandbox.foreign_text import in_xml, visible
from retailops_sandbox.probe.failing import FAILS, FailOn, failing
from retailops_sandbox.probe.report import Finding, ProbeReport
from retailops_sandbox.reporting.probes import words


def document(report: ProbeReport, fail_on: Collection[FailOn] = FAILS) -> str:
    """The whole report as text. Only findings that `fail_on` names are failures; others are told beside."""
    cases = list(_cases(report, failing(report, fail_on)))
    failures = sum("<failure" in each for each in cases)
    errors = sum("<error" in each for each in cases)
    skipped = sum("<skipped" in each for each in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
    time = f'time="{report.seconds:.3f}"'
    head = f'{counts} skipped="{skipped}" {time} timestamp={_attribute(report.started_at[:19])}'
    properties = {
        "receiver": report.receiver,
        "stand_in": "true" if report.stand_in else "false",
        "url": report.url,
        "contract": f"{report.action} {report.edition}",
        "seed": str(report.seed),
        "orders": report.orders,
        "verdict": words.verdict(report).word,
    }
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="retailops-sandbox probe" {counts} {time}>',
            f'<testsuite name="retailops-sandbox probe" {head}>',
            "<properties>",
            *(
                f"<property name={_attribute(name)} value={_attribute(said)}/>"
                for name, said in properties.items()
            ),
            "</properties>",
            *cases,
            "</testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _cases(report: ProbeReport, failed: Collection[Finding]) -> Iterator[str]:
    """The testcases: the baseline, each probe, findings that no probe shows, and what was left out."""
    baseline = f'<error message={_attribute(report.baseline)} type="baseline"/>' if report.baseline else ""
    yield _case("baseline", "a valid request is accepted", baseline)
    shown = _by_probe(report)
    for probe, findings in shown.items():
        area, _, _ = probe.partition("/")
        yield _case(area, probe, _inside(findings, failed))
    told = {finding.key for findings in shown.values() for finding in findings}
    for finding in report.findings:
        if finding.key not in told:
            yield _case(finding.area, finding.title, _inside([finding], failed))
    for area, count in report.left_out.items():
        if count:
            yield _case(area, f"left out: {count:,}", "<skipped/>")
    if report.stopped:
        yield _case("end", "all was tried", f'<error message={_attribute(report.stopped)} type="stopped"/>')


def _by_probe(report: ProbeReport) -> dict[str, list[Finding]]:
    """The findings that each probe shows, in the order in which the probes were done."""
    shown: dict[str, dict[str, Finding]] = {each.probe: {} for each in report.done}
    for observation in report.observations:
        for finding in report.findings:
            if words.is_shown_by(finding, observation):
                shown.setdefault(observation.probe, {})[finding.key] = finding
    return {probe: list(findings.values()) for probe, findings in shown.items()}


def _case(area: str, name: str, inner: str) -> str:
    head = f'<testcase classname={_attribute(f"probe.{area}")} name={_attribute(name)} time="0"'
    return f"{head}>{inner}</testcase>" if inner else f"{head}/>"


def _inside(findings: Collection[Finding], failed: Collection[Finding]) -> str:
    failures = [_failure(each) for each in findings if each in failed]
    told = [f"{words.label(each)}: {each.title}: {each.evidence}" for each in findings if each not in failed]
    return "".join(failures) + (
        f"<system-out>{in_xml(chr(10).join(map(visible, told)))}</system-out>" if told else ""
    )


def _failure(finding: Finding) -> str:
    said = "\n".join(visible(f"{heading}: {text}") for heading, text in words.details(finding))
    return (
        f"<failure message={_attribute(finding.title)} type={_attribute(words.label(finding))}>"
        f"{in_xml(said)}</failure>"
    )


def _attribute(text: str) -> str:
    return f'"{in_xml(visible(text))}"'
