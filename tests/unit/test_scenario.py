"""scenario.py: every mistake in a file is one line with its place."""

from __future__ import annotations

import json

import pytest

from sandbox import scenario
from sandbox.errors import SourceError
from sandbox.model import Number


def step(**fields: object) -> dict[str, object]:
    return {"fixture": "default", **fields}


def text(*steps: dict[str, object], **fields: object) -> str:
    return json.dumps({"format": 1, "name": "n", "steps": list(steps), **fields}, indent=1)


def read(source: str) -> scenario.Plan:
    return scenario.read(source, id="scenarios/x.scenario.json", file="x.scenario.json")


def test_steps_without_a_name_get_one():
    assert [each.name for each in read(text(step(), step(name="b"), step())).scenario.steps] == [
        "step 1",
        "b",
        "step 3",
    ]


def test_numbers_keep_their_spelling():
    plan = read('{"steps": [{"fixture": "f", "set": {"/a": 35.00}, "expect": {"body": {"n": 1e5}}}]}')
    value = plan.scenario.steps[0].set["/a"]
    assert isinstance(value, Number)
    assert value.spelling == "35.00"


def test_a_step_knows_its_line():
    plan = read('{\n "steps": [\n  {"fixture": "a"},\n  {"fixture": "b"}\n ]\n}')
    assert [plan.line(0), plan.line(1)] == [3, 4]


@pytest.mark.parametrize(
    ("source", "pointer", "says"),
    [
        ("{", None, "expected"),
        ('{"steps": [], "steps": []}', "/steps", "steps"),
        (text(), "/steps", "no steps"),
        (text(step(fixtrue="x")), "/steps/0/fixtrue", "fixture"),
        (text(step(), speed=1), "/speed", "speed"),
        (text({"name": "nothing"}), "/steps/0", "none of them"),
        (text(step(raw="x")), "/steps/0", "fixture and raw"),
        (text({"raw": "x", "set": {"/a": 1}}), "/steps/0/raw", "set or remove"),
        (text(step(name="a"), step(name="a")), "/steps/1/name", "step 1 is named 'a' too"),
        (text(step(set={"a/b": 1})), "/steps/0/set/a~1b", "must start with /"),
        (text(step(remove=["/a~2"])), "/steps/0/remove/0", "~"),
        (text(step(capture={"code": "events"})), "/steps/0/capture/code", "must start with /"),
        (text(step(deliver={"times": 0})), "/steps/0/deliver/times", "at least 1"),
        (text(step(deliver={"time": 2})), "/steps/0/deliver/time", "times"),
        (text(step(expect=[{}, {}])), "/steps/0/expect", "2 expectations for 1 deliver"),
        (text(step(expect=[{}, {}], deliver={"times": 2, "parallel": 2})), "/steps/0/expect", "parallel 1"),
        (text(step(expect={"rules": {"/a": {"regex": "("}}})), "/steps/0/expect/rules/~1a", ""),
        (text(step(expect={"rules": {"/a": "ignroe"}})), "/steps/0/expect/rules/~1a", "ignore"),
        (text(step(expect={"rules": {"a": "any"}})), "/steps/0/expect/rules/a", "/"),
        (text(step(expect={"headers": {"X": {"regex": "["}}})), "/steps/0/expect/headers/X", ""),
        (text(step(expect={"fault": "timeout"})), "/steps/0/expect/fault", "timeout"),
        (text(step(), format=2), "/format", "2"),
        (text(step(expect={"max_ms": "fast"})), "/steps/0/expect/max_ms", ""),
    ],
)
def test_a_mistake_is_told_with_file_line_and_pointer(source: str, pointer: str | None, says: str):
    with pytest.raises(SourceError) as caught:
        read(source)
    error = caught.value
    assert error.file == "x.scenario.json"
    assert error.line >= 1
    if pointer is not None:
        assert error.pointer == pointer
    assert says in str(error)
    assert "\n" not in str(error)


def test_an_expectation_is_checked_like_one_in_a_file():
    assert scenario.expectation('{"body": {"events": []}}').body == {"events": []}
    with pytest.raises(SourceError) as caught:
        scenario.expectation('{"rules": {"/events/*/code": {"regexp": "x"}}}')
    assert caught.value.pointer == "/rules/~1events~1*~1code"
