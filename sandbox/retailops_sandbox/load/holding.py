"""Rates that users hold: a worker counts while its master says so, and the master goes from rate to rate."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import msgspec
from locust import LoadTestShape
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_RUNNING, Runner

from retailops_sandbox.load import verdict
from retailops_sandbox.load.counts import LONGEST, Counts, total
from retailops_sandbox.load.pacing import users_for
from retailops_sandbox.load.series import PROVIDER_MS, resting, settling
from retailops_sandbox.load.tally import Tally
from retailops_sandbox.load.workers import present

# The messages between master and workers, beside Locust's own.
_COUNT = "retailops count"
_COUNTED = "retailops counted"
_STOP_COUNTING = "retailops stop counting"

_LOOK = 0.05
"""Seconds between two looks at the users and the workers."""
_DRAIN = LONGEST / 1000
_PATIENCE = 2.0
"""Seconds to wait for users that Locust does not start before it is asked for them again."""
_PART = 2.0
"""The seconds that are counted at a time while a constant rate is kept: a worker that is lost takes what it
counted in these with it."""
_FIRST_SHARE = 0.25
_PART_SHARE = 0.1
"""The share of the time, at most, of the part that shows how long answers take, and of each other part."""
_LEAST = 0.1
"""Seconds that are too few to count anything."""


class Counting:
    """Counts in a process that has users, from when its master says so until that says otherwise."""

    def __init__(
        self, runner: Runner, tally: Tally, delay: Callable[[], float], begin_no_more: Callable[[], None]
    ) -> None:
        """`delay` does nothing by the way that scenarios are run, and returns the seconds that this took.

        After `begin_no_more` users begin no scenario.
        """
        self._runner = runner
        self._tally = tally
        self._delay = delay
        self._begin_no_more = begin_no_more
        self._number = 0
        """Of what is counted now; 0 for nothing."""
        self._has_ended = False
        """Whether users begin no more."""
        self._delays: list[float] = []
        self._watching: gevent.Greenlet | None = None
        runner.register_message(_COUNT, self._count)
        runner.register_message(_STOP_COUNTING, self._stop)

    def _count(self, environment: Environment, msg: Message) -> None:
        """Count from now on; what was counted up to now has ended."""
        counts = self._tally.open(self._runner.user_count)
        if counts is not None:
            self._spawn_telling(counts, _DRAIN)
        self._number = msg.data["number"]
        self._has_ended = False
        self._delays = []
        self._watching = gevent.spawn(self._watch, self._delays)

    def _stop(self, environment: Environment, msg: Message) -> None:
        if msg.data["ends"]:
            self._has_ended = True
            self._begin_no_more()
        if self._number:
            self._spawn_telling(self._tally.close(), msg.data["patience"], all_ended=msg.data["all"])
        self._number = 0

    def _watch(self, delays: list[float]) -> None:
        while True:
            delay = self._delay()
            # A machine that only waits for the last answers is not late, and was not because of that.
            if not self._has_ended:
                delays.append(delay)
            gevent.sleep(_LOOK)

    def _spawn_telling(self, counts: Counts, patience: float, *, all_ended: bool = False) -> None:
        gevent.spawn(self._tell, self._number, counts, patience, all_ended, self._watching, self._delays)

    def _tell(
        self,
        number: int,
        counts: Counts,
        patience: float,
        all_ended: bool,
        watching: gevent.Greenlet,
        delays: list[float],
    ) -> None:
        """Tell the master what was counted, once it has ended; where that is asked, once all has ended."""
        with gevent.Timeout(patience, False):
            while self._tally.under_way(None if all_ended else counts):
                gevent.sleep(_LOOK)
        watching.kill(block=False)
        counts.late = sum(delays) / len(delays) if delays else 0.0
        counts.unfinished = self._tally.under_way(counts)
        if counts.unfinished:
            counts.longest = _DRAIN
        self._runner.send_message(_COUNTED, {"number": number, "counts": msgspec.json.encode(counts)})


class HeldRate(LoadTestShape):
    """Locust's shape: as many users as the rate that is held now needs."""

    def __init__(self, users: int, spawn_rate: float) -> None:
        LoadTestShape.__init__(self)  # which is not annotated
        self.users = users
        self.spawn_rate = spawn_rate

    def tick(self) -> tuple[int, float]:
        return self.users, self.spawn_rate


class Measured(msgspec.Struct, frozen=True):
    """What all workers counted at a rate, and how many of them came and went meanwhile."""

    counts: Counts
    lost: int = 0
    joined: int = 0


class _Window(msgspec.Struct):
    """A time in which all workers count."""

    number: int
    workers: set[str]
    """Those that were there when it began."""
    at_the_end: set[str] = set()
    told: dict[str, Counts] = {}
    """What workers counted, by their id."""


