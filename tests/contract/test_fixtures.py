"""What is shipped to be sent: every fixture keeps its contract and adds up, every scenario passes."""

from __future__ import annotations

import asyncio
import http.client
import re
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec import UNSET

from retailops_sandbox import comparing, composing, jsontext, resources, run_scenario
from retailops_sandbox.contracts.advice import advise
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, HttpRequest, Number, Receiver, Step
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.standin import TOKEN, StandIn
from tests.support.receivers import answering, receiver, response

FOLDER = resources.fixtures_dir()
EXPECTATIONS = sorted(FOLDER.glob("*/*/*.expect.json"))
FIXTURES = sorted({*FOLDER.glob("*/*/*.json")} - {*EXPECTATIONS})
CASES = sorted({path.parent for path in FIXTURES})
"""The folder of each action and edition."""
DRAFT = [path for path in FIXTURES if path.parent.name == "draft"]
SCENARIOS = sorted((FOLDER / "scenarios").glob("*.scenario.json"))
SUMMED = (
    *("authed", "available", "captured", "charged", "credited", "settled"),
    *("unsettled", "unsettled_deferred", "unsettled_external"),
)


@pytest.fixture
def stand_in() -> Iterator[str]:
    """The URL of a stand-in in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    served = StandIn()
    try:
        yield asyncio.run_coroutine_threadsafe(served.start(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(served.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def read(path: Path) -> Any:
    return jsontext.parse(path.read_bytes(), file=path.name)


def agreed_of(path: Path) -> Contract:
    """The contract of a fixture."""
    return SHIPPED_CONTRACTS.load(path.parent.parent.name, path.parent.name)


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document that has no members, with its pointer."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    if not members:
        yield place, value
    for name, member in members:
        yield from leaves(member, f"{place}/{pointer.escape(name)}")


# --- Fixtures ----------------------------------------------------------------------------------------


def test_there_are_enough_of_them():
    assert len(DRAFT) >= 12
    assert {(path.parent.name, path.name) for path in CASES} == set(SHIPPED_CONTRACTS.names)
    for cases in CASES:
        names = [path.stem for path in FIXTURES if path.parent == cases]
        assert len(names) >= 4, cases
        assert "default" in names, cases


@pytest.mark.parametrize("path", FIXTURES, ids=name_of)
def test_a_fixture_keeps_its_contract_and_its_advice(path: Path):
    agreed, payload = agreed_of(path), read(path)
    assert agreed.check_request(payload) == ()
    assert advise(agreed.advice, payload) == []


@pytest.mark.parametrize("path", FIXTURES, ids=name_of)
def test_a_fixture_is_a_plain_tidy_payload(path: Path):
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem)
    assert text == jsontext.pretty(jsontext.parse(text)).rstrip("\n") + "\n"
    assert not composing.has_placeholder(text)


@pytest.mark.parametrize("path", FIXTURES, ids=name_of)
def test_a_fixture_holds_no_token(path: Path):
    agreed, payload = agreed_of(path), read(path)
    assert [place for place in agreed.secrets if pointer.get(payload, place, UNSET) is not UNSET] == []
    assert TOKEN not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("edition", ["draft", "v1"])
def test_the_default_is_the_example_with_its_keys_in_order(edition: str):
    example = SHIPPED_CONTRACTS.load("order_cancel", edition).examples.request
    text = (FOLDER / "order_cancel" / edition / "default.json").read_bytes()
    assert jsontext.compact(jsontext.parse(text)) == jsontext.compact(example)


@pytest.mark.parametrize("cases", CASES, ids=name_of)
def test_no_two_fixtures_say_the_same(cases: Path):
    payloads = [jsontext.compact(read(path)) for path in FIXTURES if path.parent == cases]
    assert len(set(payloads)) == len(payloads)


@pytest.mark.parametrize("path", DRAFT, ids=name_of)
def test_the_payments_of_a_fixture_add_up(path: Path):
    order = read(path)["data"]["order"]
    status = order["payment_status"]
    accounts = status["by_account"]
    for field in SUMMED:
        assert status[field] == sum(account[field] for account in accounts), field
    assert status["success"] == min(account["success"] for account in accounts)
    assert order["channel_payment"] in accounts
    assert status["charged"] in (0, order["grand_total"])


@pytest.mark.parametrize("path", DRAFT, ids=name_of)
def test_each_account_of_a_fixture_adds_up(path: Path):
    for account in read(path)["data"]["order"]["payment_status"]["by_account"]:
        assert account["charged"] == account["settled"] + account["unsettled"] + account["voided"]
        assert account["available"] == account["charged"] - account["voided"] - account["credited"]
        assert account["unsettled"] >= account["unsettled_deferred"] + account["unsettled_external"]
        assert account["captured"] == (0 if account["captures_are_external"] else account["settled"])
        assert account["captures_are_deferred"] or account["unsettled_deferred"] == 0
        assert account["captures_are_external"] or account["unsettled_external"] == 0


PUBLISHED = "published-example"
"""The name of the fixtures that are the SDK's examples, whose amounts and ids are made up."""
OWN = [path for path in FIXTURES if path.parent.name == "v1" and path.stem != PUBLISHED]


