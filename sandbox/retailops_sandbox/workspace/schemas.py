"""JSON Schemas of the files that users write, for completion and checks in editors. Pure.

They are made from the types that the files are read into, the records of the matchers and the contracts, and
include what the readers check beyond types. A schema never refuses what its reader takes. The dialect is
draft 7, the newest that editors know all of; a fixture's schema is the contract's, in draft 4.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

import msgspec

from retailops_sandbox.comparing.matchers import HEADER, MATCHERS, MatcherKind
from retailops_sandbox.composing import wire
from retailops_sandbox.composing.headers import TOKEN
from retailops_sandbox.contracts import advice, auth
from retailops_sandbox.contracts import contract as contract_module
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import DIALECT as CONTRACT_DIALECT
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import DEFAULT_ACTION, Expectation, Receiver, Scenario

DIALECT = "http://json-schema.org/draft-07/schema#"
SUFFIX = ".schema.json"

_Schema = dict[str, Any]
_PLACEHOLDER = r"^\$\{[^{}]+\}$"


def scenario(contracts: Contracts, fixtures: Mapping[str, Iterable[str]] | None = None) -> _Schema:
    """The schema of a scenario file.

    `fixtures` are names by action. An editor offers a step those of its action, and accepts others.
    """
    schema = _of(Scenario, "A RetailOPS sandbox scenario")
    whole, step = (schema["definitions"][name] for name in ("Scenario", "Step"))
    for field, names in zip(("action", "edition"), zip(*contracts.names, strict=True), strict=True):
        known = sorted(set(names))
        whole["properties"][field]["enum"] = known
        step["properties"][field]["anyOf"] = [{"enum": known}, {"type": "null"}]
    named = {action: sorted(set(names)) for action, names in (fixtures or {}).items()}
    step["allOf"] += [_of_action(action, _offering(names)) for action, names in named.items() if names]
    whole["allOf"] = [
        _of_action(
            action,
            {"properties": {"steps": {"items": {"if": _WITHOUT_ACTION, "then": _offering(names)}}}},
            is_default=action == DEFAULT_ACTION,
        )
        for action, names in named.items()
        if names
    ]
    return schema


_WITHOUT_ACTION: _Schema = {"properties": {"action": {"type": "null"}}}


def _of_action(action: str, then: _Schema, *, is_default: bool = False) -> _Schema:
    """What holds beside an action; for the default, also where none is named."""
    condition: _Schema = {"properties": {"action": {"const": action}}}
    return {"if": condition if is_default else {**condition, "required": ["action"]}, "then": then}


def _offering(names: Sequence[str]) -> _Schema:
    """A schema of a step by which editors offer these fixtures, and refuse no other."""
    return {"properties": {"fixture": {"anyOf": [{"enum": names}, {"type": ["string", "null"]}]}}}


def expectation() -> _Schema:
    """The schema of what a fixture expects, and of a file for `send --expect`."""
    return _of(Expectation, "An expected response")


def contract() -> _Schema:
    """The schema of a contract's file. What its schemas say is checked by draft 4 of JSON Schema."""
    schema = _of(Contract, "A contract of an action in an edition")
    for module in (contract_module, auth, advice):
        for name, told in _field_docstrings(module).items():
            for field, value in schema["definitions"].get(name, {}).get("properties", {}).items():
                value.setdefault("description", told.get(field, ""))
    fields = schema["definitions"]["Contract"]["properties"]
    for name in ("request_schema", "response_schema"):
        fields[name]["properties"] = {"$schema": {"const": CONTRACT_DIALECT}}
        fields[name]["required"] = ["$schema"]
    return schema


