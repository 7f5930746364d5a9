"""Generated probes: each documented field is covered, and what is said of each request is true of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retailops_sandbox import composing, jsontext
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Step
from retailops_sandbox.probe.generating import GenerateOptions, baselines, generate, requests
from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.orders import OrderIds
from retailops_sandbox.probe.probes import Probe, Trial
from retailops_sandbox.probe.trials.transport import METHODS
from retailops_sandbox.scenarios import checking, scenario
from tests.support.generated import CONTRACTS, contract_of, fixtures, generated, options


def tries(probes: list[Probe]) -> Iterator[tuple[Probe, Step, Trial]]:
    """Each step with what it tries."""
    for probe in probes:
        assert [step.name for step in probe.scenario.steps] == [trial.step for trial in probe.trials]
        for step, trial in zip(probe.scenario.steps, probe.trials, strict=True):
            yield probe, step, trial


def documented(schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Every place that a schema documents, each item as `0`."""
    yield at
    for name, part in schema.get("properties", {}).items():
        yield from documented(part, f"{at}/{pointers.escape(name)}")
    if isinstance(schema.get("items"), dict):
        yield from documented(schema["items"], f"{at}/0")


def sent(step: Step, payloads: dict[str, Json], contract: Contract) -> Json:
    """The payload that a step sends, without a token unless the step has one of its own."""
    base = None if step.fixture is None else composing.Template(payloads[step.fixture], placeholders=False)
    token_at = contract.auth.pointer if contract.auth else ""
    return composing.compose(step, base, composing.Names(), token_at=token_at).value


def check_truth(contract: Contract, payloads: dict[str, Json], probes: list[Probe]) -> None:
    """What must be true of all that is generated for a contract and these fixtures."""
    assert len({probe.id for probe in probes}) == len(probes)
    tried = {trial.field for _, _, trial in tries(probes) if trial.what != "check"}
    assert tried >= {*documented(contract.request_schema)}
    for probe, step, trial in tries(probes):
        said = f"{probe.id}: {step.name}"
        assert probe.scenario.tags == ["probe", probe.area]
        assert checking.check_step(step) is None
        if step.raw is not None:
            assert trial.demand == "either", said
            continue
        payload = sent(step, payloads, contract)
        breaks = bool(contract.check_request(payload))
        assert breaks == step.off_contract, said
        if trial.demand == "accept":
            assert not breaks, f"{said}: must be accepted and breaks the contract"
    for probe in probes:
        text = scenario.spelled(probe.scenario)
        assert scenario.read(text, id="", file="").scenario == probe.scenario


@pytest.mark.parametrize("name", CONTRACTS)
def test_all_that_is_said_of_a_request_is_true_for_every_contract(name: str):
    contract = CONTRACTS[name]
    check_truth(contract, fixtures(contract), generated(name))


@pytest.mark.parametrize("name", ["order_cancel/draft", "order_cancel/v1"])
def test_the_same_options_give_the_same_requests(name: str):
    assert generate(CONTRACTS[name], options(CONTRACTS[name])) == generated(name)


def test_all_that_is_said_of_a_request_is_true_where_orders_have_no_ids_of_their_own():
    contract = CONTRACTS["order_cancel/v1"]
    check_truth(contract, fixtures(contract), generate(contract, options(contract, orders=None)))


@pytest.mark.parametrize("name", ["order_cancel/draft", "order_cancel/v1", "order_shipment_submit/v1"])
def test_a_mutation_changes_the_payload(name: str):
    contract, payloads = CONTRACTS[name], fixtures(CONTRACTS[name])
    keys = {mutation.key for mutation in MUTATIONS} - {"twice"}
    for _, step, trial in tries(generate(contract, options(contract, orders=None, areas=("contract",)))):
        if trial.what in keys:
            is_changed = jsontext.compact(sent(step, payloads, contract)) != jsontext.compact(
                payloads["default"]
            )
            assert is_changed, step.name


@pytest.mark.parametrize("name", ["order_cancel/draft", "order_cancel/v1", "order_acknowledge/v1"])
def test_each_request_has_an_order_of_its_own_but_for_those_that_come_after_another(name: str):
    contract = CONTRACTS[name]
    probes = [*generated(name), *baselines(contract, options(contract))[:1]]
    first = [trial.order for _, _, trial in tries(probes) if trial.order and not trial.after]
    assert len(set(first)) == len(first) > 100
    for probe, _, trial in tries(probes):
        if trial.after:
            (before,) = [each for each in probe.trials if each.step == trial.after]
            assert before.order in ("", trial.order)


def test_what_an_order_alone_shows_is_not_asked_where_all_requests_are_about_one():
    contract = CONTRACTS["order_cancel/v1"]
    probes = generate(contract, options(contract, orders=None))
    assert not [
        step.name for _, step, trial in tries(probes) if trial.what == "afterwards" and trial.after in METHODS
    ]
    assert {trial.what for probe, _, trial in tries(probes) if probe.area == "auth" and trial.after} == set()
    assert {probe.id for probe in probes} >= {"auth/wrong", "transport/get", "transport/other-path"}


def test_a_small_range_of_orders_is_enough_where_orders_may_come_again():
    contract = CONTRACTS["order_cancel/v1"]
    with pytest.raises(UsageError, match=r"the range 1-40 has 40 ids, and what is tried needs \d+") as caught:
        generate(contract, options(contract, orders=OrderIds(1, 40)))
    needed = int(caught.value.what.rpartition(" ")[2])
    probes = generate(contract, options(contract, orders=OrderIds(1, needed)))
    orders = {
        int(trial.order)
        for probe, _, trial in tries(probes)
        if trial.order and probe.id != "repetition/fixture"
    }
    assert orders <= {*range(1, needed + 1)}
    assert len(probes) == len(generated("order_cancel/v1"))
    with pytest.raises(UsageError, match="the range 5-5 has 1 ids"):
        baselines(contract, options(contract, orders=OrderIds(5, 5)))


