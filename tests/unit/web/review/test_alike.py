"""Differences of a review that are alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from retailops_sandbox.accepting import DecisionOptions
from retailops_sandbox.model import Difference, Scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.review.alike import groups
from retailops_sandbox.web.review.items import Item, Subject


def test_values_that_are_made_anew_each_time_are_alike():
    def item(actual: Any, at: str = "/events/0/at", **fields: Any) -> Item:
        difference = Difference(
            kind="changed", expected_pointer=at, actual_pointer=at, expected=1, actual=actual, **fields
        )
        plan = Plan("", "", Scenario(name="a", steps=[]), False, "")
        return Item(Subject(plan, Path(), "", ()), difference, DecisionOptions(True))

    def sizes(*items: Item) -> list[int]:
        return [len(each.numbers) for each in groups(items)]

    assert sizes(item(1_795_677_403_570), item(1_795_677_403_571, "/events/7/at")) == [2]
    assert groups([item(1_795_677_403_570), item(1_795_677_403_571)])[0].varies
    assert sizes(item({"a": [1_795_677_403_570]}), item({"a": [1_795_677_403_571]})) == [2]
    assert sizes(item(5), item(6)) == [1, 1]
    assert sizes(item(5), item(5, "/other/0/at")) == [1, 1]
    assert sizes(item(5), item("5")) == [1, 1]
    assert sizes(item(5), item(5, rule="uuid")) == [1, 1]
