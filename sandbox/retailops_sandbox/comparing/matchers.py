"""Matchers, which take the place of equality. Each is described in one record of MATCHERS.

Rules are read with these records; the JSON Schema of scenario files, the browser's rule editor and the table
in docs/scenarios.md are made from them.

A regex comes from the user's own file and its subject from a receiver; some pairs of them take for ever to
search. So a subject longer than MAX_SUBJECT characters is not searched, and a regex whose searches take too
long is given up for the rest of the comparison. Neither matches, and the difference says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeAlias

import msgspec

from retailops_sandbox.comparing.values import is_number, same, type_name
from retailops_sandbox.errors import SandboxError, did_you_mean, shortened
from retailops_sandbox.jsontext import excerpt, flat, holds_mark
from retailops_sandbox.model import Json, Mark, Rule
from retailops_sandbox.patterns import LONGEST_SEARCH, PatternError, PatternTooLarge, Search

MAX_SUBJECT = 10_000
_QUOTED = 60
"""Characters of a rule that a message quotes."""

Predicate: TypeAlias = Callable[[Json], bool]


class RuleError(SandboxError):
    """A rule that cannot be used: the path where it is written, what is wrong, how to mend it."""

    def __init__(self, path: str, what: str, mend: str = "") -> None:
        super().__init__(what, mend=mend, pointer=path)
        self.path = path


class RuleTooLarge(RuleError):
    """A rule whose pattern is beyond the bounds, and so may be from a time before them."""


class MatcherKind(msgspec.Struct, frozen=True):
    """The description of a matcher: how it is spelled, what it accepts, and where it applies."""

    name: str
    words: str
    """What it accepts, in words that follow "accepts" in a sentence."""
    applies_to: tuple[str, ...]
    """The JSON types of expected values that it is offered for; HEADER where it can judge a header."""
    predicate: Callable[[Any], Predicate | None]
    """Makes the predicate on actual values from the argument; None for a way to compare a container.

    Raises _UnusableError for an argument that cannot be used.
    """
    argument: dict[str, Any] | None = None
    """The JSON Schema of its argument; None where it takes none."""
    example: Any = None
    """An example of its argument."""

    @property
    def sentence(self) -> str:
        """What it accepts, as a whole sentence."""
        return f"{self.words[0].upper()}{self.words[1:]}."

    @property
    def example_rule(self) -> Rule:
        """A rule with this matcher, as a scenario file may hold it."""
        return self.name if self.argument is None else {self.name: self.example}


class Matcher:
    """A matcher with its argument, at the path of its rule.

    `accepts` decides on an actual value. It is None for a matcher that is a way to compare a container.
    """

    __slots__ = ("accepts", "is_struck_out", "name", "path", "rule")

    def __init__(self, name: str, rule: Rule, path: str, accepts: Predicate | None) -> None:
        self.name = name
        self.rule = rule
        self.path = path
        self.accepts = accepts
        self.is_struck_out = holds_mark(rule)
        """Whether a part of the rule was struck out, so that it decides nothing."""

    def decides(self, value: Json) -> bool:
        """Whether the matcher can decide on an actual value that may be struck out, or a part of it."""
        if self.name in ("ignore", "any"):
            return True
        if self.is_struck_out:
            return False
        if not isinstance(value, Mark):
            return not holds_mark(value) or (self.accepts is not None and self.accepts(value))
        return self.name == "type" and value.type != ""

    @property
    def search(self) -> Search | None:
        """The search of a regex; None for any other matcher."""
        return self.accepts.search if isinstance(self.accepts, _Regex) else None

    def hint(self, value: Json) -> str:
        """Why the matcher refused a value, where the value does not show it."""
        return self.accepts.hint(value) if isinstance(self.accepts, _Regex) else ""


def matcher(rule: Rule, path: str = "") -> Matcher:
    """The matcher that a rule spells; RuleError for one that cannot be used."""
    kind, argument = _read(rule, path)
    try:
        return Matcher(kind.name, rule, path, kind.predicate(argument))
    except _UnusableError as error:
        raise RuleError(path, f"{kind.name}: {error}", f"for example {flat(kind.example_rule)}") from None
    except PatternTooLarge as error:
        raise RuleTooLarge(path, f"{kind.name}: {error}", "shorten it, or split it in two rules") from None


def exactly(text: str, path: str) -> Matcher:
    """The matcher of a header whose expected value is a text."""
    return Matcher("text", text, path, _equal_to(text))


# --- Predicates ---------------------------------------------------------------------------------------


class _UnusableError(Exception):
    """The argument of a matcher cannot be used."""


def _anything(_: None) -> Predicate:
    return lambda value: True


def _container(_: Any) -> None:
    return None


_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
).fullmatch
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


def _is_datetime(value: Json) -> bool:
    """Whether a value is an instant as RFC 3339 spells it, on a day that exists."""
    found = _INSTANT(value) if isinstance(value, str) else None
    if found is None:
        return False
    try:
        date(*map(int, found.groups()))
    except ValueError:
        return False
    return True


def _is_uuid(value: Json) -> bool:
    return isinstance(value, str) and _UUID(value) is not None


def _equal_to(expected: Json) -> Predicate:
    return lambda value: same(expected, value)


def _is_integer(value: Json) -> bool:
    if isinstance(value, Mark):
        return value.type == "integer"
    return is_number(value) and (isinstance(value, int) or value == value.to_integral_value())


_TYPES = ("string", "number", "integer", "boolean", "null", "array", "object")
_SYNONYMS = {"int": "integer", "str": "string", "bool": "boolean", "float": "number", "list": "array"}


def _type(name: Any) -> Predicate:
    if name == "integer":
        return _is_integer
    if not isinstance(name, str):
        raise _UnusableError(f"{_spelled(name)} is not the name of a type of JSON")
    if name not in _TYPES:
        near = _suggestion(_SYNONYMS.get(name, name), _TYPES)
        raise _UnusableError(f"{_spelled(name)} is not a type of JSON{near}")
    return lambda value: _type_of(value) == name


def _type_of(value: Json) -> str:
    if isinstance(value, Mark):
        return "number" if value.type == "integer" else value.type
    return type_name(value)


def _regex(pattern: Any) -> Predicate:
    if not isinstance(pattern, str):
        raise _UnusableError("the pattern must be a string")
    try:
        return _Regex(Search(pattern))
    except PatternTooLarge:
        raise
    except PatternError as error:
        raise _UnusableError(
            f"{shortened(repr(pattern), _QUOTED)} is not a regular expression: {error}"
        ) from None


class _Regex:
    """Whether a regex is found in a string, within the bounds on its length and on time."""

    __slots__ = ("search",)

    def __init__(self, search: Search) -> None:
        self.search = search

    def __call__(self, value: Json) -> bool:
        return isinstance(value, str) and len(value) <= MAX_SUBJECT and self.search(value)

    def hint(self, value: Json) -> str:
        if isinstance(value, str) and len(value) > MAX_SUBJECT:
            return f"it has {len(value):,} characters, and a regex searches at most {MAX_SUBJECT:,}"
        if self.search.gave_up:
            longest = f"{LONGEST_SEARCH * 1000:g} ms of processor time"
            return f"the search took longer than {longest} and was given up: mind nested repeats"
        return ""


def _one_of(values: Any) -> Predicate:
    if not isinstance(values, list) or not values:
        raise _UnusableError("needs a list of at least one value")
    return lambda value: any(same(each, value) for each in values)


def _range(bounds: Any) -> Predicate:
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise _UnusableError("needs [least, most]; null leaves an end open")
    least, most = bounds
    if any(bound is not None and not is_number(bound) for bound in bounds) or least is most is None:
        raise _UnusableError("needs numbers, at most one of them null")
    if least is not None and most is not None and least > most:
        raise _UnusableError(f"{least} is more than {most}, so nothing is in between")
    return lambda value: (
        is_number(value) and (least is None or value >= least) and (most is None or value <= most)
    )


def _contains(part: Json) -> Predicate:
    def accepts(value: Json) -> bool:
        if isinstance(value, list):
            return any(same(part, each) for each in value)
        return isinstance(value, str) and isinstance(part, str) and part in value

    return accepts


def _none(members: Any) -> Predicate:
    if not isinstance(members, dict) or not members:
        raise _UnusableError("needs an object of at least one member")

    def may_have(item: Json, name: str, value: Json) -> bool:
        if not isinstance(item, dict):
            return isinstance(item, Mark)
        # What was struck out may be the value that must not occur.
        return name in item and (isinstance(item[name], Mark) or same(value, item[name]))

    def accepts(value: Json) -> bool:
        items = [] if value is None else value
        return isinstance(items, list) and not any(
            all(may_have(item, *member) for member in members.items()) for item in items
        )

    return accepts


def _extra(argument: Any) -> None:
    if argument != "allow":
        raise _UnusableError(f'{_spelled(argument)} is not "allow"')


# --- The matchers -------------------------------------------------------------------------------------

HEADER = "header"
_TEXT = ("string", HEADER)
_BODY = ("string", "number", "boolean", "null", "array", "object")

_KINDS = (
    MatcherKind(
        name="ignore",
        words="anything, also nothing",
        applies_to=(*_BODY, HEADER),
        predicate=_anything,
    ),
    MatcherKind(
        name="any",
        words="any value, as long as there is one",
        applies_to=(*_BODY, HEADER),
        predicate=_anything,
    ),
    MatcherKind(
        name="type",
        words="a value of this JSON type",
        applies_to=_BODY,
        predicate=_type,
        argument={"title": "Type", "enum": [*_TYPES]},
        example="string",
    ),
    MatcherKind(
        name="regex",
        words="a string in which this regular expression is found",
        applies_to=_TEXT,
        predicate=_regex,
        argument={"title": "Pattern", "type": "string"},
        example="^ERR[0-9]{4}$",
    ),
    MatcherKind(
        name="contains",
        words="a string with this in it, or an array with this item",
        applies_to=_TEXT,
        predicate=_contains,
        argument={},
        example="cancelled",
    ),
    MatcherKind(
        name="range",
        words="a number between these two, both included; null leaves an end open",
        applies_to=("number",),
        predicate=_range,
        argument={"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2},
        example=[0, None],
    ),
    MatcherKind(
        name="one_of",
        words="one of these values",
        applies_to=(*_TEXT, "number", "boolean", "null"),
        predicate=_one_of,
        argument={"title": "Values", "type": "array", "minItems": 1},
        example=["error", "warning"],
    ),
    MatcherKind(
        name="datetime",
        words="a date and time (RFC 3339)",
        applies_to=_TEXT,
        predicate=lambda _: _is_datetime,
    ),
    MatcherKind(
        name="uuid",
        words="a UUID",
        applies_to=_TEXT,
        predicate=lambda _: _is_uuid,
    ),
    MatcherKind(
        name="unordered",
        words="an array with the same items in any order",
        applies_to=("array",),
        predicate=_container,
    ),
    MatcherKind(
        name="ordered",
        words="an array with the same items in this order, events included",
        applies_to=("array",),
        predicate=_container,
    ),
    MatcherKind(
        name="none",
        words="an array in which no item has these members; null has no items",
        applies_to=("array", "null"),
        predicate=_none,
        argument={"title": "Members", "type": "object", "minProperties": 1},
        example={"status": "error"},
    ),
    MatcherKind(
        name="extra",
        words="an object that may have other keys too",
        applies_to=("object",),
        predicate=_extra,
        argument={"const": "allow"},
        example="allow",
    ),
)
MATCHERS = {kind.name: kind for kind in _KINDS}
"""The matchers by name, in the order in which people read them."""

FORMATS = tuple(name for name, kind in MATCHERS.items() if kind.applies_to == _TEXT and kind.argument is None)
"""The matchers of texts in one format, such as `uuid`."""


# --- Reading a rule -----------------------------------------------------------------------------------


def _read(rule: Any, path: str) -> tuple[MatcherKind, Json]:
    """The matcher that a rule names, and its argument."""
    if isinstance(rule, str):
        kind = MATCHERS.get(rule)
        if kind is None:
            raise RuleError(path, _no_matcher(rule), _mend_of_text(rule))
        if kind.argument is not None:
            raise RuleError(path, f"{rule} needs an argument", f"for example {flat(kind.example_rule)}")
        return kind, None
    if not isinstance(rule, dict) or len(rule) != 1:
        what = f"{_spelled(rule)} is not a rule, which is one matcher"
        raise RuleError(path, what, 'for example "ignore" or {"regex": "^ERR"}')
    [(name, argument)] = rule.items()
    kind = MATCHERS.get(name)
    if kind is None:
        raise RuleError(path, _no_matcher(name), f"there are {', '.join(MATCHERS)}")
    if kind.argument is None:
        raise RuleError(path, f"{name} takes no argument", f'write "{name}"')
    return kind, argument


def _no_matcher(name: str) -> str:
    return f"{_spelled(name)} is not a matcher{_suggestion(name, MATCHERS)}"


def _mend_of_text(text: str) -> str:
    if _SYNONYMS.get(text, text) in _TYPES:
        return f'write {{"type": "{_SYNONYMS.get(text, text)}"}}'
    return f"a value to be equal to belongs in the body; the matchers are {', '.join(MATCHERS)}"


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = did_you_mean(name, known)
    return f": {near}" if near else ""


def _spelled(value: Any) -> str:
    return excerpt(value, _QUOTED)
