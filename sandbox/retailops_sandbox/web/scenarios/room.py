"""The room of the scenarios."""

from __future__ import annotations

from retailops_sandbox.web.scenarios.editor import ScenarioEditorPages
from retailops_sandbox.web.scenarios.files import ScenarioFilePages
from retailops_sandbox.web.scenarios.pages import ScenarioPages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room
from retailops_sandbox.web.shell.run_watch import RunWatch
from retailops_sandbox.workspace.scenarios import ScenarioFiles


def scenarios_room(context: AppContext, pages: Pages, watch: RunWatch) -> Room:
    files = ScenarioFiles(context.workspace)
    scenarios = ScenarioPages(context, pages, files, watch)
    whole_files = ScenarioFilePages(context, pages, files, scenarios)
    editor = ScenarioEditorPages(context, pages, files, scenarios)
    return Room(routes=[*scenarios.routes(), *whole_files.routes(), *editor.routes()])
