"""Scenario files: reading one, with every mistake told by line and pointer. Pure."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_headers, compile_rules
from retailops_sandbox.errors import ComposeError, SandboxError, SourceError, UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Deliver, Expectation, Json, Scenario, Step, encoder

SUFFIX = ".scenario.json"
_LINE = 100
"""How long a line of a file that we spell may get before its object or array is spread over several."""

BOUNDS = {
    "times": (1, 100_000),
    "parallel": (1, 1_000),
    "delay_ms": (0, composing.LONGEST_MS),
    "timeout_ms": (1, composing.LONGEST_MS),
    "drop_after_ms": (0, composing.LONGEST_MS),
}
"""The least and the most of each number in `deliver`."""
_PLAINLY = Deliver()


class Plan(msgspec.Struct, frozen=True):
    """A scenario as it was read, ready to run."""

    id: str
    """Its path in the workspace, or as it was given."""
    file: str
    """Where errors and reports say it is."""
    scenario: Scenario
    placeholders: bool
    """Whether anything in it would be filled."""
    text: str

    @property
    def name(self) -> str:
        return self.scenario.name or self.id

    def line(self, step: int) -> int:
        """The line that a step (from 0) begins at."""
        return jsontext.locate(self.text, f"/steps/{step}")[0]


def read(text: str, *, id: str, file: str) -> Plan:
    """A plan from a scenario file's text; SourceError with line and pointer of the first mistake."""
    document = jsontext.parse(text, file=file)
    scenario = jsontext.convert(document, Scenario, text, file=file)
    _name(scenario.steps)
    try:
        _check(scenario)
    except _Mistake as mistake:
        raise _located(mistake, text, file) from mistake
    return Plan(id, file, scenario, composing.has_placeholder(text), text)


def spelled(scenario: Scenario) -> str:
    """The text of a scenario's file: `read` gives the same scenario back, numbers as they were spelled."""
    written = jsontext.parse(encoder.encode(scenario))
    assert isinstance(written, dict)
    document: dict[str, Json] = {"$schema": written.get("$schema"), "format": 1}
    document |= {key: written.get(key) for key in ("name", "description", "tags")}
    # Said even where they are what an absent key means: whoever reads the file should not have to know.
    document |= {"action": scenario.action, "edition": scenario.edition}
    document |= {key: written.get(key) for key in ("variables", "steps")}
    present: dict[str, Json] = {key: value for key, value in document.items() if value is not None}
    return _spread(present, "") + "\n"


def _spread(value: Json, indent: str, key: str = "") -> str:
    """JSON for reading: an object or array of plain values that fits on the line stays on it."""
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
    """An expectation from its JSON text; SourceError with line and pointer of the first mistake."""
    expected = jsontext.convert(jsontext.parse(text, file=file), Expectation, text, file=file)
    try:
        _check_expectation(expected, "")
    except _Mistake as mistake:
        raise _located(mistake, text, file) from mistake
    return expected


def single(
    step: Step, *, action: str, edition: str, name: str = "", variables: dict[str, Json] | None = None
) -> Plan:
    """The plan of one send by hand: a scenario of one step, from no file."""
    scenario = Scenario(name=name, action=action, edition=edition, variables=variables or {}, steps=[step])
    _name(scenario.steps)
    return Plan("", "", scenario, True, "")


def _name(steps: list[Step]) -> None:
    """Give each step that has no name one by its place."""
    for number, step in enumerate(steps):
        if not step.name:
            steps[number] = msgspec.structs.replace(step, name=f"step {number + 1}")


def check_step(step: Step) -> None:
    """UsageError for a step that a scenario file could not hold either."""
    try:
        _check_step(step, "")
    except _Mistake as mistake:
        raise UsageError(mistake.what, pointer=mistake.at, mend=mistake.mend) from mistake


class _Mistake(Exception):
    """A mistake at a pointer of the file."""

    def __init__(self, what: str, at: str, mend: str = "") -> None:
        super().__init__(what)
        self.what, self.at, self.mend = what, at, mend


