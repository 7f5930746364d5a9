"""Contracts made of what others published: a hyper-schema file, or a swagger file (OpenAPI 2). Pure.

What such a file says otherwise than a contract, and what a contract says beyond it, becomes a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from retailops_sandbox.contracts.contract import DIALECT, Contract, schema_at
from retailops_sandbox.contracts.contradictions import fitting
from retailops_sandbox.contracts.violations import compiled, violations
from retailops_sandbox.errors import SourceError, UsageError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json

_VERSIONED = re.compile(r"/(?:.*/)?([^/]+)_(v\d+)/?")
_TOKEN = re.compile(r"(?i)token|secret|(?:[a-z_]*auth[a-z_]*token)|api_?key|signature")
"""The names of a member at the top of a payload that is taken for the token."""
_TAKEN = ("group", "ok_statuses", "events", "codes", "secrets", "auth", "subject", "arrays")
"""What a contract takes over from one that it is like."""


class Operation(NamedTuple):
    """One call that a file describes, with its references resolved."""

    path: str
    method: str
    summary: str
    ok_statuses: tuple[int, ...]
    request: Any
    response: Any
    stability: str


class MadeContract(NamedTuple):
    """The JSON of a contract, and notes on what could not be carried over."""

    document: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The action and the edition, as a file is named by them."""
        return f"{self.document['action']}.{self.document['edition']}"


def made_of(
    document: Json,
    *,
    file: str,
    path: str = "",
    action: str = "",
    edition: str = "",
    example: Json = None,
    like: Contract | None = None,
) -> MadeContract:
    """The contract of an operation of a published file.

    `path` chooses the operation where there are several. `action` and `edition` are by default what the path
    ends in, as `order_hold` and `v1` of `/order_hold_v1`. `example` is a payload. Where the contract is
    `like` another one, it takes over what a published file does not say. SourceError for a file of neither
    kind.
    """
    notes = _Notes()
    operation = _chosen(_operations(document, file), path, file)
    known = _VERSIONED.fullmatch(operation.path)
    action = action or (known[1] if known else "")
    edition = edition or (known[2] if known else "")
    if not action or not edition:
        what = f"the path {operation.path} does not say which action and edition it is of"
        raise UsageError(what, mend="give --action and --edition")
    request = _schema(operation.request, document, "/request_schema", notes)
    response = _schema(operation.response, document, "/response_schema", notes)
    summary = operation.summary
    if not summary or summary.strip("/") in (action, operation.path.strip("/")):
        summary = like.summary if like is not None else f"Calls for {action}."
        if like is None:
            notes.add("/summary", "the file says in no sentence what is called for: write it")
    made: dict[str, Any] = {
        "action": action,
        "edition": edition,
        "group": "own",
        "summary": summary,
        "stability": operation.stability or "imported",
        "method": operation.method,
        "path": operation.path,
        "source": file or "imported",
        "ok_statuses": list(operation.ok_statuses),
        "request_schema": request,
        "response_schema": response,
        "examples": {
            "request": _example(request) if example is None else example,
            "response": _example(response),
        },
    }
    _add_token(made, like, notes)
    if like is not None:
        _take_over(made, like, notes)
    _tell_missing(made, notes)
    return MadeContract(made, tuple(notes.lines))


class _Notes:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, place: str, what: str) -> None:
        line = f"{place}: {what}" if place else what
        if line not in self.lines:
            self.lines.append(line)


# --- the operations of a file ---------------------------------------------------------------------------


def _operations(document: Json, file: str) -> list[Operation]:
    links = _of(document, "links")
    if isinstance(document, dict) and isinstance(links, list):
        return [_of_link(each, document) for each in links if isinstance(each, dict)]
    if isinstance(document, dict) and isinstance(document.get("paths"), dict) and "swagger" in document:
        return list(_of_paths(document))
    what = "it is neither a hyper-schema with links nor a swagger file (version 2)"
    mend = "an OpenAPI 3 file can be saved as swagger 2" if _says(document, "openapi") else ""
    raise SourceError(what, mend=mend, file=file)


def _says(document: Json, name: str) -> bool:
    return isinstance(document, dict) and name in document


def _of_link(link: Mapping[str, Any], document: Mapping[str, Any]) -> Operation:
    description = link.get("description")
    return Operation(
        path=str(link.get("href", "")),
        method=str(link.get("method", "POST")).upper(),
        summary=description if isinstance(description, str) else "",
        ok_statuses=(200,),
        request=link.get("schema", {}),
        response=link.get("targetSchema", {}),
        stability=str(document.get("stability", "")),
    )


