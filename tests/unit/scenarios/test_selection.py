"""selection.py: which scenarios an expression and tags mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Scenario, Step
from retailops_sandbox.scenarios import selection
from retailops_sandbox.scenarios.scenario import Plan


def plan(id: str, name: str = "", *tags: str) -> Plan:
    scenario = Scenario(name=name, tags=list(tags), steps=[Step(name="x", fixture="default")])
    return Plan(id, id, scenario, False, "")


PLANS = [
    plan("a/cancel.scenario.json", "An order is cancelled", "smoke"),
    plan("a/refuse.scenario.json", "An unknown order is refused", "refusal", "slow"),
    plan("b/v1-cancel.scenario.json", "", "smoke"),
]


def test_all_steps_of_a_scenario_are_of_the_actions_and_editions_that_are_chosen():
    pull = Step(name="p", fixture="default", action="order_pull", edition="v1")
    both = Scenario(name="", edition="v1", steps=[Step(name="x", fixture="default"), pull])
    flow = Plan("flow", "flow", both, False, "")
    plans = [*PLANS, flow]
    assert selection.choose(plans, None, (), ["order_cancel"]) == PLANS
    assert selection.choose(plans, None, (), ["order_cancel", "order_pull"]) == plans
    assert selection.choose(plans, None, (), ["order_pull"]) == []
    assert selection.choose(plans, None, (), [], ["v1"]) == [flow]


def chosen(expression: str | None, *tags: str) -> list[str]:
    return [each.id[0] + str(PLANS.index(each)) for each in selection.choose(PLANS, expression, tags)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cancel", "a0 b2"),
        ("CANCELLED", "a0"),
        ("order and not slow", "a0"),
        ("refusal or v1", "a1 b2"),
        ("not cancel", "a1"),
        ("not not cancel", "a0 b2"),
        ("cancel and (v1 or unknown)", "b2"),
        ("smoke and order or slow", "a0 a1"),
        ("slow or order and smoke", "a0 a1"),
        ("a/refuse.scenario.json", "a1"),
        ('"unknown order"', "a1"),
        ("'An order'", "a0"),
        ("nothing-like-it", ""),
        ("notable", ""),
        ('"not"', ""),
    ],
)
def test_an_expression_means(expression: str, expected: str):
    assert chosen(expression) == expected.split()


def test_tags_are_whole_and_one_is_enough():
    assert chosen(None, "smoke") == ["a0", "b2"]
    assert chosen(None, "smoke", "slow") == ["a0", "a1", "b2"]
    assert chosen(None, "smo") == []
    assert chosen("v1", "smoke") == ["b2"]
    assert chosen(None) == ["a0", "a1", "b2"]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "a word is missing at its end"),
        ("   ", "a word is missing at its end"),
        ("a and", "a word is missing at its end"),
        ("or a", "a word is missing at 'or', column 1"),
        ("a b", "and, or, or the end is missing at 'b', column 3"),
        ("(a or b", "a closing parenthesis is missing at its end"),
        ("a)", "and, or, or the end is missing at ')', column 2"),
        ('a and "b', "a word is missing at '\"', column 7"),
        ('""', "a word is missing at"),
        ("not " * 60 + "a", "50 levels"),
        ("(" * 100_000, "50 levels"),
    ],
)
def test_a_mistake_is_told_with_its_place(expression: str, says: str):
    with pytest.raises(UsageError) as caught:
        selection.compile(expression)
    assert says in str(caught.value)


@given(st.text(alphabet="ab ()'\"nortd", max_size=30))
def test_any_text_is_an_expression_or_a_mistake(text: str):
    try:
        meant = selection.compile(text)
    except UsageError:
        return
    assert all(meant(each) in (True, False) for each in PLANS)


words = st.sampled_from(["cancel", "order", "slow", "v1"])
trees: Any = st.recursive(
    words,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    ),
    max_leaves=8,
)


def spelled(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    if tree[0] == "not":
        return f"not ({spelled(tree[1])})"
    return f"({spelled(tree[1])}) {tree[0]} ({spelled(tree[2])})"


def holds(tree: Any, each: Plan) -> bool:
    if isinstance(tree, str):
        return any(tree in text.lower() for text in (each.name, each.id, *each.scenario.tags))
    if tree[0] == "not":
        return not holds(tree[1], each)
    return (all if tree[0] == "and" else any)([holds(tree[1], each), holds(tree[2], each)])


@given(trees)
def test_it_means_what_logic_says(tree: Any):
    meant = selection.compile(spelled(tree))
    assert [meant(each) for each in PLANS] == [holds(tree, each) for each in PLANS]
