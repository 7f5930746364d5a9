"""The ids of orders: a range, and where they stand in payloads."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import UsageError
from retailops_sandbox.probe.orders import USUAL_COUNT, OrderIds, Orders

V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")
SEVERAL = SHIPPED_CONTRACTS.load("order_acknowledge", "v1")


def test_a_range_is_read_as_it_is_written():
    ids = OrderIds.read(" 900-1000 ")
    assert (ids.first, ids.last, len(ids), str(ids)) == (900, 1000, 101, "900-1000")
    assert OrderIds.read("7-7") == OrderIds(7, 7)


@pytest.mark.parametrize("text", ["", "900", "1000-900", "a-b", "1-2-3", "-1-4", "1.5-2"])
def test_what_is_no_range_is_refused_with_an_example(text: str):
    with pytest.raises(UsageError, match="is no range of order ids") as caught:
        OrderIds.read(text)
    assert "900000000-900009999" in caught.value.mend


def test_usual_ids_are_a_nine_and_eight_digits_from_a_random_place():
    drawn = [OrderIds.drawn(Random(seed)) for seed in range(200)]
    assert len(set(drawn)) > 190
    assert all(len(ids) == USUAL_COUNT for ids in drawn)
    assert all(900_000_000 <= ids.first <= ids.last <= 999_999_999 for ids in drawn)


def test_an_id_is_written_at_each_place_by_the_type_there():
    payload = {"order": {"retailops_order_id": 0, "channel_order_refnum": "496"}}
    orders = Orders(V1, payload, OrderIds(900, 901))
    order = orders.next()
    assert order.id == "900"
    assert order.places == {"/order/channel_order_refnum": "900", "/order/retailops_order_id": 900}
    assert orders.next().id == "901"


def test_a_place_that_the_payload_lacks_is_not_written():
    orders = Orders(V1, {"order": {"channel_order_refnum": "496"}}, OrderIds(900, 901))
    assert orders.next().places == {"/order/channel_order_refnum": "900"}


def test_a_placeholder_is_written_by_the_type_of_the_schema():
    payload = {"order": {"retailops_order_id": "${id}", "channel_order_refnum": "${id}"}}
    order = Orders(V1, payload, OrderIds(900, 901)).next()
    assert order.places == {"/order/channel_order_refnum": "900", "/order/retailops_order_id": 900}


def test_each_item_has_an_id_of_its_own():
    item = {"channel_order_refnum": "1", "retailops_order_id": 2}
    order = Orders(SEVERAL, {"orders": [item, item]}, OrderIds(900, 999)).next()
    assert order.id == "900"
    assert order.places == {
        "/orders/0/channel_order_refnum": "900",
        "/orders/1/channel_order_refnum": "901",
        "/orders/0/retailops_order_id": 900,
        "/orders/1/retailops_order_id": 901,
    }


def test_without_ids_the_order_is_that_of_the_fixture():
    payload = {"order": {"channel_order_refnum": "496"}}
    orders = Orders(V1, payload, None)
    assert not orders.are_own
    assert (orders.next().id, orders.next().places) == ("496", {})


def test_a_payload_without_ids_has_no_order():
    orders = Orders(V1, {"order": {}}, OrderIds(900, 901))
    assert not orders.are_own
    assert (orders.next().id, orders.next().places) == ("", {})


def test_a_range_that_ends_is_an_error_but_for_orders_that_may_come_again():
    payload = {"order": {"channel_order_refnum": "496"}}
    orders = Orders(V1, payload, OrderIds(900, 902))
    assert [orders.next().id, orders.next(again=True).id, orders.next(again=True).id] == ["900", "901", "902"]
    assert {orders.next(again=True).id for _ in range(4)} == {"901", "902"}
    orders.check()
    orders.next()
    with pytest.raises(UsageError) as caught:
        orders.check()
    assert caught.value.what == "the range 900-902 has 3 ids, and what is tried needs 8"
    assert "such as of 10,000" in caught.value.mend


@given(st.integers(1, 20), st.lists(st.booleans(), max_size=40))
def test_no_id_is_beyond_the_range_unless_it_is_too_small(count: int, again: list[bool]):
    ids = OrderIds(900, 899 + count)
    orders = Orders(V1, {"order": {"channel_order_refnum": "496"}}, ids)
    taken = [int(orders.next(again=each).id) for each in again]
    own = [number for number, each in zip(taken, again, strict=True) if not each]
    assert len({*own}) == len(own)
    try:
        orders.check()
    except UsageError:
        return
    assert all(ids.first <= number <= ids.last for number in taken)
