"""The room of the palette."""

from __future__ import annotations

from retailops_sandbox.web.palette.pages import PalettePages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def palette_room(context: AppContext, pages: Pages) -> Room:
    return Room(routes=PalettePages(context, pages).routes())