@pytest.mark.parametrize("path", [path for path in FIXTURES if path.stem == PUBLISHED], ids=name_of)
def test_a_published_example_is_the_contracts_example(path: Path):
    assert jsontext.compact(read(path)) == jsontext.compact(agreed_of(path).examples.request)


@pytest.mark.parametrize("path", [path for path in OWN if {"rmas", "return"} & set(read(path))], ids=name_of)
def test_the_returns_of_a_fixture_add_up(path: Path):
    payload = read(path)
    for credit in [*payload.get("rmas", []), *([payload["return"]] if "return" in payload else [])]:
        items = credit["items"]
        fees = sum(item["restock_fee_amt"] for item in items)
        assert credit["product_amt"] == credit["subtotal_amt"] == sum(item["product_amt"] for item in items)
        assert credit["refund_amt"] == credit["product_amt"] + credit["shipping_amt"] - fees
        for item in items:
            assert item["credit_amt"] == item["subtotal_amt"] - item["restock_fee_amt"]


@pytest.mark.parametrize("path", [path for path in OWN if "payment" in read(path)], ids=name_of)
def test_the_payments_of_an_order_are_its_total_where_all_has_shipped(path: Path):
    payload = read(path)
    paid = sum(each["amount"] for each in payload["payment"]["payment_transactions"])
    total = payload["order"]["grand_total"]
    assert paid == total or (paid < total and payload["order"]["unshipped_items"])


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_the_ids_of_an_order_are_those_of_one_order_of_the_stand_in(path: Path):
    payload = read(path)
    orders = {order.refnum: order.id for order in StandIn().shop.orders}
    for each in [payload, payload.get("order", {}), *payload.get("orders", [])]:
        refnum, id = each.get("channel_order_refnum"), each.get("retailops_order_id")
        if refnum and id and "9999999" not in (refnum, str(id)):
            assert orders[refnum] == str(id)


