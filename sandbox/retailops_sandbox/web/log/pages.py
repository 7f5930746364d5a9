"""The pages of the log: the deliveries that the address's filter accepts, newest first, and their latency."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import islice

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.reporting.render import charts
from retailops_sandbox.runlog.place import database_words
from retailops_sandbox.runlog.query import FAULTS, VERDICTS, Query
from retailops_sandbox.runlog.rows import DeliveryRow, SortKey
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.web.log import filters, live, preview
from retailops_sandbox.web.log.filters import FilterTerm
from retailops_sandbox.web.log.preview import Preview
from retailops_sandbox.web.log.watch import Watch
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.context import Action, AppContext, Target, grouped
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.rows import FlightRow, newest_first

_PAGE = 100
_CHARTED = 2_000
"""The number of newest deliveries in the chart."""
_LATEST = "latest"
_SPANS = {
    "Last hour": timedelta(hours=1),
    "Last 24 hours": timedelta(days=1),
    "Last 7 days": timedelta(days=7),
}
_STATUSES = ("2xx", "3xx", "4xx", "5xx")


class FilterChoices(msgspec.Struct, frozen=True, kw_only=True):
    """The values that the fields of the filter offer, among them always the present one."""

    receivers: Sequence[str]
    actions: Mapping[str, Sequence[str]]
    """By group."""
    editions: Sequence[str]
    verdicts: Sequence[str]
    fixtures: Sequence[str]
    statuses: Sequence[str]
    faults: Sequence[str]


class TimeChoice(msgspec.Struct, frozen=True):
    """A span of time that ends now."""

    words: str
    address: str
    """The query string of the filter with it."""


class FoundRows:
    """The rows on one page of the log; each is looked up when the iteration reaches it."""

    def __init__(self, found: Iterator[DeliveryRow]) -> None:
        self._found = found
        self.count = 0
        """The number of rows so far."""
        self.older = ""
        """The id of the last row, once the iteration has ended; empty where no older delivery follows."""

    def __iter__(self) -> Iterator[DeliveryRow]:
        for row in islice(self._found, _PAGE):
            self.count += 1
            self.older = row.id
            yield row
        if next(self._found, None) is None:
            self.older = ""


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the log."""

    query: Query
    address: str
    """The query string of the filter; empty where it accepts everything."""
    terms: list[FilterTerm]
    choices: FilterChoices
    times: Sequence[TimeChoice]
    rows: Iterable[DeliveryRow]
    """The rows found in the log and those in flight."""
    found: FoundRows
    before: str
    """The id of the delivery that this page goes on after; empty for the newest page."""
    shown: str
    """The id of the delivery in the preview; empty without one."""
    preview: Preview | None
    live: str
    """The address of the stream of new rows; empty for a page without one."""
    count: int
    """The number of all deliveries in the log."""
    shared: str
    """The database that keeps the log, without its password; empty where files do."""
    unreadable: list[str]
    problems: Mapping[str, str]
    can_record: bool
    nothing_selected: bool
    """Whether a scenario was asked for while no delivery was selected."""


class LatencyPage(msgspec.Struct, frozen=True, kw_only=True):
    """How long deliveries took."""

    chart: charts.Latency | None
    """None where there is no delivery."""
    largest: int
    """The most deliveries that a chart is made of."""
    terms: list[FilterTerm]
    address: str


