"""Receivers that are slow."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.probed.receiving import Answer, Right
from tests.support.probed.wrong import wrong


@wrong("speed", "slow")
class NeedsASecond(Right):
    async def cancel(self, order: str, payload: Any) -> Answer:
        await asyncio.sleep(1)
        return await super().cancel(order, payload)


@wrong("speed", "serialised", also=("slow",))
class TakesTurns(Right):
    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()

    async def cancel(self, order: str, payload: Any) -> Answer:
        async with self.lock:
            await asyncio.sleep(0.2)
            return await super().cancel(order, payload)


@wrong("speed", "slows-down", also=("slow",))
class SlowsDown(Right):
    async def cancel(self, order: str, payload: Any) -> Answer:
        await asyncio.sleep(0.004 * len(self.cancelled))
        return await super().cancel(order, payload)
