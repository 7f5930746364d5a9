"""A report as the page shows it."""

from __future__ import annotations

import msgspec

from retailops_sandbox.probe.probing import ProbeOutline
from retailops_sandbox.probe.report import AreaScore, ProbeReport
from retailops_sandbox.web.probe.result import (
    Asked,
    Result,
    SaveAttempt,
    planned_areas,
    result_of,
    short_names,
)
from tests.support.probe_reports import CRASH, PATHS, probe_report


def shown(report: ProbeReport, attempt: SaveAttempt | None = None, **asked: str) -> Result:
    return result_of(report, Asked(**asked), {"tells-its-own-file-paths": "{}"}.get, attempt)


def test_fields_have_short_names_by_which_no_two_are_alike():
    pointers = [
        "/version",
        "/data/order/id",
        "/data/channel/id",
        "/data/order/items/0/sku",
        "/other/order/items/0/sku",
        "/data/a~1b/c~0d",
        "",
    ]
    assert short_names(pointers) == {
        "/version": "version",
        "/data/order/id": "order.id",
        "/data/channel/id": "channel.id",
        "/data/order/items/0/sku": "data.order.items[0].sku",
        "/other/order/items/0/sku": "other.order.items[0].sku",
        "/data/a~1b/c~0d": "a/b.c~d",
        "": "the request",
    }


def test_one_name_may_be_the_end_of_another():
    assert short_names(["/id", "/order/id", "/data/order/id"]) == {
        "/id": "id",
        "/order/id": "order.id",
        "/data/order/id": "data.order.id",
    }


def test_a_file_name_is_made_of_the_title_and_is_free():
    names = {row.finding.key: row.file_name for row in shown(probe_report()).findings}
    assert names[CRASH.key] == "crashes-where-a-member-is-null"
    assert names[PATHS.key] == "tells-its-own-file-paths-2"
    odd = msgspec.structs.replace(CRASH, title="Ж" * 300)
    assert [row.file_name for row in shown(probe_report(findings=(odd,))).findings] == ["finding"]


def test_a_name_that_was_refused_stays_as_it_was_typed():
    attempt = SaveAttempt(CRASH.key, "../out", "no")
    (refused, *others) = shown(probe_report(), attempt).findings
    assert (refused.file_name, refused.problem, refused.is_open) == ("../out", "no", True)
    assert not any(each.is_open or each.problem for each in others)


def test_the_filter_shows_what_is_new_only_where_something_was_compared():
    assert [row.number for row in shown(probe_report(), show="new").findings] == [1, 3]
    assert len(shown(probe_report(compared_with=""), show="new").findings) == 3


def test_an_area_has_a_bar_of_its_outcomes():
    score = AreaScore(area="contract", tried=8, held=6, did_not=1, to_see=1)
    (card,) = shown(probe_report(areas=(score,))).areas
    assert [(bar.verdict, bar.x, bar.width) for bar in card.bars] == [
        ("passed", 0.0, 75.0),
        ("failed", 75.0, 12.5),
        ("recorded", 87.5, 12.5),
    ]
    (empty,) = shown(probe_report(areas=(AreaScore(area="speed"),))).areas
    assert [bar.width for bar in empty.bars] == [0.0]


def test_the_outline_is_told_by_area_and_nothing_is_sent_for_the_answers():
    outline = ProbeOutline(
        url="http://127.0.0.1:1/x",
        requests=12,
        scenarios=0,
        areas={"transport": 4, "contract": 8},
        left_out={},
        orders="1-9",
        seed=1,
        max_seconds=90,
    )
    assert [(card.name, card.planned) for card in planned_areas(outline)] == [
        ("Contract", 8),
        ("Transport", 4),
        ("Answers", None),
    ]
