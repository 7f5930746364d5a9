"""The contracts of v1 against what is published of each action: types, enums, bounds, what is required.

`published.json` has the facts of gudtech/retailops-sdk at b20ee6d (MIT): by action the members of requests,
those of the response by the schema files, and of these the ones that the documentation has otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.jsontext import pointer

PUBLISHED: dict[str, dict[str, dict[str, str]]] = json.loads(
    Path(__file__).with_name("published.json").read_text(encoding="utf-8")
)
BOUNDS = ("minLength", "maxLength", "maxItems", "format")
UNSATISFIABLE = "string: true, false"
"""What is published of a member for which no value can be right."""


def members(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Every member of a schema with its type, its enum, its bounds and whether it is required."""
    for name, part in schema.get("properties", {}).items():
        at = f"{place}/{pointer.escape(name)}"
        yield at, said(part) + (", required" if name in schema.get("required", ()) else "")
        yield from members(part, at)
    items = schema.get("items", {})
    if items and "properties" not in items:
        yield f"{place}/*", said(items)
    yield from members(items, f"{place}/*") if items else ()


def said(part: dict[str, Any]) -> str:
    kind = part["type"]
    words = "|".join(kind) if isinstance(kind, list) else kind
    if "enum" in part:
        options = (
            each if isinstance(each, str) else jsontext.compact(each).decode() for each in part["enum"]
        )
        words += f": {', '.join(options)}"
    return words + "".join(f" ({bound} {part[bound]})" for bound in BOUNDS if bound in part)


def test_every_published_action_has_a_contract():
    assert {action for action, edition in SHIPPED_CONTRACTS.names if edition == "v1"} == set(PUBLISHED)


@pytest.mark.parametrize("action", PUBLISHED)
def test_the_members_of_a_request_are_the_published_ones(action: str):
    found = dict(members(SHIPPED_CONTRACTS.load(action, "v1").request_schema))
    published = PUBLISHED[action]["request"]
    assert found == {at: "boolean" if kind == UNSATISFIABLE else kind for at, kind in published.items()}


@pytest.mark.parametrize("action", PUBLISHED)
@pytest.mark.parametrize("source", ["SDK tool", "documentation"])
def test_the_members_of_a_response_are_those_of_each_source(action: str, source: str):
    agreed = SHIPPED_CONTRACTS.load(action, "v1")
    found = dict(members(contract.varied(agreed.response_schema, agreed.variants.get(source, {}))))
    published = PUBLISHED[action]["response"]
    assert found == published | (PUBLISHED[action]["documentation"] if source == "documentation" else {})


@pytest.mark.parametrize("action", PUBLISHED)
def test_the_sources_part_where_the_variants_of_the_contract_do(action: str):
    assert bool(PUBLISHED[action]["documentation"]) == bool(SHIPPED_CONTRACTS.load(action, "v1").variants)
