"""Answers that name what was not asked about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.probe_answers import FIRST, SECOND, Asking, event

LONG = 9007199254740993


def about(identifier: str, kind: str = "order_id") -> dict[str, Any]:
    association = {"identifier_type": kind, "identifier": identifier}
    return {"status": "fail", "events": [event(associations=[association])]}


def test_a_number_that_lost_its_last_digits_is_foreign():
    payload = {"order": {"retailops_order_id": LONG, "channel_order_refnum": "A-1"}}
    asking = Asking()
    asked = {"demand": "accept", "payload": payload, "order": ""}
    assert asking.kinds(**asked, body=about(str(LONG))) == []
    assert asking.kinds(**asked, body=about(str(LONG - 1))) == ["foreign-association"]


def test_an_own_id_is_foreign_where_two_orders_have_it():
    asking = Asking()
    assert asking.kinds(demand="accept", order=FIRST, body=about("77")) == []
    assert asking.kinds(demand="accept", order=FIRST, body=about("77")) == []
    assert asking.kinds(demand="accept", order=SECOND, body=about("78")) == []
    assert asking.kinds(demand="accept", order=SECOND, body=about("77")) == ["foreign-association"]


@pytest.mark.parametrize("kind", ["sku_number", "shipment_id", "orderitem_id", "product_id"])
def test_other_things_than_the_subject_may_have_any_id(kind: str):
    asking = Asking()
    for order in (FIRST, SECOND):
        assert asking.kinds(demand="accept", order=order, body=about("77", kind)) == []


def test_an_order_that_is_found_by_another_id_has_its_own_name():
    asking = Asking()
    payload = {"order": {"retailops_order_id": 4897}}
    asked = {"demand": "accept", "payload": payload, "order": ""}
    assert asking.kinds(**asked, body=about("A-17", "order_refnum")) == []


def test_a_mutated_id_may_find_another_order():
    asking = Asking()
    asking.ask(demand="accept", order=SECOND)
    payload = asking.payload(FIRST)
    payload["order"]["retailops_order_id"] = 0
    mutated = {"field": "/order/retailops_order_id", "payload": payload, "order": FIRST}
    assert asking.kinds("zero", **mutated, body=about(SECOND, "order_refnum")) == []
