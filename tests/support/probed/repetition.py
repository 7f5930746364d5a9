"""Receivers that do again what was done, or do it at the same time."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from tests.support.probed.receiving import Answer, RefusedError, Right, answer, event
from tests.support.probed.wrong import wrong


class Refunding(Right):
    """Tells of each cancel under which number its refund was made."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(7001)

    def first(self, order: str) -> Answer:
        told = event(f"Refund R-{next(self.numbers)} was made", "REFUNDED", order)
        return answer({"status": "success", "events": [told]})


@wrong("repetition", "repeats")
class RefundsAgain(Refunding):
    def again(self, order: str) -> Answer:
        return self.first(order)


@wrong("repetition", "repeats")
class RefundsAgainWhatItKnows(RefundsAgain):
    """Does nothing about an order that it does not know, and tells so."""

    async def cancel(self, order: str, payload: Any) -> Answer:
        if order != "496":
            return answer({"status": "fail", "events": [event("No such order", "E404", order, "error")]})
        return await super().cancel(order, payload)


@wrong("repetition", "repeats")
class TellsEachAsFresh(Right):
    def first(self, order: str) -> Answer:
        return answer(
            {"status": "success", "events": [event("Order cancelled and refunded", "CANCELLED", order)]}
        )

    def again(self, order: str) -> Answer:
        return self.first(order)


@wrong("repetition", "crash")
class CrashesOnSecond(Right):
    def again(self, order: str) -> Answer:
        raise ValueError("UNIQUE constraint failed")


@wrong("repetition", "races", also=("repeats",))
class Races(Refunding):
    async def cancel(self, order: str, payload: Any) -> Answer:
        is_fresh = order not in self.cancelled
        await asyncio.sleep(0.02)
        self.cancelled[order] = 1
        return self.first(order) if is_fresh else self.again(order)


@wrong("repetition", "crash")
class CrashesOnRace(Right):
    async def cancel(self, order: str, payload: Any) -> Answer:
        is_fresh = order not in self.cancelled
        await asyncio.sleep(0.02)
        if is_fresh and order in self.cancelled:
            raise ValueError("database is locked")
        return await super().cancel(order, payload)


@wrong("repetition", "mixed-up")
class MixesUpOrders(Refunding):
    async def cancel(self, order: str, payload: Any) -> Answer:
        self.present = order
        await asyncio.sleep(0.02)
        return await super().cancel(self.present, payload)


@wrong("repetition", "crash", also=("mixed-up",))
class HasFewConnections(Right):
    busy = 0

    async def cancel(self, order: str, payload: Any) -> Answer:
        if self.busy >= 3:
            raise ConnectionError("connection pool exhausted")
        self.busy += 1
        await asyncio.sleep(0.02)
        self.busy -= 1
        return await super().cancel(order, payload)


@wrong("repetition", "repeats")
class MindsOnlyTheSamePayload(Refunding):
    """Knows a repetition by the payload, and not by its order."""

    async def cancel(self, order: str, payload: Any) -> Answer:
        key = json.dumps(payload)
        if key in self.cancelled:
            return self.again(order)
        self.cancelled[key] = 1
        return self.first(order)


@wrong("repetition", "repeats")
class RemembersFew(Refunding):
    """Knows a repetition among the latest orders only."""

    async def cancel(self, order: str, payload: Any) -> Answer:
        answered = await super().cancel(order, payload)
        for forgotten in list(self.cancelled)[:-2]:
            del self.cancelled[forgotten]
        return answered


@wrong("repetition", "rate-limited")
class RefusesManyAtOnce(Right):
    busy = 0

    async def cancel(self, order: str, payload: Any) -> Answer:
        if self.busy >= 3:
            raise RefusedError(429, "too many requests")
        self.busy += 1
        await asyncio.sleep(0.02)
        self.busy -= 1
        return await super().cancel(order, payload)


@wrong("repetition", "hang")
class Deadlocks(Right):
    """Two requests about one order at the same time wait for each other."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()

    async def cancel(self, order: str, payload: Any) -> Answer:
        if order in self.held:
            await asyncio.sleep(600)
        self.held.add(order)
        await asyncio.sleep(0.02)
        self.held.discard(order)
        return await super().cancel(order, payload)
