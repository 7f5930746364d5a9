"""The room of the runs."""

from __future__ import annotations

import asyncio

from retailops_sandbox.web.runs.files import RunFilePages
from retailops_sandbox.web.runs.pages import RunPages
from retailops_sandbox.web.runs.uploads import Uploads
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def runs_room(context: AppContext, pages: Pages) -> Room:
    uploads = Uploads(context.log)
    runs = RunPages(context, pages)

    async def close() -> None:
        await asyncio.to_thread(uploads.close)

    return Room(
        routes=[*RunFilePages(context, pages, runs, uploads).routes(), *runs.routes()],
        close=close,
    )
