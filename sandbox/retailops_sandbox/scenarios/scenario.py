"""Scenario files: reading them, with line and pointer of a mistake, and writing them. Pure."""

from __future__ import annotations

import itertools

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_headers, compile_rules
from retailops_sandbox.errors import ComposeError, SandboxError, SourceError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, Json, Scenario, Step, Wire, encoder

SUFFIX = ".scenario.json"
_LINE = 100
"""The most characters of a line in a written file; a longer object or array is spread over several lines."""


class Plan(msgspec.Struct, frozen=True):
    """A scenario and the file that it was read from."""

    id: str
    """Its path in the workspace, or as it was given."""
    file: str
    """The path that errors and reports name."""
    scenario: Scenario
    placeholders: bool
    """Whether the scenario may have any placeholder."""
    text: str

    @property
    def name(self) -> str:
        return self.scenario.name or self.id

    def line(self, step: int) -> int:
        """The line at which a step begins; steps are counted from 0."""
        return jsontext.locate(self.text, f"/steps/{step}")[0]


class OwnExpectation(msgspec.Struct, frozen=True):
    """A fixture's own expectation, which judges steps that name the fixture and say no `expect`."""

    expectation: Expectation
    placeholders: bool
    """Whether it may have any placeholder."""
    name: str
    """Its file, as judgements name it: the path in the workspace, `shipped:` before that of a shipped one."""
    file: str
    """The path that errors name."""
    text: str

    @property
    def length(self) -> int:
        return len(self.text)


def read(text: str, *, id: str, file: str) -> Plan:
    """The plan of a scenario file's text; SourceError with line and pointer of the first mistake."""
    document = jsontext.parse(text, file=file)
    scenario = jsontext.convert(document, Scenario, text, file=file)
    _name(scenario.steps)
    with jsontext.placed(text, file):
        _check(scenario)
    return Plan(id, file, scenario, composing.has_placeholder(text), text)


def spelled(scenario: Scenario) -> str:
    """The text of a scenario's file, from which `read` makes the same scenario with numbers spelled alike."""
    written = jsontext.parse(encoder.encode(scenario))
    assert isinstance(written, dict)
    document: dict[str, Json] = {"$schema": written.get("$schema"), "format": 1}
    document |= {key: written.get(key) for key in ("name", "description", "tags")}
    # Written also where they are the defaults, so that readers of the file need not know those.
    document |= {"action": scenario.action, "edition": scenario.edition}
    document |= {key: written.get(key) for key in ("variables", "steps")}
    present: dict[str, Json] = {key: value for key, value in document.items() if value is not None}
    return _spread(present, "") + "\n"


def spread(text: str) -> str:
    """A JSON text over several lines, easy to read."""
    return _spread(jsontext.parse(text), "") + "\n"


def _spread(value: Json, indent: str, key: str = "") -> str:
    """JSON that is easy to read: an object or array of plain values stays on its line where it fits."""
    if not isinstance(value, (dict, list)) or not value:
        return jsontext.compact(value).decode()
    children = value.values() if isinstance(value, dict) else value
    if not any(child and isinstance(child, (dict, list)) for child in children):
        line = jsontext.flat(value)
        if len(indent) + len(key) + len(line) < _LINE:
            return line
    inner = indent + "  "
    if isinstance(value, dict):
        heads = [jsontext.compact(name).decode() + ": " for name in value]
        lines = [
            head + _spread(child, inner, head) for head, child in zip(heads, value.values(), strict=True)
        ]
        return "{\n" + ",\n".join(inner + line for line in lines) + "\n" + indent + "}"
    return "[\n" + ",\n".join(inner + _spread(item, inner) for item in value) + "\n" + indent + "]"


def expectation(text: str, *, file: str = "") -> Expectation:
    """The expectation of a JSON text; SourceError with line and pointer of the first mistake."""
    expected = jsontext.convert(jsontext.parse(text, file=file), Expectation, text, file=file)
    with jsontext.placed(text, file):
        check_rules(expected, "")
    return expected


def expectation_document(expected: Expectation) -> dict[str, Json]:
    """An expectation as a file spells it, as a JSON value."""
    document = jsontext.parse(encoder.encode(expected))
    assert isinstance(document, dict)
    return document


def judged_by_fixture(step: Step) -> bool:
    """Whether a step's answers are judged by its fixture's own expectation, where that has one."""
    return step.fixture is not None and step.expect is UNSET and not step.off_contract


def own_expectation(text: str, *, file: str, name: str) -> OwnExpectation:
    """The expectation of a fixture; SourceError with file, line and pointer of the first mistake."""
    expected = expectation(text, file=file)
    return OwnExpectation(expected, composing.has_placeholder(text), name, file, text)


def single(
    step: Step, *, action: str, edition: str, name: str = "", variables: dict[str, Json] | None = None
) -> Plan:
    """The plan of one send by hand: a scenario of one step, from no file."""
    scenario = Scenario(name=name, action=action, edition=edition, variables=variables or {}, steps=[step])
    _name(scenario.steps)
    return Plan("", "", scenario, True, "")


def _name(steps: list[Step]) -> None:
    """Give each step without a name one with its number, in place."""
    for number, step in enumerate(steps):
        if not step.name:
            steps[number] = msgspec.structs.replace(step, name=f"step {number + 1}")


def check_step(step: Step) -> None:
    """UsageError for changes of a step that no scenario file could hold."""
    try:
        _check_step(step, "")
    except SourceError as error:
        raise UsageError(error.what, pointer=error.pointer, mend=error.mend) from error


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


def _check(scenario: Scenario) -> None:
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
                check_rules(one, f"{at}/expect/{position}")
        elif isinstance(step.expect, Expectation):
            check_rules(step.expect, f"{at}/expect")


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


def describe(error: SandboxError, plan: Plan, step: int) -> str:
    """The line for an error of composing a step, which begins with the step's place in its file."""
    return f"{plan.file}:{plan.line(step)}: {error}" if plan.file else str(error)
