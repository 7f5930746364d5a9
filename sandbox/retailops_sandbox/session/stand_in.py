"""The stand-in, started for one run."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from retailops_sandbox.model import Receiver

if TYPE_CHECKING:
    from retailops_sandbox.standin import StandIn


@contextlib.asynccontextmanager
async def reachable(chosen: Receiver) -> AsyncIterator[tuple[Receiver, StandIn | None]]:
    """The receiver with an address; of the stand-in a fresh one is started, and stopped at the end."""
    if not chosen.stand_in:
        yield chosen, None
        return
    from retailops_sandbox.standin import StandIn

    stand_in = StandIn()
    base_url = await stand_in.start()
    try:
        yield msgspec.structs.replace(chosen, base_url=base_url + chosen.base_url), stand_in
    finally:
        await stand_in.stop()
