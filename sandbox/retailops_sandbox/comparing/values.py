"""JSON values: their types, and when two are the same."""

from __future__ import annotations

from typing import TypeGuard

from retailops_sandbox.model import Json, Number


def type_name(value: Json) -> str:
    """The JSON type of a value: null, boolean, number, string, array or object."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, (dict, list)):
        return "object" if isinstance(value, dict) else "array"
    if isinstance(value, bool):
        return "boolean"
    return "null" if value is None else "number"


def is_number(value: Json) -> TypeGuard[int | Number]:
    """Whether a value is a number; `true` and `false` are none."""
    return isinstance(value, (int, Number)) and not isinstance(value, bool)


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal as JSON: numbers by value, `true` is not 1, keys in any order."""
    if isinstance(one, str):
        return one == other
    if isinstance(one, dict):
        if not isinstance(other, dict) or len(one) != len(other):
            return False
        for key, value in one.items():  # noqa: SIM110 (all() costs a second frame for each level)
            if key not in other or not same(value, other[key]):
                return False
        return True
    if isinstance(one, list):
        if not isinstance(other, list) or len(one) != len(other):
            return False
        return all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other
