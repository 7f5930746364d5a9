"""The base class of reporters, and the finished run that they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from retailops_sandbox.engine import Event, ScenarioResult
    from retailops_sandbox.errors import SandboxError
    from retailops_sandbox.model import Receiver, RunInfo
    from retailops_sandbox.runlog.ports import RunContent
    from retailops_sandbox.scenarios.trend import Trend


class FinishedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended."""

    info: RunInfo
    """The run's record as it began."""
    results: Sequence[ScenarioResult]
    unreadable: Sequence[SandboxError] = ()
    """The errors of scenario files that could not be read."""
    incomplete: Sequence[SandboxError] = ()
    """Why a merged run is not whole: shards that are missing or did not end, run files that are damaged."""
    receiver: Receiver
    seconds: float
    interrupted: bool = False
    waited_in_vain: bool = False
    """Whether the receiver's port did not answer in the time that was given."""
    trends: Mapping[str, Trend] = {}
    """How each scenario compares with the last finished run on this receiver, by its id."""
    unwritten: Sequence[SandboxError] = ()
    """The errors of run file and reports that could not be written."""
    log: RunContent


class Reporter:
    """Listens to a run. Subclasses override what they need."""

    def on_event(self, event: Event) -> None:
        """Take one event of the run."""

    def finish(self, run: FinishedRun) -> None:
        """Report the finished run; SandboxError where the report cannot be written."""
