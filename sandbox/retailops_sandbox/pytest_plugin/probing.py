"""A probe in a test: what `retailops.probe` does and gives."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

from retailops_sandbox.errors import UsageError
from retailops_sandbox.foreign_text import without_commands
from retailops_sandbox.probe import keeping
from retailops_sandbox.probe.failing import FAIL_ON, FAILS, FailOn, failing
from retailops_sandbox.probe.probes import Area
from retailops_sandbox.probe.probing import MAX_SECONDS, ProbeOptions
from retailops_sandbox.probe.report import Finding, ProbeReport
from retailops_sandbox.pytest_plugin.answers import Errored
from retailops_sandbox.pytest_plugin.session import Session
from retailops_sandbox.reporting.probes import console, words
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.session import probe_choices


class Probing(TypedDict, total=False):
    """The keyword arguments of a probe."""

    action: str
    edition: str
    """By default that of `--retailops-edition`, else one that the receiver speaks."""
    only: Collection[Area]
    seed: int | None
    orders: str
    """The range of order ids, `FIRST-LAST`."""
    max_requests: int | None
    max_seconds: float
    baseline: str | os.PathLike[str] | None
    """The file of a report to compare with."""


class ProbeResult:
    """The result of a probe: what was found."""

    def __init__(self, report: ProbeReport) -> None:
        self.report = report

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, worst first."""
        return self.report.findings

    def check(self, *fail_on: FailOn) -> ProbeResult:
        """Return this result if nothing was found that one of these words names.

        They are those of `--fail-on`, by default `contract` and `server`. Raises AssertionError with what was
        found; Errored where no valid request was accepted, so that nothing could be judged.
        """
        __tracebackhide__ = True
        if unknown := sorted(set(fail_on) - set(FAIL_ON)):
            raise UsageError(f"{unknown[0]!r} is nothing to fail on", mend=f"there are {', '.join(FAIL_ON)}")
        if self.report.baseline:
            raise Errored(lines.in_line(self.report.baseline))
        chosen = fail_on or FAILS
        if failing(self.report, chosen):
            raise AssertionError(f"{self._headline()}\n{self._text(chosen)}")
        return self

    def _headline(self) -> str:
        found = words.verdict(self.report)
        return lines.in_line(f"{found.word}: {found.sentence}")

    def _text(self, fail_on: Collection[FailOn]) -> str:
        width = shutil.get_terminal_size((120, 24)).columns
        told = console.text(self.report, width=width, colour=False, fail_on=fail_on)
        return without_commands("\n".join(told))

    def __str__(self) -> str:
        return self._text(FAILS)

    def __repr__(self) -> str:
        return f"<ProbeResult {self._headline()}>"


def probe(session: Session, fixture: str, given: Probing) -> ProbeResult:
    """Probe the receiver of a pytest process as the arguments of `retailops.probe` say."""
    action = given.get("action", "") or session.action
    edition = given.get("edition", "") or session.edition_of(action)
    agreed = session.workspace.contracts.load(action, edition)
    earlier = None
    if baseline := given.get("baseline"):
        earlier = probe_choices.comparable(keeping.read_report(Path(baseline)), agreed, str(baseline))
    options = ProbeOptions(
        fixtures=probe_choices.fixtures(session.workspace, agreed, fixture),
        areas=probe_choices.areas(given.get("only", ())),
        seed=given.get("seed", None if earlier is None else earlier.seed),
        orders=probe_choices.orders(given.get("orders", "")),
        max_requests=given.get("max_requests"),
        max_seconds=given.get("max_seconds", MAX_SECONDS),
        earlier=lambda _: earlier,
    )
    return ProbeResult(session.probe(agreed, options))
