"""report/progress.py: the line at the bottom of a terminal, and what is printed above it."""

from __future__ import annotations

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.model import Scenario, Step, Verdict
from retailops_sandbox.reporting.reporters.progress import AFTER, Progress
from retailops_sandbox.scenarios.scenario import Plan

PLAN = Plan("a", "a", Scenario(name="a", steps=[Step(name="x", fixture="default")]), False, "")


class Terminal:
    """One that knows carriage return, line feed and how to erase a line."""

    def __init__(self, width: int = 80) -> None:
        self.lines = [""]
        self.column = 0
        self.width = width

    def write(self, text: str) -> None:
        for part in text.replace("\x1b[K", "\0"):
            if part == "\n":
                self.lines.append("")
                self.column = 0
            elif part == "\r":
                self.column = 0
            elif part == "\0":
                self.lines[-1] = self.lines[-1][: self.column]
            else:
                line = self.lines[-1]
                self.lines[-1] = line[: self.column] + part + line[self.column + 1 :]
                self.column += 1


class Watched:
    """A progress on such a terminal, with a clock of its own."""

    def __init__(self, total: int = 10, width: int = 80) -> None:
        self.now = 100.0
        self.terminal = Terminal()
        self.progress = Progress(self.terminal.write, total, width=lambda: width, seconds=lambda: self.now)

    def done(self, *verdicts: Verdict) -> None:
        """Scenarios of one step each have ended."""
        for verdict in verdicts:
            self.progress.on_event(StepResult(number=0, name="x", verdict=verdict))
            self.progress.on_event(ScenarioResult(PLAN, verdict, (), 0.0))

    def tick(self, after: float = 1.0) -> str:
        self.now += after
        self.progress.tick()
        return self.terminal.lines[-1]


def test_a_short_run_shows_none():
    watched = Watched()
    assert watched.tick(AFTER / 2) == ""
    watched.progress.say("✓ passed")
    watched.progress.end()
    assert watched.terminal.lines == ["✓ passed", ""]


def test_it_says_how_far_and_what_failed():
    watched = Watched()
    watched.done("passed", "failed", "errored", "passed", "recorded")
    assert watched.tick() == f"{'█' * 13}{'░' * 13}  5 of 10 steps  1 failed  1 errored  1 recorded  1 s"
    assert watched.tick().endswith("2 s")


def test_a_scenario_of_many_steps_goes_on_step_by_step():
    watched = Watched()
    for number in range(3):
        watched.progress.on_event(StepResult(number=number, name="x", verdict="failed"))
    assert watched.tick() == f"{'█' * 9}{'░' * 21}  3 of 10 steps  1 s"
    watched.progress.on_event(ScenarioResult(PLAN, "failed", (), 0.0))
    assert watched.tick() == f"{'█' * 9}{'░' * 21}  3 of 10 steps  1 failed  2 s"


def test_what_is_printed_stands_above_and_the_line_goes_at_the_end():
    watched = Watched()
    watched.tick()
    watched.progress.say("✗ failed one")
    assert watched.terminal.lines[0] == "✗ failed one"
    assert watched.terminal.lines[-1].endswith("0 of 10 steps  1 s")
    watched.done("passed")
    watched.tick()
    watched.progress.end()
    watched.progress.say("1 passed")
    assert watched.terminal.lines == ["✗ failed one", "1 passed", ""]


def test_it_never_fills_a_line():
    for width in range(1, 60):
        watched = Watched(total=1_000_000, width=width)
        watched.done("failed", "errored")
        assert len(watched.tick()) <= max(width - 1, 0)


def test_nothing_is_drawn_again_that_stands_there():
    written: list[str] = []
    progress = Progress(written.append, 10, width=lambda: 80, seconds=iter([0.0, *[1.0] * 10]).__next__)
    progress.tick()
    progress.tick()
    assert len(written) == 1
