"""What a load test prints while it goes on: where it sends to, and on a terminal how it goes."""

from __future__ import annotations

import shutil
import time

import gevent
from locust.env import Environment

from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.reporting.reporters.progress import ProgressLine
from retailops_sandbox.session.streams import write_out

_TICK = 0.5
"""Seconds between two looks, on a terminal."""
_LINES = 10.0
"""Seconds between two lines, where there is no terminal."""
_PAGE = (120, 24)


class Screen:
    """Prints lines, and how the test goes: redrawn in a line on a terminal, elsewhere now and then."""

    def __init__(self, environment: Environment, setup: LoadSetup) -> None:
        self._progress = LoadProgress(environment, setup)
        self._is_watched = setup.is_watched
        self._ticking: gevent.Greenlet | None = None

    def begin(self) -> None:
        """Show how the test goes from now on."""
        self._ticking = gevent.spawn(self._tick)

    def show(self, doing: str) -> None:
        """Show what is done now, in a few words; empty for the usual."""
        self._progress.doing = doing

    def say(self, line: str) -> None:
        """Print a line, whatever others wrote into it."""
        if self._is_watched:
            self._progress.say(in_line(line))
        else:
            write_out(in_line(line) + "\n", flush=True)

    def end(self) -> None:
        """Show no more how it goes."""
        if self._ticking is not None:
            self._ticking.kill()
        if self._is_watched:
            self._progress.end()

    def _tick(self) -> None:
        while True:
            if self._is_watched:
                self._progress.tick()
            gevent.sleep(_TICK if self._is_watched else _LINES)
            if not self._is_watched:
                self.say(self._progress.words)


class LoadProgress(ProgressLine):
    """The progress of a load test."""

    def __init__(self, environment: Environment, setup: LoadSetup) -> None:
        super().__init__(_write, width=_width, seconds=time.perf_counter)
        self.doing = ""
        """What is done now, in a few words; empty for the usual."""
        self._environment = environment
        load = setup.step_load
        self._total = round(
            setup.seconds + (setup.starting_seconds if setup.pace else 0)
            if load is None
            else sum(map(load.takes, load.rates))
        )

    @property
    def words(self) -> str:
        """How it goes, as a line of its own."""
        return f"{self._seconds() - self._start:.0f} s: {', '.join(self._counted())}"

    def _counted(self) -> list[str]:
        runner, found = self._environment.runner, self._environment.stats.total
        users = runner.user_count if runner is not None else 0
        words = [f"{users:,} user{'' if users == 1 else 's'}", f"{found.num_requests:,} requests"]
        if found.num_failures:
            words.append(f"{found.num_failures:,} failed")
        return [*words, self.doing] if self.doing else words

    def _line(self) -> str:
        return self._bar(round(self._seconds() - self._start), self._total, self._counted())


def _write(text: str) -> None:
    write_out(text, flush=True)


def _width() -> int:
    return shutil.get_terminal_size(_PAGE).columns
