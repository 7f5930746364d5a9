"""Deliveries as a scenario file that repeats them; a scenario file as it is."""

from __future__ import annotations

from retailops_sandbox import recording
from retailops_sandbox.errors import UsageError
from retailops_sandbox.reporting.exporters import repeating
from retailops_sandbox.reporting.exporters.exporter import (
    ExportedFile,
    Exporter,
    PreviewSource,
    SentDeliveries,
    Sources,
    file_name,
    scenario_name,
)
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan


class Export(Exporter):
    """Exports as scenario files."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        draft = repeating.draft(sent, sources.fixture, sources.contracts)
        if draft is None:
            raise UsageError(f"nothing of {sent.name} can be repeated by a scenario", mend="export it as HAR")
        notes = (*sent.notes, *repeating.notes(draft))
        return _file(sent.name, scenario.spelled(recording.finished(draft)), notes)

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile:
        return _file(scenario_name(plan.id), plan.text)


def _file(name: str, text: str, notes: tuple[str, ...] = ()) -> ExportedFile:
    return ExportedFile(
        name=file_name(name, scenario.SUFFIX), media_type="application/json", text=text, notes=notes
    )
