"""Contracts: what one action in one edition demands of a payload and of its response.

A contract is one JSON file that is read into `Contract`. Its schemas are JSON Schema draft 4, the only draft
in which 35.0 is not an integer, so that a contract can demand integers.
"""

# No `from __future__ import annotations`: msgspec would compile each string when the first contract is read.

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext, resources
from retailops_sandbox.contracts import auth
from retailops_sandbox.contracts.advice import Rule, advise
from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.errors import UsageError
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Number, Violation

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

DIALECT = "http://json-schema.org/draft-04/schema#"

LISTED = 100
"""The most violations that are listed of one document; a last one says how many more there are."""

_EXAMINED = 20_000
"""The most values of a document that are searched for violations."""


class Examples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One payload and one response that keep the contract."""

    request: Any
    response: Any


class Contract(msgspec.Struct, frozen=True, dict=True, kw_only=True, forbid_unknown_fields=True):
    """The schemas of one action in one edition, and what else is known of it."""

    action: str
    edition: str
    stability: str
    method: str
    path: str
    source: str
    """Where the facts come from."""
    notes: tuple[str, ...] = ()
    """Remarks for whoever reads the schemas, such as where published sources disagree."""
    ok_statuses: tuple[int, ...]
    arrays: dict[str, tuple[str, ...]] = {}
    """The response's set-like arrays: from path, in which `*` is every item, to the identity fields."""
    auth: Auth | None = None
    secrets: tuple[str, ...] = ()
    """Pointers into the payload: the values that are secret."""
    subject: tuple[str, ...] = ()
    """Pointers into the payload: the ids of the order that it is about, by which the log finds a delivery."""
    codes: tuple[str, ...] = ()
    """Paths into the response, in which `*` is every item: the codes by which the log finds a delivery."""
    advice: tuple[Rule, ...] = ()
    """Rules for what looks inconsistent in a payload that keeps the schema."""
    request_schema: dict[str, Any]
    response_schema: dict[str, Any]
    examples: Examples

    def check_request(self, value: Json, *, numbers: bool = True) -> tuple[Violation, ...]:
        """The violations of a payload. `numbers` says whether it may hold a Number."""
        return _violations(self._request_validator, value, numbers=numbers)

    def check_response(self, value: Json) -> tuple[Violation, ...]:
        """The violations of a response's body."""
        return _violations(self._response_validator, value)

    @cached_property
    def _request_validator(self) -> "Validator":
        return _compiled(self.request_schema)

    @cached_property
    def _response_validator(self) -> "Validator":
        return _compiled(self.response_schema)


_shipped_decoder = msgspec.json.Decoder(Contract, float_hook=Number)


# --- Loading -----------------------------------------------------------------------------------------


def available() -> list[tuple[str, str]]:
    """Action and edition of every shipped contract."""
    return [
        (action, edition) for action, _, edition in (n.partition(".") for n in resources.contract_names())
    ]


@cache
def load(action: str, edition: str) -> Contract:
    """The shipped contract of an action in an edition; UsageError if there is none.

    Its text is not checked as by `read`: a test checks all shipped contracts, which saves time at each start.
    """
    name = f"{action}.{edition}"
    names = resources.contract_names()
    if name not in names:
        raise UsageError(f"there is no contract {name}", mend=f"there are {', '.join(names)}")
    return _shipped_decoder.decode(resources.contract_text(name))


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
        or _auth_problem(contract.auth)
        or _pointer_problem(contract)
        or _example_problem("/examples/request", contract.check_request(contract.examples.request))
        or _example_problem("/examples/response", contract.check_response(contract.examples.response))
        or _advice_problem(contract)
    )


def _schema_problem(place: str, schema: dict[str, Any]) -> tuple[str, str] | None:
    import jsonschema_rs

    if schema.get("$schema") != DIALECT:
        return place, f"a contract's schema must say $schema {DIALECT}: later drafts take 35.0 for an integer"
    try:
        _compiled(schema)
    except jsonschema_rs.ValidationError as error:
        return place + pointers.join(error.instance_path), f"this is no JSON Schema: {error.message}"
    return None


def _auth_problem(found: Auth | None) -> tuple[str, str] | None:
    problem = auth.problem(found) if found is not None else None
    return (f"/auth{problem[0]}", problem[1]) if problem else None


def _pointer_problem(contract: Contract) -> tuple[str, str] | None:
    secrets = [(f"/secrets/{number}", pointer) for number, pointer in enumerate(contract.secrets)]
    if contract.auth and contract.auth.pointer:
        secrets.append(("/auth/pointer", contract.auth.pointer))
    identities = [
        (f"/arrays/{pointers.escape(path)}", f"{path}/*/{pointers.escape(field)}")
        for path, fields in contract.arrays.items()
        for field in fields
    ]
    advised = [
        (f"/advice/{number}", path) for number, rule in enumerate(contract.advice) for path in rule.paths()
    ]
    subjects = [(f"/subject/{number}", pointer) for number, pointer in enumerate(contract.subject)]
    codes = [(f"/codes/{number}", path) for number, path in enumerate(contract.codes)]
    request = secrets + advised + subjects
    response = identities + codes
    for schema, targets in ((contract.request_schema, request), (contract.response_schema, response)):
        for place, pointer in targets:
            try:
                schema_at(schema, pointer)
            except pointers.PointerError as error:
                return place, str(error)
    return None


