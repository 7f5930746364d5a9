"""The real ports, put together for the faces: clock, fixtures, contracts, environment."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sandbox import contract
from sandbox.compose import Template
from sandbox.engine import DeliveryLog, Ports, Transport
from sandbox.workspace import Workspace, read_text


class SystemClock:
    """The machine's clock."""

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def seconds(self) -> float:
        return time.perf_counter()


def fixtures(workspace: Workspace) -> Callable[[str, str, str], Template]:
    """Reads a workspace's fixtures, each file once: a run sees one state of it."""
    known: dict[tuple[str, str, str], Template] = {}

    def fixture(action: str, edition: str, name: str) -> Template:
        key = (action, edition, name)
        if key not in known:
            path = workspace.fixture_path(action, edition, name)
            known[key] = Template.read(read_text(path), file=str(path))
        return known[key]

    return fixture


def put_together(
    workspace: Workspace, transport: Transport, log: DeliveryLog, environment: Mapping[str, str]
) -> Ports:
    """The ports of one run in a workspace."""
    return Ports(transport, log, SystemClock(), fixtures(workspace), contract.load, environment)
