"""A series of rates, each held for a while: which is measured next, and where answers change. Pure.

A rate at which answers change is not believed at once: the rate before is measured again, then that one
again. What is wrong is a change only where it is so much more often than at lower rates that it would come by
chance in less than one of a hundred cases, both times.
"""

# No `from __future__ import annotations`: msgspec would compile each string when the first count is decoded.

from collections.abc import Sequence
from typing import Literal

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.load.counts import Counts, is_more_often, total
from retailops_sandbox.load.wrong_answers import LATE, TOO_LONG

PROVIDER_MS = 15_000
"""How long RetailOPS' published tool waits for an answer."""
LEAST_SCENARIOS = 100
"""How many scenarios there must be at a rate for it to be judged."""
_SPARE = 1.05
"""How much longer a rate is held than these take on average."""
REACHED = 0.95
"""The part of a rate that must be reached for it to count as held."""
_CHANCE = 0.01
_SLOW_SHARE = 0.01
"""The part of the answers above the provider's time at which the 99th percentile passes it."""
_MOSTLY = 0.5
"""The part of wrong answers at the lowest rate from which on no higher one is tried."""
_LATE_SHARE = 0.1
"""The part of the provider's time by which a machine that sends may be late before it is the one to blame."""
_BUSY = 0.9
"""The part of the time that users wait for answers from which on there are too few of them."""
_LEAST_LATE = 0.05
_OWN_SHARE = 0.25
"""The seconds, and the part of the median, by which a machine that sends may be late and is not busy."""
_EXPLAINED = 0.5
"""The part of what is under way that the times of answers explain at least where a receiver falls behind."""
_SETTLE = 1.0
_SETTLERS = 5
"""The fewest seconds and scenarios that show how long answers take before anything is counted."""
_REST = 2.0
"""The fewest seconds of rest after a rate that was too high: a receiver may remember it."""
_MOST_DISTURBED = 4
"""How often in a row a rate is measured in vain before the series ends."""
_MOST_SHORT = 2
"""How often in a row a rate may not be reached before the series ends."""
_SEVERAL = "answers are wrong in several ways"
_MOST_STEPS = 1_000

What = Literal["wrong", "slow", "behind", "users", "machine", "short"]
RECEIVERS: frozenset[What] = frozenset(("wrong", "slow", "behind"))
"""What is the receiver's matter."""


