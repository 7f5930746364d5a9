"""Run files that are opened and downloaded, and runs that are pinned."""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import BinaryIO

from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from retailops_sandbox.errors import FileError
from retailops_sandbox.web.runs.pages import RunPages
from retailops_sandbox.web.runs.uploads import Uploads
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages, no_run

LARGEST = 256 * 1024 * 1024
"""The most bytes of all files that are opened at once."""
_ODD = re.compile(r"[^0-9A-Za-z_-]+")
_HINT = "A larger one can be opened by `serve --open FILE`."


class RunFilePages(RoomPages):
    """`/runs/open`, and of a run `pin` and `export/run`."""

    def __init__(self, context: AppContext, pages: Pages, runs: RunPages, uploads: Uploads) -> None:
        super().__init__(context, pages)
        self._runs = runs
        self._uploads = uploads

    def routes(self) -> list[Route]:
        return [
            Route("/runs/open", self.open, methods=["POST"]),
            Route("/runs/open", self.address),
            Route("/runs/{id}/pin", self.pin, methods=["POST"]),
            Route("/runs/{id}/export/run", self.download),
        ]

    async def open(self, request: Request) -> Response:
        """Open the run files of a form: 303 to the run, or to the list where there are several."""
        form = await forms.read(request, largest=LARGEST, hint=_HINT)
        files = [each for each in form.getlist("file") if isinstance(each, UploadFile) and each.filename]
        opened, problems = [], []
        for file in files:
            try:
                opened.append(await asyncio.to_thread(self._uploads.take, file.file, file.filename or ""))
            except FileError as error:
                problems.append(str(error))
        await form.close()
        if problems or not opened:
            problem = " ".join(problems) or "Choose a run file first."
            return await asyncio.to_thread(self._runs.all, request, problem)
        place = f"/runs/{opened[0]}" if len(opened) == 1 else "/runs#opened"
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)

    async def address(self, request: Request) -> Response:
        """303 to all runs, for a browser that asks again for the form's address after a file was refused."""
        return RedirectResponse("/runs", HTTPStatus.SEE_OTHER)

    async def pin(self, request: Request) -> Response:
        """Pin a run, which retention then leaves alone, or unpin it."""
        form = await forms.read(request)
        id = (await asyncio.to_thread(self._run, request.path_params["id"])).id
        self._context.refuse_opened(id)
        log = self._context.log
        await asyncio.to_thread(log.unpin if text(form, "do") == "unpin" else log.pin, id)
        return RedirectResponse(f"/runs/{id}", HTTPStatus.SEE_OTHER)

    def download(self, request: Request) -> Response:
        """The run file of a run, with all its records so far."""
        id = request.path_params["id"]
        file = self._copy(id)
        return StreamingResponse(
            _chunks(file),
            media_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{_ODD.sub("-", id)}.json"'},
            background=BackgroundTask(file.close),
        )

    def _copy(self, id: str) -> BinaryIO:
        """A temporary file with the run, to be closed by the caller."""
        with contextlib.ExitStack() as undo:
            file = undo.enter_context(tempfile.TemporaryFile())
            if not self._context.log.copy(id, file):
                raise no_run(id)
            file.seek(0)
            undo.pop_all()
        return file


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk
