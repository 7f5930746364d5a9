"""The predicates of matchers: each is made of a matcher's argument, and decides on one actual value.

A regex comes from the user's own file and its subject from a receiver; some pairs of them take for ever to
search. So a subject longer than MAX_SUBJECT characters is not searched, and a regex whose searches take too
long is given up for the rest of the comparison. Neither matches, and the difference says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeAlias

from retailops_sandbox.comparing.values import is_number, same, type_name
from retailops_sandbox.errors import did_you_mean, shortened
from retailops_sandbox.jsontext import excerpt
from retailops_sandbox.model import Json, Mark
from retailops_sandbox.patterns import LONGEST_SEARCH, PatternError, PatternTooLarge, Search

MAX_SUBJECT = 10_000
QUOTED = 60
"""Characters of a rule that a message quotes."""

Predicate: TypeAlias = Callable[[Json], bool]


class UnusableError(Exception):
    """The argument of a matcher cannot be used."""


def anything(_: None) -> Predicate:
    return lambda value: True


def container(_: Any) -> None:
    """No predicate: the matcher is a way to compare a container."""


_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
).fullmatch
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


def is_datetime(value: Json) -> bool:
    """Whether a value is an instant as RFC 3339 spells it, on a day that exists."""
    found = _INSTANT(value) if isinstance(value, str) else None
    if found is None:
        return False
    try:
        date(*map(int, found.groups()))
    except ValueError:
        return False
    return True


def is_uuid(value: Json) -> bool:
    return isinstance(value, str) and _UUID(value) is not None


def equal_to(expected: Json) -> Predicate:
    return lambda value: same(expected, value)


def _is_integer(value: Json) -> bool:
    if isinstance(value, Mark):
        return value.type == "integer"
    return is_number(value) and (isinstance(value, int) or value == value.to_integral_value())


TYPES = ("string", "number", "integer", "boolean", "null", "array", "object")
SYNONYMS = {"int": "integer", "str": "string", "bool": "boolean", "float": "number", "list": "array"}


def of_type(name: Any) -> Predicate:
    if name == "integer":
        return _is_integer
    if not isinstance(name, str):
        raise UnusableError(f"{spelled(name)} is not the name of a type of JSON")
    if name not in TYPES:
        near = suggestion(SYNONYMS.get(name, name), TYPES)
        raise UnusableError(f"{spelled(name)} is not a type of JSON{near}")
    return lambda value: _type_of(value) == name


def _type_of(value: Json) -> str:
    if isinstance(value, Mark):
        return "number" if value.type == "integer" else value.type
    return type_name(value)


def regex(pattern: Any) -> Predicate:
    if not isinstance(pattern, str):
        raise UnusableError("the pattern must be a string")
    try:
        return Regex(Search(pattern))
    except PatternTooLarge:
        raise
    except PatternError as error:
        raise UnusableError(
            f"{shortened(repr(pattern), QUOTED)} is not a regular expression: {error}"
        ) from None


class Regex:
    """Whether a regex is found in a string, within the bounds on its length and on time."""

    __slots__ = ("search",)

    def __init__(self, search: Search) -> None:
        self.search = search

    @property
    def searches(self) -> tuple[Search, ...]:
        return (self.search,)

    def __call__(self, value: Json) -> bool:
        return isinstance(value, str) and len(value) <= MAX_SUBJECT and self.search(value)

    def hint(self, value: Json) -> str:
        if isinstance(value, str) and len(value) > MAX_SUBJECT:
            return f"it has {len(value):,} characters, and a regex searches at most {MAX_SUBJECT:,}"
        if self.search.gave_up:
            longest = f"{LONGEST_SEARCH * 1000:g} ms of processor time"
            return f"the search took longer than {longest} and was given up: mind nested repeats"
        return ""


def one_of(values: Any) -> Predicate:
    if not isinstance(values, list) or not values:
        raise UnusableError("needs a list of at least one value")
    return lambda value: any(same(each, value) for each in values)


def in_range(bounds: Any) -> Predicate:
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise UnusableError("needs [least, most]; null leaves an end open")
    least, most = bounds
    if any(bound is not None and not is_number(bound) for bound in bounds) or least is most is None:
        raise UnusableError("needs numbers, at most one of them null")
    if least is not None and most is not None and least > most:
        raise UnusableError(f"{least} is more than {most}, so nothing is in between")
    return lambda value: (
        is_number(value) and (least is None or value >= least) and (most is None or value <= most)
    )


def contains(part: Json) -> Predicate:
    def accepts(value: Json) -> bool:
        if isinstance(value, list):
            return any(same(part, each) for each in value)
        return isinstance(value, str) and isinstance(part, str) and part in value

    return accepts


def extra(argument: Any) -> None:
    if argument != "allow":
        raise UnusableError(f'{spelled(argument)} is not "allow"')


def suggestion(name: str, known: Iterable[str]) -> str:
    near = did_you_mean(name, known)
    return f": {near}" if near else ""


def spelled(value: Any) -> str:
    return excerpt(value, QUOTED)
