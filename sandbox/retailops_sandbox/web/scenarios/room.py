"""The room of the scenarios."""

from __future__ import annotations

from retailops_sandbox.web.scenarios.pages import ScenarioPages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def scenarios_room(context: AppContext, pages: Pages) -> Room:
    return Room(routes=ScenarioPages(context, pages).routes())
