"""fitting.py: a scenario goes to a receiver that can answer all of its steps."""

from __future__ import annotations

from retailops_sandbox.composing.editions import SpokenEditions
from retailops_sandbox.model import Scenario, Step
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.fitting import fitting


def plan(id: str, *steps: Step, edition: str = "draft") -> Plan:
    return Plan(id, id, Scenario(edition=edition, steps=[*steps]), False, "")


DRAFT = plan("draft", Step(name="a"))
PULL = plan("pull", Step(name="a", action="order_pull"), edition="v1")
BOTH = plan("both", Step(name="a"), Step(name="b", edition="v1"))
PLANS = [DRAFT, PULL, BOTH]


def test_a_scenario_of_several_editions_needs_all_of_them():
    assert fitting(PLANS, SpokenEditions()).plans == PLANS
    found = fitting(PLANS, SpokenEditions(("draft",), "it says so"))
    assert (found.plans, found.left_out) == ([DRAFT], 2)
    assert found.line == "left out: 2 scenarios of v1, because the receiver speaks draft: it says so"
    assert fitting(PLANS, SpokenEditions(("v1",), "it says so")).plans == [PULL]
    assert fitting(PLANS, SpokenEditions(("draft", "v1"), "it says so")).plans == PLANS
