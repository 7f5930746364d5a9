"""Rules: which matcher stands where in a document, instead of equality.

A rule path is a JSON Pointer in which `*` stands for any one token; indices are positions in the expected
array. Where several rules reach a place, the one with the fewest `*` wins, then the later one.

A regex comes from the user's own file, its subject from a receiver, and a bad pair of them can take for ever.
So a subject longer than MAX_SUBJECT characters is never searched, and a search that takes longer than
LONGEST_SEARCH is given up, for good: neither matches, and the difference says why.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, TypeGuard

from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number, Rule, encoder

MAX_SUBJECT = 10_000
LONGEST_SEARCH = 1.0
"""Seconds."""
DEEPEST = 40
"""Levels of a document that rules reach, and that are aligned; what is deeper is compared as a whole."""
BODY_ONLY = ("type", "range", "ordered", "unordered", "extra")
"""Matchers that cannot judge a header, which is text."""


class RuleError(ValueError):
    """A rule that cannot be used: where it stands, what is wrong, how to mend it."""

    def __init__(self, path: str, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.path = path
        self.what = what
        self.mend = mend


class Matcher:
    """A predicate on the actual value, or (`accepts` is None) a way to compare a container."""

    __slots__ = ("accepts", "path", "rule", "word")

    def __init__(self, word: str, rule: Rule, path: str, accepts: Callable[[Json], bool] | None) -> None:
        self.word = word
        self.rule = rule
        self.path = path
        self.accepts = accepts

    def hint(self, value: Json) -> str:
        """Why the matcher refused a value, where that cannot be seen."""
        if self.word == "regex" and isinstance(value, str) and len(value) > MAX_SUBJECT:
            return f"it has {len(value):,} characters, and a regex searches at most {MAX_SUBJECT:,}"
        if isinstance(self.accepts, _Search) and self.accepts.gave_up:
            return f"the search took longer than {LONGEST_SEARCH:g} s and was given up: mind nested repeats"
        return ""


class Rules:
    """Compiled rules; false where there are none."""

    __slots__ = ("_matchers",)

    def __init__(self, matchers: tuple[tuple[tuple[str, ...], Matcher], ...] = ()) -> None:
        self._matchers = matchers

    def __bool__(self) -> bool:
        return bool(self._matchers)

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], Matcher]]:
        return iter(self._matchers)


NO_RULES = Rules()


def compile(rules: Mapping[str, Rule]) -> Rules:
    """The rules of an expectation, ready to use; RuleError for a path or matcher that cannot be used."""
    if not rules:
        return NO_RULES
    return Rules(tuple((_tokens(path), matcher(rule, path)) for path, rule in rules.items()))


def matcher(rule: Rule, path: str = "") -> Matcher:
    """One matcher from its spelling; RuleError names the path."""
    word, argument = _spelling(rule, path)
    if word in _BARE:
        return Matcher(word, rule, path, _BARE[word])
    make, example = _WITH_ARGUMENT[word]
    try:
        return Matcher(word, rule, path, make(argument))
    except _Unusable as error:
        raise RuleError(path, f"{word}: {error}", f"for example {example}") from None


def compile_headers(headers: Mapping[str, Rule]) -> dict[str, Matcher]:
    """Expected headers, lower-case name to matcher: a matcher's spelling, or else exactly that text."""
    compiled: dict[str, Matcher] = {}
    for name, rule in headers.items():
        if isinstance(rule, str) and rule not in _BARE:
            compiled[name.lower()] = Matcher("text", rule, name, _equal_to(rule))
            continue
        found = matcher(rule, name)
        if found.word in BODY_ONLY:
            what = f"{found.word} cannot judge a header, which is text"
            raise RuleError(name, what, 'use {"regex": "..."} or {"one_of": ["..."]}')
        compiled[name.lower()] = found
    return compiled


# --- Where rules stand --------------------------------------------------------------------------------


class _Branch:
    """A token in the tree of all paths, with what stands at the path that ends there."""

    __slots__ = ("branches", "identity", "matcher", "rank", "ruled")

    def __init__(self) -> None:
        self.branches: dict[str, _Branch] = {}
        self.identity: tuple[str, ...] | None = None
        self.matcher: Matcher | None = None
        self.rank = (0, 0)
        self.ruled = False

    def grow(self, tokens: Iterable[str], *, ruled: bool) -> _Branch:
        branch = self
        branch.ruled |= ruled
        for token in tokens:
            branch = branch.branches.setdefault(token, _Branch())
            branch.ruled |= ruled
        return branch


