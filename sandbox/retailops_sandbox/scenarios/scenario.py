"""Scenario files: reading them, with line and pointer of a mistake, and writing them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.model import Expectation, Json, Scenario, Step, encoder
from retailops_sandbox.scenarios import checking

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
    given: Mapping[str, Json] = {}
    """Values for placeholders that count more than any other of their names."""

    @property
    def name(self) -> str:
        return self.scenario.name or self.id

    def line(self, step: int) -> int:
        """The line at which a step begins; steps are counted from 0."""
        return self.lines([step])[0]

    def place(self, step: int) -> str:
        """`file:line` of a step; the file alone where the line is not known, and nothing without a file."""
        line = self.line(step) if self.file else 0
        return f"{self.file}:{line}" if line else self.file

    def lines(self, steps: Iterable[int]) -> list[int]:
        """The line at which each of these steps begins."""
        return [line for line, _ in jsontext.places(self.text, [f"/steps/{step}" for step in steps])]


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
    plan = _decoded(text, id, file)
    with jsontext.placed(text, file):
        checking.check(plan.scenario)
    return plan


def read_with_mistakes(text: str, *, id: str, file: str) -> tuple[Plan, list[SourceError]]:
    """The plan of a scenario file's text, with all mistakes that its types do not exclude.

    SourceError with line and pointer where the text is none of a scenario.
    """
    plan = _decoded(text, id, file)
    mistakes: list[SourceError] = []
    checking.check(plan.scenario, mistakes.append)
    return plan, [_placed(each, text, file) for each in mistakes]


def _decoded(text: str, id: str, file: str) -> Plan:
    document = jsontext.parse(text, file=file)
    scenario = jsontext.convert(document, Scenario, text, file=file)
    _name(scenario.steps)
    return Plan(id, file, scenario, composing.has_placeholder(text), text)


def _placed(mistake: SourceError, text: str, file: str) -> SourceError:
    return jsontext.error_in(text, mistake.pointer or "", mistake.what, mend=mistake.mend, file=file)


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
    expected = _decoded_expectation(text, file)
    with jsontext.placed(text, file):
        checking.check_expectation(expected, "")
    return expected


def expectation_document(expected: Expectation) -> dict[str, Json]:
    """An expectation as a file spells it, as a JSON value."""
    document = jsontext.parse(encoder.encode(expected))
    assert isinstance(document, dict)
    return document


def judged_by_fixture(step: Step) -> bool:
    """Whether a step's answers are judged by its fixture's own expectation, where that has one."""
    return step.fixture is not None and step.expect is UNSET and not step.off_contract


def expectation_mistakes(text: str, *, file: str) -> list[SourceError]:
    """All mistakes of an expectation; SourceError where the text is none of one."""
    mistakes: list[SourceError] = []
    checking.check_expectation(_decoded_expectation(text, file), "", mistakes.append)
    return [_placed(each, text, file) for each in mistakes]


def _decoded_expectation(text: str, file: str) -> Expectation:
    return jsontext.convert(jsontext.parse(text, file=file), Expectation, text, file=file)


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


def describe(error: SandboxError, plan: Plan, step: int) -> str:
    """The line for an error of composing a step, which begins with the step's place in its file."""
    return f"{plan.file}:{plan.line(step)}: {error}" if plan.file else str(error)
