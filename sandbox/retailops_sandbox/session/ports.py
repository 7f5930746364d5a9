"""The real ports of a run: clock, fixtures, contracts, environment and secret policy."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from retailops_sandbox.engine import DeliveryLog, Ports, Sources, Transport
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.workspace.cases import CaseReader
from retailops_sandbox.workspace.workspace import Workspace


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._second = ""
        self._spelled = ""

    def now(self) -> str:
        nanoseconds = str(time.time_ns())
        second = nanoseconds[:-9]
        if second != self._second:
            # A busy run asks thousands of times a second.
            self._spelled = datetime.fromtimestamp(int(second), UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second
        return f"{self._spelled}.{nanoseconds[-9:-3]}Z"

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def seconds(self) -> float:
        return time.perf_counter()


def build_sources(workspace: Workspace, environment: Mapping[str, str], policy: SecretPolicy) -> Sources:
    """The sources that steps are composed from in a workspace."""
    return Sources(
        clock=SystemClock(),
        cases=CaseReader(workspace),
        contracts=workspace.contracts,
        environment=environment,
        policy=policy,
    )


def build_ports(
    workspace: Workspace,
    transport: Transport,
    log: DeliveryLog,
    environment: Mapping[str, str],
    policy: SecretPolicy,
) -> Ports:
    """The ports of one run in a workspace."""
    sources = msgspec.structs.asdict(build_sources(workspace, environment, policy))
    return Ports(transport=transport, log=log, **sources)
