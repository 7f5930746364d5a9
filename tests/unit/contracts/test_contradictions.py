"""contracts/contradictions.py: a contract that contradicts itself is refused with place and reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.contract import DIALECT
from retailops_sandbox.errors import SourceError
from tests.support.contracts import contract_document

PART = {"description": "A part."}


def with_part(**part: Any) -> dict[str, Any]:
    """A contract whose answer has one more member."""
    document = contract_document()
    document["response_schema"]["properties"]["more"] = {**PART, **part}
    return document


@pytest.mark.parametrize(
    ("part", "place", "what"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 4}, "/minimum", "minimum is more than maximum"),
        ({"type": "string", "enum": [1, None]}, "/enum", "none of its values has the type string"),
        ({"required": ["a"], "additionalProperties": False}, "/required/0", "a is required, and not allowed"),
        (
            {"required": ["a"], "properties": {"a": {"not": {}}}},
            "/required/0",
            "a is required, and not allowed",
        ),
        ({"type": "integer", "examples": [1, "x"]}, "/examples/1", "the example breaks its schema"),
        ({"items": {"minLength": 2, "maxLength": 1}}, "/items/minLength", "minLength is more than maxLength"),
    ],
)
def test_what_no_value_can_keep_is_named(part: dict[str, Any], place: str, what: str):
    text = json.dumps(with_part(**part), indent=1)
    with pytest.raises(SourceError) as caught:
        contract.read(text, file="mine.json")
    assert caught.value.pointer == f"/response_schema/properties/more{place}"
    assert what in str(caught.value)
    assert caught.value.line == jsontext.locate(text, caught.value.pointer)[0]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "integer", "minimum": 4, "maximum": 4},
        {"type": ["string", "null"], "enum": ["a", None]},
        {"required": ["a"]},
        {"required": ["ab"], "patternProperties": {"^a": {}}, "additionalProperties": False},
        {"type": "number", "examples": [1.5]},
    ],
)
def test_what_can_be_kept_is_not(part: dict[str, Any]):
    assert contract.read(json.dumps(with_part(**part))).response_schema["$schema"] == DIALECT
