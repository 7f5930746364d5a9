"""The findings about an expectation as typed."""

from __future__ import annotations

import pytest

from retailops_sandbox.web.compose.findings import examine_expectation


@pytest.mark.parametrize("text", ["", " \n", '{"status": 200}', '{"rules": {"/events/*/at": "any"}}'])
def test_a_right_one_and_none_have_none(text: str):
    assert examine_expectation(text) is None


@pytest.mark.parametrize(
    ("text", "line", "pointer", "said"),
    [
        ('{\n  "status": 200,\n  "body": {"events": [}\n}', 3, "/body/events/0", ""),
        ('{\n  "stauts": 200\n}', 2, "/stauts", "status"),
        ('{\n  "rules": {"/a": {"regex": "("}}\n}', 2, "/rules/~1a", "regex"),
        ('{\n  "rules": {"/a": "anny"}\n}', 2, "/rules/~1a", "any"),
        ('{\n  "status": "200"\n}', 2, "/status", "no class of statuses"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(text: str, line: int, pointer: str, said: str):
    found = examine_expectation(text)
    assert found is not None
    assert found.line == line, found
    assert found.pointer == pointer, found
    assert said in found.message
