"""Secret policies for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retailops_sandbox.model import Receiver
from retailops_sandbox.redaction import SecretPolicy


def secret_policy(
    environment: Mapping[str, str] | None = None,
    *,
    receivers: Sequence[Receiver] = (),
    named: Sequence[str] = (),
) -> SecretPolicy:
    """A policy of these receivers and named variables; without them, only places make values secret."""
    return SecretPolicy(environment or {}, receivers=receivers, named=named)
