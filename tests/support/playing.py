"""Runs of plans with the real transport and a log in memory, for tests of the engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import Event, Options, Ports, Run, ScenarioResult, StepResult
from retailops_sandbox.model import Delivery, DeliveryInFlight, Record, Result
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import SystemClock
from retailops_sandbox.transport import Transport
from tests.support.cases import OneCase
from tests.support.contracts import OneContract
from tests.support.policies import secret_policy

EMPTY = OneCase("{}")
SPELLED = OneCase('{"fixture": 35.00}')


class MemoryLog:
    """Keeps records in the order in which they came."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.flights: list[DeliveryInFlight] = []
        self.flushed = 0
        """The number of records that were flushed."""
        self._count = 0

    def next_id(self) -> str:
        self._count += 1
        return f"run.{self._count}"

    def append(self, record: Record) -> None:
        self.records.append(record)

    @contextmanager
    def sending(self, flight: DeliveryInFlight) -> Iterator[None]:
        self.flights.append(flight)
        yield
        assert flight.id in {each.id for each in self.deliveries}

    @property
    def is_flushed(self) -> bool:
        return True

    async def flush(self) -> None:
        self.flushed = len(self.records)

    @property
    def deliveries(self) -> list[Delivery]:
        return [record for record in self.records if isinstance(record, Delivery)]

    @property
    def results(self) -> list[Result]:
        return [record for record in self.records if isinstance(record, Result)]


def plan(*steps: dict[str, Any], **fields: Any) -> Plan:
    sent = [({} if "raw" in step else {"payload": {}}) | {"off_contract": True, **step} for step in steps]
    document = {"steps": sent, **fields}
    return scenario.read(json.dumps(document), id="s", file="s.scenario.json")


class Played:
    """What a run told, and what it logged."""

    def __init__(self, events: list[Event], log: MemoryLog) -> None:
        self.events = events
        self.log = log

    @property
    def results(self) -> list[ScenarioResult]:
        return [event for event in self.events if isinstance(event, ScenarioResult)]

    @property
    def steps(self) -> list[StepResult]:
        return [step for result in self.results for step in result.steps]

    @property
    def verdicts(self) -> list[str]:
        return [step.verdict for step in self.steps]


def real_ports(
    transport: Transport,
    log: MemoryLog,
    cases: OneCase = EMPTY,
    environment: dict[str, str] | None = None,
    agreed: Contract | None = None,
    **secret: Any,
) -> Ports:
    """Ports of which the log alone is made up; every fixture is the same, and perhaps every contract."""
    return Ports(
        transport=transport,
        log=log,
        clock=SystemClock(),
        cases=cases,
        contracts=SHIPPED_CONTRACTS if agreed is None else OneContract(agreed),
        environment=environment or {},
        policy=secret_policy(environment, **secret),
    )


def play(
    plans: list[Plan],
    url: str,
    *,
    stop_after: int = 0,
    cases: OneCase = SPELLED,
    environment: dict[str, str] | None = None,
    agreed: Contract | None = None,
    secret: dict[str, Any] | None = None,
    listen: Callable[[Event], None] = lambda event: None,
    **options: Any,
) -> Played:
    """Run plans; `stop_after` stops the run at that event, counted from 1."""

    async def run() -> Played:
        log, events = MemoryLog(), []
        async with Transport() as transport:
            ports = real_ports(transport, log, cases, environment, agreed, **secret or {})
            target = options.pop("receiver", None) or ReceiverModel(
                name="shop", base_url=url, timeout_ms=5000
            )
            engine = Run(plans, ports, Options(receiver=target, **options))

            def on_event(event: Event) -> None:
                events.append(event)
                listen(event)
                if len(events) == stop_after:
                    asyncio.get_running_loop().call_soon(engine.stop)

            await engine.execute(on_event)
        return Played(events, log)

    return asyncio.run(run())


def body(request: bytes) -> Any:
    """The JSON of a request's body."""
    return json.loads(request.partition(b"\r\n\r\n")[2])
