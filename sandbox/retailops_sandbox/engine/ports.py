"""The ports of a run, and its options."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.model import (
    Connection,
    DeliveryInFlight,
    Exchange,
    HttpRequest,
    Json,
    Receiver,
    Record,
)
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.scenarios.scenario import OwnExpectation


class Transport(Protocol):
    """Sends bytes. Network trouble comes back as a fault in the exchange."""

    async def send(self, request: HttpRequest, connection: Connection, *, key: str = "") -> Exchange: ...

    def cancel(self, key: str) -> bool:
        """Make the send of this key end with the fault *cancelled*; False if it is not under way."""


class DeliveryLog(Protocol):
    """Keeps the records of a run."""

    def next_id(self) -> str:
        """An id for the next delivery."""

    def append(self, record: Record) -> None:
        """Log a record, so that it survives the process; FileError where that fails. From any thread.

        It never waits for another process.
        """

    def sending(self, flight: DeliveryInFlight) -> AbstractContextManager[None]:
        """Let others see a delivery that takes long, until the block ends, in which it is appended."""

    @property
    def is_flushed(self) -> bool:
        """Whether `flush` would return at once."""

    async def flush(self) -> None:
        """Wait until every reader of the log has what was appended before; what is told of it is then true.

        Where the log cannot be reached, it does not wait. From any event loop.
        """


class Clock(Protocol):
    def now(self) -> str:
        """The instant, UTC, RFC 3339."""

    def uuid(self) -> str: ...

    def seconds(self) -> float:
        """A monotonic clock."""


class CaseSource(Protocol):
    """Hands out fixtures and what they expect, by action, edition and name."""

    def payload(self, action: str, edition: str, name: str) -> composing.Template:
        """The payload of a fixture; SandboxError where there is none."""

    def expectation(self, action: str, edition: str, name: str) -> OwnExpectation | None:
        """The expectation beside the payload; None without one, SandboxError where it cannot be read."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The sources that steps are composed from."""

    clock: Clock
    cases: CaseSource
    contracts: Contracts
    environment: Mapping[str, str]
    policy: SecretPolicy
    """Decides which secrets are struck out of all that is kept or shown of the steps."""


class Ports(Sources, frozen=True, kw_only=True):
    """The ports of a run."""

    transport: Transport
    log: DeliveryLog


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run."""

    receiver: Receiver
    jobs: int = 8
    retries: int = 0
    """How often a delivery is sent again after a fault."""
    variables: Mapping[str, Json] = {}
    timeout_ms: int | None = None
    first_sequence: int = 1
    """The `${sequence}` of the first step; above 1 where earlier plans belong to the same run."""
    sequences: Mapping[str, int] = {}
    """The `${sequence}` of a plan's first step, by the plan's id; only where the run is a shard."""
    confirmed: bool = False
    """Whether the user confirmed sending to a protected receiver."""
    parent: str = ""
    """The delivery that this run resends."""
    max_failures: int | None = None
    """The number of failed or errored scenarios after which nothing more is sent; None sets no limit."""
