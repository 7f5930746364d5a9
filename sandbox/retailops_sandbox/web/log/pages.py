"""The log: its deliveries, newest first, by whatever the address asks for; and how long they took."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.reporting.render import charts
from retailops_sandbox.runlog.log import RunSummary
from retailops_sandbox.runlog.query import FAULTS, NOT_JUDGED, VERDICTS, Query
from retailops_sandbox.runlog.rows import SortKey
from retailops_sandbox.web.log import filters, live
from retailops_sandbox.web.log.watch import Watch
from retailops_sandbox.web.shell.choices import chosen_receiver
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.rows import Row, newest_first

_PAGE = 100
_CHARTED = 2_000
"""The newest so many deliveries are in the chart."""
_LATEST = "latest"
_STATUSES = ("2xx", "3xx", "4xx", "5xx")


class Found(msgspec.Struct):
    """A page of the log while it is found: what comes after it is known once all its rows were taken."""

    older: str = ""
    """The last row's id, where there are further ones."""
    count: int = 0


class LogPages:
    """`/deliveries`."""

    def __init__(self, context: AppContext, pages: Pages, watch: Watch) -> None:
        self._context = context
        self._pages = pages
        self._watch = watch

    def routes(self) -> list[Route]:
        return [Route("/deliveries", self.log), Route("/deliveries/latency", self.latency)]

    async def log(self, request: Request) -> Response:
        """A page of the log; `?before=` goes on after that delivery."""
        query = filters.query_of(request)
        before = request.query_params.get("before", "")
        if "" in request.query_params.values():
            # A form says also what was left empty: an address that is kept or passed on should not.
            return RedirectResponse(f"/deliveries{filters.address(query)}", HTTPStatus.SEE_OTHER)
        wrong, after, run = "", None, None
        try:
            query.checked()
            run = await asyncio.to_thread(self._run, query.run)
            after = await asyncio.to_thread(self._after, before)
        except SandboxError as error:
            wrong = str(error)
        if run is not None and run.id != query.run:
            this = msgspec.structs.replace(query, run=run.id)
            return RedirectResponse(f"/deliveries{filters.address(this)}", HTTPStatus.SEE_OTHER)
        # Before the log is read: what comes meanwhile is told twice rather than never.
        here = "" if wrong or before else await self._watch.here()
        runs = await asyncio.to_thread(self._context.log.runs)
        found = Found()
        rows = iter(()) if wrong else self._rows(query, after, found)
        context = {
            "found": found,
            "query": query,
            "asked": filters.asked(query),
            "address": filters.address(query),
            "before": before,
            "live": here and live.address(query, here),
            "problems": problems({"filter": wrong} if wrong else {}),
            "count": sum(run.deliveries for run in runs),
            "unreadable": [str(problem) for run in runs for problem in run.problems],
            "can_record": run is None or not run.foreign,
            "ticked_none": request.query_params.get("ticked") == "none",
            **self._choices(query),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
        if query.text and not wrong:
            return self._streamed(request, rows, context)
        shown = await asyncio.to_thread(list, rows)
        flying = [] if wrong or before else self._flying(query, {row.id for row in shown})
        return self._page(
            request, "log/deliveries.html", status, rows=newest_first([*flying, *shown]), **context
        )

    async def latency(self, request: Request) -> Response:
        """How long the deliveries took that the filter lets through."""
        query = filters.query_of(request).checked()
        chart = await asyncio.to_thread(self._latency, query)
        part = request.headers.get("HX-Request") == "true"
        return self._page(
            request,
            "log/latency_chart.html" if part else "log/latency.html",
            chart=chart,
            most=_CHARTED,
            asked=filters.asked(query),
            address=filters.address(query),
        )

    # --- finding ---

    def _run(self, asked: str) -> RunSummary | None:
        """The run that is asked for, by its id or as the latest; UsageError where there is none."""
        if not asked:
            return None
        log = self._context.log
        found = log.find(asked) if asked != _LATEST else next((r for r in log.runs() if not r.is_idle), None)
        if found is None:
            raise UsageError(
                f"there is no run {asked!r} in this workspace's log", mend="the runs are under Runs"
            )
        return found

    def _after(self, before: str) -> SortKey | None:
        """The place that a page goes on after; None is the beginning."""
        if not before:
            return None
        entry = self._context.log.get(before)
        if entry is None:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, f"There is no delivery {before} in this workspace's log."
            )
        return entry.delivery.sent_at, entry.delivery.id

    def _rows(self, query: Query, after: SortKey | None, found: Found) -> Iterator[Row]:
        """A page of rows, each as soon as it is found."""
        rows = map(Row.of_summary, self._context.log.summaries(query, after=after))
        for row in islice(rows, _PAGE):
            found.count += 1
            found.older = row.id
            yield row
        if next(rows, None) is None:
            found.older = ""

    def _flying(self, query: Query, landed: set[str]) -> list[Row]:
        """Those in flight that a query lets through.

        One that landed a moment ago, and is being judged, is in the log already.
        """
        rows = [Row.of_flight(flight) for flight in self._context.sending.flights if flight.id not in landed]
        return [row for row in rows if filters.accepts_flight(query, row)]

    def _latency(self, query: Query) -> charts.Latency | None:
        rows = list(islice(self._context.log.summaries(query), _CHARTED))
        return charts.latency([(row.sent_at, row.total, row.verdict or NOT_JUDGED) for row in rows])

    # --- showing ---

    def _choices(self, query: Query) -> dict[str, Any]:
        """What can be chosen in the filter; what is chosen is among it in any case."""
        actions = self._context.actions()
        editions = sorted({edition for each in actions for edition in each.editions})
        return {
            "receivers": _with([each.name for each in self._context.receivers()], query.receiver),
            "actions": _with([each.name for each in actions], query.action),
            "editions": _with(editions, query.edition),
            "verdicts": _with(VERDICTS, query.verdict),
            "statuses": _with(_STATUSES, query.status),
            "faults": _with(FAULTS, query.fault),
        }

    def _streamed(self, request: Request, rows: Iterator[Row], context: dict[str, Any]) -> Response:
        """The page as it is made, each row as it is found."""
        made = self._pages.streamed(
            request, "log/deliveries.html", section="Log", target=self._target(request), rows=rows, **context
        )
        # Compressed, the rows would wait for each other.
        return StreamingResponse(made, media_type="text/html", headers={"Content-Encoding": "identity"})

    def _page(
        self, request: Request, name: str, status: HTTPStatus = HTTPStatus.OK, **context: Any
    ) -> Response:
        target = self._target(request)
        return self._pages.render(request, name, status=status, section="Log", target=target, **context)

    def _target(self, request: Request) -> Target:
        action = self._context.actions()[0]
        return self._context.target(chosen_receiver(request, self._context), action.name, action.editions[0])


def _with(known: Sequence[str], chosen: str) -> list[str]:
    return [*known, *([chosen] if chosen and chosen not in known else [])]