class Scope:
    """What the rules say about one place in a document, and about the places beneath it.

    `identity` is what tells the items of a set-like array apart, None for any other array. `named` are the
    tokens beneath that some path spells out; all others share one scope. `ruled` says that there is a matcher
    here or somewhere beneath.
    """

    __slots__ = ("_branches", "_children", "_demanded", "identity", "matcher", "named", "ruled")

    def __init__(self, branches: list[_Branch]) -> None:
        ruling = [branch for branch in branches if branch.matcher is not None]
        self.matcher = max(ruling, key=lambda branch: branch.rank).matcher if ruling else None
        self.identity = next((b.identity for b in branches if b.identity is not None), None)
        self.named = {token for branch in branches for token in branch.branches if token != "*"}
        self.ruled = any(branch.ruled for branch in branches)
        self._branches = branches
        self._children: dict[str, Scope | None] = {}
        self._demanded: tuple[str, ...] | None = None

    def child(self, token: str) -> Scope | None:
        """The scope one token further down; None where no rule reaches."""
        if token not in self.named:
            token = "*"
        if token not in self._children:
            beneath = [
                branch.branches[each]
                for branch in self._branches
                for each in dict.fromkeys((token, "*"))
                if each in branch.branches
            ]
            self._children[token] = Scope(beneath) if beneath else None
        return self._children[token]

    @property
    def set_like(self) -> bool:
        """Whether an array here is compared as a set."""
        return self.identity is not None or (self.matcher is not None and self.matcher.word == "unordered")

    @property
    def demanded(self) -> tuple[str, ...]:
        """The members that a rule `any` wants to be present, named by it."""
        if self._demanded is None:
            found = []
            for token in sorted(self.named):
                beneath = self.child(token)
                matcher = beneath.matcher if beneath is not None else None
                if matcher is not None and matcher.word == "any" and _tokens(matcher.path)[-1] == token:
                    found.append(token)
            self._demanded = tuple(found)
        return self._demanded

    @property
    def items(self) -> Scope | None:
        """The scope of array items whose position no path spells out."""
        return self.child("*")


def scope(rules: Rules, sets: Mapping[str, Iterable[str]] | None = None) -> Scope | None:
    """The scope of the whole document; `sets` maps paths of set-like arrays to their identity fields."""
    if not rules and not sets:
        return None
    root = _Branch()
    for path, identity in (sets or {}).items():
        root.grow(_tokens(path), ruled=False).identity = tuple(identity)
    for order, (tokens, found) in enumerate(rules):
        branch = root.grow(tokens, ruled=True)
        branch.matcher = found
        branch.rank = (-tokens.count("*"), order)
    return Scope([root])


# --- Values of JSON -----------------------------------------------------------------------------------


