"""What a series of rates showed, in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from retailops_sandbox.load.constant import KeptRate
from retailops_sandbox.load.counts import Counts, total
from retailops_sandbox.load.series import (
    PROVIDER_MS,
    REACHED,
    RECEIVERS,
    Change,
    Series,
    Step,
    all_wait,
    is_late,
)
from retailops_sandbox.scenarios.scenario import Plan


def noun(plans: Sequence[Plan]) -> str:
    """What is counted by the second: what an action does to orders where each scenario does it once."""
    actions = {action for plan in plans for action, _ in plan.scenario.contracts}
    is_one = all(
        len(plan.scenario.steps) == 1
        and plan.scenario.steps[0].deliver.times == 1
        and plan.scenario.steps[0].repeat_while is None
        for plan in plans
    )
    verb = actions.pop().removeprefix("order_") if len(actions) == 1 else ""
    # A verb that takes an s; others are as `returned` and `shipment_submit`.
    return (
        f"{verb}s"
        if is_one and verb in ("cancel", "pull", "update", "complete", "acknowledge")
        else "scenarios"
    )


def step_line(step: Step, things: str) -> str:
    """What came of one step, in one line."""
    counts = step.counts
    said = f"{rate(step.rate)} {things} a second{' again' if step.is_check else ''}: "
    if step.is_disturbed:
        came_and_went = [(step.lost_workers, "lost"), (step.joined_workers, "new")]
        told = [f"{count} worker{'' if count == 1 else 's'} {what}" for count, what in came_and_went if count]
        return f"{said}{' and '.join(told)} meanwhile, so this is not judged"
    wrong = counts.wrong_answers
    return (
        f"{said}{rate(counts.reached)} reached, {counts.answers:,} answers, median"
        f" {_seconds(counts.percentile(0.5))}, p99 {_seconds(counts.percentile(0.99))}, "
        + (f"{wrong:,} wrong" if wrong else "none wrong")
    )


def rate_line(kept: KeptRate, things: str) -> str:
    """Which constant rate was asked for, which was reached, and why it was not held."""
    said = f"asked for {rate(kept.rate)} {things} a second"
    counts, change = kept.counts, kept.change
    if not counts.seconds:
        lost = ", as workers came and went" if kept.left_out else ""
        return f"{said}; nothing was measured to its end{lost}"
    is_own = change is not None and change.what == "machine"
    said += f", reached {rate(counts.sent if is_own else counts.reached)}"
    if change is not None:
        said += _why_not_held(change, kept)
    if not kept.is_whole:
        said += f"; it was ended after {counts.seconds + kept.left_out:.0f} s"
    if kept.left_out:
        said += f" (without {kept.left_out:.0f} s in which workers came or went)"
    return said


def _why_not_held(change: Change, kept: KeptRate) -> str:
    counts, steady = kept.counts, kept.steady
    if change.what == "slow":
        return f"; {_slow(counts)} ({_of(change.count, change.of)})"
    if change.what == "behind":
        p99 = _seconds(steady.percentile(0.99))
        return f"; {rate(steady.ended / steady.seconds)} answers came in a second, and waits grew (p99 {p99})"
    if change.what == "short":
        if not kept.is_whole:
            return ""
        return f"; whether waits grow cannot be told in this time (p99 {_seconds(counts.percentile(0.99))})"
    if counts.reached < kept.rate * REACHED:
        return f": {why_not(counts)}"
    return "; this machine could not keep up itself, which says nothing of the receiver"


def why_not(counts: Counts) -> str:
    """Why a rate was not reached."""
    if all_wait(counts):
        users = f"all {counts.users:,} users" if counts.users > 1 else "the one user"
        median = _seconds(counts.percentile(0.5))
        return f"{users} waited for answers (median {median}; --users gives more of them)"
    return "this machine could not send more, which says nothing of the receiver"


def line(series: Series, things: str) -> str:
    """What a receiver holds, and at which rate what changes; `things` are what is counted by the second."""
    change, lowest = series.broken, series.lowest
    if lowest is None:
        return _nothing(series)
    begin = _already_wrong(series, things)
    if change is None:
        return begin or _all_held(series, things)
    at = _at(series)
    if change.what == "machine":
        held = f"holds {rate(series.held)} {things} a second; " if series.held else ""
        return (
            f"{begin + '; ' if begin else held}{_machine(series, things)}, which says nothing of the receiver"
        )
    said = _said(change, series)
    if begin:
        return f"{begin}; at {at} {said}"
    if not series.held:
        return f"at {at} {things} a second, the lowest rate, {said}"
    return f"holds {rate(series.held)} {things} a second; at {at} {said}"


def _machine(series: Series, things: str) -> str:
    """How the machine that sends was the limit."""
    counts = series.steps[-1].counts
    if counts.reached >= series.broken_at * REACHED:
        own = f"was {_seconds(round(counts.late * 1000))} late" if is_late(counts) else "could not keep up"
        return f"at {rate(series.broken_at)} this machine {own} itself"
    most = max(step.counts.sent for step in series.steps if not step.is_disturbed)
    return (
        f"this machine could not send more than {rate(most)} {things} a second"
        f" ({rate(series.broken_at)} were asked)"
    )


def _nothing(series: Series) -> str:
    return "nothing was measured to its end" + (", as workers came and went" if series.gave_up else "")


def _all_held(series: Series, things: str) -> str:
    done = f"holds {rate(series.held)} {things} a second"
    if series.gave_up:
        return f"{done}; at {rate(series.rate)} workers came and went again and again"
    if not series.is_done:
        return f"{done}; it was stopped before a higher rate was measured"
    return f"{done}, the highest rate that was asked"


def _already_wrong(series: Series, things: str) -> str:
    """What was wrong at the lowest rate already; empty for nothing."""
    lowest = series.lowest
    if lowest is None or not lowest.counts.wrong:
        return ""
    counts = lowest.counts
    kind, count = max(counts.wrong.items(), key=lambda each: each[1])
    said = f"at {rate(lowest.rate)} {things} a second, the lowest rate, {kind} already"
    said += f" ({_of(count, counts.answers)})"
    if series.broken is None and series.is_mostly_wrong:
        said += "; no other rate was tried (does run pass? --orders gives orders that the receiver knows)"
    elif series.broken is None and series.is_done and series.held > lowest.rate:
        said += f"; no more of them do at up to {rate(series.held)}"
    return said


def _said(change: Change, series: Series) -> str:
    """What is the matter at the rate that ended the series, with the counts that say so."""
    if change.what == "users":
        step = series.steps[-1]
        return f"only {rate(step.counts.reached)} are reached: {why_not(step.counts)}"
    steps = _changed(change, series)
    if change.what == "behind":
        p99 = _seconds(max(_p99(step.counts) for step in steps))
        answered = min(step.counts.ended / step.counts.seconds for step in steps)
        said = f"answers fall behind: {rate(answered)} come in a second, and waits grow (p99 {p99})"
        return f"{said}{_from_then_on(change, series)}"
    said = change.kind if change.kind else _slow(max((step.counts for step in steps), key=_p99))
    counts = ", then ".join(_of(step.change.count, step.change.of) for step in steps[-2:] if step.change)
    back = series.recovered
    if back is not None and back.change is None:
        counts += f"; in between, at {rate(back.rate)}, {_none_or(back)}"
    return f"{said} ({counts}){_from_then_on(change, series)}"


def _p99(counts: Counts) -> int:
    return counts.percentile(0.99)


def _slow(counts: Counts) -> str:
    return f"p99 is {_seconds(_p99(counts))}, above the provider's {PROVIDER_MS // 1000} s"


def _changed(change: Change, series: Series) -> Sequence[Step]:
    """The steps at the rate that ended the series in which that was the matter."""
    return [
        step
        for step in series.steps
        if step.rate == series.broken_at
        and step.change is not None
        and (step.change.what, step.change.kind) == (change.what, change.kind)
    ]


def _from_then_on(change: Change, series: Series) -> str:
    """That the rate before, too, was no longer held; empty where it was."""
    back = series.recovered
    if back is None or back.change is None or back.change.what not in RECEIVERS:
        return ""
    counted = _of(back.change.count, back.change.of)
    if back.change.what == "behind":
        said = "" if change.what == "behind" else ": answers fall behind"
    elif (back.change.what, back.change.kind) == (change.what, change.kind):
        said = f": {counted}"
    else:
        said = f": {back.change.kind or _slow(back.counts)} ({counted})"
    return f", and from then on at {rate(back.rate)}, too{said}"


def _none_or(step: Step) -> str:
    wrong = step.counts.wrong_answers
    return f"{_of(wrong, step.counts.answers)}" if wrong else f"none of {step.counts.answers:,}"


def _at(series: Series) -> str:
    """The rate at which the series ended; with what was reached where that is less."""
    reached = total(
        [step.counts for step in series.steps if step.rate == series.broken_at and step.change], at_once=False
    ).reached
    asked = rate(series.broken_at)
    if series.broken is not None and series.broken.what == "wrong" and reached < series.broken_at * REACHED:
        return f"{asked} ({rate(reached)} were reached)"
    return asked


def rate(a_second: float) -> str:
    """A rate in as many digits as say something."""
    return f"{a_second:,.0f}" if a_second >= 100 or a_second == int(a_second) else f"{a_second:.3g}"


def _of(count: int, of: int) -> str:
    return f"{count:,} of {of:,}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1_000 else f"{milliseconds} ms"
