"""A run that is written into the log as by another process, while a page shows the log."""

from __future__ import annotations

import itertools

from playwright.sync_api import Locator, Page

from retailops_sandbox.model import Delivery, RunInfo, Verdict
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.records import begin_run, judge, make_delivery
from tests.support.serving import Served

_RUNS = itertools.count()


class Other:
    """A run in the log of a served workspace, written as by another process."""

    def __init__(self, served: Served) -> None:
        self.id = f"20240501T120000Z-{next(_RUNS):06x}"
        info = RunInfo(id=self.id, started_at="2024-05-01T12:00:00Z", receiver="local")
        self.run = begin_run(Workspace(served.workspace).runs_dir, info)
        self.log = f"/deliveries?run={self.id}"
        """The path of the page that lists the deliveries of this run."""
        self._seconds = itertools.count()

    def send(self, verdict: Verdict | None = "passed") -> Delivery:
        """Log a delivery that was sent a second after the one before; `verdict` None leaves it unjudged."""
        delivery = make_delivery(self.run, self._now())
        self.run.append(delivery)
        if verdict is not None:
            self.judge(delivery, verdict)
        return delivery

    def judge(self, delivery: Delivery, verdict: Verdict) -> None:
        self.run.append(judge(delivery, verdict, self._now()))

    def _now(self) -> str:
        second = next(self._seconds)
        return f"2024-05-01T{12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000Z"


def rows(page: Page) -> Locator:
    return page.locator("table.log tbody tr")
