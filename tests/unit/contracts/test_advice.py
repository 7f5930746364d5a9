"""Advice: each predicate by itself, exact with numbers, and silent where it should be."""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import jsontext, resources
from retailops_sandbox.contracts import advice
from retailops_sandbox.contracts.advice import Decimals, NotBoth, Rule, Sum
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
FIXTURES = [
    path
    for path in sorted(resources.fixtures_dir().glob("order_cancel/*/*.json"))
    if not path.name.endswith(".expect.json")
]
STATUS, PAYMENT = "/data/order/payment_status", "/data/order/channel_payment"

spellings = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: f"{number:e}"),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?(e-?[0-9]{1,3})?", fullmatch=True),
)
"""Of JSON numbers."""
KEYS = [
    *("data", "order", "payment_status", "by_account", "charged", "grand_total", "channel_payment"),
    *("captures_are_deferred", "captures_are_external"),
]


def number(spelling: str) -> Any:
    return jsontext.parse(spelling)


def notes(rule: Rule, payload: Json) -> list[tuple[str, str]]:
    return [(note.pointer, note.message) for note in advice.advise((rule,), payload)]


def advised(**changes: Json) -> list[tuple[str, str]]:
    """What is advised of the documented example with some values changed."""
    payload: Any = deepcopy(DRAFT.examples.request)
    for path, value in changes.items():
        payload = pointer.set_at(payload, path, value)
    return [(note.pointer, note.message) for note in advice.advise(DRAFT.advice, payload)]


# --- What ships --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", resources.contract_names())
def test_the_documented_example_is_advised_nothing(name: str):
    wanted = SHIPPED_CONTRACTS.load(*name.split("."))
    assert advice.advise(wanted.advice, wanted.examples.request) == []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_fixture_is_advised_nothing(path: Any):
    rules = SHIPPED_CONTRACTS.load(path.parent.parent.name, path.parent.name).advice
    assert advice.advise(rules, jsontext.parse(path.read_bytes())) == []


@pytest.mark.parametrize("name", resources.contract_names())
def test_every_rule_has_its_ground_in_words(name: str):
    for rule in SHIPPED_CONTRACTS.load(*name.split(".")).advice:
        assert len(rule.ground.split()) > 10


def test_v1_has_no_amounts_and_no_advice():
    assert SHIPPED_CONTRACTS.load("order_cancel", "v1").advice == ()


@pytest.mark.parametrize(
    "field",
    [
        *("authed", "available", "captured", "charged", "credited", "settled"),
        *("unsettled", "unsettled_deferred", "unsettled_external"),
    ],
)
def test_each_total_that_departs_from_its_accounts_is_told(field: str):
    found = advised(**{f"{STATUS}/{field}": 7, f"{STATUS}/by_account/0/{field}": 8})
    assert found == [(f"{STATUS}/{field}", f"is 7, and by_account/*/{field} adds up to 8")]


@pytest.mark.parametrize("at", [PAYMENT, f"{STATUS}/by_account/0"])
def test_captures_deferred_and_external_are_told(at: str):
    found = advised(**{f"{at}/captures_are_deferred": 1})
    assert found == [(f"{at}/captures_are_deferred", "is set, and so is captures_are_external")]


def test_a_total_with_more_than_two_decimals_is_told():
    told = "is 35.005, with 3 decimals; an amount has at most 2"
    assert advised(**{"/data/order/grand_total": Number("35.005")}) == [("/data/order/grand_total", told)]
    assert advised(**{"/data/order/grand_total": Number("35.50")}) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | spellings.map(number) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
            )
        ),
        max_leaves=20,
    )
)
def test_any_payload_can_be_looked_at(payload: Any):
    for note in advice.advise(DRAFT.advice, payload):
        pointer.resolve(payload, note.pointer)


# --- Sums --------------------------------------------------------------------------------------------

SUM = Sum("/all", "/each", ("paid",), "because")


@given(st.lists(spellings, max_size=6), spellings)
def test_a_sum_is_exact(items: list[str], total: str):
    payload: Any = {"all": {"paid": number(total)}, "each": [{"paid": number(item)} for item in items]}
    equal = Fraction(total) == sum(map(Fraction, items), Fraction(0))
    assert (notes(SUM, payload) == []) == equal


