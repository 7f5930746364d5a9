"""The room of the scenarios."""

from __future__ import annotations

from retailops_sandbox.web.scenarios.files import ScenarioFilePages
from retailops_sandbox.web.scenarios.pages import ScenarioPages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room
from retailops_sandbox.workspace.scenarios import ScenarioFiles


def scenarios_room(context: AppContext, pages: Pages) -> Room:
    files = ScenarioFiles(context.workspace)
    scenarios = ScenarioPages(context, pages, files)
    return Room(routes=[*scenarios.routes(), *ScenarioFilePages(context, pages, files, scenarios).routes()])
