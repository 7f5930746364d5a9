"""trend.py: what a result is compared with, and what that says."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from retailops_sandbox.model import MergedShard, Result, RunInfo, Verdict
from retailops_sandbox.scenarios import trend
from retailops_sandbox.scenarios.trend import Past


def run(number: int, *, receiver: str = "shop", finished: bool = True, **said: bool) -> RunInfo:
    at = f"2024-05-01T12:00:{number:02}Z"
    return RunInfo(
        id=f"r{number:02}", started_at=at, finished_at=at if finished else "", receiver=receiver, **said
    )


def result(verdict: Verdict, scenario: str = "a", *, stopped: bool = False, name: str = "") -> Result:
    return Result(scenario=scenario, name=name, verdict=verdict, at="", stopped=stopped)


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ("passed", "failed", "fixed"),
        ("passed", "errored", "fixed"),
        ("failed", "passed", "regressed"),
        ("errored", "passed", "regressed"),
        ("failed", "errored", "still failing"),
        ("passed", "passed", "still passing"),
        ("passed", None, "new"),
        ("failed", None, "new"),
        ("recorded", "failed", None),
        ("skipped", "passed", None),
    ],
)
def test_a_trend_is_told_of_what_was_judged(now: Verdict, before: Verdict | None, said: str | None):
    assert trend.of(result(now), result(before) if before else None) == said


def test_a_result_that_was_cut_short_has_no_trend():
    assert trend.of(result("errored", stopped=True), result("passed")) is None


@pytest.mark.parametrize(
    "other",
    [
        Past(run(3, receiver="another"), [result("failed")]),
        Past(run(3, stand_in=True), [result("failed")]),
        Past(run(3, finished=False), [result("failed")]),
        Past(run(3, stopped=True), [result("failed")]),
        Past(run(9), [result("failed")]),
        Past(run(3), [result("failed", "b")]),
        Past(run(3), [result("errored", stopped=True)]),
        Past(run(3), [result("recorded")]),
        Past(run(3), [result("skipped")]),
    ],
    ids=["receiver", "stand-in", "unfinished", "stopped", "later", "scenario", "cut", "recorded", "skipped"],
)
def test_what_says_nothing_is_passed_over_for_what_does(other: Past):
    earlier = Past(run(1), [result("passed", name="this one")])
    found = trend.before(run(5), [other, earlier], ["a"])
    assert found["a"].name == "this one"


def test_the_latest_one_counts_for_each_scenario():
    past = [
        Past(run(3), [result("failed", "a", name="3")]),
        Past(run(2), [result("passed", "a", name="2"), result("passed", "b", name="2")]),
    ]
    found = trend.before(run(5), past, ["a", "b", "c"])
    assert {id: each.name for id, each in found.items()} == {"a": "3", "b": "2"}


def test_the_shards_of_a_merged_run_are_not_earlier_than_it():
    shards = tuple(MergedShard(number=each, run=f"r0{each}", started_at="") for each in (2, 3))
    merged = msgspec.structs.replace(run(5), shards=shards)
    past = [Past(run(each), [result("passed", name=f"{each}")]) for each in (3, 2, 1)]
    assert trend.before(merged, past, ["a"])["a"].name == "1"


def test_no_more_is_read_than_needed():
    def past() -> Iterator[Past]:
        yield Past(run(3), [result("passed")])
        raise AssertionError("read on")

    assert trend.before(run(5), past(), ["a"])["a"].verdict == "passed"
    assert trend.before(run(5), past(), []) == {}


def test_regressions_come_first_and_what_is_as_good_as_ever_last():
    rows: list[tuple[Verdict, trend.Trend | None]] = [
        ("failed", "regressed"),
        ("errored", "still failing"),
        ("failed", "new"),
        ("errored", None),
        ("skipped", None),
        ("passed", "fixed"),
        ("passed", "new"),
        ("passed", "still passing"),
    ]
    ranks = [trend.rank(*row) for row in rows]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
