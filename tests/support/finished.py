"""Runs that have ended, as reporters get them."""

from __future__ import annotations

from typing import Any, cast

from retailops_sandbox.engine import ScenarioResult
from retailops_sandbox.model import Receiver, RunInfo
from retailops_sandbox.reporting.reporters.reporter import FinishedRun
from retailops_sandbox.runlog.ports import RunWriter

SHOP = Receiver(name="shop", base_url="http://h")
STAND_IN = Receiver(name="stand-in", base_url="http://h", stand_in=True)


def finished_run(*results: ScenarioResult, **fields: Any) -> FinishedRun:
    """A run on the receiver `shop` that took a second, unless the fields say otherwise; without a log."""
    known: dict[str, Any] = {"receiver": SHOP, "seconds": 1.0, "log": cast(RunWriter, None)}
    info = RunInfo(id="run-1", started_at="2026-01-02T03:04:05Z", tool="retailops-sandbox")
    return FinishedRun(info=info, results=results, **{**known, **fields})
