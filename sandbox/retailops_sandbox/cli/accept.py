"""`run --accept`: answers that differed are written into the scenario files, and shown as a diff."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
import msgspec

from retailops_sandbox.accepting import saving
from retailops_sandbox.accepting.saving import Judged
from retailops_sandbox.cli.output import complain, say, show
from retailops_sandbox.cli.screen import wants_colour
from retailops_sandbox.engine import DeliveryFinished, Event, ScenarioResult
from retailops_sandbox.errors import SandboxError, UsageError, shortened
from retailops_sandbox.foreign_text import LONGEST_LINE, in_text
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.reporting.render.lines import in_line
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter
from retailops_sandbox.workspace.workspace import Workspace

_COLOURS: dict[changes.LineKind, str] = {"removed": "red", "added": "green", "place": "cyan"}


class Acceptance(Reporter):
    """A reporter that accepts the answers of failed scenarios when the run has ended."""

    def __init__(self, workspace: Workspace, *, exact: bool, colour: bool) -> None:
        self._workspace = workspace
        self._exact = exact
        self._colour = colour
        self._judged: dict[int, list[Judged]] = {}
        """The judged deliveries of scenarios that have not ended, by plan."""
        self._failed: list[tuple[ScenarioResult, list[Judged]]] = []

    def on_event(self, event: Event) -> None:
        if isinstance(event, DeliveryFinished) and event.judgement is not None:
            self._judged.setdefault(id(event.plan), []).append(Judged(event.delivery, event.judgement))
        elif isinstance(event, ScenarioResult):
            judged = self._judged.pop(id(event.plan), [])
            if event.verdict in ("failed", "errored"):
                self._failed.append((event, judged))

    def accept(self, run: FinishedRun) -> FinishedRun:
        """Write the files; the run as the new files judge it, with the errors of unwritable ones."""
        if run.interrupted:
            complain("the run was interrupted: nothing is accepted")
            return run
        errors: list[SandboxError] = []
        results = {id(result.plan): result for result in run.results}
        for result, judged in self._failed:
            taken = saving.accept_all(self._workspace, result, judged, exact=self._exact)
            try:
                self._write(taken.change)
            except SandboxError as error:
                complain(f"error: {error}")
                errors.append(error)
            else:
                results[id(result.plan)] = taken.result
        if not self._failed:
            say("nothing to accept: nothing failed")
        return msgspec.structs.replace(
            run, results=tuple(results.values()), unwritten=(*run.unwritten, *errors)
        )

    def _write(self, change: saving.FileChange) -> None:
        if change.after != change.before:
            saving.write(change)
            found = changes.unified(
                change.before, change.after, old=str(change.source), new=str(change.target)
            )
            self._show(found)
            added, removed = changes.counts(found)
            copied = ", the workspace's copy of a shipped scenario" if change.is_copy else ""
            say(f"accepted into {change.target}{copied}: +{added} -{removed}")
        for line in change.rules:
            say(f"made a rule: {in_line(line)}")
        for reason in change.left:
            say(f"not accepted: {change.source}: {reason}")

    def _show(self, found: Sequence[changes.Line]) -> None:
        say("")
        for line in found:
            text = in_text(shortened(line.text, LONGEST_LINE))
            colour = _COLOURS.get(line.kind)
            show(click.style(text, fg=colour) if self._colour and colour else text)


def asked_for(workspace: Workspace, *, exact: bool, dry_run: bool) -> Acceptance:
    """The reporter that accepts answers; UsageError where accepting is refused.

    Where it is `exact`, values that look volatile get no rules.
    """
    saving.refuse_in_ci(os.environ)
    if dry_run:
        raise UsageError("--dry-run sends nothing, so --accept has nothing to accept", mend="leave one out")
    return Acceptance(workspace, exact=exact, colour=wants_colour(sys.stdout, os.environ))
