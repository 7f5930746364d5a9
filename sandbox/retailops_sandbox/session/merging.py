"""Merges the shards of a run into one run, and reports it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retailops_sandbox.engine import ScenarioResult
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Receiver, RunInfo
from retailops_sandbox.reporting import replaying
from retailops_sandbox.reporting.render.shown import moment
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter
from retailops_sandbox.session import reports
from retailops_sandbox.session.trends import trends
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.runlog.ports import Shards

_ERROR = re.compile(
    r"(?P<file>.+?\.json)(?::(?P<line>\d+):(?P<column>\d+))?(?: at (?P<pointer>/\S*))?: (?P<what>.+)"
)
"""The line of an error about a file."""


def merge(
    shards: Shards, workspace: Workspace, reporters: Sequence[Reporter], notice: Callable[[str], None]
) -> FinishedRun:
    """Make one run of the shards, tell the reporters of it, and finish them.

    `notice` takes a line for users about earlier runs that the merged one cannot be compared with.
    FileError where the merged run cannot be written or read.
    """
    merged = shards.merge()
    listeners = [each.on_event for each in reporters if type(each).on_event is not Reporter.on_event]
    results: list[ScenarioResult] = []
    for event in replaying.events(merged.results(), workspace.contracts):
        for listener in listeners:
            listener(event)
        if isinstance(event, ScenarioResult):
            results.append(event)
    info = merged.info
    finished = FinishedRun(
        info=info,
        results=results,
        unreadable=[_error(line) for line in info.unreadable],
        incomplete=shards.problems,
        receiver=Receiver(name=info.receiver, base_url="", stand_in=info.stand_in),
        seconds=_seconds(info),
        interrupted=shards.is_interrupted,
        trends=trends(workspace.log_place, info, results, notice),
        log=merged,
    )
    return reports.finish(reporters, finished)


def _seconds(info: RunInfo) -> float:
    """The seconds from the start of the first shard to the end of the last; 0 where none has ended."""
    start, end = moment(info.started_at), moment(info.finished_at)
    return (end - start).total_seconds() if start is not None and end is not None else 0.0


def _error(line: str) -> SandboxError:
    """The error that a run's record has as a line, with its place where the line tells it."""
    found = _ERROR.fullmatch(line)
    if found is None:
        return SandboxError(line)
    number, column = int(found["line"] or 0), int(found["column"] or 0)
    pointer, file = found["pointer"], found["file"]
    error = SandboxError(found["what"], file=file, line=number, column=column, pointer=pointer)
    return error if str(error) == line else SandboxError(line)
