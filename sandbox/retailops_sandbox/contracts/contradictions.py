"""Where a JSON Schema contradicts itself, so that no value, or not its own example, keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retailops_sandbox.contracts.violations import compiled, violations
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json

_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


def contradictions(schema: Mapping[str, Any], dialect: str) -> Iterator[tuple[str, str]]:
    """Each contradiction in a schema: its pointer in the schema, and what it is."""
    yield from _of_part(schema, "", dialect)


def fitting(values: list[Json], types: str | list[str], dialect: str) -> list[Json]:
    """The values that have one of the types."""
    validator = compiled({"$schema": dialect, "type": types})
    return [each for each in values if not violations(validator, each)]


def _of_part(schema: Mapping[str, Any], at: str, dialect: str) -> Iterator[tuple[str, str]]:
    for low, high in _BOUNDS:
        if low in schema and high in schema and schema[low] > schema[high]:
            yield f"{at}/{low}", f"{low} is more than {high}"
    if "enum" in schema and "type" in schema and not fitting(schema["enum"], schema["type"], dialect):
        yield f"{at}/enum", f"none of its values has the type {schema['type']}"
    members = schema.get("properties", {})
    for number, name in enumerate(schema.get("required", ())):
        is_unknown = name not in members and not schema.get("patternProperties")
        if (is_unknown and schema.get("additionalProperties") is False) or members.get(name) == {"not": {}}:
            yield f"{at}/required/{number}", f"{name} is required, and not allowed"
    if schema.get("examples"):
        validator = compiled({**schema, "$schema": dialect})
        for number, example in enumerate(schema["examples"]):
            for violation in violations(validator, example)[:1]:
                what = f"{violation.pointer} {violation.message}".strip()
                yield f"{at}/examples/{number}", f"the example breaks its schema: {what}"
    for name, part in members.items():
        yield from _of_part(part, f"{at}/properties/{pointers.escape(name)}", dialect)
    if isinstance(schema.get("items"), dict):
        yield from _of_part(schema["items"], f"{at}/items", dialect)
