from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.load.counts import Counts, is_more_often, rounded, total
from retailops_sandbox.load.series import Series, Step, StepLoad
from retailops_sandbox.load.verdict import line, noun, step_line
from tests.support.playing import plan

LOST = "answers lose their events"
CLOSED = "connections are closed without an answer (closed)"


def counted(
    rate: float,
    *,
    share: float = 1.0,
    milliseconds: int = 20,
    late: float = 0.0,
    users: int = 0,
    waited: float = 0.0,
    slow: int = 0,
    growth: int = 0,
    **wrong: int,
) -> Counts:
    """What 30 seconds at a rate give, of which a share was reached; `lost` and `closed` are wrong answers."""
    begun = round(rate * 30 * share)
    kinds = {"lost": LOST, "closed": CLOSED}
    return Counts(
        seconds=30,
        users=users or round(rate * 15),
        begun=begun,
        ended=begun - growth,
        waiting=growth,
        answers=begun,
        wrong={kinds[name]: count for name, count in wrong.items() if count},
        times={rounded(milliseconds): begun - slow, 15_100: slow} if slow else {milliseconds: begun},
        late=late,
        waited=waited,
    )


def judged(rates: list[float], measure: Callable[[float], Counts]) -> Series:
    series = Series(rates)
    while not series.is_done:
        assert series.needs_rest == bool(series.steps and series.steps[-1].change)
        series.add(measure(series.rate))
    return series


def test_a_series_that_stays_right_is_held_to_its_end() -> None:
    series = judged([20, 40, 60], counted)
    assert [step.rate for step in series.steps] == [20, 40, 60]
    assert line(series, "cancels") == "holds 60 cancels a second, the highest rate that was asked"


def test_a_change_is_confirmed_at_the_rate_before_and_again() -> None:
    series = judged([120, 140, 160, 180], lambda rate: counted(rate, lost=48 if rate >= 160 else 0))
    assert [(step.rate, step.is_check) for step in series.steps] == [
        (120, False),
        (140, False),
        (160, False),
        (140, True),
        (160, True),
    ]
    assert line(series, "cancels") == (
        "holds 140 cancels a second; at 160 answers lose their events"
        " (48 of 4,800, then 48 of 4,800; in between, at 140, none of 4,200)"
    )


def test_what_is_wrong_once_and_not_again_is_no_matter_of_the_rate() -> None:
    once = iter([48])
    series = judged([140, 160, 180], lambda rate: counted(rate, lost=next(once, 0) if rate == 160 else 0))
    assert [step.rate for step in series.steps] == [140, 160, 140, 160, 180]
    assert series.broken is None
    assert series.held == 180


def test_a_receiver_that_does_not_recover_is_told_so() -> None:
    broken = False

    def measure(rate: float) -> Counts:
        nonlocal broken
        broken = broken or rate >= 160
        return counted(rate, closed=60 if broken else 0)

    series = judged([140, 160, 180], measure)
    assert [step.rate for step in series.steps] == [140, 160, 140]
    assert line(series, "cancels") == (
        "holds 140 cancels a second; at 160 connections are closed without an answer (closed)"
        " (60 of 4,800), and from then on at 140, too: 60 of 4,200"
    )


def test_one_wrong_answer_of_thousands_is_no_change() -> None:
    series = judged([140, 160], lambda rate: counted(rate, lost=1 if rate == 160 else 0))
    assert series.broken is None
    assert series.steps[1].counts.wrong_answers == 1


def test_answers_that_are_wrong_each_in_its_own_way_are_a_change_together() -> None:
    def measure(rate: float) -> Counts:
        wrong = {f"answers have an unexpected /{number}": 1 for number in range(20 if rate == 160 else 0)}
        return msgspec.structs.replace(counted(rate), wrong=wrong)

    assert line(judged([140, 160], measure), "cancels").startswith(
        "holds 140 cancels a second; at 160 answers are wrong in several ways (20 of 4,800, then 20 of 4,800;"
    )


