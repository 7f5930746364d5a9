"""The receiver of a run with its placeholders filled, and the check of protected receivers."""

from __future__ import annotations

from retailops_sandbox import composing, redaction
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection, Receiver


def require_yes(receiver: Receiver, *, confirmed: bool, mend: str = "confirm this send") -> None:
    """Raise UsageError for a protected receiver that is not confirmed; `mend` says how to confirm."""
    if receiver.protected and not confirmed:
        raise UsageError(
            f"the receiver {receiver.name!r} is protected: nothing is sent without an explicit yes", mend=mend
        )


class Target:
    """A receiver with its placeholders filled, its secrets, and the head of requests to it."""

    def __init__(self, resolved: Receiver, secrets: redaction.Secrets, contracts: Contracts) -> None:
        self.receiver = resolved
        self._contracts = contracts
        self.secrets = secrets
        self._heads: dict[str, composing.Head] = {}
        self._connections: dict[tuple[int | None, int | None], Connection] = {}

    def head(self, contract: Contract) -> composing.Head:
        key = f"{contract.action}/{contract.edition}"
        if key not in self._heads:
            self._heads[key] = composing.head(contract, self.receiver, self._contracts)
        return self._heads[key]

    def connection(self, timeout_ms: int | None, drop_after_ms: int | None) -> Connection:
        key = (timeout_ms, drop_after_ms)
        if key not in self._connections:
            self._connections[key] = composing.connection(
                self.receiver, timeout_ms=timeout_ms, drop_after_ms=drop_after_ms
            )
        return self._connections[key]


class Targets:
    """The targets of a run's steps: a single one where the receiver has no placeholders."""

    def __init__(self, receiver: Receiver, policy: redaction.SecretPolicy, contracts: Contracts) -> None:
        """Raises UsageError for a receiver without placeholders that cannot be called."""
        self._receiver = receiver
        self._policy = policy
        self._contracts = contracts
        self.vary = composing.varies(receiver)
        if not self.vary:
            composing.check(receiver)
        self._fixed = None if self.vary else self._target(receiver)

    def of(self, names: composing.Names) -> Target:
        """The target of a step with these names; SandboxError where it cannot be called."""
        if self._fixed is not None:
            return self._fixed
        resolved = composing.resolve(self._receiver, names)
        composing.check(resolved)
        return self._target(resolved)

    def known_secrets(self) -> redaction.Secrets:
        """The receiver's secrets that are known before its placeholders are filled."""
        return self._policy.secrets(self._receiver) if self._fixed is None else self._fixed.secrets

    def _target(self, resolved: Receiver) -> Target:
        return Target(resolved, self._policy.secrets(self._receiver, resolved), self._contracts)
