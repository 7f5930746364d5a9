"""Documented fields: every one is walked, also those that a payload lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.probe.fields import fields
from tests.support.generated import FIXTURES, contract_of


def documented(schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Every place that a schema documents, each item as `0`."""
    yield at
    for name, part in schema.get("properties", {}).items():
        yield from documented(part, f"{at}/{pointers.escape(name)}")
    if isinstance(schema.get("items"), dict):
        yield from documented(schema["items"], f"{at}/0")


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_documented_field_is_there_whatever_the_fixture_has(fixture: str):
    contract, payload = FIXTURES[fixture]
    found = fields(contract, payload)
    token = contract.auth.pointer if contract.auth else ""
    assert [each.pointer for each in found] == [
        at for at in documented(contract.request_schema) if at != token or not at
    ]
    for field in found:
        whole = pointers.copied(payload)
        if field.section_at is not None:
            whole = pointers.set_at(whole, field.section_at, pointers.copied(field.section))
        assert pointers.resolve(whole, field.pointer) == field.value
        assert not contract.check_request(whole), f"{field.pointer}: the section breaks the contract"


def test_a_field_that_the_payload_lacks_is_made_of_the_documented_values():
    contract = contract_of(
        {
            "type": "object",
            "properties": {
                "a": {
                    "type": "object",
                    "properties": {
                        "b": {"type": "integer", "examples": [7]},
                        "c": {"type": "array", "items": {"type": "string", "examples": ["x"]}},
                    },
                }
            },
        },
        {},
    )
    section = {"b": 7, "c": ["x"]}
    found = {each.pointer: each for each in fields(contract, {"other": 1})}
    assert found["/a/b"].section_at == "/a"
    assert found["/a/b"].section == section
    assert found["/a/c/0"].section == section
    assert found["/a/c/0"].value == "x"
    assert found["/a/b"].types == ("number",)


def test_an_empty_array_is_set_as_a_whole():
    contract = contract_of(
        {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"type": "integer"}, "examples": [[4]]}},
        },
        {"a": [4]},
    )
    item = fields(contract, {"a": []})[-1]
    assert (item.pointer, item.value, item.section_at, item.section) == ("/a/0", 4, "/a", [4])


def test_a_value_of_another_type_gives_way_to_the_documented_one():
    contract = contract_of(
        {
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
        },
        {"a": {"b": "x"}},
    )
    found = fields(contract, {"a": "${section}"})
    assert [(each.pointer, each.section_at) for each in found] == [("", None), ("/a", "/a"), ("/a/b", "/a")]