def _of_paths(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, said in methods.items() if isinstance(methods, dict) else ():
            if method.lower() not in ("get", "put", "post", "delete", "patch") or not isinstance(said, dict):
                continue
            bodies = [each for each in said.get("parameters", ()) if _of(each, "in") == "body"]
            responses = said.get("responses", {})
            good = sorted(each for each in responses if re.fullmatch(r"2\d\d", each))
            yield Operation(
                path=path,
                method=method.upper(),
                summary=str(said.get("description") or said.get("summary") or ""),
                ok_statuses=tuple(map(int, good)) or (200,),
                request=bodies[0].get("schema", {}) if bodies else {},
                response=responses[good[0]].get("schema", {}) if good else {},
                stability="",
            )


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _chosen(operations: Sequence[Operation], path: str, file: str) -> Operation:
    found = [each for each in operations if not path or each.path.strip("/") == path.strip("/")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(dict.fromkeys(each.path for each in operations))
    if not operations:
        raise SourceError("it describes no call", file=file)
    if not found:
        raise UsageError(f"{file} describes no {path}", mend=f"it describes {names}")
    raise UsageError(f"{file} describes several calls", mend=f"choose one by --path: {names}")


# --- schemas --------------------------------------------------------------------------------------------

_KEPT = {
    *("type", "description", "enum", "required", "properties", "items", "additionalProperties", "not"),
    *("anyOf", "oneOf", "allOf", "patternProperties", "dependencies", "additionalItems", "format"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    "examples",
}
_SILENT = {"title", "id", "$schema", "definitions", "example", "stability"}
"""Keywords that demand nothing, and are left out without a word."""
_FORMATS = {"date-time", "email", "hostname", "ipv4", "ipv6", "uri"}
"""The formats of JSON Schema draft 4."""


def _schema(schema: Any, document: Any, place: str, notes: _Notes) -> dict[str, Any]:
    """A schema as a contract has it: JSON Schema draft 4 without references."""
    made = _converted(schema, document, place, notes, ())
    return {"$schema": DIALECT, **made}


def _converted(
    schema: Any, document: Any, place: str, notes: _Notes, within: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(schema, dict):
        return {}
    if isinstance(reference := schema.get("$ref"), str):
        return _referred(reference, document, place, notes, within)
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties") and isinstance(value, dict):
            made[key] = {
                name: _converted(each, document, f"{place}/{key}/{pointers.escape(name)}", notes, within)
                for name, each in value.items()
            }
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            made[key] = _converted(value, document, f"{place}/{key}", notes, within)
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
            parts = [
                _converted(each, document, f"{place}/{key}/{number}", notes, within)
                for number, each in enumerate(value)
            ]
            made[key] = parts
        elif key == "required" and isinstance(value, bool):
            notes.add(place, "required is no list of members, and is left out")
        elif key == "format" and value not in _FORMATS:
            notes.add(place, f"the format {value!r} is checked by nobody, and is left out")
        elif key in ("nullable", "x-nullable"):
            continue
        elif key in _KEPT:
            made[key] = value
        elif key not in _SILENT:
            notes.add(place, f"the keyword {key!r} is not known, and is left out")
    if schema.get("nullable") is True or schema.get("x-nullable") is True:
        types = made.get("type", [])
        made["type"] = [*([types] if isinstance(types, str) else types), "null"]
    if "enum" in made and "type" in made and not fitting(made["enum"], made["type"], DIALECT):
        notes.add(place, f"none of the values of enum has the type {made['type']}: enum is left out")
        del made["enum"]
    if "example" in schema and "examples" not in made:
        broken = violations(compiled({"$schema": DIALECT, **made}), schema["example"])
        if broken:
            where = f"{broken[0].pointer} {broken[0].message}".strip()
            notes.add(place, f"the example breaks the schema ({where}), and is left out")
        else:
            made["examples"] = [schema["example"]]
    return _merged(made, place, notes)


def _referred(
    reference: str, document: Any, place: str, notes: _Notes, within: tuple[str, ...]
) -> dict[str, Any]:
    if reference in within:
        notes.add(place, f"{reference} refers to itself: what is in it is not described")
        return {}
    try:
        found = pointers.resolve(document, reference.removeprefix("#"))
    except pointers.PointerError:
        notes.add(place, f"{reference} leads nowhere: what is there is not described")
        return {}
    return _converted(found, document, place, notes, (*within, reference))


def _merged(schema: dict[str, Any], place: str, notes: _Notes) -> dict[str, Any]:
    """A schema whose parts of `allOf` are one object, where they are objects."""
    parts = schema.get("allOf")
    mergeable = {"type", "properties", "required", "description", "examples", "additionalProperties"}
    if not parts or any(set(each) - mergeable or each.get("type", "object") != "object" for each in parts):
        return schema
    own = {key: value for key, value in schema.items() if key != "allOf"}
    made: dict[str, Any] = {"type": "object"}
    properties: dict[str, Any] = {}
    required: dict[str, None] = {}
    for part in (*parts, own):
        for name, each in part.get("properties", {}).items():
            if properties.setdefault(name, each) != each:
                at = f"{place}/properties/{pointers.escape(name)}"
                notes.add(at, "parts of allOf disagree about it: the last one is taken")
                properties[name] = each
        required |= dict.fromkeys(part.get("required", ()))
        made |= {key: part[key] for key in part if key not in ("properties", "required")}
    return {**made, **({"required": [*required]} if required else {}), "properties": properties}


# --- what the file does not say -------------------------------------------------------------------------


def _example(schema: Mapping[str, Any]) -> Any:
    """A value that a schema describes: its example, or one with all members that have one or are required."""
    for each in schema.get("examples", ()):
        return each
    if enum := schema.get("enum"):
        return enum[0]
    types = schema.get("type", [])
    kind = types if isinstance(types, str) else next(iter(types), "")
    if kind == "object" or "properties" in schema:
        required = schema.get("required", ())
        members = schema.get("properties", {})
        return {
            name: _example(part) for name, part in members.items() if name in required or _has_example(part)
        }
    if kind == "array":
        item = _example(schema.get("items", {}))
        least = max(schema.get("minItems", 0), 0 if item in (None, {}, "") else 1)
        return [item] * least
    if kind == "string":
        return "x" * schema.get("minLength", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return False if kind == "boolean" else None


def _has_example(schema: Mapping[str, Any]) -> bool:
    """Whether a schema has an example, itself or in a part."""
    inner = [*schema.get("properties", {}).values(), schema.get("items")]
    own = bool(schema.get("examples") or schema.get("enum"))
    return own or any(_has_example(each) for each in inner if isinstance(each, dict))


def _add_token(made: dict[str, Any], like: Contract | None, notes: _Notes) -> None:
    """Say where the token stands, by the name of a member at the top of the payload."""
    members = made["request_schema"].get("properties", {})
    of_like = like.auth.pointer[1:] if like is not None and like.auth is not None else ""
    named = [name for name in members if name == of_like or _TOKEN.fullmatch(name)]
    if not named:
        return
    at = f"/{pointers.escape(named[0])}"
    made["auth"] = {"pointer": at, "status": 401}
    made["secrets"] = [at]
    members[named[0]].pop("examples", None)
    if isinstance(made["examples"]["request"], dict):
        made["examples"]["request"].pop(named[0], None)
    notes.add("/auth", f"{at} is taken for the token, which must be answered with 401 where it is wrong")


def _take_over(made: dict[str, Any], like: Contract, notes: _Notes) -> None:
    """Take over what another contract says, as far as it is about members that this one has."""
    said = msgspec.json.decode(msgspec.json.encode({field: getattr(like, field) for field in _TAKEN}))
    taken = []
    for field in _TAKEN:
        value = said[field]
        if field in made and field not in ("group", "ok_statuses"):
            continue
        if value and all(_resolves(made, *path) for path in _paths(field, value)):
            made[field] = value
            taken.append(field)
    if taken:
        notes.add("", f"as in {like.action} {like.edition}: {', '.join(taken)}")


def _paths(field: str, value: Any) -> Iterator[tuple[str, str]]:
    """The paths of a field, each with the schema that it leads into."""
    if field == "events":
        yield "response_schema", f"{value}/*"
    elif field == "codes":
        yield from (("response_schema", each) for each in value)
    elif field == "arrays":
        for path, members in value.items():
            yield from (("response_schema", f"{path}/*/{pointers.escape(each)}") for each in members)
    elif field == "subject":
        for side in ("request", "response"):
            yield from ((f"{side}_schema", each) for each in value[side])
    elif field == "secrets":
        yield from (("request_schema", each) for each in value)
    elif field == "auth" and value.get("pointer"):
        yield "request_schema", value["pointer"]


def _resolves(made: Mapping[str, Any], side: str, path: str) -> bool:
    try:
        schema_at(made[side], path)
    except pointers.PointerError:
        return False
    return True


_SAID = {
    "auth": "nothing is known of how the sender is proved",
    "subject": "the ids that a payload is about are not known: the log cannot find deliveries by them",
    "events": "it is not known which array of the answer tells what happened",
    "codes": "the codes of an answer are not known: the log cannot find deliveries by them",
}


def _tell_missing(made: dict[str, Any], notes: _Notes) -> None:
    """Note what a contract says and a published file does not."""
    for field, what in _SAID.items():
        if field not in made:
            notes.add(f"/{field}", what)
    for path in _arrays(made["response_schema"], ""):
        if path not in made.get("arrays", {}):
            notes.add("/arrays", f"the items of {path} have no identity: they are compared in their order")
    bare = sum(
        "description" not in part
        for side in ("request", "response")
        for part in _parts(made[f"{side}_schema"])
    )
    if bare:
        notes.add("", f"{bare:,} member{'' if bare == 1 else 's'} without a description")


def _arrays(schema: Mapping[str, Any], at: str) -> Iterator[str]:
    """The paths of the arrays of objects in a schema."""
    for name, part in schema.get("properties", {}).items():
        yield from _arrays(part, f"{at}/{pointers.escape(name)}")
    items = schema.get("items")
    if isinstance(items, dict):
        if "properties" in items:
            yield at
        yield from _arrays(items, f"{at}/*")


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every member that a schema describes."""
    for part in schema.get("properties", {}).values():
        yield part
        yield from _parts(part)
    if isinstance(schema.get("items"), dict):
        yield from _parts(schema["items"])
