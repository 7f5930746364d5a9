"""Violations of a contract, differences from an expectation, and the judgement that they lead to."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox.model.scenario import Expectation, Rule
from retailops_sandbox.model.struckout import StruckOut

Verdict = Literal["passed", "failed", "errored", "recorded", "skipped"]


ViolationPart = Literal["status", "headers", "answer", "body"]


class Violation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place where a payload or response breaks its contract."""

    pointer: str
    """A pointer into the body; for headers `/Name`, for a status empty."""
    keyword: str
    message: str
    part: ViolationPart = "body"
    """`answer` is the body as a whole, where it is not the JSON that it should be."""
    hints: tuple[str, ...] = ()
    """What it may come from, and what to do about it: the likeliest first."""


class SourceCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one published source of the contract says of an answer."""

    source: str
    violations: tuple[Violation, ...] = ()
    """The first few violations of what this source demands; empty where the answer satisfies it."""


DifferenceKind = Literal["missing", "unexpected", "changed", "type", "moved"]
Part = Literal["status", "headers", "body", "latency", "fault"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A place where a response departs from its expectation.

    A pointer leads into the body of the side that it names; it is None where that side has nothing. For
    headers it is `/Name`, for the other parts empty.
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
    """The pointer of the object or array that lacks the missing or unexpected value, on that side."""
    hint: str = ""
    """Of a missing item of a set-like array: the nearest actual item, and how it differs."""


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The comparison of a delivery with an expectation, and that expectation."""

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
    expected_by: str = ""
    """The file of the fixture's own expectation, `shipped:` before a shipped one; empty for any other."""
    unchecked: tuple[str, ...] = ()
    """The parts of the answer that were not compared: `contract`, and the contract's word for what an answer
    tells, such as `events`, or `body`. Empty also in records of versions that did not keep it."""
    sources: tuple[SourceCheck, ...] = ()
    """The sources of the contract, where they part about the answer; empty where they agree. They decide no
    verdict."""
    struck_out: tuple[StruckOut, ...] | None = None
    """What was struck out of the expectation and the differences. None as in a delivery."""
