"""Deliveries or a scenario file, exported in a format of the registry."""

from __future__ import annotations

from collections.abc import Sequence

from retailops_sandbox import redaction
from retailops_sandbox.errors import UsageError
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.exporters import Format
from retailops_sandbox.reporting.exporters.exporter import (
    ExportedFile,
    PreviewSource,
    ReceiverSource,
    SentDeliveries,
    Sources,
)
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.workspace.cases import CaseReader
from retailops_sandbox.workspace.workspace import Workspace


def workspace_sources(workspace: Workspace, receiver: ReceiverSource, policy: SecretPolicy) -> Sources:
    """The sources of a workspace."""
    own, shipped = CaseReader(workspace), CaseReader(Workspace.shipped())
    return Sources(
        receiver=receiver,
        fixture=own.payload_if_any,
        shipped=shipped.payload_if_any,
        expectation=own.expected,
        shipped_expectation=shipped.expected,
        policy=policy,
        contracts=workspace.contracts,
    )


def deliveries(
    entries: Sequence[Entry], format: Format, sources: Sources, *, name: str, own: bool
) -> ExportedFile:
    """The file of these deliveries, the oldest first; `name` is their common name.

    `own` says whether this workspace sent them.

    UsageError where there are none, or the format cannot hold them.
    """
    if not entries:
        raise UsageError(f"{name} has no such deliveries", mend="export something that was sent")
    entries = [_redacted(each, sources.policy) for each in entries]
    struck_out = dict.fromkeys(
        name
        for each in entries
        for name in redaction.listing.names(each.delivery, "/request", "/response", "/wire")
    )
    notes = [f"struck out: {', '.join(struck_out)}"] if struck_out else []
    return format.exporter().deliveries(SentDeliveries(name, entries, notes, own), sources)


def _redacted(entry: Entry, policy: SecretPolicy) -> Entry:
    """The entry, without secrets that have become known since it was sent."""
    secrets = policy.everywhere
    kept = redaction.delivery(entry.delivery, secrets)
    judgements = tuple(
        redaction.judgement(redaction.listing.judged(each), kept, secrets) for each in entry.judgements
    )
    return Entry(kept, judgements)


def scenario_file(plan: Plan, format: Format, sources: Sources, previews: PreviewSource) -> ExportedFile:
    """The file of a scenario that is not run; UsageError for a format that holds only deliveries."""
    made = format.exporter().scenario_file(plan, sources, previews)
    if made is None:
        raise UsageError(
            f"{plan.file} has sent nothing, and {format.name} tells what was sent",
            mend="run it, then export its run, or use --format pytest",
        )
    return made