def test_an_unknown_member_beside_documented_ones_must_be_accepted():
    found = [
        (trial.field, trial.demand)
        for _, _, trial in tries(generated("order_cancel/v1"))
        if trial.what == "unknown-member"
    ]
    assert found == [("", "accept"), ("/channel_info", "accept"), ("/order", "accept")]


def test_every_fixture_is_sent_as_it_is_and_one_without_an_order_or_too_large_may_be_refused():
    contract = CONTRACTS["order_cancel/v1"]
    (probe,) = [each for each in generated("order_cancel/v1") if each.id == "contract/fixtures"]
    assert [step.fixture for step in probe.scenario.steps] == [*fixtures(contract)]
    assert not any(step.set or step.remove for step in probe.scenario.steps)
    may_be_refused = {trial.step for trial in probe.trials if trial.demand == "either"}
    assert may_be_refused == {"fixture no-order-reference", "fixture over-100-kb"}


def test_an_unknown_member_that_the_schema_forbids_may_be_refused():
    schema = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}}
    contract = contract_of(schema, {"a": "x"})
    own = GenerateOptions(payload={"a": "x"}, areas=("contract",))
    (found,) = [each for each in tries(generate(contract, own)) if each[2].what == "unknown-member"]
    assert (found[1].off_contract, found[2].demand) == (True, "either")


def test_both_editions_of_the_first_action_take_about_a_thousand_requests():
    probes = [*generated("order_cancel/draft"), *generated("order_cancel/v1")]
    count = sum(requests(step) for probe, step, _ in tries(probes) if probe.area == "contract")
    assert 900 < count < 1400


def test_the_payload_goes_into_the_steps_where_there_is_no_fixture():
    contract = contract_of({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": "costs $${x}"})
    own = GenerateOptions(payload={"a": "costs ${x}"}, areas=("contract",))
    for _, step, trial in tries(generate(contract, own)):
        assert step.fixture is None
        if trial.what == "unknown-member":
            assert sent(step, {}, contract) == {"a": "costs ${x}", "a_member_that_nobody_knows": "unknown"}


def test_the_baseline_shows_a_fresh_order_a_known_one_and_another_fresh_one():
    contract = CONTRACTS["order_cancel/v1"]
    own, fixture = baselines(contract, options(contract))
    assert [(trial.order, trial.after) for trial in own.trials] == [
        ("900000000", ""),
        ("900000000", "a valid request"),
        ("900000001", ""),
    ]
    assert [(trial.order, trial.after) for trial in fixture.trials] == [("496", ""), ("496", "the fixture")]
    assert [each.id for each in baselines(contract, options(contract, orders=None))] == ["baseline/fixture"]


# --- whatever the contract ---

NAMES = st.text(alphabet="ab/~*$ é", min_size=1, max_size=3)
LEAVES: list[tuple[dict[str, Any], st.SearchStrategy[Json]]] = [
    ({"type": "string"}, st.sampled_from(["", "x", "0042", "42", "${a}", "é"])),
    ({"type": "integer"}, st.integers(min_value=-(2**70), max_value=2**70)),
    ({"type": "number"}, st.integers(min_value=-5, max_value=5)),
    ({"type": "boolean"}, st.booleans()),
    ({"type": ["string", "null"]}, st.sampled_from([None, "x"])),
    ({"type": "string", "maxLength": 10}, st.sampled_from(["", "x"])),
    ({"type": "integer", "minimum": 1}, st.integers(min_value=1, max_value=9)),
    ({}, st.sampled_from([None, 1, "x"])),
]


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> tuple[dict[str, Any], Json]:
    """A schema and a value that keeps it, in which what is not required may be missing."""
    kind = draw(st.sampled_from(["leaf", "object", "array"])) if depth else "leaf"
    if kind == "leaf":
        schema, values = draw(st.sampled_from(LEAVES))
        value = draw(values)
        return {**schema, "examples": [value]}, value
    if kind == "array":
        schema, value = draw(documents(depth - 1))
        return {"type": "array", "items": schema, "examples": [[value]]}, [value] * draw(st.integers(0, 2))
    members = draw(st.dictionaries(NAMES, documents(depth - 1), min_size=1, max_size=3))
    there = {name: value for name, (_, value) in members.items() if draw(st.booleans())}
    closed = {} if draw(st.booleans()) else {"additionalProperties": False}
    required = {"required": [*there]} if there else {}
    properties = {name: schema for name, (schema, _) in members.items()}
    return {"type": "object", "properties": properties, **required, **closed}, there


@given(documents(), st.booleans())
@settings(max_examples=60)
def test_all_that_is_said_of_a_request_is_true_whatever_the_contract(
    document: tuple[dict[str, Any], Json], is_fixture: bool
):
    schema, payload = document
    # What looks like a placeholder in a fixture is one, and this one has no value.
    assume(not (is_fixture and b"${" in jsontext.compact(payload)))
    contract = contract_of(schema, payload)
    own = GenerateOptions(fixture="own" if is_fixture else "", payload=payload, areas=("contract",))
    check_truth(contract, {"own": payload}, generate(contract, own))
