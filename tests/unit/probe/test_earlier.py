"""A probe compared with an earlier one: new, still there, gone."""

from __future__ import annotations

import msgspec

from retailops_sandbox.probe.earlier import compared
from retailops_sandbox.probe.report import AreaScore, ProbeReport
from tests.support.probe_reports import CRASH, NULL_ARRAY, PATHS


def report(run: str, *findings: object, tried: int = 1) -> ProbeReport:
    empty = ProbeReport(
        run=run, receiver="my-shop", url="", action="order_cancel", edition="v1", started_at="now"
    )
    areas = tuple(AreaScore(area=area, tried=tried) for area in ("contract", "answers"))
    return msgspec.structs.replace(empty, findings=findings, areas=areas)


def test_findings_are_new_or_still_there_or_gone():
    found = compared(report("later", CRASH, PATHS), report("earlier", CRASH, NULL_ARRAY))
    assert [each.state for each in found.findings] == ["still there", "new"]
    assert found.gone == (NULL_ARRAY.title,)
    assert found.compared_with == "earlier"


def test_what_was_not_tried_is_not_gone():
    assert compared(report("later", tried=0), report("earlier", CRASH)).gone == ()
