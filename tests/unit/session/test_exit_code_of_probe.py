"""session/exit_code.py: how a probe ends."""

from __future__ import annotations

from typing import Any

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.session.exit_code import exit_code_of_probe
from retailops_sandbox.session.probing import FinishedProbe
from tests.support.probe_reports import CRASH, clean_report, probe_report

UNWRITTEN = (FileError("cannot be written", file="a"),)
NO_BASELINE = {"baseline": "no valid request was accepted", "findings": (CRASH,)}


@pytest.mark.parametrize(
    ("report", "finished", "code"),
    [
        (clean_report(), {}, 0),
        (probe_report(), {}, 1),
        (probe_report(**NO_BASELINE), {}, 5),
        (probe_report(**NO_BASELINE, requests=3, faults=3), {}, 3),
        (probe_report(**NO_BASELINE, requests=3, faults=2), {}, 5),
        (probe_report(requests=3, faults=3), {"unwritten": UNWRITTEN}, 2),
        (probe_report(), {"unwritten": UNWRITTEN, "interrupted": True}, 130),
        (clean_report(baseline="nothing is sent", requests=0), {}, 5),
    ],
)
def test_the_first_that_applies(report: Any, finished: dict[str, Any], code: int):
    probe = FinishedProbe(report=report, **finished)
    assert exit_code_of_probe(probe, ["contract", "server"]) == code


def test_a_report_that_could_not_be_written_ends_with_2_and_what_is_not_named_with_0():
    probe = FinishedProbe(report=probe_report())
    assert exit_code_of_probe(probe, ["contract"], unwritten=UNWRITTEN) == 2
    assert exit_code_of_probe(probe, ["none"]) == 0
