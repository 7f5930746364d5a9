"""The rows of a run's results."""

from __future__ import annotations

import pytest

from retailops_sandbox.model import Result, ResultStep
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.web.runs.results import result_rows
from tests.support.records import judge, some_delivery

FLOW = "scenarios/flow.scenario.json"


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        (("order_pull", "order_acknowledge"), ["order_pull v1", "order_acknowledge v1"]),
        (("order_pull", "order_pull"), ["", ""]),
    ],
)
def test_a_step_tells_its_action_where_the_scenario_has_several(
    actions: tuple[str, str], told: list[str]
) -> None:
    entries = []
    for number, action in enumerate(actions):
        sent = some_delivery(
            id=f"r.{number}", action=action, edition="v1", scenario=FLOW, step=f"step {number}"
        )
        entries.append(Entry(sent, (judge(sent),)))
    steps = tuple(ResultStep(number=number, name=f"step {number}", verdict="passed") for number in (0, 1))
    result = Result(scenario=FLOW, name="Flow", verdict="passed", at="2024-05-01T12:00:03Z", steps=steps)
    (row,) = result_rows([result], {}, entries, is_shown=lambda step: True, most=9)
    assert [step.contract for step in row.steps] == told
