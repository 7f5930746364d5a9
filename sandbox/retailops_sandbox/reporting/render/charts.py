"""Charts as numbers: positions of SVG marks, and tables with the same data. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from retailops_sandbox.reporting.render.shown import moment

WIDTH, HEIGHT = 720, 160
"""The size of the plot of latency, in pixels of the SVG."""
BINS_WIDTH = 116
"""The width of the distribution beside the plot of latency."""
RUNS_HEIGHT = 60
"""The height of the plot of runs, which is as wide as the plot of latency."""
_BINS_PER_DECADE = 6
_LONGEST = 1e8
"""The longest time that a chart shows, in milliseconds: more than a day, the most that a send may take."""
_QUANTILES = (50, 90, 99)


class Tick(msgspec.Struct, frozen=True):
    """A line across a chart."""

    y: float
    label: str


class Bin(msgspec.Struct, frozen=True):
    """A bar of a distribution: the number of deliveries that took from `low` to `high` milliseconds."""

    low: str
    high: str
    count: int
    y: float
    height: float
    width: float


class Dot(msgspec.Struct, frozen=True):
    """A delivery in the chart of latency."""

    x: float
    """In percent of the width."""
    y: float
    verdict: str
    id: str
    at: str
    total_ms: float


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Latency over time, on a logarithmic scale, with its distribution on the same scale."""

    count: int
    first: str
    last: str
    """The instants of the first and the last delivery."""
    verdicts: list[str]
    """The verdicts that the deliveries have."""
    dots: list[Dot]
    """A dot for each delivery, in order of time, but for those that the dot of a later one covers."""
    ticks: list[Tick]
    bins: list[Bin]
    quantiles: list[tuple[str, float]]
    """The name and the milliseconds of each quantile."""


class Sent(NamedTuple):
    """A delivery as the chart of latency needs it."""

    at: str
    """The instant of sending."""
    total_ms: float
    verdict: str
    id: str


def latency(sent: Sequence[Sent]) -> Latency | None:
    """The chart of deliveries; None if there are none."""
    dated = [(at.timestamp(), each) for each in sent if (at := moment(each.at)) is not None]
    if not dated:
        return None
    instants, sent = [at for at, _ in dated], [each for _, each in dated]
    first, span = min(instants), (max(instants) - min(instants)) or 1.0
    taken = sorted(_bounded(each.total_ms) for each in sent)
    bottom, top = math.floor(math.log10(taken[0])), math.ceil(math.log10(taken[-1]))
    top = max(top, bottom + 1)

    def height(milliseconds: float) -> float:
        return round(HEIGHT * (1 - (math.log10(_bounded(milliseconds)) - bottom) / (top - bottom)), 1)

    dots: dict[tuple[float, float], Dot] = {}
    for instant, each in sorted(zip(instants, sent, strict=True), key=lambda pair: (pair[0], pair[1].id)):
        place = round(100 * (instant - first) / span, 2), height(each.total_ms)
        dots.pop(place, None)
        dots[place] = Dot(*place, each.verdict, each.id, each.at, each.total_ms)
    return Latency(
        count=len(sent),
        first=min(each.at for each in sent),
        last=max(each.at for each in sent),
        verdicts=sorted({each.verdict for each in sent}),
        dots=list(dots.values()),
        ticks=[Tick(height(10.0**power), _spelled(10.0**power)) for power in range(bottom, top + 1)],
        bins=_bins(taken, bottom, top),
        quantiles=[
            *((f"{each} %", taken[math.ceil(len(taken) * each / 100) - 1]) for each in _QUANTILES),
            ("longest", taken[-1]),
        ],
    )


def _bounded(milliseconds: float) -> float:
    """A time that a chart can show, as run files from elsewhere can hold any number."""
    return min(max(milliseconds, 0.1), _LONGEST)


def _bins(taken: Sequence[float], bottom: int, top: int) -> list[Bin]:
    """The distribution of sorted times, from the shortest to the longest, without empty bins."""
    counts: dict[int, int] = {}
    for each in taken:
        number = min(
            math.floor((math.log10(each) - bottom) * _BINS_PER_DECADE), (top - bottom) * _BINS_PER_DECADE - 1
        )
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values())
    size = HEIGHT / ((top - bottom) * _BINS_PER_DECADE)
    return [
        Bin(
            low=_spelled(10 ** (bottom + number / _BINS_PER_DECADE)),
            high=_spelled(10 ** (bottom + (number + 1) / _BINS_PER_DECADE)),
            count=counts[number],
            y=round(HEIGHT - (number + 1) * size, 1),
            height=round(max(size - 1, 1), 1),
            width=round(max(1.0, BINS_WIDTH * counts[number] / most), 1),
        )
        for number in sorted(counts)
    ]


def _spelled(milliseconds: float) -> str:
    """A round number of milliseconds, or of seconds."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.3g} ms"


class Bar(msgspec.Struct, frozen=True):
    """The part of a run's bar for one verdict."""

    verdict: str
    count: int
    y: float
    height: float


class RunBar(msgspec.Struct, frozen=True):
    """A run as a bar."""

    id: str
    x: float
    width: float
    bars: list[Bar]
    words: str


def verdicts(runs: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> list[RunBar]:
    """A bar for each run, of its id and how many there are of each verdict; in the order given.

    The longest fills the height, and each verdict that there is can be seen.
    """
    most = max((sum(count for _, count in counts) for _, counts in runs), default=0)
    if not most:
        return []
    step = WIDTH / max(len(runs), 30)
    found = []
    for number, (id, counts) in enumerate(runs):
        bars, top = [], float(RUNS_HEIGHT)
        for verdict, count in reversed(counts):
            height = max(2.0, RUNS_HEIGHT * count / most)
            top -= height
            bars.append(Bar(verdict, count, round(top, 1), round(height, 1)))
        words = ", ".join(f"{count} {verdict}" for verdict, count in counts)
        found.append(RunBar(id, round(number * step, 1), round(max(step - 2, 1), 1), bars, words))
    return found
