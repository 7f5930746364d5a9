"""The progress of a run or a probe in one line at the bottom of a terminal; other output is printed above it.

Drawn without rich: importing rich takes longer than most runs, and during an import in the middle of a run
answers wait and are measured as late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from retailops_sandbox.engine import Event, ScenarioResult, StepResult
from retailops_sandbox.foreign_text import without_commands
from retailops_sandbox.model import Verdict
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter

AFTER = 0.5
"""Seconds after which a run shows its progress."""
_ERASE = "\r\x1b[K"
_BAR = 30
"""The most columns of the bar."""


class ProgressLine:
    """A line at the bottom of a terminal; `tick` redraws it as time passes. Subclasses say what it shows."""

    def __init__(
        self, write: Callable[[str], None], *, width: Callable[[], int], seconds: Callable[[], float]
    ) -> None:
        """`width` is the terminal's columns, `seconds` a clock."""
        self._write = write
        self._width = width
        self._seconds = seconds
        self._start = seconds()
        self._drawn = ""

    def say(self, text: str) -> None:
        """Print a line above the progress."""
        erase = _ERASE if self._drawn else ""
        self._write(f"{erase}{without_commands(text)}\n{self._drawn}")

    def tick(self) -> None:
        """Redraw the line, once the work has lasted long enough."""
        if self._seconds() - self._start < AFTER:
            return
        line = self._line()
        if line != self._drawn:
            self._write(_ERASE + line)
            self._drawn = line

    def end(self) -> None:
        """Erase the line."""
        if self._drawn:
            self._drawn = ""
            self._write(_ERASE)

    def _line(self) -> str:
        raise NotImplementedError

    def _bar(self, done: int, total: int, words: Sequence[str]) -> str:
        """A bar and words beside it, as long as the terminal has room for them."""
        said = "  ".join([*words, f"{self._seconds() - self._start:.0f} s"])
        # One column is left free: a terminal may go to the next line when it has filled one.
        room = self._width() - 1
        columns = min(_BAR, room - len(said) - 2)
        if columns < 5:
            return said[:room]
        filled = columns * min(done, total) // max(total, 1)
        return f"{'█' * filled}{'░' * (columns - filled)}  {said}"


class Progress(ProgressLine, Reporter):
    """The progress of a run."""

    def __init__(
        self,
        write: Callable[[str], None],
        total: int,
        *,
        width: Callable[[], int],
        seconds: Callable[[], float],
    ) -> None:
        """`total` is how many steps there are, `width` the terminal's columns, `seconds` a clock."""
        super().__init__(write, width=width, seconds=seconds)
        self._total = total
        self._done = 0
        self._counts: Counter[Verdict] = Counter()
        """The number of scenarios that ended, by verdict."""

    def on_event(self, event: Event) -> None:
        if isinstance(event, StepResult):
            self._done += 1
        elif isinstance(event, ScenarioResult):
            self._counts[event.verdict] += 1

    def finish(self, run: FinishedRun) -> None:
        self.end()

    def _line(self) -> str:
        words = [f"{self._done:,} of {self._total:,} steps"]
        words += [
            f"{self._counts[verdict]:,} {verdict}"
            for verdict in ("failed", "errored", "recorded")
            if self._counts[verdict]
        ]
        return self._bar(self._done, self._total, words)
