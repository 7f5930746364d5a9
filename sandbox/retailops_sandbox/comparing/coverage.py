"""Which parts of an answer a judgement compares, and which it does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from retailops_sandbox.comparing.rules import Scope
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, Response

CONTRACT = "contract"
"""The part of an answer that an expectation leaves out which lets violations of the contract pass."""
BODY = "body"
"""The body of an answer, where the contract has no word for what it tells."""
_NO_COMPARISON = ("ignore", "any", "type")
"""The matchers that say nothing of the items of an array."""


class Coverage:
    """Tells the parts of answers that are not compared, in the words of a contract."""

    def __init__(self, arrays: Iterable[str], ok_statuses: Iterable[int]) -> None:
        """`arrays` are the paths of the contract's set-like arrays; the first one is what answers tell."""
        path = next((path for path in arrays if "*" not in path), "")
        self._told = pointer.parse(path)
        self.word = self._told[-1] if self._told else BODY
        """The contract's word for what an answer tells: `events`."""
        self._ok_statuses = frozenset(ok_statuses)

    def unchecked(
        self, expectation: Expectation | None, scope: Scope | None, response: Response
    ) -> tuple[str, ...]:
        """The parts of a response that are not compared: `contract`, and the contract's word or `body`.

        `scope` is that of the expectation's rules.
        """
        if expectation is None:
            return (self._part(response),)
        left_out: tuple[str, ...] = () if expectation.contract else (CONTRACT,)
        is_told = response.status in self._ok_statuses
        if expectation.body is UNSET or (is_told and not _compares(expectation.body, scope, self._told)):
            left_out += (self._part(response),)
        return left_out

    def _part(self, response: Response) -> str:
        return self.word if response.status in self._ok_statuses else BODY


def _compares(expected: Any, scope: Scope | None, tokens: tuple[str, ...]) -> bool:
    """Whether the items of the array at a place beneath this one are compared."""
    matcher = scope.matcher if scope is not None else None
    if matcher is not None and _judges(scope):
        return matcher.name not in _NO_COMPARISON
    if not tokens:
        return not _ignores_items(expected, scope)
    if not isinstance(expected, dict):
        return True
    beneath = scope.child(tokens[0]) if scope is not None else None
    if tokens[0] in expected or _judges(beneath):
        return _compares(expected.get(tokens[0]), beneath, tokens[1:])
    return matcher is None or matcher.name != "extra"


def _judges(scope: Scope | None) -> bool:
    """Whether a matcher takes the place of equality here."""
    return scope is not None and scope.matcher is not None and scope.matcher.accepts is not None


def _ignores_items(expected: Any, scope: Scope | None) -> bool:
    """Whether each item, expected or not, is ignored."""
    if scope is None or not isinstance(expected, list):
        return False
    items = [scope.child(str(position)) for position in range(len(expected))] + [scope.items]
    return all(
        each is not None and each.matcher is not None and each.matcher.name == "ignore" for each in items
    )
