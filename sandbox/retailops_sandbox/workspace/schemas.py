"""JSON Schemas of the files that users write, for completion and checks in editors. Pure.

What a file must be is said once, by the types that it is read into; here it is told in JSON Schema, with what
the readers check beyond types. A schema never refuses what its reader takes. Draft 7, the newest that editors
know all of; those of fixtures are the contract's own, draft 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.comparing.matchers import HEADER, MATCHERS, MatcherKind
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Expectation, Receiver, Scenario
from retailops_sandbox.scenarios.scenario import BOUNDS

DIALECT = "http://json-schema.org/draft-07/schema#"
SUFFIX = ".schema.json"

_Schema = dict[str, Any]
_POINTER = r"^(/([^~/]|~[01])*)*$"
_PLACEHOLDER = r"^\$\{[^{}]+\}$"


def scenario(fixtures: Iterable[str] = ()) -> _Schema:
    """Of a scenario file; an editor offers these fixtures, and takes others."""
    schema = _of(Scenario, "A RetailOPS sandbox scenario")
    known = sorted(set(fixtures))
    if known:
        step = schema["definitions"]["Step"]["properties"]
        step["fixture"]["anyOf"].insert(0, {"enum": known})
    return schema


def expectation() -> _Schema:
    """Of a file for `send --expect`."""
    return _of(Expectation, "An expected response")


def receivers() -> _Schema:
    """Of `receivers.json`."""
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


def fixture(action: str, edition: str) -> _Schema:
    """Of a fixture: what the contract asks of a payload, and placeholders; UsageError without a contract."""
    agreed = contract.load(action, edition)
    filled = _with_placeholders(agreed.request_schema)
    return {**filled, "title": f"A payload of {action}, edition {edition}", "examples": [_example(agreed)]}


def everything(fixtures: Iterable[str] = ()) -> dict[str, _Schema]:
    """All of them, by the names of their files."""
    known = {
        f"fixture.{action}.{edition}": fixture(action, edition) for action, edition in contract.available()
    }
    made = {"scenario": scenario(fixtures), "expectation": expectation(), "receivers": receivers(), **known}
    return {name + SUFFIX: schema for name, schema in made.items()}


# --- from types --------------------------------------------------------------------------------------------


def _of(type: type, title: str) -> _Schema:
    """The schema of a file that is read into this type."""
    (schema,), components = msgspec.json.schema_components([type], ref_template="#/definitions/{name}")
    definitions = {name: _refined(name, component) for name, component in components.items()}
    if "Expectation" in definitions:
        definitions |= {"Rule": _rule(), "HeaderRule": _header_rule()}
    return {"$schema": DIALECT, "title": title, "allOf": [schema], "definitions": definitions}


def _refined(name: str, schema: _Schema) -> _Schema:
    """A struct's schema with a description for each field, and what its reader checks beyond types."""
    refined = {key: value for key, value in schema.items() if key != "required" or value}
    refined["properties"] = {
        field: _described(_without_discriminator(value), _DESCRIPTIONS.get(name, {}).get(field, ""))
        for field, value in schema["properties"].items()
    }
    refine = _REFINEMENTS.get(name)
    if refine:
        refine(refined, refined["properties"])
    return refined


def _described(schema: _Schema, description: str) -> _Schema:
    # Beside a $ref, draft 7 sees nothing.
    if "$ref" in schema:
        schema = {"allOf": [{"$ref": schema["$ref"]}], **{k: v for k, v in schema.items() if k != "$ref"}}
    return {**({"description": description} if description else {}), **schema}


def _without_discriminator(schema: _Schema) -> _Schema:
    """Without a word that OpenAPI alone knows."""
    plain = {key: value for key, value in schema.items() if key != "discriminator"}
    if "anyOf" in plain:
        plain["anyOf"] = [_without_discriminator(each) for each in plain["anyOf"]]
    return plain


def _refine_scenario(_: _Schema, fields: _Schema) -> None:
    available = contract.available()
    fields["action"]["enum"] = sorted({action for action, _ in available})
    fields["edition"]["enum"] = sorted({edition for _, edition in available})
    fields["steps"]["minItems"] = 1


def _refine_step(schema: _Schema, fields: _Schema) -> None:
    fields["remove"]["items"] = {"type": "string", "pattern": _POINTER}
    fields["set"]["propertyNames"] = {"pattern": _POINTER}
    fields["capture"]["additionalProperties"] = {"type": "string", "pattern": _POINTER}
    bodies = {"fixture": {"type": "string"}, "payload": {}, "raw": {"type": "string"}}
    has = {name: {"required": [name], "properties": {name: kind}} for name, kind in bodies.items()}
    schema["oneOf"] = [*has.values()]
    unchanged = {"properties": {"set": {"maxProperties": 0}, "remove": {"maxItems": 0}}}
    several = {"required": ["expect"], "properties": {"expect": {"type": "array"}}}
    one_at_a_time = {"properties": {"deliver": {"properties": {"parallel": {"maximum": 1}}}}}
    schema["allOf"] = [{"if": has["raw"], "then": unchanged}, {"if": several, "then": one_at_a_time}]


def _refine_deliver(_: _Schema, fields: _Schema) -> None:
    for field, (least, most) in BOUNDS.items():
        _bounded(fields[field], least, most)


def _refine_expectation(_: _Schema, fields: _Schema) -> None:
    fields["rules"] |= {
        "propertyNames": {"pattern": _POINTER},
        "additionalProperties": {"$ref": "#/definitions/Rule"},
    }
    fields["headers"]["additionalProperties"] = {"$ref": "#/definitions/HeaderRule"}


