"""Contracts: what one action in one edition demands of a payload and of its response.

A contract is one JSON file that is read into `Contract`. Its schemas are JSON Schema draft 4, the only draft
in which 35.0 is not an integer, so that a contract can demand integers.
"""

# No `from __future__ import annotations`: msgspec would compile each string when the first contract is read.

import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import auth
from retailops_sandbox.contracts.advice import Rule, advise
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.variants import tightens
from retailops_sandbox.contracts.violations import compiled, keeps, violations
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Number, Violation

if TYPE_CHECKING:
    from jsonschema_rs import Validator

DIALECT = "http://json-schema.org/draft-04/schema#"


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a delivery is about: the ids by which the log finds it. In a path, `*` is every item."""

    kind: str
    """The noun for it, such as `order`."""
    request: tuple[str, ...] = ()
    """Paths into the payload."""
    response: tuple[str, ...] = ()
    """Paths into the response."""


class Examples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One payload and one response that keep the contract."""

    request: Any
    """A payload."""
    response: Any
    """An answer's body."""


class AnswerCheck(NamedTuple):
    """What a response's body breaks."""

    violations: tuple[Violation, ...]
    """The violations of the contract's own schema."""
    by_source: Mapping[str, tuple[Violation, ...]]
    """The violations of each source's variant; empty for a contract without variants."""


class Contract(msgspec.Struct, frozen=True, dict=True, kw_only=True, forbid_unknown_fields=True):
    """The schemas of one action in one edition, and what else is known of it."""

    action: str
    """The name of the action."""
    edition: str
    """The version of the contract."""
    group: str
    """The short word under which lists show the action, such as `orders`."""
    summary: str
    """What RetailOPS calls for, in a sentence."""
    stability: str
    """How settled it is, in a word."""
    method: str
    """The HTTP method by which it is called."""
    path: str
    """What is appended to a receiver's URL."""
    source: str
    """Where the facts come from."""
    notes: tuple[str, ...] = ()
    """Remarks for whoever reads the schemas, such as where published sources disagree."""
    ok_statuses: tuple[int, ...]
    """The statuses of a good answer."""
    arrays: dict[str, tuple[str, ...]] = {}
    """Set-like arrays of the response: from path (`*` is every item) to identity."""
    auth: Auth | None = None
    """How a request proves its sender; null for not at all."""
    secrets: tuple[str, ...] = ()
    """Pointers into the payload: the values that are secret."""
    subject: Subject | None = None
    """What a delivery is about; null where that has no ids."""
    events: str = ""
    """Where the array lies in which the response tells what happened; empty for none."""
    codes: tuple[str, ...] = ()
    """Paths into the response, with `*` for every item, of the codes that the log finds."""
    advice: tuple[Rule, ...] = ()
    """Rules for what looks inconsistent in a payload that keeps the schema."""
    request_schema: dict[str, Any]
    """JSON Schema, draft 4, of a payload."""
    response_schema: dict[str, Any]
    """JSON Schema, draft 4, of an answer's body."""
    variants: dict[str, dict[str, Any]] = {}
    """Strict variants of `response_schema` by source: from pointer to the value there."""
    examples: Examples
    """One payload and one answer that keep the schemas."""

    def check_request(self, value: Json, *, numbers: bool = True) -> tuple[Violation, ...]:
        """The violations of a payload. `numbers` says whether it may hold a Number."""
        return violations(self._request_validator, value, numbers=numbers)

    def keeps_request_schema(self, value: Json, *, numbers: bool = True) -> bool:
        """Whether `check_request` finds no violation."""
        return keeps(self._request_validator, value, numbers=numbers)

    def check_response(self, value: Json) -> tuple[Violation, ...]:
        """The violations of a response's body."""
        return violations(self._response_validator, value)

    def check_answer(self, value: Json) -> "AnswerCheck":
        """The violations of a response's body, and those by the source of each variant.

        A body that keeps a variant that is certainly stricter than the schema is not checked again.
        """
        by_source: dict[str, tuple[Violation, ...]] = {}
        is_kept = False
        for source, validator in self._variant_validators.items():
            by_source[source] = found = violations(validator, value)
            is_kept = is_kept or (not found and source in self._stricter)
        if is_kept and not any(by_source.values()):
            return self._all_kept  # as nearly always
        broken = () if is_kept else self.check_response(value)
        return AnswerCheck(broken, {source: by_source.get(source, broken) for source in self.variants})

    @cached_property
    def _request_validator(self) -> "Validator":
        return compiled(self.request_schema)

    @cached_property
    def _response_validator(self) -> "Validator":
        return compiled(self.response_schema)

    @cached_property
    def _variant_validators(self) -> "dict[str, Validator]":
        """The validators of the variants that differ from the schema."""
        return {
            source: compiled(varied(self.response_schema, changes))
            for source, changes in self.variants.items()
            if changes
        }

    @cached_property
    def _all_kept(self) -> "AnswerCheck":
        return AnswerCheck((), dict.fromkeys(self.variants, ()))

    @cached_property
    def _stricter(self) -> tuple[str, ...]:
        """The sources of the variants whose documents certainly keep the schema."""
        return tuple(
            source
            for source, changes in self.variants.items()
            if changes and tightens(self.response_schema, changes)
        )


