from __future__ import annotations

import json
from typing import Any

import pytest

from retailops_sandbox import resources
from retailops_sandbox.engine import Options, Sources
from retailops_sandbox.engine.preparation import Preparation
from retailops_sandbox.load.renumbering import Renumbering
from retailops_sandbox.model import Receiver
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import build_sources
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.policies import secret_policy


@pytest.fixture
def sources(tmp_path: Any) -> Sources:
    return build_sources(Workspace(tmp_path), {}, secret_policy())


BOTH: dict[str, Any] = {"fixture": "default", "set": {"/order/retailops_order_id": 4919}}
"""A step of edition v1 that names its order in both ways."""


def plan(*steps: dict[str, Any], **fields: Any) -> Plan:
    document = {"steps": list(steps), **fields}
    return scenario.read(json.dumps(document), id="s", file="s.scenario.json")


def prepared(plan: Plan, sources: Sources) -> list[tuple[Any, Any]]:
    """The payload and the expected body of each step, as they would be sent and compared."""
    preparation = Preparation(sources, Options(receiver=Receiver(name="r", base_url="http://127.0.0.1")))
    names = preparation.names(plan)
    found = []
    for number in range(len(plan.scenario.steps)):
        step = preparation.step(plan, number, names, number + 1)
        expected = step.expectations[0]
        found.append((json.loads(step.request.body), None if expected is None else expected.body))
    return found


def test_all_ids_of_an_order_become_its_number(sources: Sources) -> None:
    renumbering = Renumbering(plan({"fixture": "default"}), sources)
    assert renumbering.count == 1
    ((payload, _),) = prepared(renumbering.about([900_000_007]), sources)
    order = payload["data"]["order"]
    assert (order["id"], order["channel_refnum"]) == ("900000007", 900_000_007)


def test_numbers_and_texts_keep_their_type(sources: Sources) -> None:
    ((payload, _),) = prepared(Renumbering(plan(BOTH, edition="v1"), sources).about([900_000_007]), sources)
    order = payload["order"]
    assert (order["retailops_order_id"], order["channel_order_refnum"]) == (900_000_007, "900000007")


def test_steps_that_name_the_same_order_still_do(sources: Sources) -> None:
    by_id = {"remove": ["/data/order/channel_refnum"], "off_contract": True}
    renumbering = Renumbering(
        plan(
            {"name": "one", "fixture": "default"},
            {"name": "again", "fixture": "default", **by_id},
            {
                "name": "other",
                "fixture": "default",
                "set": {"/data/order/id": "X1", "/data/order/channel_refnum": "X2"},
            },
        ),
        sources,
    )
    assert renumbering.count == 2
    ids = [payload["data"]["order"]["id"] for payload, _ in prepared(renumbering.about([5, 6]), sources)]
    assert ids == ["5", "5", "6"]


def test_places_are_linked_through_what_another_step_says_together(sources: Sources) -> None:
    steps = [
        {"name": "id", **BOTH, "remove": ["/order/channel_order_refnum"], "off_contract": True},
        {"name": "refnum", "fixture": "default"},
        {"name": "both", **BOTH},
    ]
    renumbering = Renumbering(plan(*steps, edition="v1"), sources)
    assert renumbering.count == 1
    id, refnum, both = [payload["order"] for payload, _ in prepared(renumbering.about([5]), sources)]
    assert (id["retailops_order_id"], refnum["channel_order_refnum"]) == (5, "5")
    assert both == {"retailops_order_id": 5, "channel_order_refnum": "5"}


def readme_step() -> tuple[dict[str, Any], dict[str, str]]:
    """The step and the variables of README's own scenario."""
    readme = (resources.fixtures_dir().parent / "README.md").read_text()
    document = json.loads(readme.partition("```json\n")[2].partition("```")[0])
    (step,) = document["steps"]
    return step, document["variables"]


def test_another_id_is_another_order_although_they_share_one(sources: Sources) -> None:
    """README's own example sets one id, and the fixture gives all of its steps the other one."""
    step, variables = readme_step()
    other = {**step, "name": "other", "set": {"/data/order/id": "5111"}}
    again = {**step, "name": "again", "set": {"/data/order/id": variables["order_id"]}}
    renumbering = Renumbering(plan(step, other, again, variables=variables), sources)
    assert renumbering.count == 2
    orders = [payload["data"]["order"] for payload, _ in prepared(renumbering.about([5, 6]), sources)]
    assert [(order["id"], order["channel_refnum"]) for order in orders] == [("5", 5), ("6", 6), ("5", 5)]


def test_other_variables_are_other_orders(sources: Sources) -> None:
    step, variables = readme_step()
    other = {**step, "name": "other", "set": {"/data/order/id": "${another}"}}
    steps = plan(step, other, variables={**variables, "another": "5111"})
    renumbering = Renumbering(steps, sources)
    ids = [payload["data"]["order"]["id"] for payload, _ in prepared(renumbering.about([5, 6]), sources)]
    assert ids == ["5", "6"]
    assert renumbering.about([5, 6]).given == {"order_id": "5", "another": "6"}


