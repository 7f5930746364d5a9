"""Python values as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.errors import UsageError


def nested(levels: int, within: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if within is dict else [value]
    return value


@pytest.mark.parametrize("within", [list, dict])
def test_a_value_has_as_many_levels_as_json_may_have(within: Any) -> None:
    allowed = nested(jsontext.MAX_DEPTH, within)
    assert jsontext.from_python(allowed, "/x") == allowed
    jsontext.parse(jsontext.compact(allowed))
    for levels in (jsontext.MAX_DEPTH + 1, 5_000):
        with pytest.raises(UsageError, match=r"^at /x: nested deeper than 200 levels \(flatten it\)$"):
            jsontext.from_python(nested(levels, within), "/x")