class Holding:
    """Has all workers hold a rate for a while, and counts."""

    def __init__(self, runner: Runner, shape: HeldRate, pace: float, show: Callable[[str], None]) -> None:
        """`pace` is the seconds from one scenario of a user to its next; `show` takes what is done now."""
        self._runner = runner
        self._shape = shape
        self._pace = pace
        self._show = show
        self._windows: dict[int, _Window] = {}
        """By their numbers: those that are counted now, and the parts of a rate that is kept."""
        self._last = 0
        """The number of the latest one."""
        runner.register_message(_COUNTED, self._take)

    def hold(self, rate: float, seconds: float, *, rest: bool = False) -> Measured:
        """What is counted at a rate in so many seconds, after as many as its first answers need.

        With `rest`, the rate before was too high: what is under way ends first, and then nearly nothing is
        sent for a while.
        """
        said = verdict.rate(rate)
        if rest:
            self._show("rests")
            self._reach(1)
            self._count(resting(seconds), all_ended=True)
        self._show(f"users start for {said} a second")
        self.reach(rate)
        # What is under way grows until the first answers come, however well a receiver keeps up.
        self._show(f"waits for the first answers at {said} a second")
        self._count(settling(rate), patience=PROVIDER_MS / 1000)
        self.reach(rate)  # a worker may have been lost meanwhile
        self._show(f"counts at {said} a second")
        return self._count(seconds)

    def keep(self, rate: float, seconds: float) -> None:
        """Hold a rate for so long, from when all users have started, and count it part by part.

        After that users begin no more. Returns once what they began has ended.
        """
        self._windows = {}
        self._show("users start")
        self.reach(rate)
        end, part = time.monotonic() + seconds, min(settling(rate), seconds * _FIRST_SHARE)
        self._show("")
        while (left := end - time.monotonic()) > _LEAST:
            # Nothing is begun unseen between two parts, unless workers came or went.
            window = self._open()
            gevent.sleep(left if left - part < _LEAST else part)
            window.at_the_end = present(self._runner)
            part = min(_PART, seconds * _PART_SHARE)
            if window.at_the_end != window.workers:
                self._close()
                with gevent.Timeout(max(end - time.monotonic(), 0), False):
                    self.reach(rate)
                part = settling(rate)
        self._close(ends=True)
        self._show("waits for the last answers")
        for window in self._windows.values():
            self._wait_for(window)

    def kept(self) -> list[Measured]:
        """What was counted of each part of the rate that was kept, as far as it has ended."""
        return [self._measured(window) for window in self._windows.values() if self._is_told(window)]

    def reach(self, rate: float) -> None:
        """Have as many users as a rate needs, also after workers came or went."""
        self._reach(users_for(rate, self._pace))

    def _count(self, seconds: float, *, all_ended: bool = False, patience: float = _DRAIN) -> Measured:
        """What is counted in so many seconds, once it has ended; with `all_ended`, once all has."""
        self._windows = {}
        window = self._open()
        gevent.sleep(seconds)
        window.at_the_end = present(self._runner)
        self._close(all_ended=all_ended, patience=patience)
        self._wait_for(window)
        return self._measured(window)

    def _open(self) -> _Window:
        self._last += 1
        window = self._windows[self._last] = _Window(self._last, present(self._runner))
        self._runner.send_message(_COUNT, {"number": self._last})
        return window

    def _close(self, *, all_ended: bool = False, ends: bool = False, patience: float = _DRAIN) -> None:
        self._runner.send_message(_STOP_COUNTING, {"all": all_ended, "ends": ends, "patience": patience})

    def _is_told(self, window: _Window) -> bool:
        """Whether all workers that are still there have told what they counted."""
        return all(worker in window.told for worker in window.workers & present(self._runner))

    def _wait_for(self, window: _Window) -> None:
        while not self._is_told(window):
            gevent.sleep(_LOOK)

    def _measured(self, window: _Window) -> Measured:
        counted = [counts for worker, counts in window.told.items() if worker in window.workers]
        lost = len(window.workers) - len(counted)
        return Measured(total(counted, at_once=True), lost, len(window.at_the_end - window.workers))

    def _take(self, environment: Environment, msg: Message) -> None:
        window = self._windows.get(msg.data["number"])
        if window is not None:
            window.told[msg.node_id] = msgspec.json.decode(msg.data["counts"], type=Counts)

    def _reach(self, users: int) -> None:
        runner, shape = self._runner, self._shape
        shape.users = users
        waited = 0.0
        while (
            runner.target_user_count != shape.users
            or runner.user_count != shape.users
            or runner.state != STATE_RUNNING
        ):
            gevent.sleep(_LOOK)
            waited = waited + _LOOK if runner.state == STATE_RUNNING else 0.0
            if waited > _PATIENCE:
                # Locust starts the users of a lost worker again only where it was not just starting some.
                waited, shape.spawn_rate = 0.0, shape.spawn_rate * 1.001
