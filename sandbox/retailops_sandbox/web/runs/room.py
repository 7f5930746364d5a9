"""The room of the runs."""

from __future__ import annotations

import asyncio

from retailops_sandbox.web.runs.files import RunFilePages
from retailops_sandbox.web.runs.pages import RunPages
from retailops_sandbox.web.runs.uploads import Uploads
from retailops_sandbox.web.runs.watch import WatchPages
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room
from retailops_sandbox.web.shell.run_watch import RunWatch


def runs_room(context: AppContext, pages: Pages, watch: RunWatch) -> Room:
    uploads = Uploads(context.log)
    runs = RunPages(context, pages, watch)
    watching = WatchPages(context, pages, watch)

    async def close() -> None:
        await asyncio.to_thread(uploads.close)

    return Room(
        routes=[*RunFilePages(context, pages, runs, uploads).routes(), *runs.routes(), *watching.routes()],
        stop=watch.stop,
        close=close,
    )
