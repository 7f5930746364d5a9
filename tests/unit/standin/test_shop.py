"""The stand-in's shop: its orders, the rules in its data, and the life of an order over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import retailops_sandbox.standin
from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.standin import TOKEN, StandIn
from retailops_sandbox.standin import shop as shops
from retailops_sandbox.standin.shop import Action, Edition, Event, Order, Rules, Shop, Step

DATA = Path(retailops_sandbox.standin.__file__).parent
LISTED = [order for order in StandIn().shop.orders if order.content]
Ask = Callable[..., Any]


# --- The data ----------------------------------------------------------------------------------------


def test_what_is_refused_comes_from_the_data_and_not_from_the_code():
    rules = Rules(
        states={"fresh": "", "gone": "", "frozen": "", "unknown": ""},
        events={"ice": Event("error", "ERR0001", "Frozen"), "who": Event("error", "ERR0002", "Who?")},
        moves={
            "wipe": {
                "fresh": Step(to="gone"),
                "gone": Step(),
                "frozen": Step(event="ice"),
                "unknown": Step(event="who"),
            }
        },
        editions={"e": Edition({"order_id": "/id", "order_refnum": "/ref"}, "${code}", "${identity}")},
        actions={"a.e": Action(answer="${events}", move="wipe", orders="/all/*")},
        lists={},
    )
    shop = Shop(rules, (Order("a", "1", "fresh"), Order("b", "2", "frozen")))
    named = [{"id": "a"}, {"ref": "2"}, {"id": "2"}, {}]
    assert shop.answer("a", "e", {"all": named}) == ["ERR0001", "ERR0002", "ERR0002"]
    assert [order.state for order in shop.orders] == ["gone", "frozen"]


def test_the_rules_have_a_step_for_each_state_and_name_nothing_that_is_not_there():
    rules = StandIn().shop.rules
    for steps in rules.moves.values():
        assert list(steps) == list(rules.states)
        for step in steps.values():
            assert step.to in ("", *rules.states)
            assert step.event in ("", *rules.events)
            # A duplicate is answered alike, and changes nothing.
            assert not step.to or steps[step.to] == Step(event=step.event)
    for action in rules.actions.values():
        assert action.move in ("", *rules.moves)
        if action.keep:
            assert {action.keep.no_key, action.keep.unknown_key} <= {"", *rules.events}
            assert {action.keep.list, action.keep.known} <= {"", *rules.lists}


def test_an_order_is_made_in_a_state_that_allows_what_is_asked():
    rules = StandIn().shop.rules
    assert set(rules.made) == set(rules.moves)
    for move, state in rules.made.items():
        assert rules.moves[move][state].event == ""


def test_a_shop_keeps_a_bounded_number_of_orders_made_on_demand(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shops, "_MOST_MADE", 2)
    shop = StandIn().shop

    def cancelled_after_shipping(id: int) -> bool:
        shop.answer("order_shipment_submit", "v1", {"retailops_order_id": id})
        return bool(shop.answer("order_cancel", "v1", {"order": {"retailops_order_id": id}})["events"])

    assert cancelled_after_shipping(900000001)
    for other in (900000002, 900000003):
        shop.answer("order_cancel", "v1", {"order": {"retailops_order_id": other}})
    # The first is forgotten, and open again.
    assert shop.answer("order_cancel", "v1", {"order": {"retailops_order_id": 900000001}})["events"] == []
    assert len(shop.orders) == len(StandIn().shop.orders)


def test_the_data_has_orders_in_every_state_and_no_two_with_one_id():
    shop = StandIn().shop
    assert {order.state for order in shop.orders} == {*shop.rules.states} - {"unknown"}
    for ids in ([order.id for order in shop.orders], [order.refnum for order in shop.orders]):
        assert len({*ids}) == len(ids)
    waiting = {order.id for order in shop.orders if order.state in ("new", "pulled")}
    assert waiting <= {order.id for order in LISTED}


@pytest.mark.parametrize("order", LISTED, ids=lambda order: order.refnum)
def test_what_an_order_costs_is_what_was_paid(order: Order):
    texts = json.loads((DATA / "orders.json").read_bytes(), parse_float=Decimal)
    content = next(each["content"] for each in texts if each["id"] == order.id)
    whole = content["currency_values"]
    total = whole["shipping_amt"] + whole["tax_amt"] - whole["discount_amt"]
    for item in content["order_items"]:
        value = item["currency_values"]
        total += item["quantity"] * (value["unit_price"] + value["unit_tax"]) - value["discount_amt"]
    assert total == sum(each["amount"] for each in content["payment_transactions"]) > 0
    assert content["channel_order_refnum"] == order.refnum
    assert {item["sku"] for item in content["order_items"]} <= {*StandIn().shop.lists["catalog"]}


def test_each_action_of_a_life_leads_to_the_next_state():
    shop = StandIn().shop
    order = {"channel_order_refnum": "520"}
    life = [
        ("order_pull", {}, "pulled"),
        ("order_acknowledge", {"orders": [order]}, "open"),
        ("order_update", {"order": order}, "open"),
        ("order_shipment_submit", order, "shipped"),
        ("order_settle_payment", {"order": order}, "settled"),
        ("order_complete", {"order": order}, "completed"),
        ("order_returned", {"order": order}, "returned"),
    ]
    for action, payload, state in life:
        shop.answer(action, "v1", payload)
        assert next(each.state for each in shop.orders if each.refnum == "520") == state


# --- Actions -----------------------------------------------------------------------------------------


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Ask a fresh stand-in over HTTP: an action and what its payload has beside the common part.

    The result is the answer, after it was held against the contract and each variant of it.
    """
    with asyncio.Runner() as runner:
        stand_in = StandIn()
        address = runner.run(stand_in.start()).removeprefix("http://")

        def posted(path: str, payload: Any) -> tuple[int, Any]:
            connection = http.client.HTTPConnection(address, timeout=60)
            try:
                connection.request("POST", path, jsontext.compact(payload))
                response = connection.getresponse()
                return response.status, json.loads(response.read())
            finally:
                connection.close()

        def answer(action: str, *, status: int = 200, token: str = TOKEN, **members: Any) -> Any:
            agreed = SHIPPED_CONTRACTS.load(action, "v1")
            common = {"integration_auth_token": token, "action": action, "version": 1}
            payload = {**common, "client_id": 497, "channel_info": {"id": 21}, **members}
            assert agreed.check_request(payload) == ()
            answered, body = runner.run(asyncio.to_thread(posted, agreed.path, payload))
            assert answered == status
            if status == 200:
                assert agreed.check_response(body) == ()
                assert [*filter(None, agreed.check_answer(body).by_source.values())] == []
            return body

        yield answer
        runner.run(stand_in.stop())