def _check(scenario: Scenario) -> None:
    """What the types cannot say."""
    if not scenario.steps:
        raise _Mistake("there are no steps", "/steps", "add a step that names a fixture")
    seen: dict[str, int] = {}
    for number, step in enumerate(scenario.steps):
        at = f"/steps/{number}"
        _check_step(step, at)
        first = seen.setdefault(step.name, number)
        if first != number:
            raise _Mistake(
                f"step {first + 1} is named {step.name!r} too",
                f"{at}/name",
                "step names are unique in a file",
            )
        if isinstance(step.expect, list):
            for position, one in enumerate(step.expect):
                _check_expectation(one, f"{at}/expect/{position}")
        elif step.expect is not None:
            _check_expectation(step.expect, f"{at}/expect")


def _check_step(step: Step, at: str) -> None:
    if (step.fixture is not None) + (step.payload is not UNSET) + (step.raw is not None) != 1:
        bodies = [name for name, given in _bodies(step).items() if given]
        found = "none of them" if not bodies else " and ".join(bodies)
        raise _Mistake(f"a step needs one of fixture, payload or raw; this has {found}", at)
    if step.raw is not None and (step.set or step.remove):
        raise _Mistake(
            "raw bytes cannot be changed by set or remove", f"{at}/raw", "use payload instead of raw"
        )
    for position, path in enumerate(step.remove):
        _check_pointer(path, at, "remove", position)
    for path in step.set:
        _check_pointer(path, at, "set", path)
    for name, path in step.capture.items():
        _check_pointer(path, at, "capture", name)
    deliver = step.deliver
    for field, (lowest, highest) in BOUNDS.items() if deliver != _PLAINLY else ():
        value = getattr(deliver, field)
        if value is not None and not lowest <= value <= highest:
            raise _Mistake(f"must be at least {lowest} and at most {highest:,}", f"{at}/deliver/{field}")
    if isinstance(step.expect, list):
        if deliver.parallel > 1:
            raise _Mistake(
                "a list of expectations needs parallel 1: their order is the send order", f"{at}/expect"
            )
        if len(step.expect) != deliver.times:
            found = f"{len(step.expect)} expectations for {deliver.times} deliveries"
            raise _Mistake(found, f"{at}/expect", "give one for each, or a single one for all")


def _bodies(step: Step) -> dict[str, bool]:
    return {
        "fixture": step.fixture is not None,
        "payload": step.payload is not UNSET,
        "raw": step.raw is not None,
    }


def _check_pointer(path: str, at: str, *beneath: str | int) -> None:
    try:
        pointer.parse(path)
    except pointer.PointerError as error:
        raise _Mistake(str(error), at + pointer.join(beneath)) from error


def check_rules(expected: Expectation) -> None:
    """ComposeError for a matcher that cannot be used, now that its placeholders are filled."""
    for part, compile, rules in (
        ("rules", compile_rules, expected.rules),
        ("headers", compile_headers, expected.headers),
    ):
        try:
            compile(rules)
        except matchers.RuleError as error:
            at = f"/expect/{part}/{pointer.escape(error.path)}"
            raise ComposeError(error.what, pointer=at, mend=error.mend) from error


def _check_expectation(expected: Expectation, at: str) -> None:
    try:
        compile_rules(expected.rules)
    except matchers.RuleError as error:
        raise _Mistake(error.what, f"{at}/rules/{pointer.escape(error.path)}", error.mend) from error
    try:
        compile_headers(expected.headers)
    except matchers.RuleError as error:
        raise _Mistake(error.what, f"{at}/headers/{pointer.escape(error.path)}", error.mend) from error


def _located(mistake: _Mistake, text: str, file: str) -> SourceError:
    line, column = jsontext.locate(text, mistake.at)
    return SourceError(
        mistake.what, mend=mistake.mend, file=file, line=line, column=column, pointer=mistake.at
    )


def describe(error: SandboxError, plan: Plan, step: int) -> str:
    """An error of composing a step, with the place of that step in its file before it."""
    return f"{plan.file}:{plan.line(step)}: {error}" if plan.file else str(error)
