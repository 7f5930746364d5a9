"""Choosing scenarios by `-k` expressions (names, paths, tags), by tags, actions and editions. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from retailops_sandbox.errors import UsageError
from retailops_sandbox.scenarios.scenario import Plan

Predicate = Callable[[Plan], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+)|(?P<wrong>\S))"""
)
_DEEPEST = 50
"""The most levels of parentheses and of `not`."""


def choose(
    plans: Iterable[Plan],
    expression: str | None,
    tags: Collection[str],
    actions: Collection[str] = (),
    editions: Collection[str] = (),
) -> list[Plan]:
    """The plans that fit the expression, have one of the tags and only steps of the actions and editions.

    What is not given chooses all.
    """
    fits = (lambda plan: True) if expression is None else compile(expression)
    return [
        plan
        for plan in plans
        if fits(plan)
        and (not tags or not set(tags).isdisjoint(_tags(plan)))
        and (not actions or {action for action, _ in plan.scenario.contracts}.issubset(actions))
        and (not editions or {edition for _, edition in plan.scenario.contracts}.issubset(editions))
    ]


def compile(expression: str) -> Predicate:
    """The predicate of an expression such as `cancel and not (slow or v1)`; UsageError for a wrong one.

    A word fits the scenarios in whose name, path or tag it occurs, in any case. A word with blanks, or one
    that is an operator, is put in quotes.
    """
    return _Parser(expression).whole()


def _tags(plan: Plan) -> list[str]:
    return plan.scenario.tags


class _Parser:
    """Parses an expression by recursive descent. `or` binds least, then `and`, then `not`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [found for found in _TOKEN.finditer(text) if found[0].strip()]
        self._at = 0
        self._depth = 0

    def whole(self) -> Predicate:
        predicate = self._either()
        if self._at < len(self._tokens):
            raise self._wrong("and, or, or the end")
        return predicate

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda plan: any(part(plan) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda plan: all(part(plan) for part in parts)

    def _one(self) -> Predicate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UsageError(f"-k is nested more than {_DEEPEST} levels deep")
        try:
            if self._takes("not"):
                inner = self._one()
                return lambda plan: not inner(plan)
            if self._takes("("):
                inner = self._either()
                if not self._takes(")"):
                    raise self._wrong("a closing parenthesis")
                return inner
            return _has(self._word())
        finally:
            self._depth -= 1

    def _word(self) -> str:
        found = self._tokens[self._at] if self._at < len(self._tokens) else None
        text = found and (found["double"] or found["single"] or found["word"])
        if found is None or not text or found["word"] in ("and", "or", "not"):
            raise self._wrong("a word")
        self._at += 1
        return text

    def _takes(self, wanted: str) -> bool:
        """Whether the next token is this one, which is then consumed."""
        if self._at == len(self._tokens):
            return False
        found = self._tokens[self._at]
        taken = wanted in (found["mark"], found["word"])
        self._at += taken
        return taken

    def _wrong(self, wanted: str) -> UsageError:
        if self._at == len(self._tokens):
            place = "at its end"
        else:
            found = self._tokens[self._at]
            place = f"at {found[0].strip()!r}, column {found.end() - len(found[0].strip()) + 1}"
        return UsageError(
            f"-k {self._text!r}: {wanted} is missing {place}", mend='for example -k "cancel and not slow"'
        )


def _has(word: str) -> Predicate:
    wanted = word.casefold()
    return lambda plan: any(wanted in text.casefold() for text in (plan.name, plan.id, *_tags(plan)))