def test_an_order_that_a_fixture_moves_is_named_by_no_other():
    """Scenarios of several actions run at the same time, against one shop."""
    shop = StandIn().shop
    named: dict[str, set[str]] = {}
    moved: dict[str, set[str]] = {}
    for path in [path for path in OWN if path.parent.parent.name not in ("order_pull", "order_cancel")]:
        agreed, payload = agreed_of(path), read(path)
        shop.reset()
        before = {order.id: order.state for order in shop.orders}
        shop.answer(agreed.action, agreed.edition, payload)
        for order in shop.orders:
            if order.state != before[order.id]:
                moved.setdefault(order.refnum, set()).add(name_of(path))
            if f'"{order.refnum}"' in path.read_text(encoding="utf-8"):
                named.setdefault(order.refnum, set()).add(name_of(path))
    assert len(moved) > 20
    assert {refnum: named[refnum] for refnum in moved if named[refnum] != moved[refnum]} == {}
    assert [names for names in moved.values() if len(names) > 1] == []


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_what_of_an_order_has_shipped_and_what_has_not_is_what_was_ordered(path: Path):
    order = read(path).get("order", {})
    for left in order.get("unshipped_items", []) if order.get("shipments") else []:
        refnum = left.get("channel_item_refnum")
        packed = [
            item["quantity"]
            for shipment in order["shipments"]
            for package in shipment["packages"]
            for item in package["package_items"]
            if item["channel_item_refnum"] == refnum
        ]
        assert sum(packed) + left["unshipped_quantity"] == left["ordered_quantity"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("split-payment", {"/payment_status/charged": 85, "/payment_status/by_account/1/charged": 25}),
        ("partly-shipped", {"/shipments/0/id": 3105, "/unshipped_items_ref/0": 5004}),
        ("deferred-captures", {"/payment_status/captured": 0, "/payment_status/unsettled_deferred": 60}),
        ("external-captures", {"/channel_payment/captures_are_external": 1, "/channel_payment/settled": 0}),
        ("voided-payment", {"/channel_payment/voided": 42, "/payment_status/available": 0}),
        ("credited-in-part", {"/payment_status/credited": 30, "/payment_status/available": 50}),
        ("zero-total", {"/grand_total": 0, "/payment_status/charged": 0}),
        ("failed-payment", {"/channel_payment/success": 0, "/payment_status/success": 0}),
        ("fractional-total", {"/grand_total": Number("19.99")}),
        ("many-unshipped-items", {"/unshipped_items_ref/499": 6500}),
        ("already-shipped", {"/unshipped_items_ref": []}),
        ("large-numbers", {"/channel_refnum": 2**53 + 1, "/payment_series_id": 2**64 + 1}),
    ],
)
def test_a_fixture_shows_what_its_name_says(name: str, expected: dict[str, Any]):
    order = read(FOLDER / "order_cancel" / "draft" / f"{name}.json")["data"]["order"]
    assert {place: pointer.resolve(order, place) for place in expected} == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leading-zeros", {"/channel_order_refnum": "000510"}),
        ("long-refnum", {"/channel_order_refnum": "10000000000000000000000000511"}),
        ("hundred-lines", {"/unshipped_items/99/sku": "SKU-0100"}),
        ("by-order-id", {"": {"retailops_order_id": 4898}}),
    ],
)
def test_a_fixture_of_v1_shows_what_its_name_says(name: str, expected: dict[str, Any]):
    order = read(FOLDER / "order_cancel" / "v1" / f"{name}.json")["order"]
    assert {place: pointer.resolve(order, place) for place in expected} == expected


def test_a_reference_number_with_leading_zeros_is_that_of_another_order_without_them():
    orders = {order.refnum: order for order in StandIn().shop.orders}
    ids = {order.id: order for order in StandIn().shop.orders}
    assert (orders["000510"].state, orders["510"].state) == ("open", "shipped")
    assert (ids["0004912"].state, ids["4912"].state) == ("open", "shipped")


def test_a_long_reference_number_is_no_number_of_a_program():
    order = read(FOLDER / "order_cancel" / "v1" / "long-refnum.json")["order"]
    refnum = order["channel_order_refnum"]
    assert int(refnum) > 2**64
    assert f"{float(refnum):.0f}" != refnum


def test_a_payload_is_larger_than_what_usual_limits_allow():
    # 100 kB is the default limit of express.json, for one; its kB has 1,024 bytes.
    payload = read(FOLDER / "order_cancel" / "v1" / "over-100-kb.json")
    assert 100 * 1024 < len(jsontext.compact(payload)) < 120 * 1024
    assert len(read(FOLDER / "order_cancel" / "v1" / "hundred-lines.json")["order"]["unshipped_items"]) == 100


def test_names_and_notes_come_in_many_scripts():
    order = read(FOLDER / "order_cancel" / "v1" / "other-scripts.json")["order"]
    scripts = {unicodedata.name(letter).split()[0] for letter in order["customer_name"] if letter.isalpha()}
    assert scripts >= {
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "CJK",
        "HANGUL",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "THAI",
    }
    assert {"\u2028", "\u0301", "\u200d", "\n"} <= set(order["notes"])
    assert max(map(ord, order["notes"])) > 0xFFFF


def test_the_spelling_of_a_total_and_of_a_name_is_kept():
    total = read(FOLDER / "order_cancel" / "draft" / "total-with-zero-cents.json")["data"]["order"]
    assert jsontext.compact(total["grand_total"]) == b"35.00"
    named = read(FOLDER / "order_cancel" / "draft" / "non-ascii-service-name.json")["data"]["order"]
    assert max(map(ord, named["ship_service_name"])) > 0xFFFF


def test_only_the_grand_total_has_fractions():
    fractional = {place for path in DRAFT for place, value in leaves(read(path)) if isinstance(value, Number)}
    assert fractional == {"/data/order/grand_total"}


# --- What they expect ---------------------------------------------------------------------------------