def _example_problem(place: str, violations: tuple[Violation, ...]) -> tuple[str, str] | None:
    for violation in violations:
        return place, f"the example breaks its schema: {violation.pointer or WHOLE} {violation.message}"
    return None


def _advice_problem(contract: Contract) -> tuple[str, str] | None:
    for number, rule in enumerate(contract.advice):
        for note in advise((rule,), contract.examples.request):
            return f"/advice/{number}", f"it advises against the example: {note.pointer} {note.message}"
        if not rule.ground.strip():
            return f"/advice/{number}/ground", "there is no advice without a ground: say where it comes from"
    return None


# --- Checking ----------------------------------------------------------------------------------------


def _compiled(schema: dict[str, Any]) -> "Validator":
    import jsonschema_rs

    # Values may be secret, so the library's own messages must not quote them.
    return jsonschema_rs.validator_for(_plain(schema), mask="the value", offline=True)


def _violations(validator: "Validator", value: Json, *, numbers: bool = True) -> tuple[Violation, ...]:
    plain = _plain(value) if numbers else value
    if validator.is_valid(plain):
        return ()
    errors = list(validator.iter_errors(_first_part(plain)))
    if not errors:  # what is wrong comes after the first part
        errors = [_first_error(validator, plain)]
    found = tuple(_violation(error, value) for error in errors[:LISTED])
    more = len(errors) - LISTED
    return (*found, Violation("", "more", f"has at least {more} more violations")) if more > 0 else found


def _plain(value: Any) -> Any:
    """The value, or where it holds a Number a copy with Decimals.

    The validator knows Decimal but no subclass of it; in a `not`, a Number is silently misjudged.
    """
    return _with_decimals(value) if jsontext.holds_number(value) else value


def _with_decimals(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_decimals(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_decimals(item) for item in value]
    return _decimal(value) if isinstance(value, Number) else value


def _decimal(number: Number) -> Decimal:
    """The number as a Decimal, which the validator takes for an integer only if it is spelled as one."""
    decimal = Decimal(number)
    spelled_as_integer = number.spelling.lstrip("-").isdigit()
    looks_like_integer = decimal.as_tuple().exponent == 0  # as 3.5E1 does
    return Decimal(f"{decimal}.0") if looks_like_integer and not spelled_as_integer else decimal


def _first_part(value: Any) -> Any:
    """A copy whose arrays end after `_EXAMINED` values, as each error that is found costs time and memory."""
    seen = 0

    def copy(value: Any) -> Any:
        nonlocal seen
        seen += 1
        if isinstance(value, dict):
            return {key: copy(member) for key, member in value.items()}
        if isinstance(value, list):
            items = []
            for item in value:
                if seen >= _EXAMINED:
                    break
                items.append(copy(item))
            return items
        return value

    return copy(value)


def _first_error(validator: "Validator", value: Any) -> "ValidationError":
    import jsonschema_rs

    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return error
    raise AssertionError("the validator refuses a value and finds nothing wrong with it")


def _violation(error: "ValidationError", document: Json) -> Violation:
    kind: Any = error.kind
    path = error.instance_path
    if kind.name == "required":
        return Violation(pointers.join([*path, kind.property]), "required", "is missing")
    if kind.name == "type":
        value: Any = document
        for token in path:
            value = value[token]
        message = f"must be {_one_of(kind.types)}, not {_described(value, kind.types)}"
    else:
        say = _MESSAGES.get(kind.name)
        message = say(kind) if say else error.message
    return Violation(pointers.join(path), kind.name, message)


_ARTICLES = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}
_NAMES = {bool: "a boolean", int: "an integer", str: "a string", list: "an array", dict: "an object"}


def _one_of(types: list[str]) -> str:
    null_last = sorted(types, key="null".__eq__)
    return " or ".join(_ARTICLES.get(name, f"a {name}") for name in null_last)


def _described(value: Json, wanted: list[str]) -> str:
    """The type of a value that has none of the wanted ones, in words."""
    if isinstance(value, Number):
        return value.spelling if "integer" in wanted else "a number"
    return "null" if value is None else _NAMES[type(value)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_MESSAGES: dict[str, Callable[[Any], str]] = {
    "enum": lambda kind: f"must be one of {', '.join(map(_spelled, kind.options))}",
    "falseSchema": lambda kind: "is not allowed",
    "additionalProperties": lambda kind: f"must not have {', '.join(kind.unexpected)}",
    "minimum": lambda kind: f"must be at least {kind.limit}",
    "maximum": lambda kind: f"must be at most {kind.limit}",
    "minLength": lambda kind: f"must have at least {_count(kind.limit, 'character')}",
    "maxLength": lambda kind: f"must have at most {_count(kind.limit, 'character')}",
    "minItems": lambda kind: f"must have at least {_count(kind.limit, 'item')}",
    "maxItems": lambda kind: f"must have at most {_count(kind.limit, 'item')}",
    "uniqueItems": lambda kind: "must not have an item twice",
    "pattern": lambda kind: f"must match {kind.pattern}",
    "format": lambda kind: f"must be a valid {kind.format}",
}
"""The message for each broken keyword; for a keyword that is not here, the library's message is used."""


def _spelled(option: Any) -> str:
    return option if isinstance(option, str) else jsontext.compact(option).decode()
