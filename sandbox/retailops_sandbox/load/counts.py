"""What was counted while a rate was held: by one worker, or by all of them. Pure."""

# No `from __future__ import annotations`: msgspec would compile each string when the first count is decoded.

import math
from collections.abc import Iterable

import msgspec

LONGEST = 30_000
"""The milliseconds for which scenarios are waited for that have begun."""
_NEGLIGIBLE = 1e-6
_MOST_KINDS = 50
_ONE_OF_A_HUNDRED = 2.33
"""Standard deviations that a normal distribution exceeds upwards in so few cases."""
OTHERWISE = "scenarios fail otherwise"
"""What is said of a scenario in which no answer was wrong, and of what is rare among much that is."""


class Counts(msgspec.Struct, kw_only=True):
    """What was counted of the scenarios that began while a rate was held, up to their ends."""

    seconds: float = 0.0
    """How long scenarios were begun; of several workers the longest."""
    users: int = 0
    begun: int = 0
    """Scenarios."""
    ended: int = 0
    """Scenarios that ended meanwhile, whenever they had begun."""
    waiting: int = 0
    """Scenarios that were under way at the end."""
    answers: int = 0
    """Deliveries that ended, with an answer or a fault."""
    wrong: dict[str, int] = {}
    """The number of wrong answers, by what is wrong with them: each counts once."""
    times: dict[int, int] = {}
    """The number of deliveries by how long they took: milliseconds, rounded up to two digits and more."""
    waited: float = 0.0
    """The seconds that all scenarios took together."""
    longest: float = 0.0
    """The seconds that the longest of them took; LONGEST where one had not ended."""
    late: float = 0.0
    """The seconds by which this machine was late with what it had to do: the worst worker's average."""
    unfinished: int = 0
    """Scenarios that had not ended when nobody waited for them any longer."""

    @property
    def wrong_answers(self) -> int:
        return sum(self.wrong.values())

    @property
    def reached(self) -> float:
        """Scenarios that were begun in a second."""
        return self.begun / self.seconds if self.seconds else 0.0

    @property
    def sent(self) -> float:
        """Scenarios that went out in a second, at least, where the machine is late that sends them."""
        return min(self.begun, self.ended) / self.seconds if self.seconds else 0.0

    def add_answer(self, milliseconds: float, wrong: str) -> None:
        """Count a delivery, and what is wrong with it; empty for nothing."""
        self.answers += 1
        bucket = rounded(milliseconds)
        self.times[bucket] = self.times.get(bucket, 0) + 1
        if wrong:
            self.add_wrong(wrong)

    def add_wrong(self, wrong: str) -> None:
        """Count an answer that is wrong; those beyond so many kinds count as one."""
        if wrong not in self.wrong and len(self.wrong) >= _MOST_KINDS:
            wrong = OTHERWISE
        self.wrong[wrong] = self.wrong.get(wrong, 0) + 1

    @property
    def growth(self) -> int:
        """By how many scenarios more were under way at the end than at the beginning."""
        return self.begun - self.ended

    @property
    def chance_growth(self) -> float:
        """By how many more there would be by chance in one of a hundred cases, if waits did not grow.

        Where scenarios begin by chance and take times of any kind, the number under way is Poisson's, with
        its mean as variance (Little's law gives the mean). Ours begin evenly spread, and vary less.
        """
        return _ONE_OF_A_HUNDRED * math.sqrt(max(2 * self.waiting - self.growth, 0))

    def percentile(self, share: float) -> int:
        """The milliseconds within which this share of the deliveries ended; 0 where there were none.

        LONGEST where it is among those that had not ended.
        """
        needed, seen = math.ceil((self.answers + self.unfinished) * share), 0
        for milliseconds in sorted(self.times):
            seen += self.times[milliseconds]
            if seen >= needed:
                return milliseconds
        return LONGEST if self.unfinished else 0


def total(counts: Iterable[Counts], *, at_once: bool) -> Counts:
    """Several counts as one: of workers that counted at once, or one after the other."""
    whole = Counts()
    for each in counts:
        whole.seconds = max(whole.seconds, each.seconds) if at_once else whole.seconds + each.seconds
        whole.users = whole.users + each.users if at_once else max(whole.users, each.users)
        whole.waiting = whole.waiting + each.waiting if at_once else max(whole.waiting, each.waiting)
        whole.late = max(whole.late, each.late)
        whole.longest = max(whole.longest, each.longest)
        for name in ("begun", "ended", "answers", "waited", "unfinished"):
            setattr(whole, name, getattr(whole, name) + getattr(each, name))
        for wrong, number in each.wrong.items():
            whole.wrong[wrong] = whole.wrong.get(wrong, 0) + number
        for milliseconds, number in each.times.items():
            whole.times[milliseconds] = whole.times.get(milliseconds, 0) + number
    return whole


def rounded(milliseconds: float) -> int:
    """Milliseconds rounded up: whole ones below 100, tens below 1,000, else hundreds."""
    step = 1 if milliseconds <= 100 else 10 if milliseconds <= 1_000 else 100
    return math.ceil(milliseconds / step) * step


def is_more_often(count: int, of: int, count_before: int, of_before: int, *, chance: float) -> bool:
    """Whether something happened more often than before, and that would come by chance in so few cases.

    Fisher's exact test, one-sided: how likely would so many, or more, of all that happened fall into these?
    """
    if not count or not of or (of_before and count * of_before <= count_before * of):
        return False
    everything, happened = of + of_before, count + count_before
    likely = 0.0
    for each in range(count, min(of, happened) + 1):
        ways = _ways(happened, each) + _ways(everything - happened, of - each)
        more = math.exp(ways - _ways(everything, of))
        likely += more
        if likely >= chance or more < chance * _NEGLIGIBLE:
            break  # each further number is less likely than the one before
    return likely < chance


def _ways(things: int, chosen: int) -> float:
    """The logarithm of how many ways there are to choose; minus infinity for none."""
    if not 0 <= chosen <= things:
        return -math.inf
    return math.lgamma(things + 1) - math.lgamma(chosen + 1) - math.lgamma(things - chosen + 1)
