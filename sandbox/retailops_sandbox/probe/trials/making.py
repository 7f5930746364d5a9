"""How probes are made: steps of a fixture, each with an order of its own, and what each of them tries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from retailops_sandbox import composing, jsontext
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Deliver, Expectation, ExpectedStatus, Json, Scenario, Step, Wire
from retailops_sandbox.probe.fields import Field, fields
from retailops_sandbox.probe.orders import Order, OrderIds, Orders
from retailops_sandbox.probe.probes import AREAS, Area, Demand, Probe, Trial

REFUSED: ExpectedStatus = "4xx"
CHECK = "check"
"""What a step tries that only checks that a valid request is still answered."""
AFTERWARDS = "afterwards"
"""What a valid request tries that comes after another one about its order, to see what that one did."""
NOTHING: Mapping[str, Json] = {}
NO_ORDER = Order(id="", places={})
_BROKEN_OFF = Expectation(fault="cancelled")
"""What is expected of a request that is broken off: nobody waits for its answer."""


class GenerateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """From what probes are made, and which."""

    fixture: str = ""
    """The name of the fixture whose requests are accepted; empty where its payload goes into each step."""
    payload: Json
    """Its payload, with placeholders filled as far as they can be."""
    others: Mapping[str, Json] = {}
    """The payloads of the other fixtures of the action and edition, by their names."""
    orders: OrderIds | None = None
    """The ids that orders get; None where a receiver accepts those of the fixture only."""
    token: bool = False
    """Whether the receiver has a token, or a secret for signatures, of which wrong ones can be made."""
    areas: tuple[Area, ...] = AREAS


class Attempt(NamedTuple):
    """A step, and what it tries."""

    step: Step
    trial: Trial


class Making:
    """Makes the probes of one contract from one fixture."""

    def __init__(self, contract: Contract, options: GenerateOptions) -> None:
        self.contract = contract
        self.options = options
        self.orders = Orders(contract, options.payload, options.orders)
        self.fields: list[Field] = fields(contract, options.payload)
        self._base = composing.Template(
            options.payload, placeholders=False, numbers=jsontext.holds_number(options.payload)
        )
        self._expectations: dict[tuple[tuple[ExpectedStatus, ...], bool], Expectation] = {}

    def attempt(
        self,
        name: str,
        what: str,
        demand: Demand,
        *,
        order: Order = NO_ORDER,
        set: Mapping[str, Json] = NOTHING,
        remove: Sequence[str] = (),
        fixture: str = "",
        raw: str | None = None,
        deliver: Deliver | None = None,
        wire: Wire | None = None,
        together: bool = False,
        off_contract: bool = False,
        field: str = "",
        after: str = "",
        also: tuple[ExpectedStatus, ...] = (),
        statuses: tuple[ExpectedStatus, ...] = (),
        any_body: bool = False,
        is_check: bool = False,
    ) -> Attempt:
        """One request: the fixture with the ids of an order and with changes, or raw bytes.

        `fixture` is one to send as it is. `also` are statuses that are right beside those of the demand, and
        `statuses` are right instead of them; with `any_body` any body is right.
        """
        changed = [*set, *remove]
        ids = {
            at: value for at, value in order.places.items() if not any(_within(at, each) for each in changed)
        }
        if wire is not None:
            deliver = msgspec.structs.replace(deliver or Deliver(), wire=wire)
        expected = statuses or (*self._statuses(demand), *also)
        step = Step(
            name=name,
            together=together,
            off_contract=off_contract,
            expect=_BROKEN_OFF if _breaks_off(deliver) else self._expectation(expected, any_body),
        )
        if deliver is not None:
            step = msgspec.structs.replace(step, deliver=deliver)
        if raw is not None:
            step = msgspec.structs.replace(step, raw=raw)
        elif "" in set:
            step = msgspec.structs.replace(step, payload=set[""])
        elif fixture:
            step = msgspec.structs.replace(step, fixture=fixture)
        else:
            step = msgspec.structs.replace(step, **self._sent(), remove=[*remove], set={**ids, **set})
        names_order = raw is None and "" not in set and (bool(ids) or not self.is_subject(changed))
        trial = Trial(
            step=name,
            what=what,
            demand=demand,
            field=field,
            order=order.id if names_order else "",
            after=after,
            is_check=is_check,
        )
        return Attempt(step, trial)

    def is_subject(self, changed: Iterable[str]) -> bool:
        """Whether the ids of the order are among what a step changes."""
        return any(_within(at, each) for at in self.orders.pointers for each in changed)

    def check(self) -> Attempt:
        """A valid request about an order of its own, to see that it is still answered."""
        order = self.orders.next(again=True)
        return self.attempt("a valid request is answered", CHECK, "accept", order=order, is_check=True)

    def breaks_contract(self, set: Mapping[str, Json], remove: Sequence[str] = ()) -> bool:
        """Whether the payload with these changes breaks the request's schema."""
        payload = self._changed(set, remove)
        return not self.contract.keeps_request_schema(payload.value, numbers=payload.numbers)

    def text(self, order: Order) -> str:
        """The payload with the ids of an order as JSON text, without a token."""
        return jsontext.compact(self._changed(order.places).value).decode()

    def _changed(self, set: Mapping[str, Json], remove: Sequence[str] = ()) -> composing.Payload:
        changes = Step(set={**set}, remove=[*remove])
        return composing.compose(changes, self._base, composing.Names(), placeholders=False)

    def probe(
        self, id: str, area: Area, name: str, attempts: Iterable[Attempt], *, alone: bool = False
    ) -> Probe:
        """The scenario of these steps, with what they try."""
        steps, trials = zip(*attempts, strict=True)
        scenario = Scenario(
            name=name,
            tags=["probe", area],
            action=self.contract.action,
            edition=self.contract.edition,
            steps=[*steps],
        )
        return Probe(id=id, area=area, scenario=scenario, trials=trials, alone=alone)

    def _sent(self) -> dict[str, Json]:
        """What a step sends: the fixture, else its payload."""
        if self.options.fixture:
            return {"fixture": self.options.fixture}
        return {"payload": composing.escaped(self.options.payload)}

    def _expectation(self, statuses: tuple[ExpectedStatus, ...], any_body: bool) -> Expectation:
        """An expectation of one of these statuses; the same object for all that are equal."""
        key = (statuses, any_body)
        if key not in self._expectations:
            status = statuses[0] if len(statuses) == 1 else [*statuses]
            self._expectations[key] = Expectation(status=status, contract=not any_body)
        return self._expectations[key]

    def _statuses(self, demand: Demand) -> Sequence[ExpectedStatus]:
        if demand == "accept":
            return self.contract.ok_statuses
        if demand == "refuse" and self.contract.auth is not None:
            return (self.contract.auth.status,)
        return (*self.contract.ok_statuses, REFUSED) if demand == "either" else (REFUSED,)


def requests(step: Step) -> int:
    """The number of requests that a step sends."""
    return step.deliver.times + (step.deliver.drop_after_ms is not None)


def _breaks_off(deliver: Deliver | None) -> bool:
    return deliver is not None and deliver.wire is not None and deliver.wire.break_off_after is not None


def _within(pointer: str, outer: str) -> bool:
    """Whether a place is another one, or lies within it."""
    return pointer == outer or pointer.startswith(f"{outer}/")