def test_what_is_wrong_at_the_lowest_rate_is_told_and_only_more_of_it_is_a_change() -> None:
    series = judged([20, 40, 60], lambda rate: counted(rate, lost=round(rate * 30 * 0.01)))
    assert line(series, "cancels") == (
        "at 20 cancels a second, the lowest rate, answers lose their events already (6 of 600);"
        " no more of them do at up to 60"
    )
    more = judged(
        [20, 40, 60], lambda rate: counted(rate, lost=round(rate * 30 * (0.3 if rate == 60 else 0.01)))
    )
    assert more.broken_at == 60
    assert line(more, "cancels").startswith(
        "at 20 cancels a second, the lowest rate, answers lose their events alr"
    )
    assert "; at 60 answers lose their events (540 of 1,800, then 540" in line(more, "cancels")


def test_no_higher_rate_is_tried_where_most_answers_are_wrong_at_the_lowest() -> None:
    series = judged([20, 40, 60], lambda rate: counted(rate, lost=round(rate * 30 * 0.9)))
    assert [step.rate for step in series.steps] == [20]
    assert line(series, "cancels") == (
        "at 20 cancels a second, the lowest rate, answers lose their events already (540 of 600);"
        " no other rate was tried (does run pass? --orders gives orders that the receiver knows)"
    )


def test_answers_above_the_providers_time_are_a_change() -> None:
    series = judged([140, 160], lambda rate: counted(rate, slow=100 if rate == 160 else 0))
    assert line(series, "cancels") == (
        "holds 140 cancels a second; at 160 p99 is 15.1 s, above the provider's 15 s"
        " (100 of 4,800, then 100 of 4,800; in between, at 140, none of 4,200)"
    )


def test_answers_that_fall_behind_are_a_change_although_none_is_late_yet() -> None:
    def measure(rate: float) -> Counts:
        behind = round(max(0, rate - 150) * 30)
        return counted(rate, growth=behind, milliseconds=2_000 if behind else 20)

    series = judged([140, 160, 180], measure)
    assert [step.rate for step in series.steps] == [140, 160, 140, 160]
    assert line(series, "cancels") == (
        "holds 140 cancels a second; at 160 answers fall behind: 150 come in a second, and waits grow"
        " (p99 2.0 s)"
    )
    busy = judged([140, 160], lambda rate: msgspec.structs.replace(measure(rate), late=1.0))
    assert busy.broken is not None
    assert busy.broken.what == "machine"


def test_waits_that_grow_by_chance_are_no_change() -> None:
    # 100 under way may have been 80 a moment before.
    def measure(rate: float) -> Counts:
        return msgspec.structs.replace(counted(rate, growth=20, milliseconds=5_000), waiting=100)

    assert judged([10], measure).broken is None


def test_what_waits_in_this_machine_does_not_make_the_receiver_fall_behind() -> None:
    """Answers of 20 ms explain 3 scenarios under way at 150 a second, and no 300."""
    series = judged([150], lambda rate: counted(rate, growth=300, milliseconds=20))
    assert line(series, "cancels") == (
        "at 150 this machine could not keep up itself, which says nothing of the receiver"
    )


def test_answers_that_take_too_long_for_a_scenario_are_a_busy_machines_own() -> None:
    def measure(rate: float, late: float) -> Counts:
        wrong = {"answers take longer than the scenario allows": 100} if rate == 160 else {}
        return msgspec.structs.replace(counted(rate, late=late), wrong=wrong)

    assert judged([140, 160], lambda rate: measure(rate, 0.2)).broken is None
    assert judged([140, 160], lambda rate: measure(rate, 0.0)).broken_at == 160


