"""sharding.py: each scenario is in exactly one shard, the same on every machine."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Scenario, Shard, Step
from retailops_sandbox.scenarios import sharding
from retailops_sandbox.scenarios.scenario import Plan

IDS = st.lists(st.text(max_size=8), unique=True, max_size=30)


def plan(id: str, *, steps: int = 1, text: str = "") -> Plan:
    scenario = Scenario(name="", steps=[Step(name=str(number), fixture="x") for number in range(steps)])
    return Plan(id, id, scenario, False, text)


def test_the_hash_of_an_id_is_the_same_everywhere():
    ids = ["a.scenario.json", "scenarios/ü.scenario.json", "shipped:draft-cancel.scenario.json"]
    assert sharding.by_hash(ids, 5) == dict(zip(ids, (4, 4, 3), strict=True))
    assert sharding.by_hash(["scenarios/u\u0308.scenario.json"], 5) == {"scenarios/u\u0308.scenario.json": 4}


@given(IDS, st.integers(1, 6), st.dictionaries(st.text(max_size=8), st.floats(0, 100)))
def test_the_shards_together_are_the_run_and_no_two_share_a_scenario(
    ids: list[str], count: int, seconds: dict[str, float]
):
    plans = [plan(id) for id in ids]
    for times in (None, seconds):
        shards = [Shard(number=number, count=count) for number in range(1, count + 1)]
        parts = [sharding.part_of(plans, shard, times) for shard in shards]
        assert sorted(each.id for part in parts for each in part.plans) == sorted(ids)
        assert len({part.shard.division for part in parts}) == 1
        assert {part.shard.scenarios for part in parts} == {len(ids)}


def test_the_longest_come_first_each_into_the_shard_that_has_the_least():
    seconds = {"a": 5.0, "b": 4.0, "c": 3.0, "d": 3.0, "e": 3.0}
    assert sharding.by_seconds("edcba", seconds, 2) == {"a": 1, "b": 2, "c": 2, "d": 1, "e": 2}


def test_one_that_never_ran_counts_as_the_mean_and_where_none_ran_all_count_alike():
    seconds = {"a": 9.0, "b": 1.0, "elsewhere": 100.0}
    assert sharding.by_seconds(["a", "b", "new"], seconds, 2) == {"a": 1, "new": 2, "b": 2}
    for times in ({}, {"a": 0.0, "b": 0.0}):
        assert Counter(sharding.by_seconds("abcdef", times, 3).values()) == {1: 2, 2: 2, 3: 2}


def test_the_division_tells_other_scenarios_texts_and_seconds_but_no_newlines():
    plans = [plan("a", text="{\n}"), plan("b"), plan("c")]
    one = Shard(number=1, count=2)

    def division(plans: list[Plan], seconds: dict[str, float] | None = None) -> str:
        return sharding.part_of(plans, one, seconds).shard.division

    assert division([plan("a", text="{\r\n}"), *plans[:0:-1]]) == division(plans)
    others = [plans[:2], [plan("a", text="{ }"), *plans[1:]]]
    assert division(plans) not in [*map(division, others), division(plans, {"b": 9.0, "a": 1.0})]


def test_a_step_has_the_sequence_that_it_has_in_the_whole_run():
    plans = [plan("a", steps=2), plan("b", steps=3), plan("c")]
    assert sharding.part_of(plans, Shard(number=2, count=2)).sequences == {"a": 1, "b": 3, "c": 6}


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/2/3", "1 / 2", "²/3"])
def test_what_names_no_shard_is_refused(text: str):
    with pytest.raises(UsageError, match="names no shard"):
        sharding.parse(text)
    assert str(sharding.parse("2/5")) == "2/5"
