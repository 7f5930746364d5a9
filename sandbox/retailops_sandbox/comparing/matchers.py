"""Matchers, which take the place of equality. Each is described in one record of MATCHERS.

Rules are read with these records; the JSON Schema of scenario files, the browser's rule editor and the table
in docs/scenarios.md are made from them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from retailops_sandbox.comparing import predicates
from retailops_sandbox.comparing.predicates import (
    MAX_SUBJECT,
    SYNONYMS,
    TYPES,
    Predicate,
    Regex,
    UnusableError,
    spelled,
    suggestion,
)
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.jsontext import excerpt, flat, holds_mark
from retailops_sandbox.model import Json, Mark, Rule
from retailops_sandbox.patterns import PatternTooLarge, Search

__all__ = [
    "FORMATS",
    "HEADER",
    "MATCHERS",
    "MAX_SUBJECT",
    "QUANTIFIERS",
    "Matcher",
    "MatcherKind",
    "RuleError",
    "RuleTooLarge",
    "exactly",
    "matcher",
]


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

    Raises UnusableError for an argument that cannot be used.
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

    __slots__ = ("accepts", "is_struck_out", "items", "name", "path", "rule")

    def __init__(
        self,
        name: str,
        rule: Rule,
        path: str,
        accepts: Predicate | None,
        items: _Quantifier | None = None,
    ) -> None:
        self.name = name
        self.rule = rule
        self.path = path
        self.accepts = accepts
        self.items = items
        """Of `besides`: which items that are not expected an array may have."""
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
    def searches(self) -> tuple[Search, ...]:
        """The searches of its regexes."""
        if self.items is not None:
            return self.items.searches
        return self.accepts.searches if isinstance(self.accepts, Regex | _Quantifier) else ()

    def allows_item(self, item: Json) -> bool:
        """Whether an array may have an item that is not expected."""
        return self.items is not None and self.items([item])

    def hint(self, value: Json) -> str:
        """Why the matcher refused a value, where the value does not show it."""
        if isinstance(self.accepts, _Quantifier):
            return self.accepts.hint(value, self.path)
        return self.accepts.hint(value) if isinstance(self.accepts, Regex) else ""

    @property
    def wanted(self) -> str:
        """What a matcher over the items of an array wants, in words; empty for any other matcher."""
        return self.accepts.wanted(self.path) if isinstance(self.accepts, _Quantifier) else ""

    def broken_by(self, items: list[Json]) -> list[bool]:
        """For each item whether it breaks a matcher over items; all false where one is lacking."""
        return (
            self.accepts.broken_by(items) if isinstance(self.accepts, _Quantifier) else [False] * len(items)
        )


def matcher(rule: Rule, path: str = "") -> Matcher:
    """The matcher that a rule spells; RuleError for one that cannot be used."""
    kind, argument = _read(rule, path)
    try:
        items = _Quantifier("some", argument) if kind.name == "besides" else None
        return Matcher(kind.name, rule, path, kind.predicate(argument), items)
    except UnusableError as error:
        raise RuleError(path, f"{kind.name}: {error}", f"for example {flat(kind.example_rule)}") from None
    except PatternTooLarge as error:
        raise RuleTooLarge(path, f"{kind.name}: {error}", "shorten it, or split it in two rules") from None


def exactly(value: Any, path: str) -> Matcher:
    """The matcher of a header or member whose expected value is this one."""
    return Matcher("equal", value, path, predicates.equal_to(value))


# --- Items of arrays --------------------------------------------------------------------------------------


_ITEM = 120
"""Characters of an item that a message quotes."""
_NO_PLURALS = ("ss", "us", "is", "ies", "sses")
"""The endings of words that are no plural, or none that only adds an s."""


class _Quantifier:
    """Whether each, some or none of the items of an array have certain members. Null has no items."""

    __slots__ = ("_members", "_word")

    def __init__(self, word: str, members: Any) -> None:
        if not isinstance(members, dict) or not members:
            raise UnusableError("needs an object of at least one member")
        self._word = word
        self._members = {name: _of_member(name, wanted) for name, wanted in members.items()}

    @property
    def searches(self) -> tuple[Search, ...]:
        return tuple(search for member in self._members.values() for search in member.searches)

    def __call__(self, value: Json) -> bool:
        if value is None:
            return self._fails_at([]) is None
        return isinstance(value, list) and self._fails_at(value) is None

    def hint(self, value: Json, path: str) -> str:
        """Which item is not as expected; empty for what is no array."""
        items = value if isinstance(value, list) else []
        at = None if value is not None and value is not items else self._fails_at(items)
        if at is None:
            return ""
        noun, verb = item_noun(path), "were" if self._word == "each" else "was"
        if self._word == "some":
            return f"{self.wanted(path)} was expected, and {_none_of(noun, len(items))}"
        return f"{self.wanted(path)} {verb} expected; {noun} {at + 1} is {excerpt(items[at], _ITEM)}"

    def wanted(self, path: str) -> str:
        """`no event with status "error"`."""
        noun, having = item_noun(path), " and ".join(map(_told, self._members.values()))
        start = {"some": f"{_article(noun)} {noun}", "each": f"only {noun}s", "none": f"no {noun}"}
        return f"{start[self._word]} {having}"

    def broken_by(self, items: list[Json]) -> list[bool]:
        """For each item whether it is one that must not be there."""
        if self._word == "some":
            return [False] * len(items)
        wrong = self._word == "none"
        return [self._has(item, struck_out=wrong) == wrong for item in items]

    def _fails_at(self, items: list[Json]) -> int | None:
        """The position of the item by which the array fails, of `some` the last; None where it does not."""
        # What was struck out may be the value that must not occur, and need not be the one that must.
        if self._word == "some":
            return None if any(self._has(item, struck_out=False) for item in items) else len(items) - 1
        broken = self.broken_by(items)
        return broken.index(True) if True in broken else None

    def _has(self, item: Json, *, struck_out: bool) -> bool:
        """Whether an item has the members; `struck_out` is the answer for a value that is struck out."""
        if not isinstance(item, dict):
            return isinstance(item, Mark) and struck_out
        for name, wanted in self._members.items():
            if name not in item:
                if wanted.name != "ignore":
                    return False
            elif not wanted.decides(item[name]):
                if not struck_out:
                    return False
            elif wanted.accepts is None or not wanted.accepts(item[name]):
                return False
        return True


def _of_member(name: str, wanted: Any) -> Matcher:
    """The matcher of a member: a text that names none is the value itself, as are numbers and arrays."""
    is_matcher = isinstance(wanted, dict) or (wanted in _BARE if isinstance(wanted, str) else False)
    if not is_matcher:
        return exactly(wanted, name)
    try:
        found = matcher(wanted, name)
    except RuleError as error:
        raise UnusableError(f"{name}: {error.what}") from None
    if found.accepts is None:
        raise UnusableError(f"{name}: {found.name} does not judge a member")
    return found


def item_noun(path: str) -> str:
    """The noun for an item of the array at a path: `event` for `/events`."""
    name = path.rpartition("/")[2]
    is_plural = name.isalpha() and name.endswith("s") and not name.endswith(_NO_PLURALS)
    return name[:-1] if is_plural else "item"


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _told(wanted: Matcher) -> str:
    joined = f"with {wanted.path} " if wanted.name == "equal" else f"whose {wanted.path} is "
    return joined + spelled(wanted.rule)


def _none_of(noun: str, count: int) -> str:
    if count < 2:
        return f"the only {noun} is none" if count else "there is none"
    return f"none of {count:,} {noun}s is one"


# --- The matchers -------------------------------------------------------------------------------------

HEADER = "header"
_TEXT = ("string", HEADER)
_BODY = ("string", "number", "boolean", "null", "array", "object")
_MEMBERS = {
    "title": "Members",
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "description": "The member's value, or a matcher for it.",
        "anyOf": [
            {"type": ["string", "number", "boolean", "null", "array"]},
            {"$ref": "#/definitions/Rule"},
        ],
    },
}
"""The argument of a matcher about the items of an array."""

_KINDS = (
    MatcherKind(
        name="ignore",
        words="anything, also nothing",
        applies_to=(*_BODY, HEADER),
        predicate=predicates.anything,
    ),
    MatcherKind(
        name="any",
        words="any value, as long as there is one",
        applies_to=(*_BODY, HEADER),
        predicate=predicates.anything,
    ),
    MatcherKind(
        name="type",
        words="a value of this JSON type",
        applies_to=_BODY,
        predicate=predicates.of_type,
        argument={"title": "Type", "enum": [*TYPES]},
        example="string",
    ),
    MatcherKind(
        name="regex",
        words="a string in which this regular expression is found",
        applies_to=_TEXT,
        predicate=predicates.regex,
        argument={"title": "Pattern", "type": "string"},
        example="^ERR[0-9]{4}$",
    ),
    MatcherKind(
        name="contains",
        words="a string with this in it, or an array with this item",
        applies_to=_TEXT,
        predicate=predicates.contains,
        argument={},
        example="cancelled",
    ),
    MatcherKind(
        name="range",
        words="a number between these two, both included; null leaves an end open",
        applies_to=("number",),
        predicate=predicates.in_range,
        argument={"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2},
        example=[0, None],
    ),
    MatcherKind(
        name="one_of",
        words="one of these values",
        applies_to=(*_TEXT, "number", "boolean", "null"),
        predicate=predicates.one_of,
        argument={"title": "Values", "type": "array", "minItems": 1},
        example=["error", "warning"],
    ),
    MatcherKind(
        name="datetime",
        words="a date and time (RFC 3339)",
        applies_to=_TEXT,
        predicate=lambda _: predicates.is_datetime,
    ),
    MatcherKind(
        name="uuid",
        words="a UUID",
        applies_to=_TEXT,
        predicate=lambda _: predicates.is_uuid,
    ),
    MatcherKind(
        name="unordered",
        words="an array with the same items in any order",
        applies_to=("array",),
        predicate=predicates.container,
    ),
    MatcherKind(
        name="ordered",
        words="an array with the same items in this order, events included",
        applies_to=("array",),
        predicate=predicates.container,
    ),
    MatcherKind(
        name="each",
        words="an array in which each item has these members; null has no items",
        applies_to=("array", "null"),
        predicate=partial(_Quantifier, "each"),
        argument=_MEMBERS,
        example={"status": {"one_of": ["info", "warning"]}},
    ),
    MatcherKind(
        name="some",
        words="an array in which at least one item has these members",
        applies_to=("array", "null"),
        predicate=partial(_Quantifier, "some"),
        argument=_MEMBERS,
        example={"status": "error"},
    ),
    MatcherKind(
        name="none",
        words="an array in which no item has these members; null has no items",
        applies_to=("array", "null"),
        predicate=partial(_Quantifier, "none"),
        argument=_MEMBERS,
        example={"status": "error"},
    ),
    MatcherKind(
        name="besides",
        words="an array that may also have items with these members",
        applies_to=("array",),
        predicate=predicates.container,
        argument=_MEMBERS,
        example={"status": "info"},
    ),
    MatcherKind(
        name="extra",
        words="an object that may have other keys too",
        applies_to=("object",),
        predicate=predicates.extra,
        argument={"const": "allow"},
        example="allow",
    ),
)
MATCHERS = {kind.name: kind for kind in _KINDS}
"""The matchers by name, in the order in which people read them."""

QUANTIFIERS = ("each", "some", "none", "besides")
"""The matchers about the items of an array, whose argument may hold further matchers."""

_BARE = frozenset(name for name, kind in MATCHERS.items() if kind.argument is None)

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
        what = f"{spelled(rule)} is not a rule, which is one matcher"
        raise RuleError(path, what, 'for example "ignore" or {"regex": "^ERR"}')
    [(name, argument)] = rule.items()
    kind = MATCHERS.get(name)
    if kind is None:
        raise RuleError(path, _no_matcher(name), f"there are {', '.join(MATCHERS)}")
    if kind.argument is None:
        raise RuleError(path, f"{name} takes no argument", f'write "{name}"')
    return kind, argument


def _no_matcher(name: str) -> str:
    return f"{spelled(name)} is not a matcher{suggestion(name, MATCHERS)}"


def _mend_of_text(text: str) -> str:
    if SYNONYMS.get(text, text) in TYPES:
        return f'write {{"type": "{SYNONYMS.get(text, text)}"}}'
    return f"a value to be equal to belongs in the body; the matchers are {', '.join(MATCHERS)}"