@pytest.mark.parametrize("member", ["retailops_order_id", "channel_order_refnum"])
def test_of_both_ids_of_edition_v1_either_tells_orders_apart(sources: Sources, member: str) -> None:
    first = {"name": "first", **BOTH}
    ids = BOTH["set"] | {f"/order/{member}": "77"}
    shared = "channel_order_refnum" if member == "retailops_order_id" else "retailops_order_id"
    only = {"name": "only", **BOTH, "remove": [f"/order/{shared}"], "off_contract": True}
    steps = plan(
        first, {"name": "other", "fixture": "default", "set": ids}, {**only, "set": ids}, edition="v1"
    )
    renumbering = Renumbering(steps, sources)
    assert renumbering.count == 2
    payloads = [payload["order"] for payload, _ in prepared(renumbering.about([5, 6]), sources)]
    assert [str(order[member]) for order in payloads] == ["5", "6", "6"]


def test_an_answer_names_the_order_of_its_step_by_an_id_that_others_have_too(sources: Sources) -> None:
    about = {"associations": [{"type": "order", "identity": "496"}]}
    step = {"fixture": "default", "expect": {"body": {"events": [about]}}}
    other = {**step, "name": "other", "set": {"/data/order/id": "5111"}}
    found = prepared(Renumbering(plan({**step, "name": "one"}, other), sources).about([5, 6]), sources)
    assert [body["events"][0]["associations"][0]["identity"] for _, body in found] == ["5", "6"]


def test_a_variable_is_the_number_wherever_it_stands(sources: Sources) -> None:
    step = {
        "fixture": "default",
        "set": {"/data/order/id": "${order_id}", "/data/order/ip_address": "for ${order_id}"},
        "expect": {"body": {"events": [{"status": "${order_id}", "error_code": "no ${order_id}"}]}},
    }
    renumbering = Renumbering(plan(step, variables={"order_id": "4897"}), sources)
    ((payload, body),) = prepared(renumbering.about([5]), sources)
    assert (payload["data"]["order"]["id"], payload["data"]["order"]["ip_address"]) == ("5", "for 5")
    assert body == {"events": [{"status": "5", "error_code": "no 5"}]}


def test_ids_in_expected_answers_follow(sources: Sources) -> None:
    about = {"associations": [{"type": "order", "identity": "X1"}], "diagnostic_data": ["X1 and more"]}
    step = {
        "fixture": "default",
        "set": {"/data/order/id": "X1"},
        "expect": [{"body": {"events": [about]}}, {"status": 404}],
        "deliver": {"times": 2},
    }
    renumbering = Renumbering(plan(step), sources)
    ((_, body),) = prepared(renumbering.about([5]), sources)
    (event,) = body["events"]
    assert event["associations"][0]["identity"] == "5"
    assert event["diagnostic_data"] == ["X1 and more"]
    assert renumbering.about([5]).scenario.steps[0].expect[1].status == 404


def test_an_id_that_an_answer_gave_stays(sources: Sources) -> None:
    first = {"name": "pull", "fixture": "default", "capture": {"found": "/events/0/error_code"}}
    second = {
        "name": "cancel",
        "fixture": "default",
        "set": {"/data/order/id": "${found}", "/data/order/channel_refnum": ""},
    }
    renumbering = Renumbering(plan(first, second), sources)
    assert renumbering.count == 1
    assert renumbering.about([5]).scenario.steps[1] == renumbering.about([6]).scenario.steps[1]


def test_what_names_nothing_and_what_is_no_order_stays(sources: Sources) -> None:
    named = {"fixture": "by-channel-refnum", "set": {"/order/retailops_order_id": 0}}
    ((payload, _),) = prepared(Renumbering(plan(named, edition="v1"), sources).about([5]), sources)
    assert payload["order"] == {"retailops_order_id": 0, "channel_order_refnum": "5"}
    inventory = plan({"fixture": "default"}, action="inventory_push", edition="v1")
    assert Renumbering(inventory, sources).count == 0
    assert Renumbering(inventory, sources).about([]) == inventory
    assert Renumbering(plan({"raw": "{}"}), sources).count == 0
    assert Renumbering(plan({"fixture": "no-such"}), sources).count == 0


def test_every_shipped_scenario_can_be_about_other_orders(sources: Sources) -> None:
    for file in resources.fixtures_dir().glob("scenarios/*.scenario.json"):
        each = scenario.read(file.read_text(), id=file.name, file=str(file))
        renumbering = Renumbering(each, sources)
        numbers = range(900_000_001, 900_000_001 + renumbering.count)
        changed = renumbering.about([*numbers])
        assert changed.scenario.steps != each.scenario.steps or not renumbering.count
