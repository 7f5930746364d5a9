"""The mistakes of a scenario that its types do not exclude, each with its pointer and how to fix it. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_headers, compile_rules
from retailops_sandbox.errors import ComposeError, SourceError, UsageError
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, ExpectedStatus, Json, Scenario, Step, Wire, encoder


def check_step(step: Step) -> None:
    """UsageError for changes of a step that no scenario file could hold."""
    try:
        _check_step(step, "")
    except SourceError as error:
        raise UsageError(error.what, pointer=error.pointer, mend=error.mend) from error


def check_expectation(expected: Expectation, at: str) -> None:
    """SourceError for an expectation that cannot be used; `at` is its pointer."""
    _check_status(expected.status, f"{at}/status")
    check_rules(expected, at)


def _check_status(wanted: ExpectedStatus | Sequence[ExpectedStatus] | None, at: str) -> None:
    if wanted is None or isinstance(wanted, int):
        return
    if not isinstance(wanted, str):
        for position, each in enumerate(wanted):
            _check_status(each, f"{at}/{position}")
    elif not re.fullmatch("[1-5]xx", wanted):
        what = f"{quoted(wanted)} is no class of statuses"
        raise _mistake(what, at, 'a class is "1xx" to "5xx", a status is a number such as 404')


def check_rules(expected: Expectation, at: str) -> None:
    """SourceError for a matcher that cannot be used; `at` is the pointer of the expectation."""
    if not expected.rules and not expected.headers:
        return
    part = "rules"
    try:
        compile_rules(expected.rules)
        part = "headers"
        compile_headers(expected.headers)
    except matchers.RuleError as error:
        raise _mistake(error.what, f"{at}/{part}/{pointer.escape(error.path)}", error.mend) from error


def check(scenario: Scenario) -> None:
    """SourceError, with a pointer, for a mistake that the types do not exclude."""
    if not scenario.steps:
        raise _mistake("there are no steps", "/steps", "add a step that names a fixture")
    seen: dict[str, int] = {}
    for number, step in enumerate(scenario.steps):
        at = f"/steps/{number}"
        _check_step(step, at)
        first = seen.setdefault(step.name, number)
        if first != number:
            what = f"step {first + 1} is named {step.name!r} too"
            raise _mistake(what, f"{at}/name", "step names are unique in a file")
        if isinstance(step.expect, list):
            for position, one in enumerate(step.expect):
                check_expectation(one, f"{at}/expect/{position}")
        elif isinstance(step.expect, Expectation):
            check_expectation(step.expect, f"{at}/expect")
    if scenario.steps[0].together:
        what = "there is no step before the first, with which it could be sent"
        raise _mistake(what, "/steps/0/together", "say it at the second step, or leave it out")
    for group in scenario.groups:
        if len(group) > 1:
            _check_group(scenario.steps, group)


def _check_group(steps: Sequence[Step], group: range) -> None:
    """SourceError for steps that cannot be sent at the same time."""
    captured = {name: number for number in group for name in steps[number].capture}
    for number in group:
        step, at = steps[number], f"/steps/{number}"
        if step.repeat_while is not None:
            what = "a step that is sent together with others is done once"
            raise _mistake(what, f"{at}/repeat_while", "leave it out, or together")
        for path, text in _filled(step, at) if captured else ():
            for name in composing.references(text):
                if name in captured:
                    by = steps[captured[name]].name
                    what = f"${{{name}}} is captured by {quoted(by)}, which is sent at the same time"
                    raise _mistake(what, path, "leave out together between them, or use another value")


def _filled(step: Step, at: str) -> Iterator[tuple[str, str]]:
    """The strings of a step in which placeholders are filled, each with its pointer."""
    written = msgspec.structs.replace(step, name="", raw=None)
    return _strings(jsontext.parse(encoder.encode(written)), at)


def _strings(value: Json, at: str) -> Iterator[tuple[str, str]]:
    """The strings in a value, each with its pointer."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in items:
            yield from _strings(child, at + pointer.join((key,)))


def _check_step(step: Step, at: str) -> None:
    given = (step.fixture is not None, step.payload is not UNSET, step.raw is not None)
    if sum(given) != 1:
        found = " and ".join(itertools.compress(("fixture", "payload", "raw"), given)) or "none of them"
        raise _mistake(f"a step needs one of fixture, payload or raw; this has {found}", at)
    if step.raw is not None and (step.set or step.remove):
        what = "raw bytes cannot be changed by set or remove"
        raise _mistake(what, f"{at}/raw", "use payload instead of raw")
    for position, path in enumerate(step.remove):
        _check_pointer(path, at, "remove", position)
    for path in step.set:
        _check_pointer(path, at, "set", path)
    for name, wanted in step.capture.items():
        if isinstance(wanted, str):
            _check_pointer(wanted, at, "capture", name)
            continue
        _check_pointer(wanted.path, at, "capture", name, "path")
        for member, path in wanted.members.items():
            _check_pointer(path, at, "capture", name, "members", member)
    _check_repetition(step, at)
    if step.deliver.wire is not None:
        _check_wire(step.deliver.wire, step, at)
    if isinstance(step.expect, list):
        if step.deliver.parallel > 1:
            what = "a list of expectations needs parallel 1: their order is the send order"
            raise _mistake(what, f"{at}/expect")
        if len(step.expect) != step.deliver.times:
            what = f"{len(step.expect)} expectations for {step.deliver.times} deliveries"
            raise _mistake(what, f"{at}/expect", "give one for each, or a single one for all")


def _check_repetition(step: Step, at: str) -> None:
    if step.repeat_while is None:
        return
    watched = step.repeat_while.captured
    if watched not in step.capture:
        what = f"the step does not capture {watched!r}"
        raise _mistake(what, f"{at}/repeat_while/captured", "add it to capture, with its pointer")
    if isinstance(step.expect, list):
        what = "a step that is repeated has one expectation: how often it is done is not known before"
        raise _mistake(what, f"{at}/expect")


def _check_wire(wire: Wire, step: Step, at: str) -> None:
    from retailops_sandbox.composing import wire as spelling  # few steps say it

    try:
        spelling.check(wire, is_raw=step.raw is not None)
    except ComposeError as error:
        raise _mistake(error.what, f"{at}{error.pointer}", error.mend) from error
    if wire.break_off_after is not None and step.deliver.drop_after_ms is not None:
        what = "each delivery is broken off by break_off_after: drop_after_ms has none to drop"
        raise _mistake(what, f"{at}/deliver/drop_after_ms", "say one of them")


def _check_pointer(path: str, at: str, *beneath: str | int) -> None:
    try:
        pointer.parse(path)
    except pointer.PointerError as error:
        raise _mistake(str(error), at + pointer.join(beneath)) from error


def _mistake(what: str, at: str, mend: str = "") -> SourceError:
    return SourceError(what, mend=mend, pointer=at)
