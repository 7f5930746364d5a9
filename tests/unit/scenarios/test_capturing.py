"""capturing.py: what a capture takes from an answer, and the places that it is made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.jsontext import pointer
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import ObjectCapture
from retailops_sandbox.scenarios import capturing

ANSWER = {"orders": [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2, "lines": []}], "none": None}


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("", ANSWER),
        ("/none", None),
        ("/orders/*/id", [1, 2]),
        ("/orders/*/lines/*/sku", ["a", "b"]),
        ("/orders/1/lines/*", []),
        ("/orders/0/*", [1, [{"sku": "a"}, {"sku": "b"}]]),
        (
            ObjectCapture(path="/orders/1", members={"n": "/id", "all": ""}),
            {"n": 2, "all": ANSWER["orders"][1]},
        ),
        (
            ObjectCapture(path="/orders/*", members={"n": "/id", "skus": "/lines/*/sku"}),
            [{"n": 1, "skus": ["a", "b"]}, {"n": 2, "skus": []}],
        ),
        (ObjectCapture(path="/orders/*/lines/*", members={"sku": "/sku"}), [{"sku": "a"}, {"sku": "b"}]),
    ],
)
def test_a_capture_takes_a_value_a_list_or_objects(wanted: Any, value: Any):
    found = capturing.capture(ANSWER, wanted)
    assert found.value == value
    assert all(pointer.resolve(ANSWER, at) == place for at, place in found.places)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("/orders/*/total", "/orders/0: there is no member 'total'"),
        ("/missing/*", "there is no member 'missing'"),
        ("/none/*", "/none: '*' leads into null, which has no members"),
        ("/orders/0/lines/*/price", "/orders/0/lines/0: there is no member 'price'"),
        ("/orders/7", "index 7 is past the end of an array of 2"),
        (ObjectCapture(path="/orders/*", members={"n": "/lines/0"}), "/orders/1: index 0 is past the end"),
    ],
)
def test_what_is_not_there_is_told_with_its_place(wanted: Any, why: str):
    with pytest.raises(PointerError) as caught:
        capturing.capture(ANSWER, wanted)
    assert why in str(caught.value)


VALUES = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab*~/"), inner, max_size=3),
)


@given(VALUES, st.lists(st.sampled_from(["*", "a", "0", "~0"]), max_size=3))
def test_each_place_of_a_path_is_where_its_pointer_leads(document: Any, tokens: list[str]):
    path = "".join(f"/{token}" for token in tokens)
    try:
        found = pointer.resolve_all(document, path)
    except PointerError:
        return
    assert len({at for at, _ in found}) == len(found)
    for at, value in found:
        assert pointer.resolve(document, at) == value
        assert len(pointer.parse(at)) == len(tokens)


def test_null_and_what_has_nothing_in_it_ends_a_repetition():
    assert all(map(capturing.is_empty, (None, "", [])))
    assert not any(map(capturing.is_empty, (0, False, "0", {}, [None])))
