"""Scenarios about other orders than those that their files name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import Sources
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.load.named_orders import Name, NamedOrders, variable_of
from retailops_sandbox.model import Expectation, Json, Step
from retailops_sandbox.probe.orders import Place, places
from retailops_sandbox.scenarios.scenario import Plan, judged_by_fixture

_KIND = "order"
"""The kind of subject that gets another id: an order is cancelled once, while a sku stays what it is."""


class _Own(msgspec.Struct, frozen=True):
    """A place of a step that gets the number of an order."""

    pointer: str
    order: int
    """Which of the scenario's orders, from 0."""
    is_text: bool

    def spelled(self, numbers: Sequence[int]) -> Json:
        return str(numbers[self.order]) if self.is_text else numbers[self.order]


class _Numbered(msgspec.Struct, frozen=True):
    """What changes in a step."""

    sets: tuple[_Own, ...]
    expectations: tuple[tuple[Expectation | None, tuple[_Own, ...]], ...] = ()
    """What is expected of each delivery, and the ids in its body; empty where none is there."""
    is_list: bool = False
    """Whether the step has a list of expectations."""


class Renumbering:
    """Makes scenarios of one that are about orders of their own.

    Steps that name the same order still do. An id that an earlier answer gave, and one that names nothing,
    stays as it is; so does whatever the contract does not call an order.
    """

    def __init__(self, plan: Plan, sources: Sources) -> None:
        self._plan = plan
        self._variables: dict[str, _Own] = {}
        found = named_places(plan, sources)
        self._orders = NamedOrders(found, plan.scenario.variables)
        self._steps = [self._numbered(number, own, sources) for number, own in enumerate(found)]

    @property
    def count(self) -> int:
        """How many orders one scenario is about."""
        return self._orders.count

    def about(self, numbers: Sequence[int]) -> Plan:
        """A scenario about these orders, `count` of them."""
        steps = [
            _changed(step, numbered, numbers)
            for step, numbered in zip(self._plan.scenario.steps, self._steps, strict=True)
        ]
        given = {name: own.spelled(numbers) for name, own in self._variables.items()}
        scenario = msgspec.structs.replace(self._plan.scenario, steps=steps)
        return msgspec.structs.replace(self._plan, scenario=scenario, given=given)

    def _numbered(self, number: int, own: Sequence[Place], sources: Sources) -> _Numbered:
        step, names = self._plan.scenario.steps[number], self._orders.names(number)
        sets = tuple(_Own(each.pointer, self._orders.number(number, each), each.is_text) for each in own)
        for place, each in zip(own, sets, strict=True):
            if variable := variable_of(place.value):
                self._variables.setdefault(variable, each)
        expected = _expected(self._plan, step, sources) if own else None
        each_expected = expected if isinstance(expected, list) else [expected]
        answers = tuple(
            (one, () if one is None or one.body is UNSET else tuple(_in_answer(one.body, "", names)))
            for one in each_expected
        )
        if not any(ids for _, ids in answers):
            answers = ()
        return _Numbered(sets, answers, isinstance(expected, list))


def _in_answer(value: Any, at: str, names: Sequence[tuple[Name, int]]) -> Iterator[_Own]:
    """The ids in an expected body: texts, and numbers in a member of the name."""
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _in_answer(child, f"{at}/{pointers.escape(key)}", names)
        return
    member = pointers.parse(at)[-1] if at else ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return
    for name, order in names:
        if str(value) == name.written and (isinstance(value, str) or name.member == member):
            yield _Own(at, order, isinstance(value, str))
            return


def named_places(plan: Plan, sources: Sources) -> list[list[Place]]:
    """The places of each step's payload that name an order, beside those that an answer gives."""
    captured = {name for step in plan.scenario.steps for name in step.capture}
    return [
        [place for place in _places(plan, step, sources) if _names_order(place, captured)]
        for step in plan.scenario.steps
    ]


def _changed(step: Step, numbered: _Numbered, numbers: Sequence[int]) -> Step:
    """A step with the numbers of its orders."""
    if not numbered.sets:
        return step
    changes: dict[str, Any] = {"set": step.set | {own.pointer: own.spelled(numbers) for own in numbered.sets}}
    if numbered.expectations:
        each = [_expecting(one, ids, numbers) for one, ids in numbered.expectations]
        changes["expect"] = each if numbered.is_list else each[0]
    return msgspec.structs.replace(step, **changes)


def _expecting(
    expectation: Expectation | None, ids: Sequence[_Own], numbers: Sequence[int]
) -> Expectation | None:
    if expectation is None or not ids:
        return expectation
    body = pointers.copied(expectation.body)
    for own in ids:
        body = pointers.set_at(body, own.pointer, own.spelled(numbers))
    return msgspec.structs.replace(expectation, body=body)


def _places(plan: Plan, step: Step, sources: Sources) -> Iterator[Place]:
    """The places of a step's payload that have ids; none where it cannot be composed, which its run tells."""
    try:
        contract = sources.contracts.load(*plan.scenario.contract_of(step))
        payload = _payload(plan, step, contract, sources)
    except SandboxError:
        return
    if contract.subject is not None and contract.subject.kind == _KIND:
        yield from places(contract, payload)


def _payload(plan: Plan, step: Step, contract: Contract, sources: Sources) -> Json:
    """The payload of a step, its placeholders not filled."""
    if step.raw is not None:
        return None
    base = None
    if step.fixture is not None:
        base = sources.cases.payload(*plan.scenario.contract_of(step), step.fixture)
        base = msgspec.structs.replace(base, placeholders=False)
    token_at = contract.auth.pointer if contract.auth else ""
    return composing.compose(step, base, composing.Names(), placeholders=False, token_at=token_at).value


def _expected(plan: Plan, step: Step, sources: Sources) -> list[Expectation] | Expectation | None:
    if judged_by_fixture(step) and step.fixture is not None:
        own = sources.cases.expectation(*plan.scenario.contract_of(step), step.fixture)
        return own.expectation if own is not None else None
    return None if step.expect is UNSET else step.expect


def _names_order(place: Place, captured: set[str]) -> bool:
    """Whether the id in a place names an order, and one that no answer has given."""
    if isinstance(place.value, str):
        return bool(place.value) and not captured.intersection(composing.references(place.value))
    return bool(place.value)
