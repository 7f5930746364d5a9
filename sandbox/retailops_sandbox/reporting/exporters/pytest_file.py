"""Scenarios as a pytest file that needs only this package: a test for each, with a send for each step."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import __version__, jsontext, recording
from retailops_sandbox.errors import UsageError
from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.model import Json, Number, Scenario, Step, encoder
from retailops_sandbox.reporting.exporters import repeating
from retailops_sandbox.reporting.exporters.exporter import (
    ExportedFile,
    Exporter,
    PreviewSource,
    SentDeliveries,
    Sources,
    file_name,
    one_by_one,
    scenario_name,
)
from retailops_sandbox.reporting.render.lines import together
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios.scenario import Plan, judged_by_fixture
from retailops_sandbox.workspace.names import free_name

_WIDTH = 100
_CALLABLE = ("Number", "escaped")
"""The public names of the package that the tests of a file may call."""
_FIELDS = ["payload", "raw", "remove", "set", "deliver", "expect", "capture", "repeat_while", "off_contract"]
"""The fields of a step that a send takes as they are."""
_HEADER = '''"""{title}

Written by retailops-sandbox {version}. It needs that package and nothing else:

    pytest --retailops-receiver http://127.0.0.1:8000
"""
'''


class Export(Exporter):
    """Exports as pytest files."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        """A file with a test for each scenario that was run, and one of what was sent by hand."""
        groups: dict[str, list[Entry]] = {}
        for each in sent.entries:
            groups.setdefault(each.delivery.scenario, []).append(each)
        made: list[Scenario] = []
        notes = list(sent.notes)
        for id, group in groups.items():
            of_group = msgspec.structs.replace(sent, entries=group)
            draft = repeating.draft(of_group, sources.shipped, sources.contracts)
            if draft is not None:
                notes += repeating.notes(draft)
                made.append(recording.finished(draft, name=scenario_name(id) if id else None))
        if not made:
            raise UsageError(f"nothing of {sent.name} can be repeated by a test", mend="export it as HAR")
        return _file(made, f"{sent.name}, as it was answered", notes, sent.name)

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile:
        name = scenario_name(plan.id)
        steps = [_carried(plan.scenario, step, sources) for step in plan.scenario.steps]
        whole = msgspec.structs.replace(plan.scenario, name=plan.scenario.name or name, steps=steps)
        return _file([whole], plan.file, one_by_one(whole), name)


def _file(scenarios: Sequence[Scenario], title: str, notes: Sequence[str], name: str) -> ExportedFile:
    notes = list(dict.fromkeys(notes))
    return ExportedFile(
        name=file_name("test_" + name.replace("-", "_").replace(".", "_"), ".py"),
        media_type="text/x-python",
        text=document(scenarios, title=title, notes=notes),
        notes=tuple(notes),
    )


def _carried(whole: Scenario, step: Step, sources: Sources) -> Step:
    """The step; of a fixture that is not shipped, payload and expectation come with the file."""
    if step.fixture is None:
        return step
    action, edition = whole.contract_of(step)
    name = (action, edition, step.fixture)
    payload = sources.fixture(*name)
    if payload is UNSET:
        raise UsageError(f"there is no {action} {edition} fixture {step.fixture!r}")
    shipped = sources.shipped(*name)
    is_shipped = shipped is not UNSET and jsontext.compact(shipped) == jsontext.compact(payload)
    if judged_by_fixture(step):
        own = sources.expectation(*name)
        if not is_shipped or own is None or own != sources.shipped_expectation(*name):
            step = msgspec.structs.replace(step, expect=own)
    if is_shipped:
        return step
    return msgspec.structs.replace(step, fixture=None, payload=payload)


def document(scenarios: Sequence[Scenario], *, title: str, notes: Sequence[str] = ()) -> str:
    """The text of a pytest file of these scenarios, whose steps must name shipped fixtures only."""
    names: set[str] = set()
    tests = [_test(each, names) for each in scenarios]
    body = "\n\n\n".join(tests)
    head = _HEADER.format(title=_in_docstring(title), version=__version__)
    head += "".join(f"\n# {in_line(note)}" for note in notes)
    used = ", ".join(name for name in _CALLABLE if f"{name}(" in body)
    imports = f"from retailops_sandbox import {used}" if used else ""
    return "\n\n".join(filter(None, [head.rstrip(), imports])) + f"\n\n\n{body}\n"


def _test(scenario: Scenario, names: set[str]) -> str:
    lines = [f"def {_name(scenario, names)}(retailops):"]
    said = "\n\n    ".join(
        _in_docstring(text).replace("\n", "\n    ") for text in (scenario.name, scenario.description) if text
    )
    if said:
        lines.append(f'    """{said}"""')
    captures = any(step.capture for step in scenario.steps)
    if scenario.variables or captures:
        lines.append(f"    variables = {_literal(_json(scenario.variables), 1)}")
    for number, step in enumerate(scenario.steps, 1):
        if len(scenario.steps) > 1 or step.name:
            lines.append(f"    # {in_line(step.name or f'step {number}')}{together(step)}")
        lines += _step(scenario, step, bool(scenario.variables or captures))
    return "\n".join(lines)


def _step(scenario: Scenario, step: Step, has_variables: bool) -> Iterator[str]:
    """The statements that send a step, check its result, and capture values."""
    written: dict[str, Any] = _json(step)
    arguments: list[tuple[str, str]] = []
    if step.fixture is not None:
        arguments.append(("", _literal(written["fixture"], 2)))
    action, edition = scenario.contract_of(step)
    arguments += [("action=", _literal(action, 2)), ("edition=", _literal(edition, 2))]
    if has_variables:
        arguments.append(("variables=", "variables"))
    arguments += [(f"{field}=", _literal(written[field], 2)) for field in _FIELDS if field in written]
    call = _call(arguments)
    yield f"    result = retailops.send({call})"
    is_judged = step.expect or judged_by_fixture(step)
    yield "    result.check()" if is_judged else '    assert result.verdict == "recorded"'
    if step.capture:
        yield "    variables |= escaped(result.captured)"


def _call(arguments: list[tuple[str, str]]) -> str:
    flat = ", ".join(name + text for name, text in arguments)
    if "\n" not in flat and len(flat) < _WIDTH - 30:
        return flat
    return "\n" + "".join(f"        {name}{text},\n" for name, text in arguments) + "    "


def _json(value: Any) -> Any:
    """A struct or value as JSON, with the spelling of numbers."""
    return jsontext.parse(encoder.encode(value))


def _literal(value: Json, level: int) -> str:
    """The value as a Python literal, over several lines where it is long."""
    flat = _flat(value)
    if len(flat) + 4 * level < _WIDTH - 20 or not isinstance(value, dict | list) or not value:
        return flat
    inner, outer = "    " * (level + 1), "    " * level
    if isinstance(value, dict):
        members = [f"{_flat(key)}: {_literal(child, level + 1)}" for key, child in value.items()]
        return "{\n" + "".join(f"{inner}{each},\n" for each in members) + outer + "}"
    items = [_literal(child, level + 1) for child in value]
    return "[\n" + "".join(f"{inner}{each},\n" for each in items) + outer + "]"


def _flat(value: Json) -> str:
    if isinstance(value, Number):
        return f'Number("{value.spelling}")'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flat(key)}: {_flat(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """The text as a Python literal, in double quotes unless single ones need fewer escapes."""
    spelled = repr(text)
    if spelled[0] == '"' or '"' in text:
        return spelled
    return '"' + spelled[1:-1].replace("\\'", "'") + '"'


def _name(scenario: Scenario, names: set[str]) -> str:
    """A unique name for the scenario's test, added to the names."""
    words = re.sub(r"[^0-9A-Za-z]+", "_", scenario.name).strip("_").lower()[:70].strip("_")
    base = f"test_{words or scenario.action}"
    name = free_name(base, lambda each: each in names or keyword.iskeyword(each), separator="_")
    names.add(name)
    return name


def _in_docstring(text: str) -> str:
    escaped = text.strip().replace("\\", "\\\\").replace('"', '\\"')
    return "".join(each if each.isprintable() or each == "\n" else f"\\U{ord(each):08x}" for each in escaped)
