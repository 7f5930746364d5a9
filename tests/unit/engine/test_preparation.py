"""engine/preparation.py: the request of a step, from nothing but step, fixture, receiver and names."""

from __future__ import annotations

import pytest

from retailops_sandbox.composing import MissingCapture, Names, Template
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.engine.preparation import Prepared, prepare
from retailops_sandbox.engine.target import Target
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.model import Deliver, Expectation, Receiver, Step
from retailops_sandbox.redaction import Secrets

FIXTURE = Template.read('{"price": 35.00, "id": "${order_id}"}')


def prepared(step: Step, fixture: Template | None = FIXTURE, **names: object) -> Prepared:
    return prepare(
        step,
        contract=SHIPPED_CONTRACTS.load("order_cancel", "v1"),
        fixture=fixture,
        target=Target(
            Receiver(name="shop", base_url="http://h/base", token="token-0123456789"),
            Secrets(),
            SHIPPED_CONTRACTS,
        ),
        names=Names(given={"order_id": 4897, **names}),
    )


def test_the_request_is_made_of_step_fixture_receiver_and_names():
    step = Step(fixture="f", set={"/note": "${order_id}"}, deliver=Deliver(headers={"X-A": "${order_id}"}))
    made = prepared(step)
    assert made.request.url == "http://h/base/order_cancel_v1"
    assert made.request.body == (
        b'{"price":35.00,"id":4897,"note":4897,"integration_auth_token":"token-0123456789"}'
    )
    assert ("X-A", "4897") in made.request.headers


def test_the_same_is_prepared_twice_from_the_same():
    step = Step(fixture="f", set={"/a/b": [1]}, remove=["/price"])
    assert prepared(step).request == prepared(step).request
    assert Template.read('{"price": 35.00, "id": "${order_id}"}') == FIXTURE


@pytest.mark.parametrize(("off_contract", "refused"), [(False, True), (True, False)])
def test_a_payload_that_breaks_the_contract_is_refused_unless_the_step_says_so(
    off_contract: bool, refused: bool
):
    made = prepared(Step(payload={"a": 1}, off_contract=off_contract), None)
    assert made.violations
    assert made.is_refused is refused


def test_raw_bytes_are_never_refused():
    made = prepared(Step(raw="{"), None)
    assert (made.request.body, made.payload, made.is_refused) == (b"{", None, False)


def test_a_delivery_has_an_expectation_of_its_own_or_shares_one():
    one, other = Expectation(body="${order_id}"), Expectation(status=500)
    listed = prepared(Step(fixture="f", deliver=Deliver(times=2), expect=[one, other]))
    assert listed.expectations == [Expectation(body=4897), other]
    shared = prepared(Step(fixture="f", deliver=Deliver(times=3), expect=one)).expectations
    assert len(shared) == 3
    assert len({id(each) for each in shared}) == 1


def test_what_cannot_be_composed_is_an_error_with_its_pointer():
    with pytest.raises(ComposeError, match="nobody") as caught:
        prepared(Step(payload={"a": "${nobody}"}), None)
    assert caught.value.pointer == "/a"
    names = Names(lost=frozenset({"code"}))
    with pytest.raises(MissingCapture):
        prepare(
            Step(payload="${code}"),
            contract=SHIPPED_CONTRACTS.load("order_cancel", "draft"),
            fixture=None,
            target=Target(Receiver(name="shop", base_url="http://h"), {}, SHIPPED_CONTRACTS),
            names=names,
        )
