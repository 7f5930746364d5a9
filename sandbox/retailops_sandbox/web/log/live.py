"""The event stream of the log's page: new and changed rows that the page's filter accepts."""

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
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.log import filters
from retailops_sandbox.web.log.watch import RowChange, Watch
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.rows import FlightRow

_MOST = 200
"""The most rows in an event, as many as a page keeps."""
_REST = 0.004
"""Seconds that a stream pauses for each row that it sent, so that other pages are answered meanwhile."""
_RETRY = 1000
"""Milliseconds after which a page connects again."""
_LAST_WORDS = 1.5
"""Seconds in which a stream may still send its last rows when the process ends."""
_UNSENT = 100
"""The number of changes without an event after which the event `seen` says how far the stream is."""


class LiveRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one event."""

    rows: Sequence[DeliveryRow]
    """The new and changed rows, the newest first."""
    gone: Sequence[str]
    """The ids of rows that a page may show and has to remove."""
    more: int
    """The number of further new rows, older than `rows`."""
    count: int
    """The number of all deliveries in the log."""
    address: str
    """The query string of the filter."""


class LivePages(RoomPages):
    """`/deliveries/events`."""

    def __init__(self, context: AppContext, pages: Pages, watch: Watch) -> None:
        super().__init__(context, pages)
        self._watch = watch

    def routes(self) -> list[Route]:
        return [Route("/deliveries/events", self.events)]

    async def events(self, request: Request) -> Response:
        """Events `rows`, with markup, for the filter in the address; `reload` where the page cannot go on.

        `notice` has the markup of what every page says of the log, where that changes.

        It goes on after the event that `Last-Event-ID` or `after` names. With `once` it ends when it has
        sent all present changes: that is for pages for which the browser has no connection left.
        """
        query = filters.query_of(request).checked()
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        once = "once" in request.query_params
        if once:
            await self._watch.latest_id()
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
        sent, problem, notice = number or 0, "", watch.notice
        yield ServerSentEvent(comment="listening", retry=_RETRY)
        with watch.listening():
            while True:
                news = watch.news
                if watch.problem != problem:
                    problem = watch.problem
                    name = "problem" if problem else "fixed"
                    yield ServerSentEvent(problem or "well", event=name)
                if watch.notice != notice:
                    notice = watch.notice
                    yield ServerSentEvent(
                        self._pages.text(request, "log/live_notice.html", notice), event="notice"
                    )
                changes = None if number is None else watch.since(number)
                number, id = watch.number, watch.id(watch.number)
                if changes is None:
                    sent = number
                    yield ServerSentEvent("unknown", event="reload", id=id)
                elif found := await self._accepted(query, changes):
                    sent = number
                    markup = self._pages.text(request, "log/live_rows.html", found)
                    yield ServerSentEvent(markup, event="rows", id=id)
                    await asyncio.sleep(_REST * len(found.rows))
                elif number - sent >= _UNSENT or (once and number != sent):
                    sent = number
                    yield ServerSentEvent("nothing", event="seen", id=id)
                if once or (watch.is_stopped and number == watch.number):
                    return
                await news.wait()

    async def _accepted(self, query: Query, changes: Sequence[RowChange]) -> LiveRows | None:
        """The rows that a page with this filter has to show or remove; None where there are none."""
        wanted = [each for each in changes if _is_wanted(query, each)]
        if query.text and wanted:
            ids = {each.id for each in wanted}
            holding = await asyncio.to_thread(self._context.log.holding, query, ids)
            wanted = [each for each in wanted if each.id in holding]
        known = {each.id for each in wanted}
        gone = [each.id for each in changes if not each.is_new and each.id not in known]
        rows = sorted((each.row for each in wanted if each.row), key=lambda row: row.key, reverse=True)
        if not rows and not gone:
            return None
        new = {each.id for each in wanted if each.is_new}
        return LiveRows(
            rows=rows[:_MOST],
            gone=gone[-_MOST:],
            more=sum(row.id in new for row in rows[_MOST:]),
            count=self._watch.count,
            address=query_string(query),
        )


def address(query: Query, after: str) -> str:
    """The address of the stream for a filter, going on after an event."""
    asked = query_string(query)
    return f"/deliveries/events{asked}{'&' if asked else '?'}{urlencode({'after': after})}"


def _is_wanted(query: Query, change: RowChange) -> bool:
    row = change.row
    if isinstance(row, FlightRow):
        return filters.accepts_flight(query, row)
    return row is not None and query.accepts(row)
