"""pytest_plugin/probing.py: what a test gets of a probe, and how it fails."""

from __future__ import annotations

import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.pytest_plugin.answers import Errored
from retailops_sandbox.pytest_plugin.probing import ProbeResult
from tests.support.probe_reports import CRASH, clean_report, probe_report


def test_a_failed_check_prints_the_findings():
    with pytest.raises(AssertionError) as caught:
        ProbeResult(probe_report()).check()
    said = str(caught.value)
    assert said.startswith("not yet fit: 1 cause breaks the contract")
    assert "✗ Crashes where a member is null  (contract, new)" in said
    assert "    mend:     read a member that is null as one that is absent" in said


def test_a_check_fails_on_what_it_names_alone():
    result = ProbeResult(probe_report())
    assert result.check("none") is result
    assert result.findings[0] == CRASH
    with pytest.raises(AssertionError):
        result.check("advice")
    clean = ProbeResult(clean_report())
    assert clean.check("any") is clean
    assert repr(clean) == "<ProbeResult fit: nothing broke the contract>"
    with pytest.raises(UsageError, match="'bad' is nothing to fail on"):
        clean.check("bad")


def test_nothing_is_judged_where_no_valid_request_was_accepted():
    with pytest.raises(Errored, match="no valid request was accepted"):
        ProbeResult(clean_report(baseline="no valid request was accepted")).check("none")
