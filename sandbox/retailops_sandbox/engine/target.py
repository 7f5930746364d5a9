"""The receiver as steps see it."""

from __future__ import annotations

from collections.abc import Mapping

from retailops_sandbox import composing, redaction
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Connection, Receiver


class Target:
    """A receiver with its placeholders filled, its secrets, and how requests to it begin."""

    def __init__(self, resolved: Receiver, secrets: Mapping[str, str]) -> None:
        self.receiver = resolved
        self.secrets = redaction.Secrets(secrets)
        self._heads: dict[str, composing.Head] = {}
        self._connections: dict[tuple[int | None, int | None], Connection] = {}

    def head(self, contract: Contract) -> composing.Head:
        key = f"{contract.action}/{contract.edition}"
        if key not in self._heads:
            self._heads[key] = composing.head(contract, self.receiver)
        return self._heads[key]

    def connection(self, timeout_ms: int | None, drop_after_ms: int | None) -> Connection:
        key = (timeout_ms, drop_after_ms)
        if key not in self._connections:
            self._connections[key] = composing.connection(
                self.receiver, timeout_ms=timeout_ms, drop_after_ms=drop_after_ms
            )
        return self._connections[key]
