from __future__ import annotations

from itertools import pairwise

import pytest

from retailops_sandbox.load.pacing import PATIENT, Pacing, patient_users, users_for


def phases(pacing: Pacing, count: int) -> list[float]:
    return sorted(pacing.next_phase() for _ in range(count))


@pytest.mark.parametrize("count", [30, 300, 3_000])
def test_users_begin_evenly_spread_however_many_there_are(count: int):
    pacing = Pacing()
    pacing.begin(15.0, 0, pairs=False)
    found = phases(pacing, count)
    assert found[0] >= 0
    assert found[-1] < 15
    assert max(later - earlier for earlier, later in pairwise(found)) < 3 * 15 / count


def test_the_users_of_two_workers_do_not_begin_together():
    pacings = [Pacing(), Pacing()]
    for worker, pacing in enumerate(pacings):
        pacing.begin(1.0, worker, pairs=False)
    found = sorted(pacing.next_phase() for pacing in pacings for _ in range(100))
    assert min(later - earlier for earlier, later in pairwise(found)) > 0.0001


def test_users_that_are_to_collide_begin_in_pairs():
    pacing = Pacing()
    pacing.begin(1.0, 0, pairs=True)
    found = [pacing.next_phase() for _ in range(6)]
    assert found[::2] == found[1::2]
    assert len(set(found)) == 3


def test_the_users_of_a_rate_keep_it_as_long_as_the_provider_waits():
    assert users_for(100, PATIENT) == 1_500
    assert users_for(0.1, 1.0) == 1
    assert users_for(0.2, 15.0) == 3


@pytest.mark.parametrize(
    ("rate", "processes", "users"),
    [(10, 1, 150), (1_000, 1, 10_000), (1_000, 2, 15_000), (5_000, 1, 10_000), (20_000, 1, 20_000)],
)
def test_a_process_has_no_more_users_than_it_can_serve(rate: float, processes: int, users: int):
    assert patient_users(rate, processes) == users
