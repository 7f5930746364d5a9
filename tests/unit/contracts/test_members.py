"""Members that a contract does not name."""

from __future__ import annotations

import pytest

from retailops_sandbox.contracts import members
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/data/order/id", ""),
        ("/data/order/payment_status/by_account/0/voided", ""),
        ("/data/order/shipments/-", ""),
        ("/data/order/shipments/0/anything", ""),
        ("", ""),
        ("/data/ordr/id", "/data/ordr (did you mean /data/order?)"),
        ("/data/order/grandtotal", "/data/order/grandtotal (did you mean /data/order/grand_total?)"),
        ("/data/order/payment_status/by_account/0/xyz", "/data/order/payment_status/by_account/0/xyz"),
        ("/zzz/a", "/zzz"),
        ("/note/b", ""),
    ],
)
def test_what_is_not_named_is_told_with_the_nearest_name(path: str, told: str):
    payload = {**DRAFT.examples.request, "note": {}}
    assert members.unknown(DRAFT.request_schema, path, payload) == told


def test_what_a_payload_has_is_meant():
    payload = {"order": {"unshipped_items": [{"sku": "A"}]}}
    assert members.unknown(V1.request_schema, "/order/unshipped_items/0/sku", payload) == ""
    assert members.unknown(V1.request_schema, "/order/unshipped_items/0/sku", {}) == "/order/unshipped_items"
