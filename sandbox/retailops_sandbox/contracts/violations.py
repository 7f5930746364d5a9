"""The violations of a document against a JSON Schema of draft 4, each in plain words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from retailops_sandbox import jsontext
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Number, Violation

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

LISTED = 100
"""The most violations that are listed of one document; a last one says how many more there are."""

_EXAMINED = 20_000
"""The most values of a document that are searched for violations."""


def compiled(schema: dict[str, Any]) -> Validator:
    """The validator of a schema; ValidationError where it is no JSON Schema."""
    import jsonschema_rs

    # Values may be secret, so the library's own messages must not quote them.
    return jsonschema_rs.validator_for(_plain(schema), mask="the value", offline=True)


def keeps(validator: Validator, value: Json, *, numbers: bool = True) -> bool:
    """Whether a value keeps the schema of a validator. `numbers` says whether it may hold a Number."""
    return validator.is_valid(_plain(value) if numbers else value)


def violations(validator: Validator, value: Json, *, numbers: bool = True) -> tuple[Violation, ...]:
    """What breaks the schema of a validator. `numbers` says whether the value may hold a Number."""
    plain = _plain(value) if numbers else value
    if validator.is_valid(plain):
        return ()
    # A text of so few bytes has no more values.
    is_short = len(jsontext.compact(value)) <= _EXAMINED
    errors = list(validator.iter_errors(plain if is_short else _first_part(plain)))
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


def _first_error(validator: Validator, value: Any) -> ValidationError:
    import jsonschema_rs

    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return error
    raise AssertionError("the validator refuses a value and finds nothing wrong with it")


def _violation(error: ValidationError, document: Json) -> Violation:
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
