"""What a judgement says that it did not compare."""

from __future__ import annotations

from typing import Any

import pytest

from retailops_sandbox import comparing
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Expectation, Fault, Judgement, Response
from retailops_sandbox.reporting.render.checklist import checklist
from tests.support.records import some_delivery

V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")
CANCELLED = '{"status":"success","events":[]}'
EXTRA = {"": {"extra": "allow"}}


def judged(
    expected: Expectation | None, body: str = CANCELLED, status: int = 200, agreed: Contract = V1
) -> Judgement:
    sent = some_delivery(response=Response(status=status, body=body))
    return comparing.Judge(agreed)(comparing.Answer(sent, sent.response), expected, at="")


@pytest.mark.parametrize(
    ("said", "unchecked"),
    [
        (None, ("events",)),
        ({"status": 200}, ("events",)),
        ({"headers": {"A": "ignore"}, "max_ms": 5000}, ("events",)),
        ({"status": 200, "contract": False}, ("contract", "events")),
        ({"body": {"status": "success", "events": []}}, ()),
        ({"body": {"status": "success"}}, ()),
        ({"body": {"status": "success"}, "rules": EXTRA}, ("events",)),
        ({"body": {"status": "success"}, "rules": {**EXTRA, "/events": {"none": {"a": 1}}}}, ()),
        ({"body": {"status": "success"}, "rules": {**EXTRA, "/events": "any"}}, ("events",)),
        ({"body": {"status": "success"}, "rules": {**EXTRA, "/events": "unordered"}}, ("events",)),
        ({"body": {"events": []}, "rules": {"/events": "ignore"}}, ("events",)),
        ({"body": {"events": []}, "rules": {"/events": {"type": "array"}}}, ("events",)),
        ({"body": {"events": []}, "rules": {"/events": "ordered"}}, ()),
        ({"body": {"events": []}, "rules": {"/events/*": "ignore"}}, ("events",)),
        ({"body": {"events": [{}]}, "rules": {"/events/*": "ignore", "/events/0": {"extra": "allow"}}}, ()),
        ({"body": {"events": []}, "rules": {"": "ignore"}}, ("events",)),
        ({"body": None, "rules": {"": {"type": "object"}}}, ("events",)),
        ({"body": None, "rules": {"": {"one_of": [{}]}}}, ()),
        ({"body": "text"}, ()),
    ],
)
def test_it_names_what_an_expectation_does_not_compare(
    said: dict[str, Any] | None, unchecked: tuple[str, ...]
):
    assert judged(None if said is None else Expectation(**said)).unchecked == unchecked


def test_of_an_answer_that_tells_nothing_by_the_contract_it_names_the_body():
    assert judged(Expectation(status=401), "", 401).unchecked == ("body",)
    assert judged(Expectation(status=400, body={}), "{}", 400).unchecked == ()
    assert judged(None, "", 500).unchecked == ("body",)


def test_a_fault_leaves_nothing_out_as_there_is_nothing_to_compare():
    fault = some_delivery(fault=Fault(kind="refused", message="nothing listens"))
    found = comparing.Judge(V1)(comparing.Answer(fault, None), Expectation(fault="refused"), at="")
    assert (found.verdict, found.unchecked) == ("passed", ())


@pytest.mark.parametrize(
    ("expected", "answer", "lines"),
    [
        (
            None,
            (200, CANCELLED),
            ["held 200, as the contract wants", "held kept", "unchecked not compared: nothing was expected"],
        ),
        (
            Expectation(status=200, contract=False),
            (200, '{"status": "odd"}'),
            [
                "held 200, as expected",
                "unchecked not enforced, as the expectation says (1 violation)",
                "unchecked not compared: the expectation leaves them out",
            ],
        ),
        (
            Expectation(status=[200, 202], body={"status": "success", "events": [{"code": "E"}]}),
            (500, CANCELLED),
            [
                "broken 500, which was not expected",
                "unchecked it says nothing of an answer with 500",
                "broken 1 difference",
            ],
        ),
        (
            Expectation(body={"status": "success", "events": []}),
            (200, CANCELLED),
            ["held 200, as the contract wants", "held kept", "held as expected"],
        ),
        (
            None,
            (500, ""),
            [
                "broken 500, which the contract does not allow",
                "unchecked it says nothing of an answer with 500",
                "unchecked not compared: nothing was expected",
            ],
        ),
    ],
)
def test_the_checklist_says_what_came_of_each_part(
    expected: Expectation | None, answer: tuple[int, str], lines: list[str]
):
    status, body = answer
    sent = some_delivery(response=Response(status=status, body=body))
    found = checklist(sent, judged(expected, body, status), V1)
    assert [f"{each.state} {each.said}" for each in found] == lines
    assert [each.name for each in found][:2] == ["status", "contract"]
    assert found[2].name == ("body" if status == 500 and expected is None else "events")


def test_there_is_no_checklist_where_there_is_no_answer():
    fault = some_delivery(fault=Fault(kind="refused", message="nothing listens"))
    assert checklist(fault, Judgement(delivery=fault.id, verdict="errored", at=""), V1) == ()
