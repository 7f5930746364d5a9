"""How long answers take: what is a finding, and what a fast or a busy receiver must not be told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from retailops_sandbox.model import Deliver
from tests.support.probe_answers import Asking

FAST = [2.0, 3.0, 2.5, 2.0]


def kinds(
    single: Sequence[float] = FAST, at_once: Sequence[float] = (), series: Sequence[float] = ()
) -> list[str]:
    """The kinds that the times of answers show, in milliseconds."""
    asking = Asking()
    asking.baseline()
    for total in single:
        asking.ask("one-at-a-time", area="speed", demand="accept", total=total)
    together = Deliver(times=max(len(at_once), 1), parallel=max(len(at_once), 1))
    for total in at_once:
        asking.ask(
            "sixteen-at-once",
            area="speed",
            demand="accept",
            probe="speed/16",
            step="16",
            total=total,
            deliver=together,
        )
    for total in series:
        asking.ask("fixture", demand="accept", total=total)
    return [each.kind for each in asking.observer.finish()]


def one_after_another(single: float, count: int = 16) -> list[float]:
    return [single * (number + 1) for number in range(count)]


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        ("serialised", {"single": [201.0, 210.0], "at_once": one_after_another(200)}),
        ("serialised", {"single": [50.0, 55.0], "at_once": one_after_another(52)}),
        ("slow", {"single": [1003.0, 1002.0], "at_once": [1004.0] * 16}),
        ("slows-down", {"series": [2.0 + 4 * number for number in range(60)]}),
    ],
)
def test_times_show_one_kind(kind: str, times: dict[str, list[float]]):
    assert kinds(**times) == [kind]


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"at_once": one_after_another(2.5)},
        {"single": [60.0, 55.0], "at_once": [70.0] * 16},
        {"single": [60.0, 55.0], "at_once": [880.0] * 16},
        {"single": [60.0, 55.0], "at_once": [70.0, *[880.0] * 15]},
        {"single": [], "series": [*[2.0] * 10, *[100.0] * 10] * 3},
        {"single": [900.0, 3.0, 800.0], "at_once": [900.0] * 16},
        {"series": [2.0, 300.0] * 30},
        {"series": [*[2.0] * 50, *[250.0] * 9]},
        {"series": [2.0 + number / 10 for number in range(60)]},
        {"series": [2.0 + 40 * number for number in range(15)]},
    ],
)
def test_a_fast_receiver_and_a_busy_machine_show_nothing(times: dict[str, list[float]]):
    assert kinds(**times) == []


def test_the_evidence_has_the_figures():
    asking = Asking()
    asking.ask("one-at-a-time", area="speed", demand="accept", total=1200.0)
    (found,) = asking.observer.finish()
    assert (found.kind, found.detail) == ("slow", "the fastest answer took 1.2 s")
