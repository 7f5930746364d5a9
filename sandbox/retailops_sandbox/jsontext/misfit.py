"""Why a parsed value does not fit its type: msgspec's complaint in terms of JSON, with its place."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from retailops_sandbox.errors import SourceError, did_you_mean
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.jsontext.places import error_in
from retailops_sandbox.jsontext.spelling import excerpt, quoted
from retailops_sandbox.model import Json, Number

Tokens: TypeAlias = tuple[str | int, ...]


def with_plain_number(value: Json, type: Any, complaint: str, text: bytes | str, file: str) -> Json:
    """The value with the refused Number as an int or float; SourceError for another complaint."""
    message, _, path = complaint.partition(" - at ")
    tokens = _tokens(value, type, complaint, path.strip("`"))
    plain = _plain_number(_at(value, tokens), message)
    if plain is None:
        raise _misfit(value, type, message, tokens, text, file)
    plainer: Json = _with(value, tokens, plain)
    return plainer


_expected = re.compile(r"Expected `(.+)`, got `(.+)`").fullmatch
_out_of_bounds = re.compile(r"Expected `(?:int|float)` [<>]=? .+").fullmatch
_unknown_field = re.compile(r"Object contains unknown field `(.*)`").fullmatch
_missing_field = re.compile(r"Object missing required field `(.*)`").fullmatch
_path_step = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")

_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "Number": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
}


def _tokens(value: Json, type: Any, complaint: str, path: str) -> Tokens:
    """The tokens of msgspec's path, which shows `[...]` in the place of a mapping's key."""
    tokens: Tokens = ()
    for step in _path_step.finditer(path):
        if step[1] is not None:
            tokens += (step[1],)
        elif step[2] is not None:
            tokens += (int(step[2]),)
        else:
            tokens += (_offender(value, type, tokens, complaint),)
    return tokens


def _offender(value: Json, type: Any, tokens: Tokens, complaint: str) -> str:
    """The key of the member that the complaint is about, in the mapping at `tokens`."""
    mapping: dict[str, Json] = _at(value, tokens)
    for key, member in mapping.items():
        try:
            msgspec.convert(_with(value, tokens, {key: member}), type)
        except msgspec.ValidationError as error:
            if str(error) == complaint:
                return key
    raise AssertionError(f"no key of {list(mapping)} explains: {complaint}")


def _at(value: Any, tokens: Tokens) -> Any:
    for token in tokens:
        value = value[token]
    return value


def _with(value: Any, tokens: Tokens, new: Any) -> Any:
    """A copy of a value with another one at the tokens; all that is not on that path is shared."""
    if not tokens:
        return new
    copy = value.copy()
    copy[tokens[0]] = _with(copy[tokens[0]], tokens[1:], new)
    return copy


def _plain_number(value: Json, message: str) -> Any:
    """The int or float that a field takes in place of a Number; None for a message about anything else."""
    mismatch = _expected(message)
    if not mismatch or not isinstance(value, Number):
        return None
    wanted = mismatch[1].split(" | ")
    if "int" in wanted and value == value.to_integral_value():
        return int(value)
    if "float" in wanted and isfinite(float(value)):
        return float(value)
    return None


def _misfit(
    value: Json, type: Any, message: str, tokens: Tokens, text: bytes | str, file: str
) -> SourceError:
    """The error for msgspec's complaint: its place, what is wrong in terms of JSON, what would fit."""
    mend = ""
    unknown, missing, mismatch = _unknown_field(message), _missing_field(message), _expected(message)
    if unknown:
        what = f"unknown field {quoted(unknown[1])}"
        known = _choices(type, tokens, fields=True)
        mend = _near(unknown[1], known) or _listed(known)
        tokens += (unknown[1],)
    elif missing:
        what, mend = f"the field {quoted(missing[1])} is missing", "add it"
    elif mismatch and isinstance(_at(value, tokens), Number):
        what = f"{excerpt(_at(value, tokens))} does not fit: expected {_wanted(mismatch)}"
    elif mismatch:
        what = f"expected {_wanted(mismatch)}, found {_NAMES.get(mismatch[2], mismatch[2])}"
    elif _out_of_bounds(message):
        what = f"must be {_bounds(type, tokens)}"
    elif message.startswith("Invalid"):
        stray = _at(value, tokens)
        what = f"{excerpt(stray)} is not a value of this field"
        known = _choices(type, tokens, fields=False)
        # The nearest in spelling may be another in meaning, so all are told: "timeout" is mostly a deadline.
        mend = " ".join(filter(None, (_near(stray, known), _listed(known))))
    else:
        what = message[0].lower() + message[1:]
    return error_in(text, pointers.join(tokens), what, mend=mend, file=file)


def _wanted(mismatch: re.Match[str]) -> str:
    return " or ".join(_NAMES.get(name, name) for name in mismatch[1].split(" | "))


def _near(stray: Json, known: list[str]) -> str:
    return did_you_mean(stray, known, spelled=quoted) if isinstance(stray, str) else ""


def _listed(known: list[str]) -> str:
    return f"known here: {', '.join(known)}" if known else ""


def _choices(type: Any, tokens: Tokens, *, fields: bool) -> list[str]:
    """The field names of the structs at the tokens, or the values that a field there can take."""
    nodes = _nodes(type, tokens)
    if fields:
        names = [name for node in nodes for name in _field_names(node)]
        return list(dict.fromkeys(names))
    tags = [
        str(node.tag)
        for node in _nodes(type, tokens[:-1])
        if tokens and getattr(node, "tag_field", None) == tokens[-1]
    ]
    return tags + [str(value) for node in nodes for value in getattr(node, "values", ())]


def _bounds(type: Any, tokens: Tokens) -> str:
    """The bounds of the number at the tokens: msgspec's complaint names only the one that is broken."""
    (number,) = (node for node in _nodes(type, tokens) if getattr(node, "ge", None) is not None)
    most = "" if number.le is None else f" and at most {number.le:,}"
    return f"at least {number.ge:,}{most}"


def _nodes(type: Any, tokens: Tokens) -> list[Any]:
    """The types that a value at the tokens can have, as nodes of msgspec's type inspection."""
    from msgspec import inspect

    nodes: list[Any] = _alternatives(inspect.type_info(type))
    for token in tokens:
        nodes = [inner for node in nodes for inner in _inner_types(node, token)]
    return nodes


def _field_names(node: Any) -> list[str]:
    tag = [node.tag_field] if getattr(node, "tag_field", None) else []
    return tag + [field.encode_name for field in getattr(node, "fields", ())]


def _inner_types(node: Any, token: str | int) -> list[Any]:
    inner = [field.type for field in getattr(node, "fields", ()) if field.encode_name == token]
    inner += [getattr(node, name) for name in ("item_type", "value_type") if hasattr(node, name)]
    return [alternative for one in inner for alternative in _alternatives(one)]


def _alternatives(node: Any) -> list[Any]:
    """The members of a union, or the type itself, without the metadata around them."""
    if hasattr(node, "extra_json_schema"):
        return _alternatives(node.type)
    return [each for one in node.types for each in _alternatives(one)] if hasattr(node, "types") else [node]
