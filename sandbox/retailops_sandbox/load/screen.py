"""What a load test prints while it goes on: where it sends to, and on a terminal how it goes."""

from __future__ import annotations

import shutil
import sys
import time

import gevent
from locust.env import Environment

from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.reporting.reporters.progress import ProgressLine

_TICK = 0.5
"""Seconds."""
_PAGE = (120, 24)


class Screen:
    """Prints lines, on a terminal above a line that shows how the test goes."""

    def __init__(self, environment: Environment, setup: LoadSetup) -> None:
        self._progress = LoadProgress(environment, setup) if setup.is_watched else None
        self._ticking: gevent.Greenlet | None = None

    def begin(self) -> None:
        """Show how the test goes from now on."""
        if self._progress is not None:
            self._ticking = gevent.spawn(self._tick, self._progress)

    def say(self, line: str) -> None:
        """Print a line, whatever others wrote into it."""
        if self._progress is None:
            print(in_line(line), flush=True)
        else:
            self._progress.say(in_line(line))

    def end(self) -> None:
        """Show no more how it goes."""
        if self._ticking is not None:
            self._ticking.kill()
        if self._progress is not None:
            self._progress.end()

    def _tick(self, progress: LoadProgress) -> None:
        while True:
            progress.tick()
            gevent.sleep(_TICK)


class LoadProgress(ProgressLine):
    """The progress of a load test."""

    def __init__(self, environment: Environment, setup: LoadSetup) -> None:
        super().__init__(_write, width=_width, seconds=time.perf_counter)
        self._environment = environment
        load = setup.step_load
        self._total = round(setup.seconds if load is None else load.seconds * len(load.rates))

    def _line(self) -> str:
        runner, found = self._environment.runner, self._environment.stats.total
        users = runner.user_count if runner is not None else 0
        words = [f"{users:,} users", f"{found.num_requests:,} requests"]
        if found.num_failures:
            words.append(f"{found.num_failures:,} failed")
        return self._bar(round(self._seconds() - self._start), self._total, words)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _width() -> int:
    return shutil.get_terminal_size(_PAGE).columns