def codes(answer: Any) -> list[str]:
    return [event["code"] for event in answer["events"]]


def pulled(ask: Ask) -> list[list[str]]:
    """The reference numbers of every page."""
    pages: list[list[str]] = []
    token = ""
    while True:
        answer = ask("order_pull", page_token=token)
        pages.append([order["channel_order_refnum"] for order in answer["orders"]])
        token = answer["next_page_token"]
        if not token:
            return pages


def listed(pages: list[list[str]]) -> list[str]:
    return [refnum for page in pages for refnum in page]


def test_an_order_lives_from_its_pull_to_its_return(ask: Ask):
    refnum = ask("order_pull", page_token="")["orders"][0]["channel_order_refnum"]
    order = {"channel_order_refnum": refnum}
    item = {"channel_item_refnum": f"{refnum}-1", "order_item_id": 71, "quantity": 2, "sku": "S12345"}

    assert ask("order_acknowledge", orders=[{**order, "retailops_order_id": 4921}]) == {"events": []}
    assert refnum not in listed(pulled(ask))
    updated = ask("order_update", order={**order, "order_items": [item, {"sku": "S12346"}]})
    assert updated["line_items"] == [{"order_item_id": 71, "refnum": f"{refnum}-1", "quantity": 2}]
    early = ask("order_returned", order=order, **{"return": {}})
    assert (codes(early), "return" in early) == (["ERR1403"], False)
    assert ask("order_shipment_submit", **order, shipment={"packages": []}) == {"events": []}
    late = ask("order_cancel", order=order)
    assert (late["status"], codes(late)) == ("fail", ["ERR1409"])
    assert ask("order_settle_payment", order=order, payment={}) == {"events": []}
    assert ask("order_complete", order=order) == {"status": "success", "events": []}
    back = ask("order_returned", order=order, **{"return": {}})
    assert back == {"events": [], "return": {"channel_store_credit_amount": 0}}


def test_an_order_is_cancelled_before_it_ships_and_then_does_not_ship(ask: Ask):
    order = {"channel_order_refnum": "530"}
    assert ask("order_acknowledge", orders=[order]) == {"events": []}
    assert ask("order_cancel", order=order) == {"status": "success", "events": []}
    (event,) = ask("order_shipment_submit", **order)["events"]
    assert (event["event_type"], event["code"]) == ("error", "ERR1410")
    assert event["associations"] == [{"identifier_type": "order_refnum", "identifier": "530"}]
    assert ask("order_cancel", order=order) == {"status": "success", "events": []}


