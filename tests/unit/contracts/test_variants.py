"""Variants of a response schema: which are certainly stricter, and what one check says of all sources."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from retailops_sandbox.contracts import contract, violations
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.contracts.variants import tightens
from retailops_sandbox.model import Violation

SCHEMA: dict[str, Any] = {
    "properties": {
        "events": {"type": ["array", "null"], "items": {"type": "object", "required": ["code"]}},
        "type": {"anyOf": [{"type": ["string", "null"]}], "allOf": [{"type": ["string", "null"]}]},
        "pair": {"items": [{"type": ["string", "null"]}]},
        "no": {"not": {"type": ["string", "null"]}},
    }
}


@pytest.mark.parametrize(
    ("pointer", "value", "is_stricter"),
    [
        ("/properties/events/type", "array", True),
        ("/properties/events/type", ["array"], True),
        ("/properties/events/type", ["array", "string"], False),
        ("/properties/events/items/required", ["code", "message"], True),
        ("/properties/events/items/required", ["message"], False),
        ("/properties/events/items/maxItems", 3, False),
        ("/required", ["events"], True),
        ("/type", "object", True),
        ("/properties/type/allOf/0/type", "string", True),
        ("/properties/type/anyOf/0/type", "string", False),
        ("/properties/pair/items/0/type", "string", True),
        ("/properties/no/not/type", "string", False),
    ],
)
def test_a_variant_is_stricter_where_that_is_certain(pointer: str, value: Any, is_stricter: bool):
    assert tightens(SCHEMA, {pointer: value}) == is_stricter
    assert tightens(SCHEMA, {"/required": ["events"], pointer: value}) == is_stricter
    assert tightens(SCHEMA, {})


def sourced(**variants: dict[str, Any]) -> Contract:
    agreed = SHIPPED_CONTRACTS.load("order_cancel", "v1")
    return msgspec.structs.replace(agreed, variants=variants)


STRICT = {"/properties/events/type": "array"}
LOOSE = {"/properties/events/type": ["array", "null", "string"]}
IS_NULL = Violation("/events", "type", "must be an array, not null")


@pytest.mark.parametrize(
    ("body", "by_source"),
    [
        ({"events": []}, {"tool": (), "docs": (), "loose": ()}),
        ({"events": None}, {"tool": (), "docs": (IS_NULL,), "loose": ()}),
    ],
)
def test_a_body_is_checked_by_each_source(body: Any, by_source: dict[str, Any]):
    checked = sourced(tool={}, docs=STRICT, loose=LOOSE).check_answer(body)
    assert (checked.violations, dict(checked.by_source)) == ((), by_source)


def test_a_source_may_allow_what_the_schema_does_not():
    checked = sourced(tool={}, loose=LOOSE).check_answer({"events": "none"})
    (broken,) = checked.violations
    assert broken.pointer == "/events"
    assert checked.by_source == {"tool": (broken,), "loose": ()}


def test_without_variants_there_is_one_check_and_no_source():
    checked = SHIPPED_CONTRACTS.load("order_cancel", "draft").check_answer({})
    assert [each.pointer for each in checked.violations] == ["/events"]
    assert checked.by_source == {}


def test_a_body_that_keeps_a_stricter_variant_is_checked_once(monkeypatch: pytest.MonkeyPatch):
    made = []

    def counting(schema: dict[str, Any]) -> Any:
        made.append(schema)
        return violations.compiled(schema)

    monkeypatch.setattr(contract, "compiled", counting)
    agreed = sourced(tool={}, docs=STRICT)
    assert made == []
    assert agreed.check_answer({"events": []}).violations == ()
    assert len(made) == 1  # that of the stricter variant
    assert agreed.check_answer({"events": None}).by_source["docs"] == (IS_NULL,)
    assert len(made) == 2
