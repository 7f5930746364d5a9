"""Careless receivers: each is wrong in one way that real ones are, and right in all others.

They are there for every action and edition to which their carelessness applies, and try what a probe finds.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.httpserver import Request, Response, json_response
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Violation
from retailops_sandbox.standin.receiving import TOKEN, Receiver
from retailops_sandbox.standin.shop import Event, Outcome, Shop, Told

_PAUSE = 1.0
"""Seconds that an answer takes which is slow."""
_MOMENT = 0.02
"""Seconds between looking and writing, in which another request may come."""
_MOST_NOTED = 10_000
"""The number of things done that are remembered; the oldest is forgotten first."""
_DONE = Event("info", "INF2001", "What was asked for is done")
_DONE_EARLIER = Event("info", "INF2002", "What is asked for was already done earlier")
_TRACE = """Traceback (most recent call last):
  File "/srv/receiver/app.py", line 214, in handle
    order = find_order(payload)
  File "/srv/receiver/orders.py", line 57, in find_order
    return store.get(int(payload[key]))
ValueError: invalid literal for int() with base 10
"""
_PAGE = b"<!doctype html>\n<title>Error</title>\n<h1>Something went wrong</h1>\n"

About = tuple[str, str]
"""The type and text of an identifier."""


class _CrashesOnNull(Receiver):
    async def off_contract(
        self, agreed: Contract, payload: Json, violations: tuple[Violation, ...]
    ) -> Response | None:
        if any(pointer.get(payload, each.pointer, "") is None for each in violations):
            return json_response(500, {"error": "internal error"})
        return await super().off_contract(agreed, payload, violations)


class _HangsOnEmptyArray(Receiver):
    async def off_contract(
        self, agreed: Contract, payload: Json, violations: tuple[Violation, ...]
    ) -> Response | None:
        if any(pointer.get(payload, each.pointer, "") == [] for each in violations):
            return None
        return await super().off_contract(agreed, payload, violations)


class _AcceptsAnything(Receiver):
    def unreadable(self, agreed: Contract, error: str) -> Response:
        return self._done(agreed)

    async def off_contract(
        self, agreed: Contract, payload: Json, violations: tuple[Violation, ...]
    ) -> Response | None:
        return self._done(agreed)

    def _done(self, agreed: Contract) -> Response:
        name = agreed.action, agreed.edition
        nothing = Outcome((), {"orders": [], "token": "", "items": []})
        answer = self.shop.spelled(*name, nothing) if self.shop.knows(*name) else agreed.examples.response
        return json_response(agreed.ok_statuses[0], answer)


class _LeaksStackTraces(Receiver):
    def unreadable(self, agreed: Contract, error: str) -> Response:
        return json_response(400, {"error": _TRACE})

    async def off_contract(
        self, agreed: Contract, payload: Json, violations: tuple[Violation, ...]
    ) -> Response | None:
        return json_response(422, {"error": _TRACE})


class _AnswersHtml(Receiver):
    def unreadable(self, agreed: Contract, error: str) -> Response:
        return self._page(agreed)

    async def off_contract(
        self, agreed: Contract, payload: Json, violations: tuple[Violation, ...]
    ) -> Response | None:
        return self._page(agreed)

    def _page(self, agreed: Contract) -> Response:
        return Response(agreed.ok_statuses[0], _PAGE, "text/html; charset=utf-8")


class _IgnoresToken(Receiver):
    def is_authentic(self, agreed: Contract, request: Request, payload: Json) -> bool:
        return True


class _TakesPrefixOfToken(Receiver):
    def is_authentic(self, agreed: Contract, request: Request, payload: Json) -> bool:
        if super().is_authentic(agreed, request, payload):
            return True
        assert agreed.auth is not None
        if agreed.auth.pointer:
            given = pointer.get(payload, agreed.auth.pointer, None)
        else:
            given = request.header(agreed.auth.header.lower()).removeprefix(agreed.auth.before_secret)
        return isinstance(given, str) and given != "" and TOKEN.startswith(given)


class _NeedsASecond(Receiver):
    async def answer(self, request: Request) -> Response | None:
        await asyncio.sleep(_PAUSE)
        return await super().answer(request)


class _Noting(Receiver):
    """Tells of each order or record that it was done, under which number, or that it was done earlier."""

    def __init__(self, shop: Shop, contracts: ContractSource) -> None:
        super().__init__(shop, contracts)
        self._numbers: dict[tuple[str, About], int] = {}
        self._last = 0

    async def act(self, agreed: Contract, payload: Json) -> Response | None:
        name = agreed.action, agreed.edition
        if not self.shop.knows(*name):
            return await super().act(agreed, payload)
        outcome = self.shop.carried_out(*name, payload)
        if not outcome.is_refused:
            notes = await self.notes(agreed.action, self.shop.named(*name, payload))
            outcome = outcome._replace(told=(*outcome.told, *notes))
        return json_response(agreed.ok_statuses[0], self.shop.spelled(*name, outcome))

    async def notes(self, action: str, named: list[About]) -> list[Told]:
        return [self._noted(action, about) for about in named]

    def _noted(self, action: str, about: About) -> Told:
        number = self._numbers.get((action, about))
        if number is None:
            return self._first(action, about)
        return Told(_DONE_EARLIER, f"number {number}", about)

    def _first(self, action: str, about: About) -> Told:
        self._last += 1
        if len(self._numbers) == _MOST_NOTED:
            del self._numbers[next(iter(self._numbers))]
        self._numbers[action, about] = self._last
        return Told(_DONE, f"number {self._last}", about)


class _DoesAgain(_Noting):
    def _noted(self, action: str, about: About) -> Told:
        self._numbers.pop((action, about), None)
        return self._first(action, about)


class _Races(_Noting):
    async def notes(self, action: str, named: list[About]) -> list[Told]:
        fresh = {about for about in named if (action, about) not in self._numbers}
        await asyncio.sleep(_MOMENT)
        return [
            self._first(action, about) if about in fresh else self._noted(action, about) for about in named
        ]


class _MixesUpOrders(_Noting):
    async def notes(self, action: str, named: list[About]) -> list[Told]:
        self._present = [self._noted(action, about) for about in named]
        await asyncio.sleep(_MOMENT)
        return self._present


class Careless(NamedTuple):
    """A way to be careless: the receiver that is, and what it does."""

    receiver: type[Receiver]
    what: str


CARELESS = {
    "crash-on-null": Careless(_CrashesOnNull, "answers 500 where null stands for something else"),
    "accept-anything": Careless(_AcceptsAnything, "answers what is no JSON and what is off contract as done"),
    "not-idempotent": Careless(_DoesAgain, "does again what was done"),
    "race": Careless(_Races, "does twice what comes twice at the same time"),
    "leak-stack-trace": Careless(_LeaksStackTraces, "refuses a payload with the stack trace of its error"),
    "ignore-token": Careless(_IgnoresToken, "takes any token, and none"),
    "token-prefix": Careless(_TakesPrefixOfToken, "takes the beginning of the token for the token"),
    "html-page": Careless(_AnswersHtml, "refuses a payload with a page of HTML and a good status"),
    "mix-up-orders": Careless(_MixesUpOrders, "tells of another order that comes at the same time"),
    "hang-on-empty-array": Careless(
        _HangsOnEmptyArray, "never answers where an empty array stands for something else"
    ),
    "slow": Careless(_NeedsASecond, "needs a second for each answer"),
}
