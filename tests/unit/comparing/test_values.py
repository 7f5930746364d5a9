"""JSON values: when two are the same."""

from __future__ import annotations

import pytest

from retailops_sandbox.comparing.values import same
from retailops_sandbox.model import Number


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (35, Number("35.0"), True),
        (Number("35.00"), Number("35"), True),
        (10**30, Number("1e30"), True),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (Number("1"), True, False),
        (True, True, True),
        (None, False, False),
        ("1", 1, False),
        ([], {}, False),
        ([1, [True]], [1, [1]], False),
        ({"a": 1, "b": [2]}, {"b": [Number("2.0")], "a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": None}, {}, False),
        ([1], [1, 2], False),
    ],
)
def test_values_are_the_same_as_json_says(one, other, equal):
    assert same(one, other) is equal
    assert same(other, one) is equal
