"""Small examples by a contract, which empty fields show: a place of its payload, an answer, a part of one."""

from __future__ import annotations

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Expectation, Json


class ContractExamples(msgspec.Struct, frozen=True):
    """The examples of a contract, the way they are typed."""

    pointer: str
    """A place of the payload."""
    answered: str
    """A place of the answer."""
    expectation: Expectation


def examples_of(agreed: Contract) -> ContractExamples:
    """The examples of a contract."""
    subject = agreed.subject.request if agreed.subject is not None else ()
    return ContractExamples(
        _one(*subject, _first_leaf(agreed.examples.request)),
        _one(*agreed.codes, _first_leaf(agreed.examples.response)),
        plainest_answer(agreed),
    )


def plainest_answer(agreed: Contract) -> Expectation:
    """The answer in which nothing happened; the documented example where the contract has no events."""
    body: Json = [] if agreed.events else agreed.examples.response
    for token in reversed(pointers.parse(agreed.events)):
        body = {token: body}
    return Expectation(status=agreed.ok_statuses[0], body=body)


def _one(*paths: str) -> str:
    """The first path, with the first item in the place of every item."""
    return paths[0].replace("/*", "/0")


def _first_leaf(value: Json, at: str = "") -> str:
    if isinstance(value, dict) and value:
        name, member = next(iter(value.items()))
        return _first_leaf(member, f"{at}/{pointers.escape(name)}")
    if isinstance(value, list) and value:
        return _first_leaf(value[0], f"{at}/0")
    return at
