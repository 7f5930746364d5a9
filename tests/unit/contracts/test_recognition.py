"""contracts/recognition.py: which contract a request belongs to, by its path and its payload."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract

DRAFT, V1 = SHIPPED_CONTRACTS.load("order_cancel", "draft"), SHIPPED_CONTRACTS.load("order_cancel", "v1")
DRAFT_PAYLOAD: dict[str, Any] = DRAFT.examples.request
V1_PAYLOAD: dict[str, Any] = V1.examples.request


def test_the_default_edition_comes_first():
    assert SHIPPED_CONTRACTS.of()[:2] == [DRAFT, V1]
    assert SHIPPED_CONTRACTS.of("order_cancel", "v1") == [V1]
    assert SHIPPED_CONTRACTS.of("order_ship") == []


@pytest.mark.parametrize(
    ("url", "payload", "found"),
    [
        ("", DRAFT_PAYLOAD, DRAFT),
        ("http://a/b", V1_PAYLOAD, V1),
        ("http://a/hooks/order_cancel", V1_PAYLOAD, V1),  # kept by the payload, wherever it went
        ("http://a/order_cancel_v1/?x", {"version": 1}, V1),
        ("http://a/order_cancel", None, DRAFT),
        ("http://[/order_cancel", None, None),
        ("", {"action": "order_cancel", "version": 1, "data": {}}, DRAFT),
        ("", {"version": 1}, None),
        ("http://a/b", None, None),
    ],
)
def test_a_request_that_went_anywhere(url: str, payload: Any, found: Contract | None):
    assert recognition.fitting(url, payload, SHIPPED_CONTRACTS.of()) == ([found] if found else [])


@pytest.mark.parametrize(
    ("path", "payload", "found"),
    [
        ("/deep/order_cancel_v1/", DRAFT_PAYLOAD, V1),  # the path decides: a step goes to the same one
        ("/order_cancel", V1_PAYLOAD, DRAFT),
        ("/hooks/cancel", V1_PAYLOAD, V1),
        ("/hooks/cancel", {"client_id": 1}, V1),
        ("/anything", DRAFT_PAYLOAD, DRAFT),
        ("/anything", None, DRAFT),
        ("/", {}, DRAFT),
    ],
)
def test_a_request_to_a_receiver_with_paths_of_its_own(path: str, payload: Any, found: Contract):
    paths = {"order_cancel": "/hooks/cancel"} if "hooks" in path else {}
    assert recognition.recognise_at_receiver(path, payload, paths, SHIPPED_CONTRACTS) is found


def test_the_action_that_a_payload_names_tells_contracts_apart():
    other = msgspec.structs.replace(V1, action="order_return", path="/order_return_v1")
    payload = {**V1_PAYLOAD, "action": "order_return"}
    assert recognition.fitting("", payload, [V1, other]) == [other]
    assert recognition.fitting("", V1_PAYLOAD, [V1, other]) == [V1]
    assert recognition.fitting("", {**payload, "action": "unknown"}, [V1, other]) == [V1, other]


def test_a_broken_payload_is_one_still():
    assert recognition.is_payload({"action": "order_cancel", "version": "x", "data": 1}, [DRAFT])
    assert not recognition.is_payload({"level": "info", "version": 1}, [DRAFT, V1])
    assert not recognition.is_payload([DRAFT_PAYLOAD], [DRAFT])


EACH = SHIPPED_CONTRACTS.of()


@pytest.mark.parametrize("agreed", EACH, ids=lambda each: f"{each.action}.{each.edition}")
def test_each_shipped_one_is_told_by_its_example_alone_and_by_its_path(agreed: Contract):
    assert recognition.fitting("", agreed.examples.request, EACH) == [agreed]
    assert recognition.fitting(f"http://h/in{agreed.path}", {"any": 1}, EACH) == [agreed]


@pytest.mark.parametrize("agreed", EACH, ids=lambda each: f"{each.action}.{each.edition}")
def test_a_payload_that_does_not_name_its_action_is_never_guessed(agreed: Contract):
    payload = {name: each for name, each in agreed.examples.request.items() if name != "action"}
    found = recognition.fitting("", payload, EACH)
    assert len(found) != 1 or found == [agreed]


def test_a_payload_of_an_action_that_nobody_knows_is_not_taken_for_the_one_that_demands_least():
    least = next(each for each in EACH if each.action == "catalog_get_config")
    payload = {**least.examples.request, "action": "calculate_order"}
    kept = [each for each in EACH if not each.check_request(payload)]
    assert recognition.fitting("", payload, [least]) == []
    assert recognition.fitting("", payload, EACH) == (kept if len(kept) > 1 else [])
    assert recognition.fitting(f"http://h{least.path}", payload, EACH) == [least]
