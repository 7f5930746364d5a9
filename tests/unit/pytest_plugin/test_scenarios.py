"""The names of scenarios in pytest's node ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.pytest_plugin.scenarios import item_name


@given(st.text(st.sampled_from("ab :[]@/\\\n\x1b\u202e€"), min_size=1) | st.text(min_size=1))
def test_a_name_is_one_part_of_an_id_without_a_parameter(text: str):
    name = item_name(text)
    assert f"file::{name}".split("::") == ["file", name]
    assert "[" not in name
    assert name
    assert name.isprintable()


def test_a_name_without_meaning_to_pytest_stays_as_it_is():
    assert (
        item_name("A second cancel (twice): 100 % done / «ä»") == "A second cancel (twice): 100 % done / «ä»"
    )


def test_a_long_name_is_cut():
    assert len(item_name("x" * 1_000_000)) < 300
