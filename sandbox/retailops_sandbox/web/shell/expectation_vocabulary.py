"""The words that an expectation knows for each of its places, for the editor to offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from retailops_sandbox import jsontext
from retailops_sandbox.comparing.matchers import HEADER, MATCHERS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.web.shell.vocabulary import Word, vocabulary
from retailops_sandbox.workspace import schemas

_TYPES = {"integer": "number"}
"""The types that matchers call otherwise than schemas."""


def expectation_vocabulary(agreed: Contract) -> tuple[Word, ...]:
    """The words of an expectation of this contract's response, those of outer objects first."""
    fields = _fields()
    return (
        *(_field(name, schema, agreed) for name, schema in fields.items()),
        *vocabulary(agreed.response_schema, "/body"),
        *_rules("", agreed.response_schema),
        _word("/rules", "*", "rule", "A matcher, which takes the place of equality.", _matchers(None)),
        _word("/headers", "*", "value or rule", "A value, or a matcher.", _matchers(HEADER)),
    )


@cache
def _fields() -> Mapping[str, Any]:
    fields: Mapping[str, Any] = schemas.expectation()["definitions"]["Expectation"]["properties"]
    return fields


def _field(name: str, schema: Mapping[str, Any], agreed: Contract) -> Word:
    options = schema.get("anyOf", [schema])
    types = [each["type"] for each in options if each.get("type", "null") != "null"]
    values = [value for each in options for value in each.get("enum", ())]
    if name == "status":
        values = [*agreed.ok_statuses, "4xx"]
    elif name == "body":
        values = []
    elif "default" in schema and schema["default"] in ({}, True):
        values = [schema["default"]] if schema["default"] == {} else [False]
    return _word("", name, " or ".join(types) or "anything", schema.get("description", ""), values)


def _rules(at: str, schema: Mapping[str, Any]) -> Iterator[Word]:
    """A word for the rule of each place of a response."""
    for key, part in schema.get("properties", {}).items():
        yield from _rules_of(f"{at}/{pointer.escape(key)}", part)
    if isinstance(schema.get("items"), Mapping):
        yield from _rules_of(f"{at}/*", schema["items"])


def _rules_of(path: str, schema: Mapping[str, Any]) -> Iterator[Word]:
    kind = schema.get("type")
    of_type = _TYPES.get(kind, kind) if isinstance(kind, str) else None
    yield _word("/rules", path, "rule", schema.get("description", ""), _matchers(of_type))
    yield from _rules(path, schema)


def _matchers(kind: str | None) -> list[Any]:
    """A rule with each matcher that is offered for values of a type; all of them for None."""
    return [each.example_rule for each in MATCHERS.values() if kind is None or kind in each.applies_to]


def _word(at: str, key: str, types: str, description: str, values: list[Any]) -> Word:
    spelled = tuple(jsontext.compact(each).decode() for each in values)
    return Word(at=at, key=key, types=types, is_required=False, description=description, values=spelled)
