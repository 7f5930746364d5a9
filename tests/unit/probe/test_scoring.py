"""How trials came out, by area and by cell, also of a probe that goes on with an earlier one."""

from __future__ import annotations

import msgspec

from retailops_sandbox.probe.report import AreaScore, Observation, ProbeReport
from retailops_sandbox.probe.scoring import Tally
from tests.support.probe_answers import Asking


def report(**fields: object) -> ProbeReport:
    empty = ProbeReport(
        run="r1", receiver="my-shop", url="", action="order_cancel", edition="v1", started_at="now"
    )
    return msgspec.structs.replace(empty, **fields)


def tallied() -> tuple[Tally, list[Observation]]:
    """Three trials of fields and one check: one crashes, one has a bad Content-Type."""
    asking, tally = Asking(), Tally()
    answers = [
        asking.answered("null", field="/order", status=500),
        asking.answered("missing", field="/order", content_type="text/html"),
        asking.answered("null", field="/version", status=400),
        asking.answered("check", is_check=True, demand="accept"),
    ]
    seen = []
    for each in answers:
        tally.add(each)
        seen += asking.observer.observe(each)
    return tally, seen


def test_areas_count_trials_once_and_answers_apart():
    tally, seen = tallied()
    assert tally.areas(seen) == (
        AreaScore(area="contract", tried=3, held=2, did_not=1, to_see=0),
        AreaScore(area="answers", tried=3, held=2, did_not=0, to_see=1),
    )


def test_each_cell_has_the_worst_outcome():
    tally, seen = tallied()
    assert [(each.field, each.what, each.outcome, each.shown) for each in tally.cells(seen)] == [
        ("/order", "null", "did not", "5xx"),
        ("/order", "missing", "to see", ""),
        ("/version", "null", "held", ""),
    ]


def test_a_probe_that_goes_on_counts_what_was_done():
    tally, seen = tallied()
    earlier = report(areas=tally.areas(seen), cells=tally.cells(seen))
    resumed = Tally(earlier)
    assert resumed.areas(seen) == tally.areas(seen)
    assert resumed.cells(seen) == tally.cells(seen)
    resumed.add(Asking().answered("null", field="/action", status=400))
    assert resumed.areas(seen)[0].tried == 4