REFUSED = {
    "order_cancel": {"already-shipped", "unknown-order", "no-order-reference"},
    "inventory_push": {"unknown-sku", "one-unknown-of-several"},
    "order_acknowledge": {"unknown-order", "one-unknown-of-several"},
    "order_update": {"unknown-order"},
    "order_shipment_submit": {"unknown-order", "already-cancelled"},
    "order_settle_payment": {"unknown-order", "already-cancelled"},
    "order_complete": {"unknown-order"},
    "order_returned": {"unknown-order", "before-shipping"},
}
"""The fixtures of each action that a receiver must answer with an error."""
EITHER = {
    "order_cancel": {"partly-shipped", "by-order-id"},
    "catalog_push": {"product-without-sku"},
    "inventory_push": {"oversold"},
    "order_acknowledge": {"by-order-id"},
    "order_update": {"already-cancelled", "without-an-order", "published-example"},
    "order_shipment_submit": {"published-example"},
    "order_settle_payment": {"before-shipping", "published-example"},
    "order_complete": {"nothing-shipped", "already-cancelled", "published-example"},
    "order_returned": {"published-example"},
}
"""The fixtures of each action of which no contract says what comes of them."""
SEVERITY = {"draft": "status", "v1": "event_type"}
OWN_WORDS = {"code", "error_code", "message", "error_message", "diagnostic_data", "associations"}
"""Codes, words and associations are the receiver's own: no contract promises any."""


def expectation_of(path: Path) -> Expectation:
    file = path.with_suffix(".expect.json")
    return scenario.expectation(file.read_text(encoding="utf-8"), file=file.name)


def judged(cases: Path, url: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, str]:
    """The verdicts on all fixtures of a folder, each sent once, by name."""
    steps = [{"name": path.stem, "fixture": path.stem} for path in FIXTURES if path.parent == cases]
    plan = {"action": cases.parent.name, "edition": cases.name, "steps": steps}
    text = jsontext.compact(plan).decode()
    monkeypatch.chdir(folder)
    result = run_scenario(scenario.read(text, id="all", file="all.scenario.json"), url, token=TOKEN)
    return {step.name: step.verdict for step in result.steps}


@pytest.mark.parametrize("path", FIXTURES, ids=name_of)
def test_a_fixture_expects_the_outcome_that_its_name_promises(path: Path):
    expected, agreed = expectation_of(path), agreed_of(path)
    at_events = expected.rules.get("/events")
    error = {SEVERITY[agreed.edition]: "error"}
    if path.stem in EITHER.get(agreed.action, ()):
        assert at_events is None
    elif agreed.events:
        is_refused = path.stem in REFUSED.get(agreed.action, ())
        assert at_events == {"some" if is_refused else "none": error}
    else:
        assert at_events is None
        assert expected.body
    assert expected.status == 200
    if expected.body is not UNSET:
        assert agreed.check_response(expected.body) == ()


@pytest.mark.parametrize("outcomes", [REFUSED, EITHER])
def test_what_is_expected_of_fixtures_is_said_of_those_that_there_are(outcomes: dict[str, set[str]]):
    there = {(path.parent.parent.name, path.stem) for path in FIXTURES}
    assert {(action, name) for action, names in outcomes.items() for name in names} <= there


PULLED = {
    "specific-order": ["520"],
    "several-specific-orders": ["521", "523", "530"],
    "specific-orders-with-a-page": ["522"],
    "unknown-specific-order": [],
    "after-the-last-page": [],
}


@pytest.mark.parametrize(("name", "refnums"), PULLED.items())
def test_a_pull_expects_the_orders_that_its_name_promises(name: str, refnums: list[str]):
    path = FOLDER / "order_pull" / "v1" / f"{name}.json"
    expected = expectation_of(path).body
    assert isinstance(expected, dict)
    assert expected["orders"] == [{"channel_order_refnum": each} for each in refnums]
    asked = [each["channel_refnum"] for each in read(path)["specific_orders"]]
    assert [each for each in asked if each != "9999999"] == refnums


