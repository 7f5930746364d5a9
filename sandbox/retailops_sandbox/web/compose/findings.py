"""The findings about a payload as typed: what is wrong or looks inconsistent, and where."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox import composing, jsontext
from retailops_sandbox.composing import Names
from retailops_sandbox.contracts import advice
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import ComposeError, SandboxError, SourceError
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.send_form import SendForm, known_variables

_MOST_ADVISED = 50


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong with the payload, and where."""

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
    """All findings about a payload as typed."""

    rows: Sequence[Finding] = ()
    summary: str = ""
    advised: Sequence[Advised] = ()
    more_advised: int = 0
    """How many further notes there are."""


def examine_expectation(expectation: str) -> Finding | None:
    """What is wrong with an expectation as typed, the first of it; None for a right one, or for none."""
    if not expectation.strip():
        return None
    try:
        scenario.expectation(expectation)
    except SandboxError as error:
        return Finding(error.message, error.line, error.column, error.pointer)
    return None


def of_payload(context: AppContext, receivers: KnownReceivers, send_form: SendForm) -> Findings:
    """The findings about the payload of a form, as it would be sent now."""
    receiver = receivers.find(send_form.receiver)
    names = Names(
        environment=context.environment,
        receiver=receiver.variables if receiver is not None else {},
        scenario=known_variables(send_form.variables),
        built_in={"uuid": context.clock.uuid(), "now": context.clock.now(), "sequence": 1},
    )
    return examine(send_form.payload, context.contracts.load(send_form.action, send_form.edition), names)


def examine(payload: str, wanted: Contract, names: Names) -> Findings:
    """The findings about a payload; only one where it is not JSON or a placeholder cannot be filled."""
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
    # A place with a violation gets no advice besides.
    notes = [each for each in advice.advise(wanted.advice, filled) if each.pointer not in broken]
    shown = notes[:_MOST_ADVISED]
    places = jsontext.places(payload, [each.pointer for each in shown])
    advised = [Advised(note, line, column) for note, (line, column) in zip(shown, places, strict=True)]
    return Findings(rows, summary, advised, len(notes) - len(shown))