def type_name(value: Json) -> str:
    """The JSON type of a value: null, boolean, number, string, array or object."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, (dict, list)):
        return "object" if isinstance(value, dict) else "array"
    if isinstance(value, bool):
        return "boolean"
    return "null" if value is None else "number"


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


# --- Matchers -----------------------------------------------------------------------------------------


class _Unusable(Exception):
    """The argument of a matcher cannot be used."""


def _anything(_: Json) -> bool:
    return True


_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
).fullmatch
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


def _datetime(value: Json) -> bool:
    """RFC 3339, with a day that exists."""
    found = _INSTANT(value) if isinstance(value, str) else None
    if found is None:
        return False
    try:
        date(*map(int, found.groups()))
    except ValueError:
        return False
    return True


def _uuid(value: Json) -> bool:
    return isinstance(value, str) and _UUID(value) is not None


def _equal_to(expected: Json) -> Callable[[Json], bool]:
    return lambda value: same(expected, value)


def _is_number(value: Json) -> TypeGuard[int | Number]:
    return isinstance(value, (int, Number)) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    return _is_number(value) and (isinstance(value, int) or value == value.to_integral_value())


def _type(name: Any) -> Callable[[Json], bool]:
    if name == "integer":
        return _is_integer
    if not isinstance(name, str):
        raise _Unusable(f"{_spelled(name)} is not the name of a type of JSON")
    if name not in _TYPES:
        raise _Unusable(f"{_spelled(name)} is not a type of JSON{_meant(_SYNONYMS.get(name, name), _TYPES)}")
    return lambda value: type_name(value) == name


def _regex(pattern: Any) -> Callable[[Json], bool]:
    if not isinstance(pattern, str):
        raise _Unusable("the pattern must be a string")
    import regex  # only few runs need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what may change its meaning in a later Python is no mistake
            re.compile(pattern)  # Python's own regular expressions are what is promised
            return _Search(regex.compile(pattern))
    except (re.error, regex.error, OverflowError, RecursionError) as error:
        raise _Unusable(f"{pattern!r} is not a regular expression: {error}") from None


class _Search:
    """Whether a regex is found in a string, within bounds."""

    __slots__ = ("_pattern", "gave_up")

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern
        self.gave_up = False

    def __call__(self, value: Json) -> bool:
        if self.gave_up or not isinstance(value, str) or len(value) > MAX_SUBJECT:
            return False
        try:
            return self._pattern.search(value, timeout=LONGEST_SEARCH) is not None
        except TimeoutError:
            # Not tried again: an alignment asks about the same strings many times.
            self.gave_up = True
            return False


def _one_of(values: Any) -> Callable[[Json], bool]:
    if not isinstance(values, list) or not values:
        raise _Unusable("needs a list of at least one value")
    return lambda value: any(same(each, value) for each in values)


def _range(bounds: Any) -> Callable[[Json], bool]:
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise _Unusable("needs [least, most]; null leaves an end open")
    least, most = bounds
    if any(bound is not None and not _is_number(bound) for bound in bounds) or least is most is None:
        raise _Unusable("needs numbers, at most one of them null")
    if least is not None and most is not None and least > most:
        raise _Unusable(f"{least} is more than {most}, so nothing is in between")
    return lambda value: (
        _is_number(value) and (least is None or value >= least) and (most is None or value <= most)
    )


def _contains(part: Json) -> Callable[[Json], bool]:
    def accepts(value: Json) -> bool:
        if isinstance(value, list):
            return any(same(part, each) for each in value)
        return isinstance(value, str) and isinstance(part, str) and part in value

    return accepts


def _extra(argument: Any) -> None:
    if argument != "allow":
        raise _Unusable(f'{_spelled(argument)} is not "allow"')


_TYPES = ("string", "number", "integer", "boolean", "null", "array", "object")
_SYNONYMS = {"int": "integer", "str": "string", "bool": "boolean", "float": "number", "list": "array"}
_BARE: dict[str, Callable[[Json], bool] | None] = {
    "ignore": _anything,
    "any": _anything,
    "datetime": _datetime,
    "uuid": _uuid,
    "unordered": None,
    "ordered": None,
}
_WITH_ARGUMENT: dict[str, tuple[Callable[[Any], Callable[[Json], bool] | None], str]] = {
    "type": (_type, '{"type": "string"}'),
    "regex": (_regex, '{"regex": "^ERR[0-9]{4}$"}'),
    "one_of": (_one_of, '{"one_of": ["error", "warning"]}'),
    "range": (_range, '{"range": [0, null]}'),
    "contains": (_contains, '{"contains": "cancelled"}'),
    "extra": (_extra, '{"extra": "allow"}'),
}
MATCHERS = (*_BARE, *_WITH_ARGUMENT)


# --- Spelling -----------------------------------------------------------------------------------------


def _tokens(path: str) -> tuple[str, ...]:
    try:
        tokens = pointer.parse(path)
        if len(tokens) < DEEPEST:
            return tokens
        raise RuleError(path, f"rules reach less than {DEEPEST} levels deep", "put the rule further up")
    except pointer.PointerError as error:
        mend = "write ~0 for ~ and ~1 for /"
        if not path.startswith("/"):
            steps = re.sub(r"\[['\"]?(.*?)['\"]?\]", r"/\1", path.removeprefix("$")).replace(".", "/")
            mend = f'write "/{steps.lstrip("/")}"'
        raise RuleError(path, str(error), mend) from None


def _spelling(rule: Any, path: str) -> tuple[str, Json]:
    """The word of a matcher and its argument."""
    if isinstance(rule, str):
        if rule in _BARE:
            return rule, None
        if rule in _WITH_ARGUMENT:
            raise RuleError(path, f"{rule} needs an argument", f"for example {_WITH_ARGUMENT[rule][1]}")
        raise RuleError(path, f"{_spelled(rule)} is not a matcher{_meant(rule, MATCHERS)}", _word_mend(rule))
    if not isinstance(rule, dict) or len(rule) != 1:
        what = f"{_spelled(rule)} is not a rule, which is one matcher"
        raise RuleError(path, what, 'for example "ignore" or {"regex": "^ERR"}')
    [(word, argument)] = rule.items()
    if word in _BARE:
        raise RuleError(path, f"{word} takes no argument", f'write "{word}"')
    if word not in _WITH_ARGUMENT:
        raise RuleError(
            path,
            f"{_spelled(word)} is not a matcher{_meant(word, MATCHERS)}",
            f"there are {', '.join(MATCHERS)}",
        )
    return word, argument


def _word_mend(word: str) -> str:
    if _SYNONYMS.get(word, word) in _TYPES:
        return f'write {{"type": "{_SYNONYMS.get(word, word)}"}}'
    return f"a value to be equal to belongs in the body; the matchers are {', '.join(MATCHERS)}"


def _spelled(value: Any) -> str:
    text = encoder.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:60]}…"


def _meant(word: Any, known: Iterable[str]) -> str:
    """`: did you mean …?` where something known is near."""
    from difflib import get_close_matches

    near = get_close_matches(str(word), list(known), n=1)
    return f": did you mean {near[0]}?" if near else ""
