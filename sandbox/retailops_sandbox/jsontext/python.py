"""Python values as JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number


def from_python(value: Any, at: str) -> Json:
    """A Python value as JSON; a Decimal keeps its spelling.

    `at` is the value's pointer. UsageError, with the pointer, for a value that JSON cannot hold.
    """
    if value is None or isinstance(value, bool | int | str | Number):
        return value
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return Number(str(value))
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: from_python(child, f"{at}/{pointer.escape(key)}") for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [from_python(child, f"{at}/{position}") for position, child in enumerate(value)]
    raise UsageError(f"{value!r} is not JSON", pointer=at, mend="give text, numbers, lists or dicts")
