"""The log's page as it goes on: a stream of rows that came or changed, for the filter of each page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

import anyio
import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retailops_sandbox.runlog.query import Query
from retailops_sandbox.web.log import filters
from retailops_sandbox.web.log.watch import Sighting, Watch
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.rows import Row

_MOST = 200
"""So many rows a page has; what is older than those would be dropped again."""
_REST = 0.004
"""Seconds that a stream rests for each row that it told: a run of thousands leaves time for other pages."""
_RETRY = 1000
"""Milliseconds until a page connects again."""
_LAST_WORDS = 1.5
"""Seconds that a page has to be told what was in flight, when the process ends."""
_UNTOLD = 100
"""After so many sightings that are nothing to a page, it is told where it is."""


class Told(msgspec.Struct, frozen=True):
    """What a page is told at once."""

    rows: Sequence[Row]
    """The newest first."""
    gone: Sequence[str]
    """The ids of those that the page may have, and should not."""
    more: int
    """How many came beside the rows, and are older than they."""

    def __bool__(self) -> bool:
        return bool(self.rows or self.gone)


class LivePages:
    """`/deliveries/events`."""

    def __init__(self, context: AppContext, pages: Pages, watch: Watch) -> None:
        self._context = context
        self._pages = pages
        self._watch = watch

    def routes(self) -> list[Route]:
        return [Route("/deliveries/events", self.events)]

    async def events(self, request: Request) -> Response:
        """Events `rows`, with markup, for the filter in the address; `reload` where the page cannot go on.

        It goes on after the event that `Last-Event-ID` or `after` names. With `once` it ends when it has
        told what there is: that is for pages beyond those that can have a connection of their own.
        """
        query = filters.query_of(request).checked()
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        once = "once" in request.query_params
        if once:
            await self._watch.here()
        return EventSourceResponse(
            self._stream(request, query, last, once=once),
            shutdown_event=anyio.Event(),
            shutdown_grace_period=_LAST_WORDS,
        )

    async def _stream(
        self, request: Request, query: Query, last: str, *, once: bool
    ) -> AsyncIterator[ServerSentEvent]:
        watch = self._watch
        number = watch.number_of(last) if last else watch.number
        told, problem = number or 0, ""
        yield ServerSentEvent(comment="listening", retry=_RETRY)
        with watch.listening():
            while True:
                news = watch.news
                if watch.problem != problem:
                    problem = watch.problem
                    name = "problem" if problem else "mended"
                    yield ServerSentEvent(problem or "well", event=name)
                sightings = None if number is None else watch.since(number)
                number, id = watch.number, watch.id(watch.number)
                if sightings is None:
                    told = number
                    yield ServerSentEvent("unknown", event="reload", id=id)
                elif found := await self._told(query, sightings):
                    told = number
                    yield ServerSentEvent(self._markup(request, query, found), event="rows", id=id)
                    await asyncio.sleep(_REST * len(found.rows))
                elif number - told >= _UNTOLD or (once and number != told):
                    told = number
                    yield ServerSentEvent("nothing", event="seen", id=id)
                if once or (watch.is_stopped and number == watch.number):
                    return
                await news.wait()

    async def _told(self, query: Query, sightings: Sequence[Sighting]) -> Told:
        """What of it is for a page with this filter."""
        wanted = [each for each in sightings if _is_wanted(query, each)]
        if query.text and wanted:
            ids = {each.id for each in wanted}
            holding = await asyncio.to_thread(self._context.log.holding, query, ids)
            wanted = [each for each in wanted if each.id in holding]
        known = {each.id for each in wanted}
        gone = [each.id for each in sightings if not each.is_new and each.id not in known]
        rows = sorted((each.row for each in wanted if each.row), key=lambda row: row.key, reverse=True)
        return Told(rows[:_MOST], gone[-_MOST:], max(0, len(rows) - _MOST))

    def _markup(self, request: Request, query: Query, told: Told) -> str:
        address = query_string(query)
        count = self._watch.count
        return self._pages.text(request, "log/live_rows.html", told=told, address=address, count=count)


def address(query: Query, after: str) -> str:
    """Where the stream for a filter is, going on after an event."""
    asked = query_string(query)
    return f"/deliveries/events{asked}{'&' if asked else '?'}{urlencode({'after': after})}"


def _is_wanted(query: Query, sighting: Sighting) -> bool:
    if sighting.row is None:
        return False
    if sighting.summary is None:
        return filters.accepts_flight(query, sighting.row)
    return query.accepts(sighting.summary)
