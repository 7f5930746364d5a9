"""A scenario, its steps and what they expect, as a scenario file holds them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, field

from retailops_sandbox.model.wire import FaultKind

Rule: TypeAlias = str | dict[str, Any]
"""A matcher as it stands in a file: `"ignore"` or `{"regex": "^ERR"}`; match.py knows them."""


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """The expected response. What is absent is not compared; status then means the contract's ok_statuses."""

    status: int | list[int] | None = None
    max_ms: float | None = None
    headers: dict[str, Rule] = {}
    body: Any = UNSET
    rules: dict[str, Rule] = {}
    contract: bool = True
    """Whether a violation of the response schema fails the delivery."""
    fault: FaultKind | None = None


class Deliver(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """How a step's bytes are delivered."""

    times: int = 1
    parallel: int = 1
    delay_ms: int = 0
    timeout_ms: int | None = None
    headers: dict[str, str] = {}
    content_type: str | None = None
    drop_after_ms: int | None = None
    """Hang up on the first delivery after this long; the redelivery that follows is the one judged."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One item of a scenario: compose once, deliver, judge each delivery against one expectation."""

    name: str = ""
    fixture: str | None = None
    payload: Any = UNSET
    raw: str | None = None
    """Bytes to send as they are, as text or, with the prefix `base64:`, encoded."""
    remove: list[str] = []
    set: dict[str, Any] = {}
    deliver: Deliver = Deliver()
    expect: Expectation | list[Expectation] | None = None
    capture: dict[str, str] = {}
    off_contract: bool = False


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """An ordered plan in a file."""

    schema: str = field(default="", name="$schema")
    format: Literal[1] = 1
    name: str = ""
    description: str = ""
    tags: list[str] = []
    action: str = "order_cancel"
    edition: str = "draft"
    variables: dict[str, Any] = {}
    steps: list[Step]
