"""Requests that are made smaller and show the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import composing
from retailops_sandbox.composing import Names, Template
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.model import Deliver, Json, Step, Wire
from retailops_sandbox.probe.shrinking import is_small, shrink

FIXTURE: dict[str, Json] = {"order": {"id": "1", "note": "n"}, "channel": {"id": 2}, "lines": [{"sku": "a"}]}
PLACES = ("/order/id", "/order/note", "/channel", "/channel/id", "/lines", "/lines/0/sku", "/more")

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=80) | st.just("${text:4096}"),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=5),
    max_leaves=12,
)
steps = st.builds(
    lambda set, remove: Step(name="try", fixture="default", set=set, remove=remove),
    st.dictionaries(st.sampled_from(PLACES), values, max_size=4),
    st.lists(st.sampled_from(("/order/note", "/channel/id", "/lines")), unique=True, max_size=2),
)


def payload_of(step: Step) -> Json:
    return composing.compose(step, Template.read(msgspec.json.encode(FIXTURE)), Names()).value


def leaves(value: Json) -> list[Json]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [leaf for each in inner for leaf in leaves(each)]


def size(step: Step) -> int:
    return len(msgspec.json.encode(step))


def long_text(leaf: Json) -> bool:
    return isinstance(leaf, str) and len(leaf) > 40


FAILINGS: dict[str, Callable[[Json], bool]] = {
    "null": lambda payload: None in leaves(payload),
    "long": lambda payload: any(map(long_text, leaves(payload))),
    "no note": lambda payload: isinstance(payload, dict) and "note" not in str(payload.get("order")),
    "two": lambda payload: sum(leaf is True for leaf in leaves(payload)) > 1,
}


def shrunk(step: Step, fails: Callable[[Step], bool], most: int = 500, **others: Any) -> tuple[Step, int]:
    """The smallest step, and how many tries it took."""
    tries = 0

    async def shows(smaller: Step) -> bool:
        nonlocal tries
        tries += 1
        return fails(smaller)

    return asyncio.run(shrink(step, shows, most=most, **others)), tries


@given(step=steps, failing=st.sampled_from(sorted(FAILINGS)), most=st.sampled_from([0, 3, 500]))
def test_what_is_left_fails_and_is_no_larger(step: Step, failing: str, most: int) -> None:
    def fails(step: Step) -> bool:
        try:
            return FAILINGS[failing](payload_of(step))
        except ComposeError:
            return False

    if fails(step):
        smallest, tries = shrunk(step, fails, most)
        assert fails(smallest)
        assert tries <= most
        assert size(smallest) <= size(step)


def test_one_change_is_left_of_many() -> None:
    step = Step(fixture="default", set={"/channel": None, "/order/note": "x", "/more": []}, remove=["/lines"])
    smallest, _ = shrunk(step, lambda each: None in leaves(payload_of(each)))
    assert smallest == Step(fixture="default", set={"/channel": None})
    assert is_small(smallest)
    assert not is_small(step)


@pytest.mark.parametrize("least", [1, 2, 33, 300, 4095, 4096])
@pytest.mark.parametrize("value", ["${text:4096}", "é" * 4096])
def test_the_least_length_of_a_text_is_found(least: int, value: str) -> None:
    def length(step: Step) -> int:
        return max(len(leaf) for leaf in leaves(payload_of(step)) if isinstance(leaf, str))

    smallest, tries = shrunk(
        Step(fixture="default", set={"/order/note": value}), lambda step: length(step) >= least
    )
    assert length(smallest) == least
    assert tries < 16


def test_a_payload_keeps_what_is_needed() -> None:
    step = Step(payload={"order": {"id": "1", "lines": [1, 2, None, 4, 5, 6]}, "more": "x" * 100})
    smallest, _ = shrunk(step, lambda each: None in leaves(each.payload))
    assert smallest.payload == {"order": {"lines": [None]}}


def test_a_request_is_spelled_as_usual_again_where_that_shows_the_same() -> None:
    deliver = Deliver(
        headers={"X-One": "1", "Accept": None},
        content_type="text/plain",
        wire=Wire(http="1.0", chunked=10, headers=["Host: a"]),
    )
    step = Step(fixture="default", deliver=deliver)
    smallest, _ = shrunk(step, lambda each: bool(each.deliver.wire and each.deliver.wire.chunked))
    assert smallest.deliver == Deliver(wire=Wire(chunked=10))


def test_what_is_set_at_kept_places_stays() -> None:
    step = Step(fixture="default", set={"/order/id": "7" * 40, "/channel": None})
    smallest, _ = shrunk(step, lambda each: True, kept=("/order/id",))
    assert smallest == Step(fixture="default", set={"/order/id": "7" * 40})


def test_raw_text_is_cut() -> None:
    smallest, _ = shrunk(Step(raw="{" * 5000), lambda each: str(each.raw).startswith("{" * 700))
    assert smallest.raw == "{" * 700


def test_of_a_very_long_text_about_the_least_length_is_found() -> None:
    lengths: list[int] = []

    def fails(step: Step) -> bool:
        lengths.append(int(str(step.raw)[7:-1]))
        return lengths[-1] >= 100_000

    smallest, tries = shrunk(Step(raw="${text:10000000}"), fails)
    assert 100_000 <= int(str(smallest.raw)[7:-1]) <= 101_000
    assert tries < 20
    assert sum(lengths) < 2_000_000  # the long ones are not tried