def test_each_figure_is_of_the_rate_that_the_line_names() -> None:
    """A receiver that falls behind at 80, and answers nothing in time when it is back at 60."""

    def measure(rate: float) -> Counts:
        if not series.steps or series.rate == 60 != series.steps[-1].rate != 80:
            return counted(rate)
        if rate == 80:
            return counted(rate, growth=1_000, milliseconds=7_700)
        return counted(rate, milliseconds=15_100, share=0.5, growth=400, closed=900)

    series = Series([60, 80])
    while not series.is_done:
        series.add(measure(series.rate))
    assert [step.rate for step in series.steps] == [60, 80, 60]
    assert line(series, "cancels") == (
        "holds 60 cancels a second; at 80 answers fall behind: 46.7 come in a second, and waits grow"
        " (p99 7.7 s), and from then on at 60, too:"
        " connections are closed without an answer (closed) (900 of 900)"
    )


def test_a_machine_that_cannot_send_more_says_nothing_of_the_receiver() -> None:
    series = judged([140, 160, 180], lambda rate: counted(rate, share=min(1.0, 147 / rate), late=0.2))
    assert [step.rate for step in series.steps] == [140, 160, 160]
    assert line(series, "cancels") == (
        "holds 140 cancels a second; this machine could not send more than 147 cancels a second"
        " (160 were asked), which says nothing of the receiver"
    )


def test_slow_answers_on_a_machine_that_is_late_are_its_own() -> None:
    series = judged([140, 160], lambda rate: counted(rate, slow=100 if rate == 160 else 0, late=2.0))
    assert line(series, "cancels") == (
        "holds 140 cancels a second; at 160 this machine was 2.0 s late itself,"
        " which says nothing of the receiver"
    )


def test_wrong_answers_count_also_where_the_machine_is_late() -> None:
    series = judged(
        [140, 160],
        lambda rate: counted(rate, share=0.9 if rate == 160 else 1.0, late=0.2, lost=rate == 160 and 50),
    )
    assert line(series, "cancels").startswith(
        "holds 140 cancels a second; at 160 (144 were reached) answers lose their events (50 of 4,320"
    )


def test_too_few_users_are_told_from_a_busy_machine() -> None:
    def measure(rate: float) -> Counts:
        users, slow = 100, rate == 160
        waited = 100 * 30 * 0.99 if slow else 10.0
        return counted(rate, share=0.5 if slow else 1.0, users=users, waited=waited, milliseconds=1_200)

    assert line(judged([60, 160], measure), "cancels") == (
        "holds 60 cancels a second; at 160 only 80 are reached: all 100 users waited for answers"
        " (median 1.2 s; --users gives more of them)"
    )


def test_a_step_in_which_a_worker_was_lost_is_measured_again() -> None:
    series = Series([20, 40])
    series.add(counted(20))
    series.add(counted(40, share=0.6, lost=30), lost_workers=1)
    assert series.rate == 40
    assert not series.is_done
    series.add(counted(40))
    assert series.is_done
    assert series.broken is None
    assert series.held == 40


def test_a_rate_that_was_disturbed_twice_may_still_fall_short_once() -> None:
    series = Series([20, 40])
    series.add(counted(20))
    series.add(counted(40), lost_workers=1)
    series.add(counted(40), joined_workers=1)
    series.add(counted(40, share=0.8, late=0.1))
    assert not series.is_done
    series.add(counted(40))
    assert series.is_done
    assert series.held == 40


def test_a_series_ends_where_workers_are_lost_again_and_again() -> None:
    series = Series([20, 40])
    series.add(counted(20))
    for _ in range(4):
        assert not series.is_done
        series.add(counted(40), lost_workers=1)
    assert series.is_done
    assert line(series, "cancels") == "holds 20 cancels a second; at 40 workers came and went again and again"


def test_a_series_that_was_stopped_says_how_far_it_came() -> None:
    series = Series([20, 40])
    assert line(series, "cancels") == "nothing was measured to its end"
    series.add(counted(20))
    assert (
        line(series, "cancels")
        == "holds 20 cancels a second; it was stopped before a higher rate was measured"
    )


@pytest.mark.parametrize(
    ("text", "rates", "seconds"),
    [("20:60:20", [20, 40, 60], 30), ("0.5:2:0.5:10", [0.5, 1, 1.5, 2], 10), ("20:59:20:1", [20, 40], 1)],
)
def test_a_step_load_is_read(text: str, rates: list[float], seconds: float) -> None:
    load = StepLoad.read(text)
    assert load.rates == rates
    assert load.seconds == seconds


