"""The room where payloads are composed and sent."""

from __future__ import annotations

from retailops_sandbox.web.compose.pages import ComposePages
from retailops_sandbox.web.compose.value_rules import ValueRulePages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def compose_room(context: AppContext, pages: Pages) -> Room:
    routes = [*ComposePages(context, pages).routes(), *ValueRulePages(context, pages).routes()]
    return Room(routes=routes)