def test_pages_have_every_order_that_was_not_acknowledged_once(ask: Ask):
    pages = pulled(ask)
    assert len(pages) > 2
    assert max(map(len, pages)) > 1
    every = listed(pages)
    assert every == [order.refnum for order in LISTED if order.state in ("new", "pulled")]
    # What was pulled and not acknowledged is pulled again.
    assert pulled(ask) == pages
    ask("order_acknowledge", orders=[{"channel_order_refnum": "530"}])
    assert listed(pulled(ask)) == [each for each in every if each != "530"]


def test_an_acknowledgement_between_two_pages_leaves_no_order_out(ask: Ask):
    first, second, *_ = pulled(ask)
    token = ask("order_pull")["next_page_token"]
    ask("order_acknowledge", orders=[{"channel_order_refnum": each} for each in first])
    answer = ask("order_pull", page_token=token)
    assert [order["channel_order_refnum"] for order in answer["orders"]] == second


def test_a_page_after_the_last_is_empty_and_so_is_all_when_all_is_acknowledged(ask: Ask):
    none = {"orders": [], "next_page_token": ""}
    assert ask("order_pull", page_token="no token of ours") == none
    every = listed(pulled(ask))
    assert ask("order_acknowledge", orders=[{"channel_order_refnum": each} for each in every]) == {
        "events": []
    }
    assert ask("order_pull") == none


def test_specific_orders_are_answered_in_any_state_and_without_regard_to_pages(ask: Ask):
    wanted = [{"channel_refnum": "540"}, {"channel_refnum": "522"}, {"channel_refnum": "nowhere"}]
    answer = ask("order_pull", specific_orders=wanted, page_token="533")
    assert {order["channel_order_refnum"] for order in answer["orders"]} == {"540", "522"}
    assert answer["next_page_token"] == ""
    nothing = ask("order_pull", specific_orders=[{"channel_refnum": "nowhere"}])
    assert nothing == {"orders": [], "next_page_token": ""}


def test_each_order_that_cannot_be_acknowledged_is_told(ask: Ask):
    named = [{"channel_order_refnum": each} for each in ("530", "520", "nowhere")]
    answer = ask("order_acknowledge", orders=[*named, {}])
    assert codes(answer) == ["ERR1401", "ERR1404", "ERR1404"]
    about = [event["associations"] for event in answer["events"]]
    assert [each[0]["identifier"] if each else "" for each in about] == ["520", "nowhere", ""]
    assert "530" not in listed(pulled(ask))
    assert ask("order_acknowledge", orders=[]) == ask("order_acknowledge") == {"events": []}


def test_an_order_is_found_by_its_id_where_no_reference_number_is_named(ask: Ask):
    assert ask("order_settle_payment", order={"retailops_order_id": 4953}) == {"events": []}
    refused = ask("order_settle_payment", order={"retailops_order_id": 1})
    assert refused["events"][0]["associations"] == [{"identifier_type": "order_id", "identifier": "1"}]
    assert codes(ask("order_settle_payment")) == ["ERR1404"]


def test_a_warning_is_no_refusal(ask: Ask):
    answer = ask("order_update", order={"channel_order_refnum": "553"})
    assert [event["event_type"] for event in answer["events"]] == ["warning"]
    assert "values" in answer


def test_stock_is_kept_of_what_the_catalog_has(ask: Ask):
    stock = [{"sku": "S12345", "quantity_available": 24}, {"sku": "N1", "quantity_available": 3}, {}]
    assert codes(ask("inventory_push", inventory_updates=stock)) == ["ERR1422", "ERR1421"]
    assert ask("catalog_push", template_output={"products": [{"sku": "N1", "title": "New"}]}) == {
        "events": []
    }
    assert ask("inventory_push", inventory_updates=stock[:2]) == {"events": []}
    assert ask("catalog_push", TemplateOutput={"products": ["no product", {"title": "No sku"}]})["events"]
    assert ask("catalog_push", template_output={"anything": 1}) == {"events": []}
    assert ask("catalog_get_config") == {"sku_fanout": "no_fanout"}


@pytest.mark.parametrize("action", [name for name, edition in SHIPPED_CONTRACTS.names if edition == "v1"])
def test_each_action_passes_the_checks_of_the_published_tool(ask: Ask, action: str):
    agreed = SHIPPED_CONTRACTS.load(action, "v1")
    members = {key: each for key, each in agreed.examples.request.items() if key != "integration_auth_token"}
    members.pop("action")
    first = ask(action, **deepcopy(members))
    assert ask(action, **members) == first
    ask(action, **members, token="wrong", status=401)
