"""Watching a run: start, stop, and the stream by which its page follows to the next run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import quote

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import UsageError
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.run_watch import RunWatch

_LOOK_AGAIN = 0.5
"""Seconds between two checks for news of the watch."""


class WatchPages(RoomPages):
    """`/watch`."""

    section = "Runs"

    def __init__(self, context: AppContext, pages: Pages, watch: RunWatch) -> None:
        super().__init__(context, pages)
        self._watch = watch

    def routes(self) -> list[Route]:
        return [
            Route("/watch", self.show),
            Route("/watch/events", self.events),
            Route("/runs/{id}/watch", self.change, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """303 to the latest run of the watch; without a watch to the run that is named in `of`."""
        now = self._watch.current
        return _to_run(now.run if now is not None else request.query_params.get("of", ""))

    async def change(self, request: Request) -> Response:
        """Watch what a run ran, or end the watch."""
        typed = await forms.read(request)
        id = request.path_params["id"]
        if forms.text(typed, "do") == "stop":
            await self._watch.stop()
        else:
            receiver, scenarios = await asyncio.to_thread(self._of_run, id)
            await self._watch.start(id, scenarios, receiver)
        return _to_run(id)

    async def events(self, request: Request) -> Response:
        """An event `again` once the watch is another than that whose version is named in `seen`."""
        seen = request.query_params.get("seen", "")
        closing = anyio.Event()

        async def stream() -> AsyncIterator[ServerSentEvent]:
            while not closing.is_set():
                self._watch.looked()
                if str(self._watch.version) != seen:
                    yield ServerSentEvent(data=seen, event="again", id=str(self._watch.version))
                    return
                with anyio.move_on_after(_LOOK_AGAIN):
                    await closing.wait()

        return EventSourceResponse(stream(), shutdown_event=closing, shutdown_grace_period=_LOOK_AGAIN)

    def _of_run(self, id: str) -> tuple[str, list[str]]:
        """The receiver of a run, and the ids of its scenarios that are still there."""
        run = self._run(id)
        self._context.refuse_opened(id)
        index = self._context.scenario_index
        ids = [each.scenario for each in self._context.log.results(id) if index.has(each.scenario)]
        if run.info is None or not ids:
            raise UsageError("the scenarios of this run are gone", mend="run others, and watch those")
        return run.info.receiver, ids


def _to_run(id: str) -> Response:
    return RedirectResponse(f"/runs/{quote(id)}" if id else "/runs", HTTPStatus.SEE_OTHER)
