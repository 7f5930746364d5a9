"""probe/failing.py: what a probe fails on."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox.probe.failing import FAIL_ON, FAILS, FailOn, failing
from tests.support.probe_reports import CRASH, NULL_ARRAY, PATHS, probe_report

HANG = msgspec.structs.replace(CRASH, key="hang", label="advice", state="still there")
REPORT = probe_report(findings=(CRASH, NULL_ARRAY, PATHS, HANG))


@pytest.mark.parametrize(
    ("fail_on", "named"),
    [
        (FAILS, [CRASH, HANG]),
        (("contract",), [CRASH]),
        (("server",), [CRASH, HANG]),
        (("documentation",), [NULL_ARRAY]),
        (("advice",), [PATHS, HANG]),
        (("any",), [CRASH, NULL_ARRAY, PATHS, HANG]),
        (("new",), [CRASH, PATHS]),
        (("none",), []),
        (("documentation", "new"), [CRASH, NULL_ARRAY, PATHS]),
    ],
)
def test_a_probe_fails_on_what_is_named_and_on_nothing_else(fail_on: tuple[FailOn, ...], named: list[object]):
    assert set(fail_on) <= set(FAIL_ON)
    assert list(failing(REPORT, fail_on)) == named


def test_each_finding_is_new_where_there_was_nothing_to_compare_with():
    report = probe_report(findings=(msgspec.structs.replace(PATHS, state=None),))
    assert failing(report, ["new"]) == report.findings
