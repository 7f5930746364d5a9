"""A probe compared with an earlier one of the same receiver."""

from __future__ import annotations

from msgspec.structs import replace

from retailops_sandbox.probe.report import ProbeReport


def compared(report: ProbeReport, earlier: ProbeReport) -> ProbeReport:
    """A report that says which findings are new, which are still there, and which are gone.

    A finding is gone only where the later probe tried what it is about: not where its area was left out.
    """
    known = {each.key for each in earlier.findings}
    found = {each.key for each in report.findings}
    tried = {score.area for score in report.areas if score.tried}
    return replace(
        report,
        findings=tuple(
            replace(each, state="still there" if each.key in known else "new") for each in report.findings
        ),
        gone=tuple(each.title for each in earlier.findings if each.key not in found and each.area in tried),
        compared_with=earlier.run,
    )
