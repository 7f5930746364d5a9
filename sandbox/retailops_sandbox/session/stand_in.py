"""The stand-in, started for as long as it is needed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from retailops_sandbox.model import Receiver

if TYPE_CHECKING:
    from retailops_sandbox.contracts.catalogue import ContractSource
    from retailops_sandbox.standin import StandIn


@contextlib.asynccontextmanager
async def reachable(
    chosen: Receiver, contracts: ContractSource
) -> AsyncIterator[tuple[Receiver, StandIn | None]]:
    """The receiver with an address; a stand-in is started with fresh orders, and stopped at the end."""
    if not chosen.stand_in:
        yield chosen, None
        return
    async with started_stand_in(contracts) as (stand_in, base_url):
        yield msgspec.structs.replace(chosen, base_url=base_url + chosen.base_url), stand_in


@contextlib.asynccontextmanager
async def started_stand_in(contracts: ContractSource) -> AsyncIterator[tuple[StandIn, str]]:
    """A stand-in with fresh orders, which answers these contracts, and its base URL; stopped at the end."""
    from retailops_sandbox.standin import StandIn

    stand_in = StandIn(contracts)
    base_url = await stand_in.start()
    try:
        yield stand_in, base_url
    finally:
        await stand_in.stop()
