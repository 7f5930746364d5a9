"""What is held against a payload or an answer, and the verdict."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox.model.scenario import Expectation, Rule

Verdict = Literal["passed", "failed", "errored", "recorded", "skipped"]


class Violation(msgspec.Struct, frozen=True):
    """A payload or response breaks its contract."""

    pointer: str
    keyword: str
    message: str


DifferenceKind = Literal["missing", "unexpected", "changed", "type", "moved"]
Part = Literal["status", "headers", "body", "latency", "fault"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a response departs from its expectation.

    Pointers are into the body of the side they name, None where that side has nothing there. For
    `headers` they are `/Name`, for the other parts empty.
    """

    kind: DifferenceKind
    part: Part = "body"
    expected_pointer: str | None = None
    actual_pointer: str | None = None
    expected: Any = UNSET
    actual: Any = UNSET
    rule: Rule | None = None
    """The matcher that applied instead of equality."""
    rule_path: str = ""
    within: str = ""
    """Of what is missing or unexpected: what would hold it on the side that lacks it, as a pointer."""
    hint: str = ""
    """For a missing item of a set-like array: the nearest candidate, and what spoiled it."""


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The comparison derived from a delivery and an expectation, with the expectation as it was."""

    delivery: str
    verdict: Verdict
    at: str
    """UTC, RFC 3339."""
    reason: str = ""
    payload_violations: tuple[Violation, ...] = ()
    violations: tuple[Violation, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    expectation: Expectation | None = None
