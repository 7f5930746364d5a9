"""What the editor offers in a scenario's file: its fields, the cases, the contract's places."""

from __future__ import annotations

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.web.scenarios.vocabulary import scenario_vocabulary

WORDS = {
    (each.at, each.key): each
    for each in scenario_vocabulary(
        [SHIPPED_CONTRACTS.load(*name) for name in (("order_cancel", "draft"), ("order_pull", "v1"))],
        SHIPPED_CONTRACTS,
        ["mine", "yours"],
    )
}


def test_the_fields_of_a_file_a_step_and_a_delivery_are_offered():
    assert WORDS["", "steps"].is_required
    assert WORDS["", "edition"].values == ('"draft"', '"v1"')
    assert WORDS["/steps/*", "fixture"].values == ('"mine"', '"yours"')
    assert WORDS["/steps/*", "off_contract"].values == ("true",)
    assert WORDS["/steps/*", "deliver"].values == ("{}",)
    assert WORDS["/steps/*/deliver", "times"].types == "integer"
    assert WORDS["/steps/*/deliver", "wire"].values == ("{}",)
    assert '"gzip"' in WORDS["/steps/*/deliver/wire", "compressed"].values
    assert WORDS["/steps/*", "together"].values == ("true",)
    assert '"order_pull"' in WORDS["/steps/*", "action"].values
    assert WORDS["/steps/*", "repeat_while"].values == ("{}",)
    assert WORDS["/steps/*/repeat_while", "at_most"].is_required
    assert "Empty" not in WORDS["/steps/*", "capture"].description
    assert WORDS["/steps/*", "remove"].description


def test_payload_and_expectation_are_those_of_the_contract():
    assert WORDS["/steps/*/payload/data/order", "id"].values == ('"4897"',)
    assert WORDS["/steps/*/expect", "status"].values == ("200", '"4xx"')
    assert WORDS["/steps/*/expect/*", "status"].values == ("200", '"4xx"')
    assert WORDS["/steps/*/expect/body/events/*", "error_code"].values == ('"ERR1234"',)
    assert WORDS["/steps/*/expect/rules", "/events"].values
    assert WORDS["/steps/*/payload", "page_token"].types == "string"
    assert WORDS["/steps/*/expect/body", "next_page_token"].types == "string"
