"""The room of the delivery log."""

from __future__ import annotations

from retailops_sandbox.web.log.compare import ComparePages
from retailops_sandbox.web.log.delivery import DeliveryPages
from retailops_sandbox.web.log.exports import ExportPages
from retailops_sandbox.web.log.live import LivePages
from retailops_sandbox.web.log.pages import LogPages
from retailops_sandbox.web.log.ruling import RulePages
from retailops_sandbox.web.log.selected import SelectedPages
from retailops_sandbox.web.log.story import StoryPages
from retailops_sandbox.web.log.watch import Watch
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def log_room(context: AppContext, pages: Pages) -> Room:
    watch = Watch(context.log, lambda: context.sending.flights)
    selected = SelectedPages(context, pages)

    async def stop() -> None:
        await selected.stop()
        await watch.stop()

    return Room(
        routes=[
            *LivePages(context, pages, watch).routes(),
            *LogPages(context, pages, watch).routes(),
            *selected.routes(),
            *ComparePages(context, pages).routes(),
            *StoryPages(context, pages).routes(),
            *RulePages(context, pages).routes(),
            *ExportPages(context, pages).routes(),
            *DeliveryPages(context, pages, watch).routes(),
        ],
        stop=stop,
    )
