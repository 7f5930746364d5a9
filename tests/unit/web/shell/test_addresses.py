"""How addresses of pages are spelled."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox.web.shell.addresses import query_string


class Asked(msgspec.Struct):
    q: str = ""
    pick: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        (Asked(), ""),
        (Asked(q="a b&c"), "?q=a+b%26c"),
        (Asked(pick=("x", "y")), "?pick=x&pick=y"),
        (Asked(q="a", pick=("x",)), "?q=a&pick=x"),
    ],
)
def test_fields_that_say_something_are_in_the_query(asked: Asked, address: str):
    assert query_string(asked) == address


def test_a_field_can_be_left_out():
    assert query_string(Asked(q="a", pick=("x",)), without=("pick",)) == "?q=a"
