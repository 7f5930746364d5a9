"""The state that the steps of one run share: its ports, its listener and whether it was stopped."""

from __future__ import annotations

import asyncio
import contextlib

from retailops_sandbox import comparing
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine.ports import Options, Ports
from retailops_sandbox.engine.preparation import Preparation
from retailops_sandbox.engine.telling import Telling
from retailops_sandbox.model import Connection, Exchange, HttpRequest


class RunContext:
    """The state that the steps of one run share."""

    def __init__(self, ports: Ports, options: Options) -> None:
        """Raises UsageError for a receiver that cannot be called."""
        self.ports = ports
        self.options = options
        self.preparation = Preparation(ports, options)
        self.telling = Telling(ports.log)
        self.stop_reason = ""
        """Why nothing more is sent; empty as long as the run goes on."""
        self._stop = asyncio.Event()
        self._in_flight: set[str] = set()
        self._judges: dict[tuple[str, str], comparing.Judge] = {}

    @property
    def is_stopped(self) -> bool:
        return bool(self.stop_reason)

    def send_no_more(self, reason: str) -> None:
        """Send nothing more; deliveries in flight go on."""
        self.stop_reason = self.stop_reason or reason
        self._stop.set()

    def cancel(self) -> None:
        """End the deliveries in flight with the fault *cancelled*."""
        for key in tuple(self._in_flight):
            self.ports.transport.cancel(key)

    async def pause(self, milliseconds: int) -> None:
        """Wait for this long, or until the run is stopped."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), milliseconds / 1000)

    async def send(self, delivery_id: str, request: HttpRequest, connection: Connection) -> Exchange:
        self._in_flight.add(delivery_id)
        try:
            return await self.ports.transport.send(request, connection, key=delivery_id)
        finally:
            self._in_flight.discard(delivery_id)

    def judge(self, contract: Contract) -> comparing.Judge:
        """The judge of a contract's deliveries: one for the whole run."""
        key = (contract.action, contract.edition)
        if key not in self._judges:
            self._judges[key] = comparing.Judge(contract)
        return self._judges[key]
