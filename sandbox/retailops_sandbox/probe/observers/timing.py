"""How long answers take: one at a time, several at once, and after many.

What is measured on a busy machine is only ever too long: the fastest of several is what a receiver can do. So
each finding needs both a relative and an absolute limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.report import Observation

PROVIDER_MS = 15_000
"""How long RetailOPS' published tool waits for an answer, in milliseconds."""
_SLOW_MS = 500
"""The fastest answer above which a receiver is slow."""
_SERIAL_MS = 40
"""The fastest answer above which it matters that others wait for it."""
_SERIAL_SHARE = 0.6
"""The part of the time of as many single requests that several at once take if they wait for each other."""
_LEAST_SERIAL = 4
"""The fewest requests at once by which that is judged."""
_WINDOWS = 6
_LEAST_SERIES = 24
"""The fewest answers by which it is judged whether each takes longer than the one before."""
_SLOWER_TIMES = 3.0
_SLOWER_MS = 60
_MOST = 20_000
"""The number of times that are remembered."""


class Timing:
    """The times of answers to valid requests, in milliseconds."""

    def __init__(self) -> None:
        self._single: list[float] = []
        self._shown_single: Observation | None = None
        self._groups: dict[str, list[float]] = {}
        self._shown: dict[str, Observation] = {}
        self._series: list[float] = []
        self._last: Observation | None = None

    def observe(self, reading: Reading) -> Iterator[Observation]:
        """Take an answer's time into account, and tell where it is over the provider's limit."""
        timings = reading.delivery.timings
        # A full queue of connections costs a second and more: that is the system's, not the receiver's work.
        total = timings.total - timings.lookup - timings.connect - timings.tls
        if (
            reading.trial.demand != "accept"
            or reading.is_hung_up
            or reading.answered.probe.area == "transport"
        ):
            return
        if not reading.is_2xx:
            return
        first, at_once = reading.group
        if reading.answered.probe.area == "speed":
            if at_once > 1:
                name = f"{reading.answered.probe.id} {first}"
                self._groups.setdefault(name, []).append(total)
                self._shown[name] = reading.shows("serialised", print="serialised")
            elif len(self._single) < _MOST:
                self._single.append(total)
                self._shown_single = reading.shows("slow", print="slow")
        if at_once == 1 and len(self._series) < _MOST:
            self._series.append(total)
            self._last = reading.shows("slows-down", area="speed", print="slows-down")
        if total > PROVIDER_MS:
            yield reading.shows("too-late", f"answered after {total / 1000:.1f} s", area="speed")

    def finish(self) -> Iterator[Observation]:
        """What the times show together."""
        yield from self._serialised()
        yield from self._slow()
        yield from self._slower()

    def _serialised(self) -> Iterator[Observation]:
        single = min(self._single, default=0.0)
        if single < _SERIAL_MS:
            return
        for name, totals in self._groups.items():
            ordered, count = sorted(totals), len(totals)
            if count < _LEAST_SERIAL or ordered[-1] < _SERIAL_SHARE * count * single:
                continue
            # Each waits for those before it: half of them are done at half of the time.
            if ordered[0] <= 3 * single and ordered[count // 2] < 0.75 * ordered[-1]:
                detail = (
                    f"{count} at once took {_seconds(ordered[-1])}, {ordered[-1] / single:.0f} times as long "
                    f"as one ({_seconds(single)})"
                )
                yield replace(self._shown[name], detail=detail)

    def _slow(self) -> Iterator[Observation]:
        fastest = min(self._single, default=0.0)
        if fastest >= _SLOW_MS and self._shown_single is not None:
            yield replace(self._shown_single, detail=f"the fastest answer took {_seconds(fastest)}")

    def _slower(self) -> Iterator[Observation]:
        size = len(self._series) // _WINDOWS
        if len(self._series) < _LEAST_SERIES or self._last is None:
            return
        windows = [self._series[at * size : (at + 1) * size] for at in range(_WINDOWS)]
        fastest = [min(each) for each in windows]
        grows = all(later >= 0.95 * before for before, later in pairwise(fastest))
        first, last = fastest[0], fastest[-1]
        if grows and last >= _SLOWER_TIMES * first and last - first >= _SLOWER_MS:
            detail = f"from {_seconds(first)} to {_seconds(last)} within {len(self._series)} requests"
            yield replace(self._last, detail=detail)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 950 else f"{milliseconds:.0f} ms"