def _field_docstrings(module: ModuleType) -> dict[str, dict[str, str]]:
    """The docstrings of fields in a module, by class.

    They are read of its source: as descriptions of the types, each start would pay for them.
    """
    found: dict[str, dict[str, str]] = {}
    body = ast.parse(inspect.getsource(module)).body
    for node in [each for each in body if isinstance(each, ast.ClassDef)]:
        for field, after in pairwise(node.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = ast.get_docstring(ast.Module([after], []))
                if text:
                    found.setdefault(node.name, {})[field.target.id] = " ".join(text.split())
    return found


def receivers() -> _Schema:
    """The schema of `receivers.json`."""
    schema = _of(Receiver, "The receivers of a workspace")
    del schema["allOf"]
    numbered = {"type": "object", "description": "By number, as TinyDB keeps them."}
    default = {"type": "string", "description": "The receiver that is used where none is named."}
    return schema | {
        "type": "object",
        "properties": {
            "receivers": numbered | {"additionalProperties": {"$ref": "#/definitions/Receiver"}},
            "settings": numbered
            | {"additionalProperties": {"type": "object", "properties": {"default": default}}},
        },
        "additionalProperties": False,
    }


def fixture(agreed: Contract) -> _Schema:
    """The schema of a fixture: the contract's, and placeholders."""
    title = f"A payload of {agreed.action}, edition {agreed.edition}"
    schema = _with_placeholders(agreed.request_schema)
    return {**schema, "title": title, "examples": [agreed.examples.request]}


def everything(
    contracts: Contracts, fixtures: Mapping[str, Iterable[str]] | None = None
) -> dict[str, _Schema]:
    """All schemas, by the names of their files; `fixtures` as in `scenario`."""
    known = {f"fixture.{each.action}.{each.edition}": fixture(each) for each in contracts.of()}
    made = {
        "scenario": scenario(contracts, fixtures),
        "expectation": expectation(),
        "receivers": receivers(),
        "contract": contract(),
        **known,
    }
    return {name + SUFFIX: schema for name, schema in made.items()}


# --- from types --------------------------------------------------------------------------------------------


def _of(type: type, title: str) -> _Schema:
    """The schema of a file that is read into a type."""
    (schema,), components = msgspec.json.schema_components([type], ref_template="#/definitions/{name}")
    definitions = {name: _refined(name, component) for name, component in components.items()}
    if "Expectation" in definitions:
        definitions |= {"Rule": _rule(), "HeaderRule": _header_rule()}
    return {"$schema": DIALECT, "title": title, "allOf": [schema], "definitions": definitions}


def _refined(name: str, schema: _Schema) -> _Schema:
    """A struct's schema in draft 7, with what its reader checks beyond types."""
    refined = {key: value for key, value in schema.items() if key != "required" or value}
    fields = {field: _in_draft_7(value) for field, value in schema["properties"].items()}
    refined["properties"] = {field: _beside_reference(value) for field, value in fields.items()}
    if "kind" in fields:
        # The tag of a struct in a union is not a field of the struct, and so has no description there.
        fields["kind"]["description"] = schema["description"]
    refine = _REFINEMENTS.get(name)
    if refine:
        refine(refined, refined["properties"])
    return refined


def _beside_reference(schema: _Schema) -> _Schema:
    """A field's schema with its reference in an `allOf`: draft 7 ignores whatever is beside a `$ref`."""
    if "$ref" not in schema:
        return schema
    others = {key: value for key, value in schema.items() if key != "$ref"}
    return {**others, "allOf": [{"$ref": schema["$ref"]}]}


def _in_draft_7(schema: _Schema) -> _Schema:
    """A field's schema without `discriminator`, of OpenAPI alone, and `prefixItems`, of later drafts."""
    plain = {key: value for key, value in schema.items() if key != "discriminator"}
    if "anyOf" in plain:
        plain["anyOf"] = [_in_draft_7(each) for each in plain["anyOf"]]
    if "prefixItems" in plain:
        plain |= {"items": plain.pop("prefixItems"), "additionalItems": False}
    if isinstance(plain.get("items"), dict):
        plain["items"] = _in_draft_7(plain["items"])
    return plain


def _refine_step(schema: _Schema, _: _Schema) -> None:
    bodies = {"fixture": {"type": "string"}, "payload": {}, "raw": {"type": "string"}}
    has = {name: {"required": [name], "properties": {name: kind}} for name, kind in bodies.items()}
    schema["oneOf"] = [*has.values()]
    unchanged = {"properties": {"set": {"maxProperties": 0}, "remove": {"maxItems": 0}}}
    several = {"required": ["expect"], "properties": {"expect": {"type": "array"}}}
    one_at_a_time = {"properties": {"deliver": {"properties": {"parallel": {"maximum": 1}}}}}
    repeated = {"required": ["repeat_while"], "properties": {"repeat_while": {"type": "object"}}}
    captures = {"required": ["capture"], "properties": {"expect": {"not": {"type": "array"}}}}
    of_bytes = {"wire": {"properties": _left_out("twice")}}
    at_once = {"required": ["together"], "properties": {"together": {"const": True}}}
    schema["allOf"] = [
        {"if": has["raw"], "then": unchanged},
        {"if": several, "then": one_at_a_time},
        {"if": repeated, "then": captures},
        {"if": at_once, "then": {"properties": _left_out("repeat_while")}},
        {"if": has["raw"], "then": {"properties": {"deliver": {"properties": of_bytes}}}},
    ]


def _left_out(*names: str) -> _Schema:
    """The schemas of fields that are absent or null."""
    return {name: {"type": "null"} for name in names}


def _refine_deliver(schema: _Schema, _: _Schema) -> None:
    dropped = {"required": ["drop_after_ms"], "properties": {"drop_after_ms": {"type": "integer"}}}
    schema["allOf"] = [
        {"if": dropped, "then": {"properties": {"wire": {"properties": _left_out("break_off_after")}}}}
    ]


def _refine_wire(schema: _Schema, fields: _Schema) -> None:
    fields["headers"]["items"]["pattern"] = rf"^{TOKEN}:[^\r\n\x00]*$"
    for name, pattern in (("method", TOKEN), ("path", wire.TARGET)):
        fields[name]["anyOf"][0]["pattern"] = f"^({pattern})$"
    old = {"required": ["http"], "properties": {"http": {"const": "1.0"}}}
    unknown_to_it = {**_left_out("chunked"), "expect_continue": {"const": False}}
    schema["allOf"] = [{"if": old, "then": {"properties": unknown_to_it}}]


def _refine_expectation(_: _Schema, fields: _Schema) -> None:
    fields["rules"]["additionalProperties"] = {"$ref": "#/definitions/Rule"}
    fields["headers"]["additionalProperties"] = {"$ref": "#/definitions/HeaderRule"}


_REFINEMENTS: dict[str, Callable[[_Schema, _Schema], None]] = {
    "Step": _refine_step,
    "Deliver": _refine_deliver,
    "Wire": _refine_wire,
    "Expectation": _refine_expectation,
}


# --- matchers ----------------------------------------------------------------------------------------------


def _rule() -> _Schema:
    return {
        "description": "A matcher, which takes the place of equality.",
        "oneOf": [*map(_matcher, MATCHERS.values())],
    }


def _header_rule() -> _Schema:
    """The schema of a header: a string that is no matcher's name is the expected value itself."""
    kinds = [kind for kind in MATCHERS.values() if HEADER in kind.applies_to]
    bare = [name for name, kind in MATCHERS.items() if kind.argument is None]
    return {
        "description": "A value, or a matcher that takes the place of equality.",
        "oneOf": [*map(_matcher, kinds), {"type": "string", "not": {"enum": bare}}],
    }


def _matcher(kind: MatcherKind) -> _Schema:
    if kind.argument is None:
        return {"const": kind.name, "description": kind.sentence}
    return {
        "description": kind.sentence,
        "type": "object",
        "properties": {kind.name: kind.argument},
        "required": [kind.name],
        "additionalProperties": False,
        "examples": [kind.example_rule],
    }


# --- fixtures ----------------------------------------------------------------------------------------------


def _with_placeholders(schema: _Schema) -> _Schema:
    """A contract's schema that also accepts a placeholder for any value but an object."""
    filled: _Schema = {}
    for key, value in schema.items():
        if key == "properties":
            filled[key] = {name: _with_placeholders(child) for name, child in value.items()}
        elif key == "items" and isinstance(value, dict):
            filled[key] = _with_placeholders(value)
        else:
            filled[key] = value
    kinds = filled.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "object" in kinds or ("string" in kinds and "enum" not in filled) or not kinds:
        return filled
    # The description stays outside of `anyOf`, where editors look for it.
    outside: _Schema = {key: filled.pop(key) for key in ("description", "examples", "title") if key in filled}
    placeholder = {"type": "string", "pattern": _PLACEHOLDER}
    return {**outside, "anyOf": [filled, placeholder]}
