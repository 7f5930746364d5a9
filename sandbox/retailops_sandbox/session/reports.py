"""Finishing the reporters of a run."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter


def finish(reporters: Iterable[Reporter], run: FinishedRun) -> FinishedRun:
    """Finish each reporter; returns the run with the errors of those that could not write."""
    for reporter in reporters:
        try:
            reporter.finish(run)
        except SandboxError as error:
            run = msgspec.structs.replace(run, unwritten=(*run.unwritten, error))
    return run
