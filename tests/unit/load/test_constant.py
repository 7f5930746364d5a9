from __future__ import annotations

from collections.abc import Sequence

import pytest

from retailops_sandbox.load.constant import KeptRate
from retailops_sandbox.load.counts import Counts
from retailops_sandbox.load.series import Step
from retailops_sandbox.load.verdict import rate_line

RATE = 100


def part(
    *,
    seconds: float = 2.0,
    share: float = 1.0,
    growth: int = 0,
    waiting: int = 0,
    milliseconds: int = 20,
    longest: float = 0.02,
    users: int = 1_500,
    waited: float = 0.0,
    late: float = 0.0,
    **workers: int,
) -> Step:
    """What a part of the time gives, in which a share of the rate was begun."""
    begun = round(RATE * seconds * share)
    counts = Counts(
        seconds=seconds,
        users=users,
        begun=begun,
        ended=begun - growth,
        waiting=waiting or growth,
        answers=begun,
        times={milliseconds: begun},
        waited=waited,
        longest=longest,
        late=late,
    )
    return Step(rate=RATE, counts=counts, **workers)


def said(parts: Sequence[Step], *, is_whole: bool = True) -> str:
    line = rate_line(KeptRate(RATE, parts, is_whole), "cancels")
    return line.removeprefix("asked for 100 cancels a second")


def what(parts: Sequence[Step], *, is_whole: bool = True) -> str | None:
    change = KeptRate(RATE, parts, is_whole).change
    return change.what if change is not None else None


def test_a_rate_that_is_held_is_told():
    parts = [part(seconds=1), part(), part()]
    assert said(parts) == ", reached 100"
    assert what(parts) is None


@pytest.mark.parametrize("answer", [0.5, 3.0, 7.0])
def test_a_receiver_with_a_constant_answer_time_is_not_behind(answer: float):
    """No answer comes before one could, and then as many as are asked for."""
    parts, waiting = [], 0
    for seconds in (1.0, *[2.0] * 5):
        grown = round(min(RATE * seconds, RATE * answer - waiting))
        waiting += grown
        parts.append(
            part(
                seconds=seconds,
                growth=grown,
                waiting=waiting,
                longest=answer,
                milliseconds=round(answer * 1000),
            )
        )
    assert said(parts) == ", reached 100"


def test_a_receiver_that_answers_fewer_than_it_is_asked_is_behind():
    parts = [part(seconds=1, growth=18, longest=0.2)]
    parts += [part(growth=36, waiting=18 + 36 * number, milliseconds=400 * number) for number in (1, 2, 3)]
    assert said(parts) == ", reached 100; 82 answers came in a second, and waits grew (p99 1.2 s)"
    assert what(parts) == "behind"


def test_a_time_that_is_too_short_to_tell_whether_waits_grow_says_so():
    parts = [part(growth=200, waiting=200, longest=10.0, milliseconds=10_000) for _ in range(3)]
    assert said(parts) == ", reached 100; whether waits grow cannot be told in this time (p99 10.0 s)"
    assert what(parts) == "short"


def test_answers_above_the_providers_time_are_not_held():
    parts = [part(longest=1.0), part(milliseconds=16_000)]
    assert said(parts) == ", reached 100; p99 is 16.0 s, above the provider's 15 s (200 of 400)"
    assert what(parts) == "slow"


def test_too_few_users_are_told_from_a_busy_machine():
    slow = part(share=0.5, users=60, waited=60 * 1.95, milliseconds=1_200)
    assert said([slow, slow]) == (
        ", reached 50: all 60 users waited for answers (median 1.2 s; --users gives more of them)"
    )
    assert what([slow, slow]) == "users"
    busy = part(share=0.5, late=0.5)
    assert said([busy, busy]) == (
        ", reached 50: this machine could not send more, which says nothing of the receiver"
    )
    assert what([busy, busy]) == "machine"


@pytest.mark.parametrize(("late", "milliseconds"), [(0.5, 300), (0.0, 4)])
def test_waits_of_this_machine_are_none_of_the_receivers(late: float, milliseconds: int):
    """It says itself that it was late, or answers came too soon to explain what was under way."""
    parts = [part(seconds=1)]
    parts += [part(growth=30, late=late, milliseconds=milliseconds) for _ in range(3)]
    assert said(parts) == (
        ", reached 87.1; this machine could not keep up itself, which says nothing of the receiver"
    )
    assert what(parts) == "machine"


def test_the_time_in_which_workers_came_or_went_is_left_out():
    lost = part(share=0.2, lost_workers=1)
    parts = [part(seconds=1), part(), lost, part(seconds=1), part()]
    assert said(parts) == ", reached 100 (without 2 s in which workers came or went)"
    assert said([lost]) == "; nothing was measured to its end, as workers came and went"


def test_what_is_under_way_grows_anew_after_workers_came_or_went():
    """The others begin what the lost one had under way, whose answers take as long as ever."""
    begin = part(growth=200, waiting=200, longest=2.0, milliseconds=2_000)
    steady = part(waiting=200, milliseconds=2_000)
    parts = [begin, steady, part(lost_workers=1), begin, steady]
    assert said(parts).startswith(", reached 100 (without 2 s")
    assert what(parts) is None


def test_a_rate_that_was_not_kept_to_its_end_is_not_measured():
    assert said([], is_whole=False) == "; nothing was measured to its end"
    assert said([part(), part()], is_whole=False) == ", reached 100; it was ended after 4 s"
    assert what([], is_whole=False) == what([part(), part()], is_whole=False) == "short"
