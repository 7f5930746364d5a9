"""Receivers of order_cancel v1 of which it is known what they do at which rate, for load tests.

A rate is that of the requests within the last second, so that what happens depends on nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import Any

from tests.support.probed.receiving import Answer, HangUpError, RefusedError, Right, answer, event


class Loaded(Right):
    """Tells of each cancel by one event, as `EXPECTED` says; knows how many came within the last second."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()
        """The number of cancels by order."""
        self.most = 0
        """The most requests of one second."""
        self._came: deque[float] = deque()

    def knows(self, token: Any) -> bool:
        return True

    async def cancel(self, order: str, payload: Any) -> Answer:
        self.seen[order] += 1
        now = time.monotonic()
        self._came.append(now)
        while self._came[0] <= now - 1:
            self._came.popleft()
        self.most = max(self.most, len(self._came))
        return await self.at_rate(len(self._came), order)

    async def at_rate(self, rate: int, order: str) -> Answer:
        """The answer to a cancel when so many came within a second."""
        return self.right(order)

    def right(self, order: str) -> Answer:
        return answer({"status": "success", "events": [event("The order is cancelled", "DONE", order)]})

    def without_events(self) -> Answer:
        return answer({"status": "success", "events": []})


EXPECTED = {
    "body": {"status": "success", "events": [{"event_type": "info", "code": "DONE"}]},
    "rules": {"/events/*": {"extra": "allow"}},
}


class LosesEvents(Loaded):
    """Answers without its events whatever comes beyond a rate."""

    def __init__(self, beyond: int) -> None:
        super().__init__()
        self._beyond = beyond

    async def at_rate(self, rate: int, order: str) -> Answer:
        return self.without_events() if rate > self._beyond else self.right(order)


class Sheds(LosesEvents):
    """Refuses with 503 whatever comes beyond a rate."""

    async def at_rate(self, rate: int, order: str) -> Answer:
        if rate > self._beyond:
            raise RefusedError(503, "too many requests")
        return self.right(order)


class HangsUp(LosesEvents):
    """Closes the connection of whatever comes beyond a rate."""

    async def at_rate(self, rate: int, order: str) -> Answer:
        if rate > self._beyond:
            raise HangUpError
        return self.right(order)


class BreaksDown(LosesEvents):
    """Loses its events once a rate was passed, and from then on at any rate."""

    def __init__(self, beyond: int) -> None:
        super().__init__(beyond)
        self._is_broken = False

    async def at_rate(self, rate: int, order: str) -> Answer:
        self._is_broken = self._is_broken or rate > self._beyond
        return self.without_events() if self._is_broken else self.right(order)


class GetsSlow(LosesEvents):
    """Takes so long for whatever comes beyond a rate."""

    def __init__(self, beyond: int, seconds: float) -> None:
        super().__init__(beyond)
        self._seconds = seconds

    async def at_rate(self, rate: int, order: str) -> Answer:
        if rate > self._beyond:
            await asyncio.sleep(self._seconds)
        return self.right(order)


class HasWorkers(Loaded):
    """Has so many workers, of which each needs so long for a cancel: what comes meanwhile waits its turn."""

    def __init__(self, workers: int, seconds: float) -> None:
        super().__init__()
        self._workers = asyncio.Semaphore(workers)
        self._seconds = seconds

    async def at_rate(self, rate: int, order: str) -> Answer:
        async with self._workers:
            await asyncio.sleep(self._seconds)
        return self.right(order)


class CancelsTwice(Loaded):
    """Looks first and writes later: what comes twice at once is cancelled twice, the second without event."""

    def __init__(self) -> None:
        super().__init__()
        self._under_way: set[str] = set()

    async def at_rate(self, rate: int, order: str) -> Answer:
        if order in self._under_way:
            return self.without_events()
        self._under_way.add(order)
        await asyncio.sleep(0.05)
        self._under_way.discard(order)
        return self.right(order)