UNMEASURED: frozenset[What] = frozenset(("machine", "short"))
"""What leaves open whether a rate is held."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is the matter at a rate: answers change or get slow, or the rate is not reached."""

    what: What
    """`behind`: fewer answers come than are asked for, so that waits grow. `users`: there are too few, as all
    wait for answers. `machine`: the one that sends cannot do more. `short`: the time is too short to tell."""
    kind: str = ""
    """What is wrong with the answers."""
    count: int = 0
    of: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A rate that was held for a while, and what came of it."""

    rate: float
    """The scenarios that were asked for in a second."""
    counts: Counts
    change: Change | None = None
    lost_workers: int = 0
    joined_workers: int = 0
    is_check: bool = False
    """Whether it was measured again to see whether the rate is why answers change."""

    @property
    def is_disturbed(self) -> bool:
        """Whether workers were lost or joined meanwhile. Such a step is not judged, but measured again."""
        return bool(self.lost_workers or self.joined_workers)


class StepLoad(msgspec.Struct, frozen=True):
    """The rates of a step load: from the first to the last, each held for some seconds."""

    first: float
    last: float
    by: float
    seconds: float = 30.0

    @classmethod
    def read(cls, text: str) -> "StepLoad":
        """What a user writes as `FROM:TO:STEP` or `FROM:TO:STEP:SECONDS`; UsageError where it is not that."""
        try:
            first, last, by, *seconds = map(float, text.split(":"))
            load = cls(first, last, by, *seconds)
            fits = 0 < first <= last < 1e6 and by > 0 and 1 <= load.seconds <= 86_400
        except (ValueError, TypeError):
            fits = False
        if not fits:
            raise UsageError(
                f"{text!r} is no step load",
                mend="write scenarios a second, and how long each rate is held: FROM:TO:STEP:SECONDS, "
                "such as 20:200:20:30",
            )
        if len(load.rates) > _MOST_STEPS:
            raise UsageError(f"{text!r} has more than {_MOST_STEPS:,} steps", mend="make STEP larger")
        return load

    def held_for(self, rate: float) -> float:
        """The seconds for which a rate is held: more where that is not enough to judge it."""
        return max(self.seconds, LEAST_SCENARIOS / rate * _SPARE)

    def takes(self, rate: float) -> float:
        """The seconds that a rate takes where answers come at once."""
        return settling(rate) + self.held_for(rate)

    @property
    def scenarios(self) -> float:
        """How many scenarios it needs where answers come within a second, with a change at the last rate."""
        return sum(rate * (self.takes(rate) + _SETTLE) for rate in (*self.rates, *self.rates[-2:]))

    @property
    def again(self) -> float:
        """The seconds more that a change at the last rate takes: the two last rates are held again."""
        return sum(resting(self.held_for(rate)) + self.takes(rate) for rate in self.rates[-2:])

    @property
    def rates(self) -> Sequence[float]:
        count = min(int((self.last - self.first) / self.by + 1e-9), _MOST_STEPS) + 1
        return [round(self.first + number * self.by, 6) for number in range(count)]


def settling(rate: float) -> float:
    """The seconds of which all must have ended at a rate before it is judged whether waits grow."""
    return max(_SETTLE, _SETTLERS / rate)


def resting(seconds: float) -> float:
    """The seconds of rest after a rate that was held for so long and was too high."""
    return min(max(seconds, _REST), PROVIDER_MS / 1000)


class Series:
    """Decides which rate is measured next, from what was measured."""

    def __init__(self, rates: Sequence[float]) -> None:
        self._rates = rates
        self.steps: list[Step] = []
        self.broken: Change | None = None
        """The change that ended the series; None where it was none."""
        self.broken_at = 0.0
        self.recovered: Step | None = None
        """The rate before, as it was measured after the change."""
        self.is_done = False
        self.gave_up = False
        """Whether it ended because workers were lost again and again."""
        self._position = 0
        self._phase: Literal["up", "back", "again"] = "up"
        self._disturbed = 0
        """How often in a row the rate was measured in vain, as workers came or went."""
        self._short = 0
        """How often in a row it was not reached for another reason than the receiver."""

    @property
    def rate(self) -> float:
        """The rate that is to be measured now."""
        return self._rates[self._position - 1 if self._phase == "back" else self._position]

    @property
    def needs_rest(self) -> bool:
        """Whether receiver or machine may still be busy with what was just measured."""
        return bool(self.steps) and self.steps[-1].change is not None

    @property
    def lowest(self) -> Step | None:
        """The first step that was judged."""
        return next((step for step in self.steps if not step.is_disturbed), None)

    @property
    def held(self) -> float:
        """The highest rate below the change at which all was as before; 0 where there is none."""
        rates = [step.rate for step in self.steps if step.change is None and not step.is_disturbed]
        return max((rate for rate in rates if self.broken is None or rate < self.broken_at), default=0.0)

    def add(self, counts: Counts, *, lost_workers: int = 0, joined_workers: int = 0) -> None:
        """Take what was measured at `rate`, and decide what comes next."""
        is_disturbed = bool(lost_workers or joined_workers)
        change = None if is_disturbed else self._change(self.rate, counts)
        step = Step(
            rate=self.rate,
            counts=counts,
            change=change,
            lost_workers=lost_workers,
            joined_workers=joined_workers,
            is_check=self._phase != "up",
        )
        self.steps.append(step)
        if is_disturbed:
            self._disturbed += 1
            self.gave_up = self.is_done = self._disturbed == _MOST_DISTURBED
            return
        self._disturbed = 0
        self._short = self._short + 1 if change is not None and change.what not in RECEIVERS else 0
        if self._short in (0, _MOST_SHORT):
            self._short = 0
            self._go_on(step)

    def _go_on(self, step: Step) -> None:
        change = step.change
        if self._phase == "back":
            self.recovered = step
            self._phase = "again"
            if change is not None and change.what in RECEIVERS:
                self._end(self._first_change())
        elif change is None:
            # What was seen once and not again is no matter of the rate.
            self.recovered = None
            self._phase = "up"
            self._up()
        elif change.what in ("machine", "users") or self._phase == "again" or self._position == 0:
            self._end(change)
        else:
            self._phase = "back"

    def _first_change(self) -> Change:
        """The change because of which the rate before was measured again."""
        return next(step.change for step in reversed(self.steps[:-1]) if step.change is not None)

    @property
    def is_mostly_wrong(self) -> bool:
        """Whether most answers were wrong at the lowest rate already, so that no other one is tried."""
        lowest = self.lowest
        return lowest is not None and lowest.counts.wrong_answers > lowest.counts.answers * _MOSTLY

    def _up(self) -> None:
        if self.is_mostly_wrong or self._position + 1 == len(self._rates):
            self.is_done = True
        else:
            self._position += 1

    def _end(self, change: Change) -> None:
        self.broken, self.broken_at = change, self._rates[self._position]
        self.is_done = True

    def _change(self, rate: float, counts: Counts) -> Change | None:
        """What is the matter with a step, by all steps before."""
        before = total(
            [step.counts for step in self.steps if step.change is None and not step.is_disturbed],
            at_once=False,
        )
        excused = set(LATE if is_late(counts) else ())
        if _is_busy(counts):
            excused.add(TOO_LONG)
        if before.answers:
            for kind, count in sorted(counts.wrong.items(), key=lambda each: -each[1]):
                if kind in excused:
                    continue
                was = before.wrong.get(kind, 0)
                if is_more_often(count, counts.answers, was, before.answers, chance=_CHANCE):
                    return Change(what="wrong", kind=kind, count=count, of=counts.answers)
            wrong = counts.wrong_answers - sum(counts.wrong.get(kind, 0) for kind in excused)
            if is_more_often(wrong, counts.answers, before.wrong_answers, before.answers, chance=_CHANCE):
                return Change(what="wrong", kind=_SEVERAL, count=wrong, of=counts.answers)
        return limit(rate, counts, counts)


def limit(rate: float, counts: Counts, steady: Counts) -> Change | None:
    """Why a rate is not held, whatever its answers say; `steady` counts from when the first ones had come."""
    slow = sum(number for time, number in counts.times.items() if time > PROVIDER_MS) + counts.unfinished
    if slow > _SLOW_SHARE * max(counts.answers + counts.unfinished, 1):
        what: What = "machine" if is_late(counts) else "slow"
        return Change(what=what, count=slow, of=counts.answers + counts.unfinished)
    if steady.growth > max(steady.begun * (1 - REACHED), steady.chance_growth):
        what = "machine" if _is_busy(steady) or _is_own(steady) else "behind"
        return Change(what=what, count=steady.begun - steady.growth, of=steady.begun)
    if counts.reached >= rate * REACHED:
        return None
    return Change(what="users" if all_wait(counts) else "machine")


def is_late(counts: Counts) -> bool:
    """Whether the machine that sends is so late that late answers say nothing of the receiver."""
    return counts.late * 1000 > PROVIDER_MS * _LATE_SHARE


def all_wait(counts: Counts) -> bool:
    """Whether the users could not begin more, as all of them waited for answers of the receiver."""
    return counts.waited >= _BUSY * counts.users * counts.seconds and not _is_busy(counts)


def _is_own(counts: Counts) -> bool:
    """Whether what is under way waits in this machine: answers do not take long enough to explain it.

    By Little's law: of waits that grow evenly, half of what is added is under way on average.
    """
    under_way = sum(time * number for time, number in counts.times.items()) / 1000 / counts.seconds
    return under_way < counts.growth / 2 * _EXPLAINED


def _is_busy(counts: Counts) -> bool:
    """Whether much of the time of answers is this machine's own."""
    return counts.late > max(_LEAST_LATE, _OWN_SHARE * counts.percentile(0.5) / 1000)
