"""What a reporter is, and what it is given when its run has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from retailops_sandbox.engine import Event, ScenarioResult
    from retailops_sandbox.errors import SandboxError
    from retailops_sandbox.model import Receiver, RunInfo
    from retailops_sandbox.runlog.ports import RunWriter
    from retailops_sandbox.scenarios.trend import Trend


class FinishedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended."""

    info: RunInfo
    """As it was when the run began."""
    results: Sequence[ScenarioResult]
    unreadable: Sequence[SandboxError] = ()
    """Why files that were to be run were not."""
    receiver: Receiver
    seconds: float
    interrupted: bool = False
    waited_in_vain: bool = False
    """Nothing answered at the receiver's port in the time that was given."""
    trends: Mapping[str, Trend] = {}
    """By scenario: how it compares with the last finished run on this receiver."""
    unwritten: Sequence[SandboxError] = ()
    """Why the run file or reports could not be written."""
    log: RunWriter


class Reporter:
    """Listens to a run. A reporter overrides what it needs of these two."""

    def on_event(self, event: Event) -> None:
        """Take one event of the run."""

    def finish(self, run: FinishedRun) -> None:
        """Take the run that has ended; SandboxError where what is made of it cannot be written."""
