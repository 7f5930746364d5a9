"""Which statuses an expectation accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retailops_sandbox.model import ExpectedStatus


def is_of_a_class(status: int, wanted: Sequence[ExpectedStatus]) -> bool:
    """Whether a status is of one of the classes among those that are wanted."""
    return f"{status // 100}xx" in wanted


def accepts(wanted: Any, status: int) -> bool:
    """Whether an expectation's status, of which nothing is known, accepts this one."""
    several = wanted if isinstance(wanted, list) else [wanted]
    return status in several or is_of_a_class(status, several)
