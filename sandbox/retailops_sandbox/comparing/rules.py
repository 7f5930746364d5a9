"""Rules: matchers by the paths at which they take the place of equality.

A path is a JSON Pointer into the expected document, in which `*` stands for any one token. Where several
rules reach a place, the one with the fewest `*` wins, then the later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from retailops_sandbox.comparing.matchers import (
    HEADER,
    MATCHERS,
    QUANTIFIERS,
    Matcher,
    RuleError,
    exactly,
    matcher,
)
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, Rule
from retailops_sandbox.patterns import Budget, Search

DEEPEST = 40
"""The levels of a document that are aligned and that rules reach; deeper values are compared as a whole."""


class Rules:
    """Compiled rules; false where there are none."""

    __slots__ = ("_matchers",)

    def __init__(self, matchers: tuple[tuple[tuple[str, ...], Matcher], ...] = ()) -> None:
        self._matchers = matchers

    def __bool__(self) -> bool:
        return bool(self._matchers)

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], Matcher]]:
        return iter(self._matchers)

    def share(self, budget: Budget) -> None:
        """Let all searches together take the time that is otherwise for each."""
        for _, each in self._matchers:
            for search in each.searches:
                search.renew(budget)

    @property
    def given_up(self) -> Matcher | None:
        """The first matcher whose searches took too long, if there is one."""
        given_up = (each for _, each in self._matchers if any(one.gave_up for one in each.searches))
        return next(given_up, None)


NO_RULES = Rules()


def compile_rules(rules: Mapping[str, Rule]) -> Rules:
    """The rules of an expectation, ready to use; RuleError for a path or matcher that cannot be used."""
    if not rules:
        return NO_RULES
    return Rules(tuple((_tokens(path), matcher(rule, path)) for path, rule in rules.items()))


def compile_headers(headers: Mapping[str, Rule]) -> dict[str, Matcher]:
    """The matchers of expected headers, by lower-case name: a text that names no matcher is the value itself.

    RuleError for a matcher that cannot be used, or not for a header.
    """
    compiled: dict[str, Matcher] = {}
    for name, rule in headers.items():
        if isinstance(rule, str) and (rule not in MATCHERS or MATCHERS[rule].argument is not None):
            compiled[name.lower()] = exactly(rule, name)
            continue
        found = matcher(rule, name)
        if HEADER not in MATCHERS[found.name].applies_to:
            what = f"{found.name} cannot judge a header, which is text"
            raise RuleError(name, what, 'use {"regex": "..."} or {"one_of": ["..."]}')
        compiled[name.lower()] = found
    return compiled


def may_wait(expectation: Expectation) -> bool:
    """Whether judging by an expectation may wait for another process, which an event loop must not."""
    if not expectation.rules and not expectation.headers:
        return False
    rules = (*expectation.rules.values(), *expectation.headers.values())
    return any(Search(pattern).may_wait for rule in rules for pattern in _patterns(rule))


def _patterns(rule: Any) -> Iterator[str]:
    """The regular expressions of a rule, and of the matchers in its argument."""
    for name, argument in rule.items() if isinstance(rule, dict) else ():
        if name == "regex" and isinstance(argument, str):
            yield argument
        elif name in QUANTIFIERS and isinstance(argument, dict):
            for wanted in argument.values():
                yield from _patterns(wanted)


def without_quantifiers(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """The rules but those about the items of an array, in whose place no item is compared."""
    return {
        path: rule
        for path, rule in rules.items()
        if not (isinstance(rule, dict) and any(word in QUANTIFIERS for word in rule))
    }


class _Branch:
    """A node in the tree of all rule paths: the rule whose path ends here, and the branches by next token."""

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
    """What the rules say of one place in a document and of the places beneath it.

    `identity` are the fields that identify the items of a set-like array; None for any other array. `named`
    are the tokens that some path has here; the places at all other tokens share one scope. `ruled` is true
    where a matcher applies here or anywhere beneath.
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
        return self.identity is not None or (self.matcher is not None and self.matcher.name == "unordered")

    @property
    def demanded(self) -> tuple[str, ...]:
        """The members that must be present because a rule `any` names them."""
        if self._demanded is None:
            found = []
            for token in sorted(self.named):
                beneath = self.child(token)
                matcher = beneath.matcher if beneath is not None else None
                if matcher is not None and matcher.name == "any" and _tokens(matcher.path)[-1] == token:
                    found.append(token)
            self._demanded = tuple(found)
        return self._demanded

    @property
    def items(self) -> Scope | None:
        """The scope that all array items share whose position no path names."""
        return self.child("*")


def whole_scope(rules: Rules, sets: Mapping[str, Iterable[str]] | None = None) -> Scope | None:
    """The scope of a whole document; None where there are neither rules nor sets.

    `sets` maps the paths of set-like arrays to the fields that identify their items.
    """
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
