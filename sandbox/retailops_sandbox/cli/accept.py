"""`run --accept`: what failed is accepted into the files, and shown as a diff."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
import msgspec

from retailops_sandbox.accepting import saving
from retailops_sandbox.cli.output import complain, harmless, say
from retailops_sandbox.cli.screen import wants_colour
from retailops_sandbox.engine import Event
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.reporting.render.lines import in_line
from retailops_sandbox.session.headless import Outcome
from retailops_sandbox.workspace.workspace import Workspace

_COLOURS: dict[changes.LineKind, str] = {"removed": "red", "added": "green", "place": "cyan"}


class Acceptance:
    """Listens to a run, and when it has ended accepts what differed."""

    def __init__(self, workspace: Workspace, *, colour: bool) -> None:
        self._workspace = workspace
        self._colour = colour
        self._witness = saving.Witness()

    def on_event(self, event: Event) -> None:
        """Take one event of the run."""
        self._witness.on_event(event)

    def finish(self, outcome: Outcome) -> tuple[Outcome, list[SandboxError]]:
        """Write the files: the outcome as it would be now, and what could not be written."""
        if outcome.interrupted:
            complain("the run was interrupted: nothing is accepted")
            return outcome, []
        errors: list[SandboxError] = []
        results = {id(result.plan): result for result in outcome.results}
        for result, judged in self._witness.failed:
            taken = saving.everything(self._workspace, result, judged)
            try:
                self._write(taken.change)
            except SandboxError as error:
                complain(f"error: {error}")
                errors.append(error)
            else:
                results[id(result.plan)] = taken.result
        if not self._witness.failed:
            say("nothing to accept: nothing failed")
        return msgspec.structs.replace(outcome, results=tuple(results.values())), errors

    def _write(self, change: saving.FileChange) -> None:
        if change.after != change.before:
            saving.write(change)
            found = changes.unified(
                change.before, change.after, old=str(change.source), new=str(change.target)
            )
            self._show(found)
            added, removed = changes.counts(found)
            copied = ", the workspace's copy of a shipped scenario" if change.is_copy else ""
            self._say(f"accepted into {change.target}{copied}: +{added} -{removed}")
        for reason in change.left:
            self._say(f"not accepted: {change.source}: {reason}")

    def _show(self, found: Sequence[changes.Line]) -> None:
        say("")
        for line in found:
            text = harmless("\t".join(map(in_line, line.text.split("\t"))))
            colour = _COLOURS.get(line.kind)
            say(click.style(text, fg=colour) if self._colour and colour else text)

    def _say(self, text: str) -> None:
        say(harmless(in_line(text)))


def asked_for(workspace: Workspace, *, dry_run: bool) -> Acceptance:
    """What accepts a run's answers; UsageError where that is refused."""
    saving.refuse_in_ci(os.environ)
    if dry_run:
        raise UsageError("--dry-run sends nothing, so --accept has nothing to accept", mend="leave one out")
    return Acceptance(workspace, colour=wants_colour(sys.stdout, os.environ))
