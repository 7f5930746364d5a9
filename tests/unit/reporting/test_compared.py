"""compared.py: status, contract, time and headers of an answer, and an answer that is no JSON."""

from __future__ import annotations

from typing import Any

import pytest

from retailops_sandbox import redaction
from retailops_sandbox.comparing import Judge
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Expectation, Request, Response, Timings
from retailops_sandbox.reporting.render import compared
from retailops_sandbox.reporting.render.compared import ComparedAnswer
from tests.support.records import some_delivery

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
REQUEST = Request(method="POST", url="http://127.0.0.1/", headers=())
PAGE = "<html><head><title>Whoops</title></head><body>Call the operator</body></html>"


def shown(
    expectation: Expectation, body: str = '{"events": []}', status: int = 200, **more: Any
) -> ComparedAnswer:
    """The comparison of an answer after 42 ms, judged for real."""
    response = Response(status=status, body=body, **more)
    sent = some_delivery(
        sent_at="2024-01-01T00:00:00Z",
        receiver="mine",
        request=REQUEST,
        response=response,
        timings=Timings(total=42.0),
    )
    judgement = Judge(DRAFT)(redaction.listing.answer(sent), expectation, at="2024-01-01T00:00:00Z")
    return compared.compared(sent, judgement, DRAFT)


def words(found: ComparedAnswer) -> str:
    return ", ".join(each.words for each in found.facts)


def test_what_is_kept_is_told_in_one_line():
    found = shown(Expectation(max_ms=2000, headers={"X-Shop": "a"}), headers=(("X-Shop", "a"),))
    assert words(found) == "status 200, contract kept, 42.0 ms of 2,000, 1 header"
    assert found.is_kept


def test_what_is_broken_names_what_was_expected():
    found = shown(Expectation(status=[201, 202], max_ms=10, headers={"X-Shop": "a"}), '{"events": 1}')
    assert words(found) == (
        "status 200 instead of 201 or 202, contract: 1 violation, 42.0 ms instead of at most 10, "
        "header X-Shop differs"
    )
    assert not found.is_kept
    assert found.others == (), "all is told by the facts"


def test_a_broken_contract_that_may_be_broken_is_not_held_against_the_answer():
    assert shown(Expectation(contract=False), '{"events": 1}').is_kept


def test_without_a_limit_the_time_is_only_told():
    assert [each.state for each in shown(Expectation()).facts] == ["kept", "kept", "open"]


def test_the_contract_is_not_checked_where_the_status_is_another_one():
    found = shown(Expectation(status=404), "{}", 404)
    assert words(found) == "status 404, contract not checked, 42.0 ms"


def test_a_page_in_place_of_json_says_what_it_is_and_shows_its_words():
    found = shown(Expectation(body={"events": []}), PAGE, 500)
    assert found.not_json is not None
    assert found.not_json.words == "answered 500 with an HTML page"
    assert "Call the operator" in found.not_json.text
    assert "<" not in found.not_json.text
    assert '"events": []' in found.not_json.expected
    assert found.view is None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("", "an empty body"),
        ("oops", "text"),
        ("<?xml version='1.0'?><a/>", "XML, <a>"),
        ('{"events": [],}', "JSON that has a mistake"),
        ('{"events": []} bye', "text after its JSON"),
        ('Notice: x {"events": []}', "text before its JSON"),
        ("a=1&b=2", "a URL-encoded form"),
    ],
)
def test_what_an_answer_is_that_is_no_json(body: str, what: str):
    found = shown(Expectation(body={"events": []}), body)
    assert found.not_json is not None
    assert found.not_json.words == f"answered 200 with {what}"
    assert found.not_json.text == body


def test_an_answer_that_is_json_is_shown_beside_what_was_expected():
    found = shown(Expectation(body={"events": [{"error_code": "A"}]}))
    assert found.not_json is None
    assert found.view is not None
    assert (found.count, found.others) == (1, ())