class LogPages(RoomPages):
    """`/deliveries`."""

    section = "Log"

    def __init__(self, context: AppContext, pages: Pages, watch: Watch) -> None:
        super().__init__(context, pages)
        self._watch = watch

    def routes(self) -> list[Route]:
        return [Route("/deliveries", self.log), Route("/deliveries/latency", self.latency)]

    async def log(self, request: Request) -> Response:
        """A page of the log; `?before=` goes on after that delivery."""
        if "" in request.query_params.values():
            # A form also sends its empty fields: they are removed from the address.
            return _to(filters.query_of(request))
        # Taken before the log is read: a change in between is sent twice rather than never.
        here = "" if "before" in request.query_params else await self._watch.latest_id()
        return await asyncio.to_thread(self._show, request, here)

    def latency(self, request: Request) -> Response:
        """How long the deliveries took that the filter accepts."""
        page = self._read_latency(filters.query_of(request).checked())
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "log/latency.html", page, target=target)

    # --- the log ---

    def _show(self, request: Request, here: str) -> Response:
        query = filters.query_of(request)
        receivers = self._context.read_receivers()
        target = self._chosen_target(request, receivers)
        before = request.query_params.get("before", "")
        try:
            query.checked()
            run = self._asked_run(query.run)
            after = self._place(before)
        except SandboxError as error:
            page = self._read(request, receivers, query, run=None, wrong=str(error))
            return self._page(request, "log/deliveries.html", page, target=target, refused=True)
        if run is not None and run.id != query.run:
            return _to(msgspec.structs.replace(query, run=run.id))
        page = self._read(request, receivers, query, run=run, after=after, here=here)
        if query.text:
            return self._streamed(request, page, target)
        shown = list(page.found)
        flying = [] if before else self._flying(query, {row.id for row in shown})
        page = msgspec.structs.replace(page, rows=newest_first([*flying, *shown]))
        return self._page(request, "log/deliveries.html", page, target=target)

    def _read(
        self,
        request: Request,
        receivers: KnownReceivers,
        query: Query,
        *,
        run: RunSummary | None,
        after: SortKey | None = None,
        here: str = "",
        wrong: str = "",
    ) -> LogPage:
        """A page of the log, with rows looked up during iteration; without any where the filter is wrong."""
        runs = self._context.log.runs()
        shown = request.query_params.get("show", "")
        found = FoundRows(iter(()) if wrong else self._context.log.rows(query, after=after))
        database = self._context.workspace.database
        return LogPage(
            query=query,
            address=query_string(query),
            terms=filters.terms(query),
            choices=self._choices(receivers, query),
            rows=found,
            found=found,
            before=request.query_params.get("before", ""),
            times=self._times(query),
            shown=shown,
            preview=preview.of_id(self._context, request, shown) if shown else None,
            live=live.address(query, here) if here else "",
            count=sum(run.deliveries for run in runs),
            shared=database_words(database) if database else "",
            unreadable=[str(problem) for run in runs for problem in run.problems],
            problems=problems({"filter": wrong} if wrong else {}),
            can_record=run is None or not run.opened_from,
            nothing_selected=request.query_params.get("selected") == "none",
        )

    def _asked_run(self, asked: str) -> RunSummary | None:
        """The run of this id, or the latest; UsageError where there is none."""
        if not asked:
            return None
        log = self._context.log
        found = log.run(asked) if asked != _LATEST else next((r for r in log.runs() if not r.is_idle), None)
        if found is None:
            raise UsageError(f"there is no run {asked!r} in the log", mend="the runs are under Runs")
        return found

    def _place(self, before: str) -> SortKey | None:
        """The sort key of the delivery that a page begins after; None for the newest page."""
        if not before:
            return None
        sent = self._entry(before).delivery
        return sent.sent_at, sent.id

    def _flying(self, query: Query, landed: set[str]) -> list[FlightRow]:
        """The deliveries in flight that a query accepts, without the ids in `landed`."""
        return [row for row in self._context.flying(landed) if filters.accepts_flight(query, row)]

    def _choices(self, receivers: KnownReceivers, query: Query) -> FilterChoices:
        actions = self._context.actions()
        editions = sorted({edition for each in actions for edition in each.editions})
        return FilterChoices(
            receivers=_with(receivers.names, query.receiver),
            actions=_groups(actions, query.action),
            editions=_with(editions, query.edition),
            verdicts=_with(VERDICTS, query.verdict),
            fixtures=_with(self._fixtures(query.action), query.fixture),
            statuses=_with(_STATUSES, query.status),
            faults=_with(FAULTS, query.fault),
        )

    def _fixtures(self, action: str) -> list[str]:
        """The names of an action's fixtures, or of all where no action is asked for."""
        known = self._context.workspace.fixtures
        names = {
            info.name
            for each in self._context.actions()
            if action in ("", each.name)
            for edition in each.editions
            for info in known(each.name, edition)
        }
        return sorted(names, key=lambda name: (name != "default", name))

    def _times(self, query: Query) -> list[TimeChoice]:
        now = datetime.fromisoformat(self._context.clock.now())
        return [
            TimeChoice(
                words, query_string(msgspec.structs.replace(query, since=_minute(now - span), until=""))
            )
            for words, span in _SPANS.items()
        ]

    def _streamed(self, request: Request, page: LogPage, target: Target) -> Response:
        """The page, each row sent as soon as it is found."""
        markup = self._pages.streamed(
            request,
            "log/deliveries.html",
            page,
            section=self.section,
            target=target,
        )
        # Compression would buffer the rows.
        return StreamingResponse(markup, media_type="text/html", headers={"Content-Encoding": "identity"})

    # --- latency ---

    def _read_latency(self, query: Query) -> LatencyPage:
        rows = islice(self._context.log.rows(query), _CHARTED)
        return LatencyPage(
            chart=charts.latency(
                [charts.Sent(row.sent_at, row.total_ms, row.verdict_word, row.id) for row in rows]
            ),
            largest=_CHARTED,
            terms=filters.terms(query),
            address=query_string(query),
        )


def _to(query: Query) -> Response:
    return RedirectResponse(f"/deliveries{query_string(query)}", HTTPStatus.SEE_OTHER)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


def _groups(actions: Sequence[Action], chosen: str) -> dict[str, list[str]]:
    """The names of the actions by group, among them always the chosen one."""
    groups = {group: [each.name for each in found] for group, found in grouped(actions).items()}
    if chosen and not any(chosen in names for names in groups.values()):
        groups["without a contract here"] = [chosen]
    return groups


def _with(known: Sequence[str], chosen: str) -> list[str]:
    return [*known, *([chosen] if chosen and chosen not in known else [])]
