"""What RetailOPS' published tool would say."""

from __future__ import annotations

from typing import Any

from tests.support.probe_answers import Asking


def said(*answers: dict[str, Any], edition: str = "v1") -> str:
    asking = Asking(edition=edition)
    asking.baseline()
    for how in answers:
        asking.ask(**{"demand": "accept", **how})
    return asking.observer.sdk_tool


def test_it_passes_what_its_schema_allows():
    null = {"body": {"status": "success", "events": None}}
    refused = {"demand": "refuse", "area": "auth", "status": 401}
    assert said({}, null, refused) == "It would pass all 3 answers that were asked for as it does."


def test_it_fails_what_breaks_its_schema():
    assert said({}, {"body": {"events": {}}}) == (
        "It would fail 1 of 2 answers, such as: /events must be an array or null, not an object"
    )


def test_it_wants_exact_statuses():
    assert "a valid request was answered 202, not 200" in said({"status": 202})
    assert "a wrong token was answered 403, not 401" in said(
        {"demand": "refuse", "area": "auth", "status": 403}
    )


def test_it_does_not_ask_for_what_is_broken():
    null = {"demand": "refuse", "status": 400, "payload": {"integration_auth_token": None}}
    assert said({"demand": "either", "status": 400}, null) == ""


def test_a_contract_without_it_has_no_word_of_it():
    assert said({}, edition="draft") == ""
