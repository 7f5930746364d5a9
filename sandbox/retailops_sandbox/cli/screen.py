"""Where a run is watched: a terminal, a log, GitHub's page."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from retailops_sandbox.cli.output import complain, harmless, on_github, say
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.reporting.reporters.console import Console

if TYPE_CHECKING:
    from retailops_sandbox.engine import Event
    from retailops_sandbox.scenarios.scenario import Plan
    from retailops_sandbox.session.headless import Outcome

_FEW = 20
"""Where a person watches, and there are more scenarios than that, those that passed are only counted."""
_PAGE = 120


class Screen:
    """Shows a run as it goes; on a terminal with its progress beneath, until the block ends."""

    def __init__(
        self, stream: TextIO | None, environment: Mapping[str, str], *, plans: Sequence[Plan], verbose: bool
    ) -> None:
        watched = _is_watched(stream, environment)
        self.tick: Callable[[], None] | None = None
        self._progress = None
        echo: Callable[[str], None] = say
        if watched:
            from retailops_sandbox.reporting.reporters.progress import Progress

            steps = sum(len(plan.scenario.steps) for plan in plans)
            self._progress = Progress(_draw, steps, width=page_width, seconds=time.perf_counter)
            echo, self.tick = self._progress.say, self._progress.tick
        self.console = Console(
            (lambda line: echo(harmless(line))) if on_github(environment) else echo,
            colour=wants_colour(stream, environment),
            width=page_width(),
            verbose=verbose,
            brief=watched and not verbose and len(plans) > _FEW,
        )
        self.on_event: Callable[[Event], None] = (
            self.console.on_event if self._progress is None else self._on_event
        )
        """Takes one event of the run."""

    def _on_event(self, event: Event) -> None:
        assert self._progress is not None
        self._progress.on_event(event)
        self.console.on_event(event)

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.end()


def _is_watched(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """Whether somebody looks at it as it goes, on something that can erase a line."""
    is_terminal = stream is not None and stream.isatty()
    return is_terminal and not environment.get("CI") and environment.get("TERM") != "dumb"


def wants_colour(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """A terminal is coloured unless NO_COLOR, anything else only if FORCE_COLOR."""
    is_terminal = stream is not None and stream.isatty()
    return bool(environment.get("FORCE_COLOR")) or (is_terminal and not environment.get("NO_COLOR"))


def page_width() -> int:
    """The terminal's columns; a wide page where there is none and the environment does not say."""
    if "COLUMNS" not in os.environ and not (sys.stdout and sys.stdout.isatty()):
        return _PAGE
    import shutil  # Late: it brings every kind of compression.

    return shutil.get_terminal_size((_PAGE, 24)).columns


def _draw(text: str) -> None:
    say(text, end="", flush=True)


def tell_github(outcome: Outcome, unreadable: Sequence[SandboxError]) -> None:
    """Where this runs in GitHub Actions: annotations, and the job's summary."""
    environment = os.environ
    if not on_github(environment):
        return
    from retailops_sandbox.reporting.reporters import github

    root = environment.get("GITHUB_WORKSPACE") or os.getcwd()
    for line in github.annotated(outcome.results, unreadable, outcome.receiver, root=root):
        say(line)
    file = environment.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with open(file, "ab") as summary:
            room = github.MOST_SUMMARY - summary.tell()
            text = github.summary(
                outcome.results,
                unreadable,
                outcome.receiver,
                outcome.seconds,
                trends=outcome.trends,
                room=room,
            )
            summary.write(text.encode())
    except OSError as error:
        complain(f"warning: the step summary {file} cannot be written: {error.strerror}")
