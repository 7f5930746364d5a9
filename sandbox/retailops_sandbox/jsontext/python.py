"""Python values as JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from retailops_sandbox.errors import UsageError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.jsontext.text import MAX_DEPTH
from retailops_sandbox.model import Json, Number


def from_python(value: Any, at: str) -> Json:
    """A Python value as JSON; a Decimal keeps its spelling.

    `at` is the value's pointer. UsageError, with the pointer, for a value that JSON cannot hold, or that is
    nested too deep.
    """
    return _converted(value, at, MAX_DEPTH)


def _converted(value: Any, at: str, levels: int) -> Json:
    """The value as JSON, which may have so many levels."""
    if value is None or isinstance(value, bool | int | str | Number):
        return value
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return Number(str(value))
    if not levels and isinstance(value, Mapping | list | tuple):
        first = f"/{at.split('/')[1]}"
        raise UsageError(f"nested deeper than {MAX_DEPTH} levels", pointer=first, mend="flatten it")
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {
            key: _converted(child, f"{at}/{pointer.escape(key)}", levels - 1) for key, child in value.items()
        }
    if isinstance(value, list | tuple):
        return [_converted(child, f"{at}/{position}", levels - 1) for position, child in enumerate(value)]
    raise UsageError(f"{value!r} is not JSON", pointer=at, mend="give text, numbers, lists or dicts")
