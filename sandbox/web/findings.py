"""What is wrong with a payload as typed, and where."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sandbox import compose, source
from sandbox.compose import Names
from sandbox.contract import Contract
from sandbox.errors import ComposeError, SourceError


class Finding(msgspec.Struct, frozen=True):
    """Something wrong with the payload as typed, and where."""

    message: str
    line: int = 0
    column: int = 0
    pointer: str | None = None


class Findings(msgspec.Struct, frozen=True):
    """What is wrong with the payload as typed."""

    rows: Sequence[Finding] = ()
    summary: str = ""


def examine(payload: str, wanted: Contract, names: Names) -> Findings:
    """What is wrong with a payload as typed: JSON, placeholders, contract; the first of these that fails."""
    try:
        value = source.parse(payload)
    except SourceError as error:
        what = f"{error.what} ({error.mend})" if error.mend else error.what
        return Findings([Finding(what, error.line, error.column, error.pointer)], "This is not JSON.")
    try:
        filled = compose.fill(value, names)
    except ComposeError as error:
        line, column = source.locate(payload, error.pointer or "")
        what = f"{error.what} ({error.mend})" if error.mend else error.what
        return Findings([Finding(what, line, column, error.pointer)], "A placeholder cannot be filled.")
    violations = wanted.check_request(filled)
    places = source.places(payload, [each.pointer for each in violations])
    rows = [
        Finding(violation.message, line, column, violation.pointer)
        for violation, (line, column) in zip(violations, places, strict=True)
    ]
    count = f"{len(rows)} times" if len(rows) > 1 else "once"
    return Findings(rows, f"Breaks the contract of {wanted.action} {wanted.edition} {count}." if rows else "")
