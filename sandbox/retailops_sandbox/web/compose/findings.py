"""What is wrong with a payload as typed, or looks inconsistent, and where."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox import composing, jsontext
from retailops_sandbox.composing import Names
from retailops_sandbox.contracts import advice
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import ComposeError, SourceError

_MOST_ADVISED = 50


class Finding(msgspec.Struct, frozen=True):
    """Something wrong with the payload as typed, and where."""

    message: str
    line: int = 0
    column: int = 0
    pointer: str | None = None


class Advised(msgspec.Struct, frozen=True):
    """A note of advice, and where."""

    note: advice.Note
    line: int
    column: int


class Findings(msgspec.Struct, frozen=True):
    """What is wrong with the payload as typed."""

    rows: Sequence[Finding] = ()
    summary: str = ""
    advised: Sequence[Advised] = ()
    more_advised: int = 0
    """How many notes there are beside those."""


def examine(payload: str, wanted: Contract, names: Names) -> Findings:
    """What is wrong with a payload as typed: JSON, placeholders, contract; the first of these that fails."""
    try:
        value = jsontext.parse(payload)
    except SourceError as error:
        return Findings(
            [Finding(error.message, error.line, error.column, error.pointer)], "This is not JSON."
        )
    try:
        filled = composing.fill(value, names)
    except ComposeError as error:
        line, column = jsontext.locate(payload, error.pointer or "")
        return Findings(
            [Finding(error.message, line, column, error.pointer)], "A placeholder cannot be filled."
        )
    violations = wanted.check_request(filled)
    places = jsontext.places(payload, [each.pointer for each in violations])
    rows = [
        Finding(violation.message, line, column, violation.pointer)
        for violation, (line, column) in zip(violations, places, strict=True)
    ]
    count = f"{len(rows)} times" if len(rows) > 1 else "once"
    summary = f"Breaks the contract of {wanted.action} {wanted.edition} {count}." if rows else ""
    broken = {each.pointer for each in violations}
    # What breaks the contract has been told already.
    notes = [each for each in advice.advise(wanted.advice, filled) if each.pointer not in broken]
    told = notes[:_MOST_ADVISED]
    places = jsontext.places(payload, [each.pointer for each in told])
    advised = [Advised(note, line, column) for note, (line, column) in zip(told, places, strict=True)]
    return Findings(rows, summary, advised, len(notes) - len(told))
