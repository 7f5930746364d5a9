"""Rates that users hold: a worker counts while its master says so, and the master goes from rate to rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import msgspec
from locust import LoadTestShape
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_RUNNING, Runner

from retailops_sandbox.load.counts import LONGEST, Counts, total
from retailops_sandbox.load.pacing import users_for
from retailops_sandbox.load.series import LEAST_SCENARIOS, PROVIDER_MS
from retailops_sandbox.load.tally import Tally
from retailops_sandbox.load.workers import present

# The messages between master and workers, beside Locust's own.
_COUNT = "retailops count"
_COUNTED = "retailops counted"
_STOP_COUNTING = "retailops stop counting"

_LOOK = 0.05
"""Seconds between two looks at the users and the workers."""
_DRAIN = LONGEST / 1000
_SETTLE = 1.0
"""The fewest seconds for which users go on at a rate before they are counted."""
_REST = 2.0
"""The fewest seconds of rest after a rate that was too high: a receiver may remember it."""
_PATIENCE = 2.0
"""Seconds to wait for users that Locust does not start before it is asked for them again."""


class Counting:
    """Counts in a process that has users, from when its master says so until that says otherwise."""

    def __init__(self, runner: Runner, tally: Tally, delay: Callable[[], float]) -> None:
        """`delay` does nothing by the way that scenarios are run, and returns the seconds that this took."""
        self._runner = runner
        self._tally = tally
        self._delay = delay
        self._delays: list[float] = []
        self._watching: gevent.Greenlet | None = None
        runner.register_message(_COUNT, self._count)
        runner.register_message(_STOP_COUNTING, self._stop)

    def _count(self, environment: Environment, msg: Message) -> None:
        self._tally.open(self._runner.user_count)
        self._delays = []
        self._watching = gevent.spawn(self._watch, self._delays)

    def _stop(self, environment: Environment, msg: Message) -> None:
        if self._watching is None:
            return
        gevent.spawn(self._tell, msg.data, self._tally.close(), self._watching, self._delays)

    def _watch(self, delays: list[float]) -> None:
        while True:
            delays.append(self._delay())
            gevent.sleep(_LOOK)

    def _tell(
        self, asked: dict[str, Any], counts: Counts, watching: gevent.Greenlet, delays: list[float]
    ) -> None:
        """Tell the master what was counted, once it has ended; where that is asked, once all has ended."""
        with gevent.Timeout(_DRAIN, False):
            while self._tally.under_way(None if asked["all"] else counts):
                gevent.sleep(_LOOK)
        watching.kill(block=False)
        counts.late = sum(delays) / len(delays) if delays else 0.0
        counts.unfinished = self._tally.under_way(counts)
        told = {"number": asked["number"], "counts": msgspec.json.encode(counts)}
        self._runner.send_message(_COUNTED, told)


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


class Holding:
    """Has all workers hold a rate for a while, and counts."""

    def __init__(self, runner: Runner, shape: HeldRate, pace: float) -> None:
        """`pace` is the seconds from one scenario of a user to its next."""
        self._runner = runner
        self._shape = shape
        self._pace = pace
        self._number = 0
        self._told: dict[str, Counts] = {}
        """What workers counted, by their id: of the rate that is held now."""
        self._longest = 0.0
        """How many seconds answers took at the rate before."""
        runner.register_message(_COUNTED, self._take)

    def hold(self, rate: float, seconds: float, *, rest: bool = False) -> Measured:
        """What is counted at a rate in so many seconds, or in as many as enough scenarios need.

        With `rest`, the rate before was too high: what is under way ends first, and then nearly nothing is
        sent for a while.
        """
        if rest:
            self._reach(1)
            self.count(min(max(seconds, _REST), PROVIDER_MS / 1000), all_ended=True)
            self._longest = 0.0
        users = users_for(rate, self._pace)
        self._reach(users)
        gevent.sleep(max(_SETTLE, self._longest))
        self._reach(users)  # a worker may have been lost meanwhile
        measured = self.count(max(seconds, LEAST_SCENARIOS / rate * 1.05))
        # At the next rate all that is under way has begun at that rate.
        self._longest = min(measured.counts.percentile(0.99), PROVIDER_MS) / 1000
        return measured

    def reach(self, rate: float) -> None:
        """Have as many users as a rate needs, also after workers came or went."""
        self._reach(users_for(rate, self._pace))

    def count(self, seconds: float, *, all_ended: bool = False) -> Measured:
        """What is counted in so many seconds; with `all_ended`, once nothing else is under way either."""
        self._number += 1
        self._told = {}
        workers = present(self._runner)
        self._runner.send_message(_COUNT, {"number": self._number})
        gevent.sleep(seconds)
        at_the_end = present(self._runner)
        self._runner.send_message(_STOP_COUNTING, {"number": self._number, "all": all_ended})
        while any(worker not in self._told for worker in workers & present(self._runner)):
            gevent.sleep(_LOOK)
        counted = [counts for worker, counts in self._told.items() if worker in workers]
        lost = len(workers) - len(counted)
        return Measured(
            total(counted, at_once=True), lost, len((at_the_end | present(self._runner)) - workers)
        )

    def _take(self, environment: Environment, msg: Message) -> None:
        if msg.data["number"] == self._number:
            self._told[msg.node_id] = msgspec.json.decode(msg.data["counts"], type=Counts)

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
