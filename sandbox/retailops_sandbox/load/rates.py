"""The rates that a test holds, one after the other, and what is said of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent
from locust.env import Environment
from locust.runners import Runner

from retailops_sandbox.load import verdict
from retailops_sandbox.load.holding import HeldRate, Holding
from retailops_sandbox.load.pacing import users_for
from retailops_sandbox.load.series import RECEIVERS, Series, Step
from retailops_sandbox.load.setup import LoadSetup

_PART = 5.0
"""The seconds that are counted at a time while a constant rate is held: a worker that is lost takes what it
counted in these with it."""
_LEAST = 0.1
"""Seconds that are too few to count anything."""
_AT_ONCE = 1e6
"""Users a second, where nothing is said: they begin one after the other all the same."""


class Rates:
    """Holds the rates of a setup, from the start of a test to its end."""

    def __init__(
        self,
        environment: Environment,
        setup: LoadSetup,
        ended: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """`ended` is called when all is measured; `say` takes what comes of each rate, in a line."""
        self._environment = environment
        self._setup = setup
        self._ended = ended
        self._say = say
        self._things = verdict.noun(setup.plans)
        self._series = Series(setup.step_load.rates) if setup.step_load else None
        self._parts: list[Step] = []
        self._holding: Holding | None = None
        self._greenlet: gevent.Greenlet | None = None
        first = setup.step_load.first if setup.step_load else setup.rate
        self._shape = HeldRate(users_for(first, setup.pace), setup.spawn_rate or _AT_ONCE)
        environment.shape_class = self._shape
        # Users wait before they begin: it does no harm to start many at once.
        logging.getLogger("locust.runners").addFilter(_is_of_interest)

    def attach(self, runner: Runner) -> None:
        """Take the runner, which is made after the environment."""
        self._shape.runner = runner
        self._holding = Holding(runner, self._shape, self._setup.pace)

    def begin(self) -> None:
        """Begin to hold the first rate: the test has started."""
        self.end()
        load = self._setup.step_load
        self._series = Series(load.rates) if load else None
        self._parts = []
        self._greenlet = gevent.spawn(self._hold)

    def end(self) -> None:
        """Measure nothing more."""
        if self._greenlet is not None and self._greenlet is not gevent.getcurrent():
            self._greenlet.kill()

    @property
    def is_limit_found(self) -> bool:
        """Whether there is a rate at which the receiver does not hold what it held before."""
        broken = self._series.broken if self._series is not None else None
        return broken is not None and broken.what in RECEIVERS

    @property
    def asked(self) -> str:
        """What is asked of the receiver, in words."""
        load, users = self._setup.step_load, self._setup.users
        if load is None:
            return f"{verdict.rate(self._setup.rate)} {self._things} a second, by {users:,} users"
        rates = f"{verdict.rate(load.first)} to {verdict.rate(load.last)}"
        return f"{rates} {self._things} a second, by up to {users:,} users"

    @property
    def line(self) -> str:
        """What was found, in one line."""
        if self._series is not None:
            return verdict.line(self._series, self._things)
        return verdict.rate_line(self._setup.rate, self._parts, self._things)

    def _hold(self) -> None:
        if self._series is not None:
            self._climb(self._series)
        else:
            self._keep()
        self._ended()

    def _climb(self, series: Series) -> None:
        """Go from rate to rate, and say what comes of each."""
        assert self._holding is not None
        assert self._setup.step_load is not None
        while not series.is_done:
            measured = self._holding.hold(series.rate, self._setup.step_load.seconds, rest=series.needs_rest)
            series.add(measured.counts, lost_workers=measured.lost, joined_workers=measured.joined)
            self._say(verdict.step_line(series.steps[-1], self._things))

    def _keep(self) -> None:
        """Hold one rate for as long as is asked, and count it part by part."""
        assert self._holding is not None
        self._holding.reach(self._setup.rate)
        end = time.monotonic() + self._setup.seconds
        while (left := end - time.monotonic()) > _LEAST:
            self._holding.reach(self._setup.rate)
            measured = self._holding.count(min(_PART, left))
            self._parts.append(
                Step(
                    rate=self._setup.rate,
                    counts=measured.counts,
                    lost_workers=measured.lost,
                    joined_workers=measured.joined,
                )
            )


def _is_of_interest(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Your selected spawn rate is very high")
