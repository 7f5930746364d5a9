"""A probe compared with an earlier one of the same receiver, by what failed, not by how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from retailops_sandbox.probe.findings import CAUSES
from retailops_sandbox.probe.grouping import FAMILIES, SPORADIC
from retailops_sandbox.probe.kinds import kind_of
from retailops_sandbox.probe.report import Finding, Observation, ProbeReport, State

_ALIKE = {"foreign-association": "mixed-up"}
"""Kinds of one cause, of which now the one and now the other is seen."""
_AT_ONCE = "at-once"


class _Failure(NamedTuple):
    """What failed, and how."""

    cause: str
    """The kind, or the key of a finding whose kind has many causes at one place."""
    field: str
    what: str
    probe: str
    step: str

    @property
    def place(self) -> tuple[str, str]:
        """What was tried. What comes at once fails by chance at one of several trials."""
        return ("", _AT_ONCE) if self.what in FAMILIES[_AT_ONCE] else (self.field or self.probe, self.what)


class _Probed:
    """What one probe tried, and what failed in it."""

    def __init__(self, report: ProbeReport) -> None:
        self._report = report
        self._cells = {(cell.field, cell.what) for cell in report.cells}
        self._steps = {(each.probe, step) for each in report.done for step in each.steps}
        self._keys = {each.key for each in report.findings}
        self._kinds = {_kind(each.kind) for each in report.findings}
        self._failed: dict[tuple[str, str], set[str]] = {}
        for finding in report.findings:
            for each in self.failures(finding):
                self._failed.setdefault(each.place, set()).add(each.cause)

    def failures(self, finding: Finding) -> Iterator[_Failure]:
        """What a finding is the cause of."""
        cause = finding.key if kind_of(finding.kind).group_by == "print" else _kind(finding.kind)
        seen = [each for each in self._report.observations if _is_shown_by(finding, each)]
        for each in seen:
            yield _Failure(cause, each.field, each.what, each.probe, each.step)
        if not seen:
            for field in finding.fields or ("",):
                for what in finding.whats or ("",):
                    yield _Failure(cause, field, what, finding.smallest.probe, finding.smallest.step)

    def has_failed(self, failure: _Failure) -> bool:
        """Whether the same failed in the same way."""
        return failure.cause in self._failed.get(failure.place, set())

    def has_held(self, failure: _Failure) -> bool:
        """Whether the same was tried, and would have shown this failure: no worse one hid it."""
        if failure.field:
            is_tried = (failure.field, failure.what) in self._cells
        else:
            is_tried = (failure.probe, failure.step) in self._steps
        found = self._failed.get(failure.place, set())
        return is_tried and not any(each == failure.cause or _hides(each, failure.cause) for each in found)

    def has(self, finding: Finding) -> bool:
        """Whether the cause is one of this probe's, or follows from one of them, wherever it was seen."""
        if kind_of(finding.kind).group_by == "kind":
            kinds = {_kind(finding.kind), *CAUSES.get(finding.kind, ())}
            return bool(self._kinds & kinds)
        is_by_chance = finding.key.endswith(f" {SPORADIC}")
        return finding.key in self._keys and (is_by_chance or kind_of(finding.kind).group_by == "print")


def compared(report: ProbeReport, earlier: ProbeReport) -> ProbeReport:
    """A report that says which findings are new, which are still there, and which are gone.

    New is only what was tried before and held, and gone only what was tried again and held: a sample may
    try other requests, and what is seen of a receiver that gets better may be told in other words.
    """
    now, before = _Probed(report), _Probed(earlier)
    return replace(
        report,
        findings=tuple(replace(each, state=_state(each, now, before)) for each in report.findings),
        gone=tuple(each.title for each in earlier.findings if _is_gone(each, now, before)),
        compared_with=earlier.run,
    )


def _state(finding: Finding, now: _Probed, before: _Probed) -> State:
    if before.has(finding):
        return "still there"
    failures = list(now.failures(finding))
    if any(map(before.has_held, failures)):
        return "new"
    return "still there" if any(map(before.has_failed, failures)) else "not tried before"


def _is_gone(finding: Finding, now: _Probed, before: _Probed) -> bool:
    if now.has(finding):
        return False
    failures = list(before.failures(finding))
    return any(map(now.has_held, failures)) and not any(map(now.has_failed, failures))


def _is_shown_by(finding: Finding, each: Observation) -> bool:
    return (
        each.kind == finding.kind and each.field in (finding.fields or ("",)) and each.what in finding.whats
    )


def _hides(kind: str, other: str) -> bool:
    """Whether what fails in one way cannot be seen to fail in the other: one delivery shows one cause."""
    one, another = (kind_of(each.partition(" ")[0]) for each in (kind, other))
    return one.server or (one.outcome == "did not" and not another.server)


def _kind(key: str) -> str:
    return _ALIKE.get(key, key)
