"""A sample of the probes: every field and every kind of mutation, within a number of requests."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.probe.generating import requests, sample
from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.probes import Probe
from tests.support.generated import CONTRACTS, generated

KINDS = {mutation.key for mutation in MUTATIONS}


def count(probes: list[Probe]) -> int:
    return sum(requests(step) for probe in probes for step in probe.scenario.steps)


def fields(probes: list[Probe]) -> set[str]:
    return {trial.field for probe in probes for trial in probe.trials if trial.what in KINDS}


def kinds(probes: list[Probe]) -> set[str]:
    contract = [probe for probe in probes if probe.area == "contract"]
    return {trial.what for probe in contract for trial in probe.trials} & KINDS


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_short_sample_covers_every_field_every_kind_and_every_area(name: str, seed: int):
    everything = generated(name)
    chosen = sample(everything, 150, seed)
    assert 140 <= count(chosen) <= 150
    assert fields(chosen) == fields(everything)
    assert kinds(chosen) == kinds(everything)
    assert {probe.area for probe in chosen} == {probe.area for probe in everything}


@given(st.sampled_from([*CONTRACTS]), st.integers(1, 1_500), st.integers(0, 2**32))
def test_whatever_the_number_a_sample_is_no_more_and_its_parts_are_whole(name: str, most: int, seed: int):
    everything = generated(name)
    chosen = sample(everything, most, seed)
    assert count(chosen) <= most
    assert chosen == sample(everything, most, seed)
    order = [probe.id for probe in everything]
    assert [probe.id for probe in chosen] == sorted((probe.id for probe in chosen), key=order.index)
    whole = {probe.id: probe for probe in everything}
    for probe in chosen:
        trials = whole[probe.id].trials
        assert probe.trials
        assert [*probe.trials] == [trial for trial in trials if trial in probe.trials]
        assert [step.name for step in probe.scenario.steps] == [trial.step for trial in probe.trials]
        assert {trial.after for trial in probe.trials} <= {"", *(trial.step for trial in probe.trials)}
        if probe.alone:
            assert probe == whole[probe.id]
        assert not probe.scenario.steps[0].together


def test_all_is_sent_where_that_is_no_more():
    everything = generated("order_cancel/v1")
    assert sample(everything, count(everything), 1) == everything
    assert sample(everything, count(everything) - 1, 1) != everything


def test_seeds_differ():
    everything = generated("order_cancel/draft")
    assert sample(everything, 150, 1) != sample(everything, 150, 2)


def test_what_finds_most_is_in_every_short_sample():
    chosen = sample(generated("order_cancel/v1"), 150, 4)
    tried = Counter((probe.area, trial.what) for probe in chosen for trial in probe.trials)
    for wanted in (
        *[("auth", what) for what in ("right", "wrong", "missing", "null", "shortened", "lengthened")],
        *[("auth", what) for what in ("other-case", "empty-text", "afterwards")],
        *[("repetition", what) for what in ("same-again", "ten-at-once", "alternating", "sent-again")],
        *[("transport", what) for what in ("not-json", "empty-body", "truncated", "charset", "get")],
        *[("transport", what) for what in ("chunked", "byte-order-mark", "utf-16", "lower-case", "gzip")],
        *[("speed", what) for what in ("one-at-a-time", "four-at-once")],
        ("contract", "fixture"),
        ("contract", "check"),
    ):
        assert tried[wanted], wanted
    assert tried["contract", "null"] >= 8
