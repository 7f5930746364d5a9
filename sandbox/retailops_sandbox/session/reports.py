"""The reports of a run: each reporter takes the run that has ended."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter


def finish(reporters: Iterable[Reporter], run: FinishedRun) -> FinishedRun:
    """Let each reporter take the run; what one could not write keeps no other from it, and is in the run."""
    for reporter in reporters:
        try:
            reporter.finish(run)
        except SandboxError as error:
            run = msgspec.structs.replace(run, unwritten=(*run.unwritten, error))
    return run