@pytest.mark.parametrize("answer", [b'{"orders": [], "next_page_token": ""}', b'{"orders": []}'])
def test_a_receiver_without_orders_passes_the_pulls_that_ask_for_none(
    answer: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    # No source requires the token of a next page.
    with receiver(answering(response(answer))) as shop:
        verdicts = judged(FOLDER / "order_pull" / "v1", shop.url, monkeypatch, tmp_path)
    asks_for_some = {name for name, refnums in PULLED.items() if refnums}
    assert {name for name, verdict in verdicts.items() if verdict == "failed"} == asks_for_some


@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_an_expectation_names_nothing_that_only_the_stand_in_says(path: Path):
    expected = read(path)
    assert OWN_WORDS.isdisjoint(token for place, _ in leaves(expected) for token in place.split("/"))


@pytest.mark.parametrize("cases", CASES, ids=name_of)
def test_the_stand_in_passes_every_fixture(
    cases: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stand_in: str
):
    verdicts = judged(cases, stand_in, monkeypatch, tmp_path)
    assert {name for name, verdict in verdicts.items() if verdict != "passed"} == set()


@pytest.mark.parametrize("path", FIXTURES, ids=name_of)
def test_the_stand_in_keeps_what_each_source_demands_and_answers_a_duplicate_alike(path: Path):
    agreed, shop = agreed_of(path), StandIn().shop
    answer = shop.answer(agreed.action, agreed.edition, read(path))
    check = agreed.check_answer(answer)
    assert (check.violations, [*filter(None, check.by_source.values())]) == ((), [])
    assert shop.answer(agreed.action, agreed.edition, read(path)) == answer


REFUSAL = {
    "draft": b'{"events": [{"status": "error", "error_code": "ERR1409"}]}',
    "v1": b'{"status": "fail", "events": [{"event_type": "error", "code": "ERR1409"}]}',
}
DONE = {"draft": b'{"events": []}', "v1": b'{"status": "success"}'}


@pytest.mark.parametrize("cases", [path for path in CASES if path.parent.name in REFUSED], ids=name_of)
def test_a_receiver_that_answers_all_alike_passes_only_what_it_answers(
    cases: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    refused, either = REFUSED[cases.parent.name], EITHER.get(cases.parent.name, set())
    for answer, refuses in ((REFUSAL, True), (DONE, False)):
        with receiver(answering(response(answer[cases.name]))) as shop:
            verdicts = judged(cases, shop.url, monkeypatch, tmp_path)
        wanted = (refused if refuses else set(verdicts) - refused) | either
        assert {name for name, verdict in verdicts.items() if verdict == "passed"} == wanted & set(verdicts)
        assert set(verdicts.values()) == {"passed", "failed"}


# --- Scenarios ---------------------------------------------------------------------------------------


def plan_of(path: Path) -> Plan:
    return scenario.read(path.read_text(encoding="utf-8"), id=name_of(path), file=str(path))


def expected_of(plan: Plan, step: Step) -> Expectation:
    """What a step expects, itself or by its fixture."""
    if isinstance(step.expect, Expectation):
        return step.expect
    return expectation_of(FOLDER.joinpath(*plan.scenario.contract_of(step), f"{step.fixture}.json"))


def request_of(plan: Plan, step: Step, base_url: str) -> HttpRequest:
    agreed = SHIPPED_CONTRACTS.load(*plan.scenario.contract_of(step))
    receiver = Receiver(name="stand-in", base_url=base_url, token=TOKEN)
    if step.raw is not None:
        return composing.build_raw(
            composing.head(agreed, receiver, SHIPPED_CONTRACTS),
            composing.raw_bytes(step.raw),
            agreed,
            receiver.token,
        )
    assert step.fixture is not None
    file = FOLDER / agreed.action / agreed.edition / f"{step.fixture}.json"
    payload = composing.compose(step, composing.Template.read(file.read_bytes()), composing.Names())
    assert bool(agreed.check_request(payload.value)) == step.off_contract
    return composing.build(
        composing.head(agreed, receiver, SHIPPED_CONTRACTS), payload, agreed, receiver.token
    )[0]


def exchange(request: HttpRequest) -> tuple[int, Any]:
    url = urlsplit(request.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    try:
        connection.request(request.method, url.path, request.body, dict(request.headers))
        response = connection.getresponse()
        return response.status, jsontext.parse(response.read())
    finally:
        connection.close()


async def played(plan: Plan) -> list[list[tuple[int, Any]]]:
    """What the stand-in answers to each delivery of each step."""
    stand_in = StandIn()
    base_url = await stand_in.start()
    try:
        answers = []
        for step in plan.scenario.steps:
            request = request_of(plan, step, base_url)
            sends = [asyncio.to_thread(exchange, request) for _ in range(step.deliver.times)]
            answers.append(await asyncio.gather(*sends))
        return answers
    finally:
        await stand_in.stop()


FLOWS = [path for path in SCENARIOS if any(step.capture for step in plan_of(path).scenario.steps)]
"""The scenarios whose steps send what earlier ones were answered: only the engine composes these."""


SENT_OTHERWISE = [
    path
    for path in SCENARIOS
    if any(step.together or step.deliver.wire is not None for step in plan_of(path).scenario.steps)
]
"""The scenarios whose requests are not just sent one after the other: only the engine does that."""


@pytest.mark.parametrize("path", [*FLOWS, *SENT_OTHERWISE], ids=name_of)
def test_what_only_the_engine_sends_passes_against_the_stand_in(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stand_in: str
):
    monkeypatch.chdir(tmp_path)
    result = run_scenario(plan_of(path), stand_in, token=TOKEN)
    assert [(each.name, each.verdict, each.reason) for each in result.steps if each.verdict != "passed"] == []


def test_the_flows_go_through_the_life_of_an_order():
    (life,) = (plan_of(path).scenario for path in FLOWS if "life" in path.name)
    assert len({action for action, _ in life.contracts}) == len(life.steps) == 6
    steps = [step for path in FLOWS for step in plan_of(path).scenario.steps]
    assert any(step.repeat_while for step in steps)
    own = [plan_of(path).scenario.variables.get("refnum") for path in FLOWS]
    assert len(set(own)) == len(own)  # scenarios run at the same time


@pytest.mark.parametrize(
    "path", [path for path in SCENARIOS if path not in FLOWS + SENT_OTHERWISE], ids=name_of
)
def test_a_scenario_passes_against_the_stand_in(path: Path):
    plan = plan_of(path)
    for step, answers in zip(plan.scenario.steps, asyncio.run(played(plan)), strict=True):
        agreed = SHIPPED_CONTRACTS.load(*plan.scenario.contract_of(step))
        expected = expected_of(plan, step)
        for status, body in answers:
            assert expected.status is not None
            assert status in ([expected.status] if isinstance(expected.status, int) else expected.status)
            if status in agreed.ok_statuses:
                assert agreed.check_response(body) == ()
                if expected.body is not UNSET:
                    rules = comparing.rules.compile_rules(expected.rules)
                    assert not comparing.compare(expected.body, body, rules, agreed.arrays).differences


@pytest.mark.parametrize("path", SCENARIOS, ids=name_of)
def test_a_scenario_names_nothing_that_only_the_stand_in_says(path: Path):
    plan = plan_of(path)
    for step in plan.scenario.steps:
        expected = expected_of(plan, step)
        if expected.body is UNSET:
            continue
        assert OWN_WORDS.isdisjoint(place.rpartition("/")[2] for place, _ in leaves(expected.body))
        assert OWN_WORDS.isdisjoint(token for rule in expected.rules for token in rule.split("/"))


@pytest.mark.parametrize("edition", ["draft", "v1"])
def test_no_two_steps_need_the_same_order_open(edition: str):
    # A receiver may refuse a second cancel, and scenarios run at the same time.
    cancelled = [
        (each.scenario.action, step.fixture)
        for each in (plan_of(path) for path in SCENARIOS if path not in FLOWS)
        if each.scenario.edition == edition
        for step in each.scenario.steps
        if "none" in str(expected_of(each, step).rules.get("/events"))
    ]
    assert sorted(set(cancelled)) == sorted(cancelled)


def test_the_scenarios_cover_both_editions_refusals_and_repeats():
    scenarios = [plan_of(path).scenario for path in SCENARIOS]
    assert {each.edition for each in scenarios} == {"draft", "v1"}
    steps = [step for each in scenarios for step in each.steps]
    assert any(step.deliver.times > 1 for step in steps)
    assert 401 in [step.expect.status for step in steps if isinstance(step.expect, Expectation)]


def test_every_fixture_is_used_by_a_scenario():
    used = {
        (*each.scenario.contract_of(step), step.fixture)
        for each in map(plan_of, SCENARIOS)
        for step in each.scenario.steps
        if step.fixture
    }
    there = {(path.parent.parent.name, path.parent.name, path.stem) for path in FIXTURES}
    assert there - used == set()
