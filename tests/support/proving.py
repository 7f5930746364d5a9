"""Contracts that prove their sender by a header, of which none is shipped: an answer is refused with 401."""

from __future__ import annotations

from typing import Any

import msgspec

from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract

SECRET = "the-receivers-own-secret"
BEARER = {"header": "Authorization", "scheme": "Bearer"}
SIGNED = {
    "header": "X-Shop-Proof",
    "signature": {"algorithm": "sha256", "encoding": "hex", "prefix": "v0:"},
}
"""Neither the header's name nor the prefix looks like a credential's."""


def proving(auth: dict[str, Any], edition: str = "draft") -> Contract:
    """The contract of an edition, whose sender is proved in this way."""
    agreed = SHIPPED_CONTRACTS.load("order_cancel", edition)
    return msgspec.structs.replace(agreed, auth=msgspec.convert({"status": 401, **auth}, Auth))
