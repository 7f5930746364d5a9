"""Which findings fail a probe that nobody watches."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias, get_args

from retailops_sandbox.probe.report import Finding, ProbeReport

FailOn: TypeAlias = Literal["contract", "server", "documentation", "advice", "any", "new", "none"]
"""What a probe fails on: findings of a label, of a receiver that fails as a server, new ones, any or none."""
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)
FAILS: tuple[FailOn, ...] = ("contract", "server")
"""What a probe fails on unless told."""


def failing(report: ProbeReport, fail_on: Collection[FailOn] = FAILS) -> tuple[Finding, ...]:
    """The findings that one of these words names.

    Where there was nothing to compare with, each finding is new.
    """
    return tuple(each for each in report.findings if any(_is_named(each, word) for word in fail_on))


def _is_named(finding: Finding, word: FailOn) -> bool:
    if word == "server":
        return finding.server
    if word == "new":
        return finding.state in (None, "new")
    return word == "any" or word == finding.label