def _refine_receiver(_: _Schema, fields: _Schema) -> None:
    for field in ("timeout_ms", "connect_timeout_ms"):
        _bounded(fields[field], 1, composing.LONGEST_MS)


def _bounded(schema: _Schema, least: int, most: int) -> None:
    schema |= {"minimum": least, "maximum": most}


_REFINEMENTS: dict[str, Callable[[_Schema, _Schema], None]] = {
    "Scenario": _refine_scenario,
    "Step": _refine_step,
    "Deliver": _refine_deliver,
    "Expectation": _refine_expectation,
    "Receiver": _refine_receiver,
}


# --- matchers ----------------------------------------------------------------------------------------------


def _rule() -> _Schema:
    return {
        "description": "A matcher, which stands here instead of equality.",
        "oneOf": [*map(_matcher, MATCHERS.values())],
    }


def _header_rule() -> _Schema:
    """A header is text: a string that names no matcher without an argument is the value itself."""
    kinds = [kind for kind in MATCHERS.values() if HEADER in kind.applies_to]
    bare = [name for name, kind in MATCHERS.items() if kind.argument is None]
    return {
        "description": "A value, or a matcher that stands here instead of equality.",
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
    """A contract's schema that takes a placeholder wherever it asks for a value that is no object."""
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
    # The description stays outside, where editors look for it.
    outside: _Schema = {key: filled.pop(key) for key in ("description", "examples", "title") if key in filled}
    placeholder = {"type": "string", "pattern": _PLACEHOLDER}
    return {**outside, "anyOf": [filled, placeholder]}


def _example(agreed: Contract) -> Any:
    return agreed.examples.request


# --- descriptions ------------------------------------------------------------------------------------------

_DESCRIPTIONS: dict[str, dict[str, str]] = {
    "Scenario": {
        "$schema": "Where an editor finds this format, for completion. Not read otherwise.",
        "format": "The version of this format.",
        "name": "What must stay true, in a sentence. The file's path where absent.",
        "description": "More, for whoever reads a report.",
        "tags": "Words to choose by: run --tag smoke.",
        "action": "What RetailOPS calls for.",
        "edition": "The version of the contract.",
        "variables": "Values for placeholders, by name: ${order_id}.",
        "steps": "What is sent, in this order.",
    },
    "Step": {
        "name": "Unique in the file; step 1 and so on where absent.",
        "fixture": "The name of the payload to send: one of the workspace's, or a shipped one.",
        "payload": "The payload itself, instead of a fixture.",
        "raw": "Bytes to send as they are, instead of either: text, or base64:...",
        "remove": "Pointers to what is taken away, before anything is set.",
        "set": "Pointer to value. Objects that are missing are made; /- appends to an array.",
        "deliver": "How often and how it is delivered.",
        "expect": "What the answer must be, or a list with one for each delivery; nothing is judged without.",
        "capture": "Name to pointer: takes values from the answer, for later steps.",
        "off_contract": "Send although the payload breaks the contract.",
    },
    "Deliver": {
        "times": "How many times the same bytes are delivered.",
        "parallel": "How many deliveries are in flight at once.",
        "delay_ms": "The pause before each delivery.",
        "timeout_ms": "How long a delivery may take, instead of the receiver's own limit.",
        "headers": "Headers to send beside the receiver's, or instead of those of the same name.",
        "content_type": "The Content-Type, where it is not application/json.",
        "drop_after_ms": "Hang up on the first delivery after this long, then deliver again.",
    },
    "Expectation": {
        "status": "The status, or a list of them. The contract's ok_statuses where absent.",
        "max_ms": "The longest total time.",
        "headers": "Header to value or matcher.",
        "body": "The expected body: a real answer. Not compared where absent.",
        "rules": "Path to matcher. A path is a JSON Pointer in which * is one level; a more exact one wins.",
        "contract": "false: violations of the response's schema are listed, but do not fail.",
        "fault": "The fault that must happen.",
    },
    "Receiver": {
        "name": "What it is called here.",
        "base_url": "The URL that the contract's path is appended to.",
        "paths": "Action to path, where that is not the contract's. May be empty.",
        "headers": "Headers of every delivery. Secrets are ${env:NAME} references.",
        "auth": "How it is proved who calls: basic, bearer or netrc. Secrets are ${env:NAME} references.",
        "token": "The v1 token, a ${env:NAME} reference: put where the contract wants it.",
        "variables": "Values for placeholders, by name.",
        "secret_env": "Further environment variables whose values are never written anywhere.",
        "timeout_ms": "How long a delivery may take.",
        "connect_timeout_ms": "How long connecting may take.",
        "verify": "Whether its certificate is verified.",
        "ca_file": "The authorities that its certificate is verified with.",
        "client_cert": "The client certificate.",
        "client_key": "The client certificate's key.",
        "proxy": "The proxy to send through.",
        "follow_redirects": "Whether redirects are followed.",
        "protected": "Nothing is sent without an explicit yes for that send.",
        "stand_in": "It is the stand-in, which proves nothing about a real receiver.",
    },
    "Basic": {"kind": "User and password.", "username": "The user.", "password": "A ${env:NAME} reference."},
    "Bearer": {"kind": "A bearer token.", "token": "A ${env:NAME} reference."},
    "Netrc": {"kind": "User and password come from the user's netrc file."},
}
