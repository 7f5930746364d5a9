"""The output of a run: on a terminal, in a log, on GitHub."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from retailops_sandbox.cli.output import complain, is_github, show
from retailops_sandbox.reporting.reporters.console import Console
from retailops_sandbox.reporting.reporters.reporter import Reporter
from retailops_sandbox.session.streams import write_out

if TYPE_CHECKING:
    from retailops_sandbox.reporting.reporters.progress import Progress
    from retailops_sandbox.scenarios.scenario import Plan

_FEW = 20
"""The most scenarios of which a terminal shows each that passed; with more, passed ones are only counted."""
_PAGE = 120


class Screen:
    """Shows a run as it goes; on a terminal with its progress beneath, until the block ends."""

    def __init__(
        self,
        stream: TextIO | None,
        environment: Mapping[str, str],
        *,
        plans: Sequence[Plan] = (),
        scenarios: int | None = None,
        verbose: bool,
        left_out: int = 0,
        progress: bool = True,
    ) -> None:
        """`scenarios` is the number of those that ran before; None where the plans are to be run."""
        watched = is_watched(stream, environment)
        self._progress = _progress(plans) if watched and progress else None
        echo = show if self._progress is None else self._progress.say
        self.tick = None if self._progress is None else self._progress.tick
        """Redraws the progress; None where there is none."""
        on_github = is_github(environment)
        console = Console(
            echo,
            colour=wants_colour(stream, environment),
            width=page_width(),
            verbose=verbose,
            brief=watched and not verbose and (len(plans) if scenarios is None else scenarios) > _FEW,
            left_out=left_out,
        )
        self.reporters: list[Reporter] = [] if self._progress is None else [self._progress]
        self.reporters.append(console)
        if on_github:
            from retailops_sandbox.reporting.reporters.github import GitHub

            self.reporters.append(GitHub(_write_line, complain, environment))

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.end()


def _progress(plans: Sequence[Plan]) -> Progress:
    from retailops_sandbox.reporting.reporters.progress import Progress

    steps = sum(len(plan.scenario.steps) for plan in plans)
    return Progress(_draw, steps, width=page_width, seconds=time.perf_counter)


def is_watched(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """Whether a person watches the run, on a terminal that can erase a line."""
    is_terminal = stream is not None and stream.isatty()
    return is_terminal and not environment.get("CI") and environment.get("TERM") != "dumb"


def wants_colour(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """Whether to print in colour: on a terminal unless NO_COLOR, elsewhere only if FORCE_COLOR."""
    is_terminal = stream is not None and stream.isatty()
    return bool(environment.get("FORCE_COLOR")) or (is_terminal and not environment.get("NO_COLOR"))


def page_width() -> int:
    """The terminal's columns; a wide page where there is no terminal and no COLUMNS."""
    if "COLUMNS" not in os.environ and not (sys.stdout and sys.stdout.isatty()):
        return _PAGE
    import shutil  # Imported late: it imports all compression modules.

    return shutil.get_terminal_size((_PAGE, 24)).columns


def _draw(text: str) -> None:
    write_out(text, flush=True)


def _write_line(command: str) -> None:
    write_out(command + "\n")
