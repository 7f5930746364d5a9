"""reporting/probes/progress.py: the line at the bottom of a terminal while a probe goes on."""

from __future__ import annotations

from retailops_sandbox.probe.probing import ProbeProgress
from retailops_sandbox.reporting.probes.progress import ProbeProgressLine
from tests.support.probe_reports import clean_report, probe_report


class Watched:
    """A line of a terminal of 100 columns, with a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.written: list[str] = []
        self.line = ProbeProgressLine(self.written.append, width=lambda: 100, seconds=lambda: self.now)

    def shown(self, progress: ProbeProgress | None = None) -> str:
        self.now += 1
        if progress is not None:
            self.line.on_progress(progress)
        self.line.tick()
        return self.written[-1].removeprefix("\r\x1b[K").lstrip("█░ ")


def test_it_says_how_far_the_probe_is_and_how_many_causes_it_found():
    watched = Watched()
    assert watched.shown() == "looks for one that is accepted  1 s"
    going = ProbeProgress(report=probe_report(), sent=40, total=200, seconds=1, left=4.4)
    assert watched.shown(going) == "40 of 200 requests  3 causes  about 4 s left  2 s"
    going = ProbeProgress(report=clean_report(), sent=1_200, total=1_000, seconds=2, left=0.1)
    assert watched.shown(going) == "1,200 of 1,000 requests  about 0 s left  3 s"


def test_how_many_there_are_is_said_when_it_is_known():
    watched = Watched()
    looking = ProbeProgress(report=clean_report(), sent=2, total=2, seconds=1, left=None)
    assert watched.shown(looking) == "2 requests  looks for one that is accepted  1 s"


def test_progress_draws_by_itself():
    watched = Watched()
    watched.now = 1
    watched.line.on_progress(ProbeProgress(report=clean_report(), sent=1, total=2, seconds=1, left=1))
    assert "1 of 2 requests" in watched.written[-1]


def test_what_comes_after_all_that_was_planned_is_said():
    watched = Watched()
    checking = ProbeProgress(
        report=probe_report(), sent=230, total=230, seconds=1, left=None, is_checking=True
    )
    assert watched.shown(checking) == "230 requests  3 causes  checks again what failed  1 s"
