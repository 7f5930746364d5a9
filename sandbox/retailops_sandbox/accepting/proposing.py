"""Rules that are proposed for accepted values that will differ the next time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext
from retailops_sandbox.accepting.bodies import Decided, Tokens
from retailops_sandbox.comparing import volatile
from retailops_sandbox.comparing.rules import Scope, compile_rules, whole_scope
from retailops_sandbox.comparing.values import same
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Rule

_SHOWN = 120
"""The most characters of a value that a proposal shows."""


class ProposedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is proposed for an accepted value that looks volatile."""

    path: str
    """Its path in the rules, unique in an expectation."""
    rule: Rule
    reason: str
    shown: str
    """The accepted value, cut where it is long."""
    taken: bool
    """Whether the proposal is taken by default."""

    @property
    def becomes(self) -> str:
        """The rule as a scenario file spells it."""
        return jsontext.compact(self.rule).decode()

    @property
    def says(self) -> str:
        """The proposal in one line."""
        return f"{self.path} {self.reason}: rule {self.becomes}"


def proposed(
    found: Decided,
    answer: Json,
    repeats: Sequence[Json],
    *,
    sent: Collection[Json],
    arrays: Mapping[str, tuple[str, ...]],
) -> list[ProposedRule]:
    """A rule for each accepted value that looks volatile and that no rule decides on.

    `repeats`, `sent` and `arrays` are those of `volatile.find`.
    """
    if not found.accepted:
        return []
    scope = whole_scope(compile_rules(found.rules))
    rules: list[ProposedRule] = []
    for path, each in volatile.find(answer, repeats, sent=sent, arrays=arrays).items():
        tokens = pointer.parse(path)
        places = [
            place
            for actual in _places(answer, tokens)
            if (place := _accepted_at(found, answer, actual)) is not None
            and not _is_ruled(scope, place, found.gave_way)
        ]
        paths: Sequence[Tokens] = places
        if places and "*" in tokens and set(_places(found.body, tokens)) == set(places):
            paths = [tokens]
        rules += [
            ProposedRule(
                path=pointer.join(at),
                rule=each.rule,
                reason=each.reason,
                shown=jsontext.excerpt(each.shown, _SHOWN),
                taken=each.sure,
            )
            for at in paths
        ]
    return rules


def for_whole(
    answer: Json,
    rules: Mapping[str, Rule],
    *,
    sent: Collection[Json],
    arrays: Mapping[str, tuple[str, ...]],
) -> list[ProposedRule]:
    """The rules that are proposed for an answer that is expected whole, where none of `rules` decides."""
    found = Decided(answer, answer, {**rules}, {**rules}, {}, {(): ()}, frozenset())
    return proposed(found, answer, (), sent=sent, arrays=arrays)


def with_rules(found: Decided, rules: Sequence[ProposedRule]) -> Decided:
    """The decided body with these proposals as rules of it."""
    if not rules:
        return found
    exact = {each.path for each in rules}
    wide = [pointer.parse(each.path) for each in rules if "*" in each.path]
    settled = {
        path
        for path in found.gave_way
        if path in exact or any(_reaches(pattern, pointer.parse(path)) for pattern in wide)
    }
    added = {each.path: each.rule for each in rules}
    return msgspec.structs.replace(
        found,
        rules={path: rule for path, rule in found.rules.items() if path not in settled} | added,
        template_rules={path: rule for path, rule in found.template_rules.items() if path not in settled}
        | {path: composing.escaped(rule) for path, rule in added.items()},
        renamed={old: new for old, new in found.renamed.items() if new not in settled},
    )


def _places(value: Json, pattern: Tokens, at: Tokens = ()) -> Iterator[Tokens]:
    """The places in a document that a path with `*` for the items of arrays means."""
    if not pattern:
        yield at
        return
    token, rest = pattern[0], pattern[1:]
    if isinstance(value, list):
        numbers = range(len(value)) if token == "*" else [int(token)] if int(token) < len(value) else []
        for number in numbers:
            yield from _places(value[number], rest, (*at, str(number)))
    elif isinstance(value, dict) and token in value:
        yield from _places(value[token], rest, (*at, token))


def _accepted_at(found: Decided, answer: Json, actual: Tokens) -> Tokens | None:
    """The place in the body of a value of the answer; None where it was not accepted."""
    for depth in range(len(actual), -1, -1):
        new = found.accepted.get(actual[:depth])
        if new is not None:
            place = (*new, *actual[depth:])
            there = pointer.get(found.body, pointer.join(place), UNSET)
            came = pointer.resolve(answer, pointer.join(actual))
            return place if there is not UNSET and same(there, came) else None
    return None


def _is_ruled(scope: Scope | None, place: Tokens, gave_way: Collection[str]) -> bool:
    """Whether a rule decides on a place, other than one that was made for its accepted value alone."""
    for token in (*place, None):
        if scope is None:
            return False
        matcher = scope.matcher
        if matcher is not None and matcher.accepts is not None and matcher.path not in gave_way:
            return True
        scope = scope.child(token) if token is not None else None
    return False


def _reaches(pattern: Tokens, place: Tokens) -> bool:
    """Whether a rule's path means a place."""
    return len(pattern) == len(place) and all(
        token in ("*", there) for token, there in zip(pattern, place, strict=True)
    )