def test_a_step_load_tells_how_long_it_takes_and_how_much_it_needs() -> None:
    load = StepLoad.read("20:40:20:3")
    assert [load.takes(rate) for rate in load.rates] == [6.25, 4], "100 scenarios take longer than 3 s at 20"
    assert load.again == pytest.approx(5.25 + 6.25 + 3 + 4)
    assert load.scenarios == pytest.approx(2 * (20 * 7.25 + 40 * 5))


@pytest.mark.parametrize(
    "text", ["", "20", "20:60", "60:20:10", "a:b:c", "0:10:1", "1:2:0", "1:2:1:0", "1:2:1:1:1"]
)
def test_what_is_no_step_load_says_what_is_one(text: str) -> None:
    with pytest.raises(UsageError, match="FROM:TO:STEP"):
        StepLoad.read(text)


def test_a_step_load_has_an_end() -> None:
    with pytest.raises(UsageError, match="more than 1,000 steps"):
        StepLoad.read("1:100000:1")


def test_chance_is_fishers() -> None:
    # 4 of 4 against 0 of 4: one way of 70.
    assert is_more_often(4, 4, 0, 4, chance=0.0143)
    assert not is_more_often(4, 4, 0, 4, chance=0.0142)
    assert not is_more_often(0, 10, 0, 10, chance=0.5)
    assert not is_more_often(1, 100, 10, 1_000, chance=0.99)
    assert is_more_often(100_000, 1_000_000, 90_000, 1_000_000, chance=1e-9)


def test_percentiles_are_those_within_which_so_many_ended() -> None:
    counts = Counts()
    for milliseconds in range(1, 201):
        counts.add_answer(milliseconds, "")
    assert (counts.percentile(0.5), counts.percentile(0.99), counts.percentile(1)) == (100, 200, 200)
    assert Counts().percentile(0.99) == 0
    assert [rounded(each) for each in (0.2, 99.5, 101, 15_000, 15_001)] == [1, 100, 110, 15_000, 15_100]


def test_kinds_beyond_so_many_count_as_one() -> None:
    counts = Counts()
    for number in range(200):
        counts.add_answer(1, f"answers have an unexpected /{number}")
    assert len(counts.wrong) == 51
    assert counts.wrong["scenarios fail otherwise"] == 150


def test_counts_of_workers_and_of_steps_are_added() -> None:
    one, other = counted(10, lost=1), counted(20, lost=2, closed=1)
    at_once = total([one, other], at_once=True)
    assert (at_once.seconds, at_once.begun, at_once.users) == (30, 900, 450)
    assert at_once.wrong == {LOST: 3, CLOSED: 1}
    assert at_once.reached == 30
    assert total([one, other], at_once=False).seconds == 60
    assert one.wrong == {LOST: 1}


# --- words ---


def held(counts: Counts, **more: int) -> Step:
    return Step(rate=100, counts=counts, **more)


def test_a_step_is_told_in_one_line() -> None:
    assert step_line(held(counted(100, lost=3)), "cancels") == (
        "100 cancels a second: 100 reached, 3,000 answers, median 20 ms, p99 20 ms, 3 wrong"
    )
    lost = held(counted(100), lost_workers=2, joined_workers=1)
    assert step_line(lost, "cancels") == (
        "100 cancels a second: 2 workers lost and 1 worker new meanwhile, so this is not judged"
    )


@pytest.mark.parametrize(
    ("steps", "action", "word"),
    [
        ([{}], "order_cancel", "cancels"),
        ([{}, {}], "order_cancel", "scenarios"),
        ([{"deliver": {"times": 2}}], "order_cancel", "scenarios"),
        ([{}], "order_returned", "scenarios"),
        ([{}], "inventory_push", "scenarios"),
    ],
)
def test_what_is_counted_by_the_second_has_a_name(
    steps: list[dict[str, Any]], action: str, word: str
) -> None:
    assert noun([plan(*steps, action=action)]) == word
