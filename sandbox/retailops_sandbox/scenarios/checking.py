"""The mistakes of a scenario that its types do not exclude, each with its pointer and how to fix it. Pure.

`tell` takes each mistake of what is checked; without it the first is raised, and the rest is not looked at.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_headers, compile_rules
from retailops_sandbox.errors import ComposeError, SourceError, UsageError
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, ExpectedStatus, Json, Rule, Scenario, Step, Wire, encoder

Tell = Callable[[SourceError], None]


def _refuse(mistake: SourceError) -> None:
    raise mistake


def check_step(step: Step) -> None:
    """UsageError for changes of a step that no scenario file could hold."""
    try:
        _check_step(step, "", _refuse)
    except SourceError as error:
        raise UsageError(error.what, pointer=error.pointer, mend=error.mend) from error


def check_expectation(expected: Expectation, at: str, tell: Tell = _refuse) -> None:
    """SourceError for what an expectation cannot use; `at` is its pointer."""
    _check_status(expected.status, f"{at}/status", tell)
    check_rules(expected, at, tell)


def _check_status(wanted: ExpectedStatus | Sequence[ExpectedStatus] | None, at: str, tell: Tell) -> None:
    if wanted is None or isinstance(wanted, int):
        return
    if not isinstance(wanted, str):
        for position, each in enumerate(wanted):
            _check_status(each, f"{at}/{position}", tell)
    elif not re.fullmatch("[1-5]xx", wanted):
        what = f"{quoted(wanted)} is no class of statuses"
        tell(_mistake(what, at, 'a class is "1xx" to "5xx", a status is a number such as 404'))


def check_rules(expected: Expectation, at: str, tell: Tell = _refuse) -> None:
    """SourceError for a matcher that cannot be used; `at` is the pointer of the expectation."""
    for path, rule in expected.rules.items():
        _check_rule(compile_rules, path, rule, f"{at}/rules", tell)
    for name, rule in expected.headers.items():
        _check_rule(compile_headers, name, rule, f"{at}/headers", tell)


def _check_rule(
    compiled: Callable[[dict[str, Rule]], object], place: str, rule: Rule, at: str, tell: Tell
) -> None:
    try:
        compiled({place: rule})
    except matchers.RuleError as error:
        tell(_mistake(error.what, f"{at}/{pointer.escape(error.path)}", error.mend))


def check(scenario: Scenario, tell: Tell = _refuse) -> None:
    """SourceError, with a pointer, for a mistake that the types do not exclude."""
    if not scenario.steps:
        tell(_mistake("there are no steps", "/steps", "add a step that names a fixture"))
        return
    seen: dict[str, int] = {}
    for number, step in enumerate(scenario.steps):
        at = f"/steps/{number}"
        _check_step(step, at, tell)
        first = seen.setdefault(step.name, number)
        if first != number:
            what = f"step {first + 1} is named {step.name!r} too"
            tell(_mistake(what, f"{at}/name", "step names are unique in a file"))
        if isinstance(step.expect, list):
            for position, one in enumerate(step.expect):
                check_expectation(one, f"{at}/expect/{position}", tell)
        elif isinstance(step.expect, Expectation):
            check_expectation(step.expect, f"{at}/expect", tell)
    if scenario.steps[0].together:
        what = "there is no step before the first, with which it could be sent"
        tell(_mistake(what, "/steps/0/together", "say it at the second step, or leave it out"))
    for group in scenario.groups:
        if len(group) > 1:
            _check_group(scenario.steps, group, tell)


def _check_group(steps: Sequence[Step], group: range, tell: Tell) -> None:
    """SourceError for steps that cannot be sent at the same time."""
    captured = {name: number for number in group for name in steps[number].capture}
    for number in group:
        step, at = steps[number], f"/steps/{number}"
        if step.repeat_while is not None:
            what = "a step that is sent together with others is done once"
            tell(_mistake(what, f"{at}/repeat_while", "leave it out, or together"))
        for path, text in _filled(step, at) if captured else ():
            for name in composing.references(text):
                if name in captured:
                    by = steps[captured[name]].name
                    what = f"${{{name}}} is captured by {quoted(by)}, which is sent at the same time"
                    tell(_mistake(what, path, "leave out together between them, or use another value"))


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


def _check_step(step: Step, at: str, tell: Tell) -> None:
    given = (step.fixture is not None, step.payload is not UNSET, step.raw is not None)
    if sum(given) != 1:
        found = " and ".join(itertools.compress(("fixture", "payload", "raw"), given)) or "none of them"
        tell(_mistake(f"a step needs one of fixture, payload or raw; this has {found}", at))
    if step.raw is not None and (step.set or step.remove):
        what = "raw bytes cannot be changed by set or remove"
        tell(_mistake(what, f"{at}/raw", "use payload instead of raw"))
    for position, path in enumerate(step.remove):
        _check_pointer(tell, path, at, "remove", position)
    for path in step.set:
        _check_pointer(tell, path, at, "set", path)
    for name, wanted in step.capture.items():
        if isinstance(wanted, str):
            _check_pointer(tell, wanted, at, "capture", name)
            continue
        _check_pointer(tell, wanted.path, at, "capture", name, "path")
        for member, path in wanted.members.items():
            _check_pointer(tell, path, at, "capture", name, "members", member)
    _check_repetition(step, at, tell)
    if step.deliver.wire is not None:
        _check_wire(step.deliver.wire, step, at, tell)
    if isinstance(step.expect, list):
        if step.deliver.parallel > 1:
            what = "a list of expectations needs parallel 1: their order is the send order"
            tell(_mistake(what, f"{at}/expect"))
        if len(step.expect) != step.deliver.times:
            what = f"{len(step.expect)} expectations for {step.deliver.times} deliveries"
            tell(_mistake(what, f"{at}/expect", "give one for each, or a single one for all"))


def _check_repetition(step: Step, at: str, tell: Tell) -> None:
    if step.repeat_while is None:
        return
    watched = step.repeat_while.captured
    if watched not in step.capture:
        what = f"the step does not capture {watched!r}"
        tell(_mistake(what, f"{at}/repeat_while/captured", "add it to capture, with its pointer"))
    if isinstance(step.expect, list):
        what = "a step that is repeated has one expectation: how often it is done is not known before"
        tell(_mistake(what, f"{at}/expect"))


def _check_wire(wire: Wire, step: Step, at: str, tell: Tell) -> None:
    from retailops_sandbox.composing import wire as spelling  # few steps say it

    try:
        spelling.check(wire, is_raw=step.raw is not None)
    except ComposeError as error:
        tell(_mistake(error.what, f"{at}{error.pointer}", error.mend))
    if wire.break_off_after is not None and step.deliver.drop_after_ms is not None:
        what = "each delivery is broken off by break_off_after: drop_after_ms has none to drop"
        tell(_mistake(what, f"{at}/deliver/drop_after_ms", "say one of them"))


def _check_pointer(tell: Tell, path: str, at: str, *beneath: str | int) -> None:
    try:
        pointer.parse(path)
    except pointer.PointerError as error:
        tell(_mistake(str(error), at + pointer.join(beneath)))


def _mistake(what: str, at: str, mend: str = "") -> SourceError:
    return SourceError(what, mend=mend, pointer=at)
