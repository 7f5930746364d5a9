"""The rates that a test holds, one after the other, and what is said of them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent
from locust.env import Environment
from locust.runners import Runner

from retailops_sandbox.load import verdict
from retailops_sandbox.load.constant import KeptRate
from retailops_sandbox.load.holding import HeldRate, Holding
from retailops_sandbox.load.pacing import users_for
from retailops_sandbox.load.series import Change, Series, Step
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.load.totals import exit_code_at_rates

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
        show: Callable[[str], None],
    ) -> None:
        """`ended` is called when all is measured; `say` takes what comes of each rate, in a line.

        `show` takes what is done now, in a few words.
        """
        self._environment = environment
        self._setup = setup
        self._ended = ended
        self._say = say
        self._show = show
        self._things = verdict.noun(setup.plans)
        self._series = Series(setup.step_load.rates) if setup.step_load else None
        self._is_whole = False
        """Whether the constant rate was kept for as long as was asked."""
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
        self._holding = Holding(runner, self._shape, self._setup.pace, self._show)

    def begin(self) -> None:
        """Begin to hold the first rate: the test has started."""
        self.end()
        load = self._setup.step_load
        self._series = Series(load.rates) if load else None
        self._is_whole = False
        self._greenlet = gevent.spawn(self._hold)

    def end(self) -> None:
        """Measure nothing more."""
        if self._greenlet is not None and self._greenlet is not gevent.getcurrent():
            self._greenlet.kill()

    def exit_code(self, code: int) -> int:
        """The exit code of a test whose answers give this one."""
        return exit_code_at_rates(code, self._change(), self.steps)

    def _change(self) -> Change | None:
        """Why the rates are not held, or not measured; None where they are held."""
        if self._series is None:
            return self._kept().change
        is_measured = self._series.is_done and not self._series.gave_up
        return self._series.broken if is_measured else Change(what="short")

    @property
    def asked(self) -> str:
        """What is asked of the receiver, in words."""
        load, users = self._setup.step_load, self._setup.users
        if load is None:
            start = self._setup.starting_seconds
            starting = f", which start within {start:,.0f} s" if start else ""
            return f"{verdict.rate(self._setup.rate)} {self._things} a second, by {users:,} users{starting}"
        rates = f"{verdict.rate(load.first)} to {verdict.rate(load.last)}"
        takes = (
            f"for about {sum(map(load.takes, load.rates)):,.0f} s, and {load.again:,.0f} s more for a change"
        )
        return f"{rates} {self._things} a second, by up to {users:,} users, {takes}"

    @property
    def steps(self) -> list[Step]:
        """What was measured, one after the other."""
        return list(self._series.steps if self._series is not None else self._kept().parts)

    @property
    def line(self) -> str:
        """What was found, in one line."""
        if self._series is not None:
            return verdict.line(self._series, self._things)
        return verdict.rate_line(self._kept(), self._things)

    def _kept(self) -> KeptRate:
        """The constant rate, as far as it was kept."""
        measured = self._holding.kept() if self._holding is not None else []
        parts = [
            Step(
                rate=self._setup.rate,
                counts=each.counts,
                lost_workers=each.lost,
                joined_workers=each.joined,
            )
            for each in measured
        ]
        return KeptRate(self._setup.rate, parts, self._is_whole)

    def _hold(self) -> None:
        assert self._holding is not None
        if self._series is not None:
            self._climb(self._series)
        else:
            self._holding.keep(self._setup.rate, self._setup.seconds)
            self._is_whole = True
        self._ended()

    def _climb(self, series: Series) -> None:
        """Go from rate to rate, and say what comes of each."""
        assert self._holding is not None
        assert self._setup.step_load is not None
        while not series.is_done:
            seconds = self._setup.step_load.held_for(series.rate)
            measured = self._holding.hold(series.rate, seconds, rest=series.needs_rest)
            series.add(measured.counts, lost_workers=measured.lost, joined_workers=measured.joined)
            self._say(verdict.step_line(series.steps[-1], self._things))


def _is_of_interest(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Your selected spawn rate is very high")
