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
        drafts = repeating.drafts(sent, sources.fixture)
        if not drafts:
            raise UsageError(f"nothing of {sent.name} can be repeated by a scenario", mend="export it as HAR")
        if len(drafts) > 1:
            kinds = ", ".join(f"{each.scenario.action} {each.scenario.edition}" for each in drafts)
            raise UsageError(
                f"{sent.name} is of several contracts ({kinds})",
                mend="a scenario is of one: choose by action and edition",
            )
        notes = (*sent.notes, *repeating.notes(drafts))
        return _file(sent.name, scenario.spelled(recording.finished(drafts[0])), notes)

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile:
        return _file(scenario_name(plan.id), plan.text)


def _file(name: str, text: str, notes: tuple[str, ...] = ()) -> ExportedFile:
    return ExportedFile(
        name=file_name(name, scenario.SUFFIX), media_type="application/json", text=text, notes=notes
    )