@given(st.lists(st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?(e-?[0-9]{1,2})?", fullmatch=True)))
def test_the_exact_sum_is_advised_nothing_and_its_nearest_neighbour_is(items: list[str]):
    each: Any = [{"paid": number(item)} for item in items]
    scaled = sum(map(Fraction, items), Fraction(0)) * 10**150
    assert scaled.denominator == 1
    good, bad = (number(f"{scaled.numerator + extra}e-150") for extra in (0, 1))
    assert notes(SUM, {"all": {"paid": good}, "each": each}) == []
    assert len(notes(SUM, {"all": {"paid": bad}, "each": each})) == 1


def test_a_sum_that_a_float_would_get_wrong():
    each: Any = [{"paid": Number("0.1")}, {"paid": Number("0.2")}, {"paid": 2**60}]
    good = {"all": {"paid": Number(f"{2**60}.30")}, "each": each}
    assert notes(SUM, good) == []
    bad: Any = {"all": {"paid": Number(f"{2**60}.3000000000000001")}, "each": each}
    assert notes(SUM, bad)[0][0] == "/all/paid"


def test_the_widest_numbers_are_added():
    each: Any = [{"paid": Number("1e9999")}, {"paid": Number("1e-9999")}]
    ((_, message),) = notes(SUM, {"all": {"paid": Number("1e9999")}, "each": each})
    assert message.endswith("adds up to 1000000000000000000000000000000000000000…")


def test_no_items_add_up_to_nothing():
    assert notes(SUM, {"all": {"paid": 0}, "each": []}) == []
    assert notes(SUM, {"all": {"paid": 5}, "each": []}) == [
        ("/all/paid", "is 5, and /each/*/paid adds up to 0")
    ]


@pytest.mark.parametrize("item", [{}, {"paid": "5"}, {"paid": None}, {"paid": True}, None, [5], "x"])
def test_a_sum_that_is_not_known_is_not_told(item: Any):
    assert notes(SUM, {"all": {"paid": 7}, "each": [{"paid": 5}, item]}) == []


@pytest.mark.parametrize(
    "payload", [{}, [], None, 1, {"all": 5, "each": [{}]}, {"all": {"paid": "5"}, "each": []}]
)
def test_a_total_that_is_none_is_not_told(payload: Any):
    assert notes(SUM, payload) == []


def test_names_with_slashes_are_spelled_as_pointers():
    rule = Sum("/a~1b", "/each", ("c/d",), "because")
    payload: Any = {"a/b": {"c/d": 1}, "each": [{"c/d": 2}]}
    assert notes(rule, payload) == [("/a~1b/c~1d", "is 1, and /each/*/c~1d adds up to 2")]


# --- Not both ----------------------------------------------------------------------------------------

NOT_BOTH = NotBoth(("/one", "/many/*"), ("deferred", "external"), "because")


@pytest.mark.parametrize("value", [1, True, 2, -1, Number("0.5")])
def test_two_flags_that_are_set(value: Any):
    payload: Any = {"many": [{}, {"deferred": value, "external": 1}]}
    assert notes(NOT_BOTH, payload) == [("/many/1/deferred", "is set, and so is external")]


@pytest.mark.parametrize("value", [0, False, Number("0.0"), Number("-0"), None, "1", [1]])
def test_a_flag_that_is_not_set(value: Any):
    assert notes(NOT_BOTH, {"one": {"deferred": value, "external": 1}}) == []
    assert notes(NOT_BOTH, {"one": {"deferred": 1, "external": value}}) == []


# --- Decimals ----------------------------------------------------------------------------------------


@given(spellings, st.integers(0, 6))
def test_decimals_are_those_of_the_value(spelling: str, most: int):
    payload: Any = {"amount": number(spelling)}
    whole = Fraction(spelling) * Fraction(10) ** most
    assert (notes(Decimals(("/amount",), most, "because"), payload) == []) == (whole.denominator == 1)


@pytest.mark.parametrize(
    ("spelling", "count"), [("35.005", 3), ("1e-7", 7), ("-0.1230", 3), ("12345.6789", 4)]
)
def test_decimals_are_counted(spelling: str, count: int):
    ((_, message),) = notes(Decimals(("/amount",), 2, "because"), {"amount": number(spelling)})
    assert message == f"is {spelling}, with {count} decimals; an amount has at most 2"
