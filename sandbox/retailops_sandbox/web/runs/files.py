"""Runs as files: one that is opened, one that is given away, one that stays."""

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
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.files import pins
from retailops_sandbox.web.runs.pages import RunPages
from retailops_sandbox.web.runs.uploads import Uploads
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text

LARGEST = 256 * 1024 * 1024
"""Bytes of the files that are opened at once."""
_ODD = re.compile(r"[^0-9A-Za-z_-]+")
_HINT = "A larger one can be opened by `serve --open FILE`."


class RunFilePages:
    """`/runs/open`, and of a run `pin` and `export/run`."""

    def __init__(self, context: AppContext, runs: RunPages, uploads: Uploads) -> None:
        self._context = context
        self._uploads = uploads
        self._runs = runs

    def routes(self) -> list[Route]:
        return [
            Route("/runs/open", self.open, methods=["POST"]),
            Route("/runs/open", self.all),
            Route("/runs/{id}/pin", self.pin, methods=["POST"]),
            Route("/runs/{id}/export/run", self.download),
        ]

    async def open(self, request: Request) -> Response:
        """Show the run files of a form; of several, the list that they are then in."""
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
            return await self._runs.all(request, " ".join(problems) or "Choose a run file first.")
        place = f"/runs/{opened[0]}" if len(opened) == 1 else "/runs#opened"
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)

    async def all(self, request: Request) -> Response:
        """Where its address leads: it stands in the bar after a file was refused."""
        return RedirectResponse("/runs", HTTPStatus.SEE_OTHER)

    async def pin(self, request: Request) -> Response:
        """Let a run stay whatever retention says, or no longer."""
        form = await forms.read(request)
        id = await self._known(request)
        self._context.refuse_foreign(id)
        change = pins.unpin if text(form, "do") == "unpin" else pins.pin
        await asyncio.to_thread(change, self._context.workspace.runs_dir, id)
        return RedirectResponse(f"/runs/{id}", HTTPStatus.SEE_OTHER)

    async def download(self, request: Request) -> Response:
        """A run, as far as it is, as its run file."""
        id = await self._known(request)
        file = await asyncio.to_thread(self._copy, id)
        return StreamingResponse(
            _chunks(file),
            media_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{_ODD.sub("-", id)}.json"'},
            background=BackgroundTask(file.close),
        )

    def _copy(self, id: str) -> BinaryIO:
        with contextlib.ExitStack() as undo:
            file = undo.enter_context(tempfile.TemporaryFile())
            if not self._context.log.copy(id, file):
                raise _no_run(id)
            file.seek(0)
            undo.pop_all()
        return file

    async def _known(self, request: Request) -> str:
        id: str = request.path_params["id"]
        if await asyncio.to_thread(self._context.log.find, id) is None:
            raise _no_run(id)
        return id


def _no_run(id: str) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, f"There is no run {id} in this workspace's log.")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk
