"""report/lines.py: verdicts and differences in words, the same in every report."""

from __future__ import annotations

import pytest

from retailops_sandbox import comparing, redaction
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Difference, Expectation, Request, Response, Rule
from retailops_sandbox.reporting.render import lines
from tests.support.records import some_delivery

CONTRACT = SHIPPED_CONTRACTS.load("order_cancel", "draft")


def told(expected: dict[str, Rule], *headers: tuple[str, str]) -> list[str]:
    """What is told of an answer with these headers."""
    delivery = some_delivery(
        request=Request(method="POST", url="http://h", headers=()),
        response=Response(status=200, headers=headers, body='{"events":[]}'),
    )
    judgement = comparing.Judge(CONTRACT)(
        redaction.listing.answer(delivery), Expectation(headers=expected), at=""
    )
    assert judgement.verdict == ("failed" if judgement.differences else "passed")
    return [lines.difference(each) for each in judgement.differences]


@pytest.mark.parametrize(
    ("rule", "value", "says"),
    [
        ("text/plain", "text/html", 'header X: expected "text/plain", got "text/html" (changed)'),
        (
            {"regex": "^text/"},
            "image/png",
            'header X: got "image/png", which the rule does not accept (changed); rule {"regex":"^text/"}',
        ),
        (
            {"one_of": ["a", "b"]},
            "c",
            'header X: got "c", which the rule does not accept (changed); rule {"one_of":["a","b"]}',
        ),
        ("uuid", "1", 'header X: got "1", which the rule does not accept (changed); rule "uuid"'),
        ("text/plain", None, 'header X: expected "text/plain", got nothing (missing)'),
        ("any", None, 'header X: got nothing (missing); rule "any"'),
        ({"contains": "a"}, None, 'header X: got nothing (missing); rule {"contains":"a"}'),
    ],
)
def test_a_header_that_differs_is_told_with_its_rule(rule: Rule, value: str | None, says: str):
    assert told({"X": rule}, *([("x", value)] if value is not None else [])) == [says]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("text/plain", "text/plain"),
        ({"regex": "^text/"}, "text/plain"),
        ("any", ""),
        ("ignore", None),
        ("ignore", "a"),
        ({"contains": "b"}, "abc"),
        ("uuid", "6f0e3ba0-64a6-4b86-9f0d-2f0d5d7e2c11"),
        ("datetime", "2026-01-02T03:04:05Z"),
    ],
)
def test_a_header_as_expected_is_not_told(rule: Rule, value: str | None):
    assert told({"X-Any-Case": rule}, *([("x-any-CASE", value)] if value is not None else [])) == []


def test_a_time_is_told_with_its_unit():
    late = Difference(kind="changed", part="latency", expected=20, actual=31.5)
    assert lines.difference(late) == "latency: expected at most 20 ms, got 31.5 ms (changed)"
