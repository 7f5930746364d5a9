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
    assert recognition.recognise(url, payload, SHIPPED_CONTRACTS.of()) is found


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
    assert recognition.recognise("", payload, [V1, other]) is other
    assert recognition.recognise("", V1_PAYLOAD, [V1, other]) is V1
    assert recognition.recognise("", {**payload, "action": "unknown"}, [V1, other]) is None


def test_a_broken_payload_is_one_still():
    assert recognition.is_payload({"action": "order_cancel", "version": "x", "data": 1}, [DRAFT])
    assert not recognition.is_payload({"level": "info", "version": 1}, [DRAFT, V1])
    assert not recognition.is_payload([DRAFT_PAYLOAD], [DRAFT])