_shipped_decoder = msgspec.json.Decoder(Contract, float_hook=Number)


# --- Loading -----------------------------------------------------------------------------------------


def decoded(text: bytes) -> Contract:
    """The contract of a shipped text, which is not proved as by `read`."""
    return _shipped_decoder.decode(text)


def read(text: bytes | str, *, file: str = "") -> Contract:
    """The contract of a text; SourceError where its pointers do not resolve, its examples break its schemas,
    or anything else in it is wrong."""
    contract = jsontext.convert(jsontext.parse(text, file=file), Contract, text, file=file)
    problem = _problem(contract)
    if problem:
        pointer, what = problem
        raise jsontext.error_in(text, pointer, what, file=file)
    return contract


def schema_at(schema: dict[str, Any], pointer: str) -> dict[str, Any]:
    """The part of a schema for a pointer, in which `*` is every item; PointerError if there is none."""
    for token in pointers.parse(pointer):
        if token in schema.get("properties", {}):
            schema = schema["properties"][token]
        elif "items" in schema and (token == "*" or token.isdecimal()):
            schema = schema["items"]
        else:
            raise pointers.PointerError(f"the schema has no {token!r} on the way to {pointer!r}")
    return schema


def varied(schema: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a schema with other values at these pointers; PointerError where one leads nowhere.

    The last member of a pointer may be absent from the schema if it is a keyword of JSON Schema.
    """
    changed = deepcopy(schema)
    for pointer, value in changes.items():
        way, _, last = pointer.rpartition("/")
        parent = pointers.resolve(changed, way)
        if not isinstance(parent, dict) or (last not in parent and last not in _KEYWORDS):
            raise pointers.PointerError(f"the schema has no {last!r} at {pointer!r}")
        parent[last] = deepcopy(value)
    return changed


_KEYWORDS = frozenset(
    (
        *("type", "enum", "allOf", "anyOf", "oneOf", "not", "format"),
        *("properties", "required", "additionalProperties", "patternProperties", "dependencies"),
        *(
            "items",
            "additionalItems",
            "minItems",
            "maxItems",
            "uniqueItems",
            "minProperties",
            "maxProperties",
        ),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern"),
    )
)
"""The keywords of JSON Schema draft 4 that demand something."""


def documented(schema: dict[str, Any], example: Json, pointer: str, *, otherwise: Json = None) -> Any:
    """The value that is documented at a place of a document, as a copy.

    It is the value in the document's example, where the first item of an array is for all items, else an
    example in the schema, else an empty value of its type, or `otherwise` where the schema allows any type.
    UNSET where the schema has no such place.
    """
    tokens = pointers.parse(pointer)
    first = pointers.join(tuple("0" if token.isdecimal() else token for token in tokens))
    found = pointers.get(example, first, UNSET)
    if found is not UNSET:
        return deepcopy(found)
    try:
        wanted = schema_at(schema, pointer)
    except pointers.PointerError:
        return UNSET
    arrays = schema_at(schema, pointers.join(tokens[:-1])).get("examples", ()) if tokens else ()
    items = [each[0] for each in arrays if isinstance(each, list) and each]
    for each in (*wanted.get("examples", ()), *items):
        return deepcopy(each)
    types = wanted.get("type", [])
    known = [each for each in ([types] if isinstance(types, str) else types) if each in _EMPTY]
    return deepcopy(_EMPTY[known[0]]) if known else otherwise


_EMPTY: dict[str, Json] = {
    "object": {},
    "array": [],
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": True,
}
"""The empty value of each type."""


def _problem(contract: Contract) -> tuple[str, str] | None:
    """The first mistake in a contract: its pointer in the file, and what it is."""
    return (
        _schema_problem("/request_schema", contract.request_schema)
        or _schema_problem("/response_schema", contract.response_schema)
        or _contradiction_problem("/request_schema", contract.request_schema)
        or _contradiction_problem("/response_schema", contract.response_schema)
        or _word_problem(contract)
        or _call_problem(contract)
        or _auth_problem(contract.auth)
        or _pointer_problem(contract)
        or _variant_problem(contract)
        or _example_problem("/examples/request", contract.check_request(contract.examples.request))
        or _example_problem("/examples/response", contract.check_response(contract.examples.response))
        or _advice_problem(contract)
    )


_PATH = r"(/[A-Za-z0-9_.~!$&'()*+,;=:@%-]+)+/?"


def _call_problem(contract: Contract) -> tuple[str, str] | None:
    """A mistake in how the action is called, and in which statuses answer it."""
    if not re.fullmatch("[A-Z]+", contract.method):
        return "/method", "this is no method: write one in capitals, such as POST"
    if not re.fullmatch(_PATH, contract.path):
        return "/path", "this is no path of a URL: write one such as /order_hold_v1, without query and blanks"
    if not contract.ok_statuses:
        return "/ok_statuses", "no status would be right: write at least one, such as 200"
    for number, status in enumerate(contract.ok_statuses):
        if not 100 <= status <= 599:
            return f"/ok_statuses/{number}", "this is no status: they are numbers from 100 to 599"
    if contract.auth is not None and not 400 <= contract.auth.status <= 499:
        return "/auth/status", "a wrong proof is answered with a status from 400 to 499, such as 401"
    return None


def _schema_problem(place: str, schema: dict[str, Any]) -> tuple[str, str] | None:
    import jsonschema_rs

    if schema.get("$schema") != DIALECT:
        return place, f"a contract's schema must say $schema {DIALECT}: later drafts take 35.0 for an integer"
    try:
        compiled(schema)
    except jsonschema_rs.ValidationError as error:
        return place + pointers.join(error.instance_path), f"this is no JSON Schema: {error.message}"
    return None


def _contradiction_problem(place: str, schema: dict[str, Any]) -> tuple[str, str] | None:
    from retailops_sandbox.contracts.contradictions import contradictions  # a shipped contract is not proved

    for pointer, what in contradictions(schema, DIALECT):
        return place + pointer, what
    return None


def _auth_problem(found: Auth | None) -> tuple[str, str] | None:
    problem = auth.problem(found) if found is not None else None
    return (f"/auth{problem[0]}", problem[1]) if problem else None


def _pointer_problem(contract: Contract) -> tuple[str, str] | None:
    secrets = _listed("/secrets", contract.secrets)
    if contract.auth and contract.auth.pointer:
        secrets.append(("/auth/pointer", contract.auth.pointer))
    sets = [(f"/arrays/{pointers.escape(path)}", f"{path}/*") for path in contract.arrays]
    identities = [
        (f"/arrays/{pointers.escape(path)}", f"{path}/*/{pointers.escape(field)}")
        for path, fields in contract.arrays.items()
        for field in fields
    ]
    advised = [
        (f"/advice/{number}", path) for number, rule in enumerate(contract.advice) for path in rule.paths()
    ]
    subject = contract.subject or Subject(kind="")
    request = secrets + advised + _listed("/subject/request", subject.request)
    response = (
        sets + identities + _listed("/subject/response", subject.response) + _listed("/codes", contract.codes)
    )
    if contract.events:
        response.append(("/events", f"{contract.events}/*"))
    for schema, targets in ((contract.request_schema, request), (contract.response_schema, response)):
        for place, pointer in targets:
            try:
                schema_at(schema, pointer)
            except pointers.PointerError as error:
                return place, str(error)
    return None


def _listed(place: str, paths: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"{place}/{number}", path) for number, path in enumerate(paths)]


def _word_problem(contract: Contract) -> tuple[str, str] | None:
    """The first text that is empty though pages show it."""
    shown = {"/action": contract.action, "/edition": contract.edition, "/group": contract.group}
    shown["/summary"] = contract.summary
    if contract.subject:
        shown["/subject/kind"] = contract.subject.kind
    return next(((place, "it must not be empty") for place, text in shown.items() if not text.strip()), None)


def _variant_problem(contract: Contract) -> tuple[str, str] | None:
    import jsonschema_rs

    for source, changes in contract.variants.items():
        place = f"/variants/{pointers.escape(source)}"
        for pointer, value in changes.items():
            at = f"{place}/{pointers.escape(pointer)}"
            try:
                compiled(varied(contract.response_schema, {pointer: value}))
            except pointers.PointerError as error:
                return at, str(error)
            except jsonschema_rs.ValidationError as error:
                return at, f"with it, the schema is no JSON Schema: {error.message}"
    return None


def _example_problem(place: str, found: tuple[Violation, ...]) -> tuple[str, str] | None:
    for violation in found:
        return place, f"the example breaks its schema: {violation.pointer or WHOLE} {violation.message}"
    return None


def _advice_problem(contract: Contract) -> tuple[str, str] | None:
    for number, rule in enumerate(contract.advice):
        for note in advise((rule,), contract.examples.request):
            return f"/advice/{number}", f"it advises against the example: {note.pointer} {note.message}"
        if not rule.ground.strip():
            return f"/advice/{number}/ground", "there is no advice without a ground: say where it comes from"
    return None
