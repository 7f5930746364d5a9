"""The runs: all of them, one with its results as they come, and one scenario in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import anyio
import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.model import ResultStep
from retailops_sandbox.reporting.render import charts
from retailops_sandbox.reporting.render.charts import RunBar
from retailops_sandbox.runlog.log import RunSummary
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.scenarios.trend import Past
from retailops_sandbox.web.shell import forms, results
from retailops_sandbox.web.shell.choices import chosen_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.results import ResultRow
from retailops_sandbox.web.shell.rows import Row

_PAGE = 100
_RESULTS = 500
"""How many results of a run that has ended one page shows: a browser takes seconds over ten thousand."""
_CHARTED = 30
"""How many runs the chart of verdicts shows."""
_IN_TABLE = 4
"""How much of a result the table of a run shows: steps, deliveries of each, lines of each."""
_IN_DETAIL = 200
_LIVE = 100
"""How many rows a page shows of a run that goes on."""
_LOOK_AGAIN = 0.5
"""Seconds between two looks at a run that goes on."""


_LAST_WORDS = 1.5
"""Seconds that a page has to be told of the end, when the process ends."""


class Choice(msgspec.Struct, frozen=True):
    """A filter that can be chosen, and where that leads."""

    label: str
    count: int
    url: str
    is_chosen: bool


class Filter(msgspec.Struct, frozen=True):
    """What of a run's results is shown; empty shows all."""

    verdict: str = ""
    trend: str = ""
    tag: str = ""

    @classmethod
    def of(cls, request: Request) -> Filter:
        return cls(**{name: request.query_params.get(name, "") for name in cls.__struct_fields__})

    def accepts(self, row: ResultRow) -> bool:
        return (
            self.verdict in ("", row.result.verdict)
            and self.trend in ("", row.trend)
            and (not self.tag or self.tag in row.result.tags)
        )

    @property
    def query(self) -> str:
        """As the address spells it, with its question mark; empty where all is shown."""
        said = {name: value for name, value in msgspec.structs.asdict(self).items() if value}
        return f"?{urlencode(said)}" if said else ""


class Paging(msgspec.Struct, frozen=True):
    """Which results a page shows, of more than fit on one."""

    first: int
    """How many come before."""
    count: int
    """Of all that the filter lets through."""

    @property
    def end(self) -> int:
        return min(self.first + _RESULTS, self.count)

    @property
    def before(self) -> int:
        """Where the page before begins."""
        return max(0, self.first - _RESULTS)


class RunPages:
    """`/runs`."""

    def __init__(self, context: AppContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    def routes(self) -> list[Route]:
        one = "/runs/{id}"
        return [
            Route("/runs", self.index),
            Route(one, self.show),
            Route(f"{one}/events", self.events),
            Route(f"{one}/scenario", self.scenario),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """All runs, the newest first; `?before=` goes on after that run."""
        return await self.all(request)

    async def all(self, request: Request, problem: str = "") -> Response:
        """All runs, and what was wrong with a file that was to be opened."""
        runs = await asyncio.to_thread(self._context.log.runs)
        before = request.query_params.get("before", "")
        runs = [run for run in runs if not run.is_idle]
        ids = [run.id for run in runs]
        older = runs[ids.index(before) + 1 :] if before in ids else runs
        now = self._context.clock.now()
        return self._page(
            request,
            "runs/runs.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            problems=problems({"file": problem} if problem else {}),
            opened=[results.run_row(run, now) for run in await asyncio.to_thread(self._context.log.opened)],
            rows=[results.run_row(run, now) for run in older[:_PAGE]],
            bars=_bars(older) if not before else [],
            count=len(runs),
            before=before,
            older=older[_PAGE - 1].id if len(older) > _PAGE else "",
        )

    async def show(self, request: Request) -> Response:
        """A run and its results, as far as it is."""
        id = request.path_params["id"]
        run = await asyncio.to_thread(self._context.log.find, id)
        if run is None:
            raise _no_run(id)
        wanted = Filter.of(request)
        asked = request.query_params.get("from", "")
        first = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 0
        rows = await asyncio.to_thread(self._rows, run)
        shown = [row for row in rows if wanted.accepts(row)]
        is_running = run.state == "running" and not results.is_open(run)
        has_scenarios = run.results > 0 or (run.info is not None and run.info.scenarios > 0)
        by_hand = [] if has_scenarios else await asyncio.to_thread(self._deliveries, id)
        return self._page(
            request,
            "runs/run.html",
            run=results.run_row(run, self._context.clock.now()),
            info=run.info,
            rows=shown[:_LIVE] if is_running else shown[first : first + _RESULTS],
            hidden=max(0, len(shown) - _LIVE) if is_running else 0,
            paging=Paging(first, len(shown)) if len(shown) > _RESULTS and not is_running else None,
            total=len(rows),
            failing=sum(row.result.verdict in ("failed", "errored") for row in rows),
            is_running=is_running,
            is_ours=self._context.running.is_live(id),
            can_review=not is_running
            and not run.foreign
            and any(row.result.verdict in ("failed", "errored") for row in rows),
            problem=self._context.running.problem(id),
            choices=_choices(id, rows, wanted),
            filtered=wanted.query,
            by_hand=by_hand,
            started_before=request.query_params.get("started") == "before",
        )

    async def scenario(self, request: Request) -> Response:
        """One scenario in a run: its steps, and all their deliveries."""
        id, scenario = request.path_params["id"], request.query_params.get("id", "")
        run = await asyncio.to_thread(self._context.log.find, id)
        if run is None:
            raise _no_run(id)
        rows = await asyncio.to_thread(self._rows, run, scenario)
        if not rows:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, f"The run {id} has no result of {scenario or 'a scenario'}."
            )
        return self._page(
            request,
            "runs/run_scenario.html",
            run=results.run_row(run, self._context.clock.now()),
            row=rows[0],
            is_known=not run.foreign and self._is_known(scenario),
        )

    async def events(self, request: Request) -> Response:
        """An event `changed` where a run has got further, and `finished` once it has ended."""
        id = request.path_params["id"]
        if await asyncio.to_thread(self._standing, id) is None:
            raise _no_run(id)

        closing = anyio.Event()

        async def stream() -> AsyncIterator[ServerSentEvent]:
            told = None
            while True:
                standing = await asyncio.to_thread(self._standing, id)
                if standing is None or standing[0] != "running":
                    yield ServerSentEvent(data=id, event="finished", id=id)
                    return
                if standing != told:
                    yield ServerSentEvent(data=id, event="changed", id=id)
                    told = standing
                if not closing.is_set():
                    with anyio.move_on_after(_LOOK_AGAIN):
                        await closing.wait()
                elif self._context.running.is_live(id):
                    # It is being stopped, and who watches it is told how it ended.
                    await asyncio.sleep(_LOOK_AGAIN / 10)
                else:
                    return

        return EventSourceResponse(stream(), shutdown_event=closing, shutdown_grace_period=_LAST_WORDS)

    async def stop(self, request: Request) -> Response:
        """Stop a run of this process; what was done until then is kept, and shown."""
        await forms.read(request)
        id = request.path_params["id"]
        if await asyncio.to_thread(self._standing, id) is None:
            raise _no_run(id)
        await self._context.running.stop(id)
        return RedirectResponse(f"/runs/{id}", HTTPStatus.SEE_OTHER)

    # --- showing ---

    def _standing(self, id: str) -> tuple[str, int, int] | None:
        """How far a run is: its state, its results and its deliveries; None if there is none."""
        run = self._context.log.find(id)
        return None if run is None else (run.state, run.results, run.deliveries)

    def _rows(self, run: RunSummary, scenario: str | None = None) -> list[ResultRow]:
        """The run's results, with the deliveries of what did not pass; or one scenario, with all of its."""
        only_one = scenario is not None
        log = self._context.log
        wanted = [result for result in log.results(run.id) if scenario in (None, result.scenario)]
        spoiled = {
            result.scenario for result in wanted if only_one or result.verdict in ("failed", "errored")
        }
        found = log.run(run.id, spoiled)
        return results.result_rows(
            wanted,
            {} if run.foreign else results.trends(run, wanted, self._past(run)),
            found[1] if found else [],
            wanted=(lambda step: True) if only_one else _is_told,
            most=_IN_DETAIL if only_one else _IN_TABLE,
        )

    def _past(self, run: RunSummary) -> Iterable[Past]:
        return results.past(self._context.log, run.info) if run.info is not None else ()

    def _deliveries(self, id: str) -> list[Row]:
        """The newest deliveries of a run without scenarios."""
        return [Row.of_summary(each) for each in islice(self._context.log.summaries(Query(run=id)), _PAGE)]

    def _is_known(self, scenario: str) -> bool:
        """Whether a scenario's file is still there."""
        return self._context.scenario_index.has(scenario)

    def _page(
        self, request: Request, name: str, status: HTTPStatus = HTTPStatus.OK, **context: Any
    ) -> Response:
        action = self._context.actions()[0]
        target = self._context.target(
            chosen_receiver(request, self._context), action.name, action.editions[0]
        )
        return self._pages.render(request, name, status=status, section="Runs", target=target, **context)


def _bars(runs: Sequence[RunSummary]) -> list[RunBar]:
    """The newest runs that have results, the oldest of them first."""
    told = [(run.id, results.counted(run.outcomes)) for run in runs if run.results]
    return charts.verdicts(told[:_CHARTED][::-1])


def _is_told(step: ResultStep) -> bool:
    """Whether a step has something to say in the table of a run."""
    return step.verdict in ("failed", "errored", "skipped") or step.attempts > 1


def _choices(id: str, rows: Sequence[ResultRow], chosen: Filter) -> list[tuple[str, Sequence[Choice]]]:
    """The filters, by what they look at: each with how many rows there are of it in all."""
    verdicts = Counter(row.result.verdict for row in rows)
    trends = Counter(row.trend for row in rows if row.trend)
    tags = Counter(tag for row in rows for tag in set(row.result.tags))
    groups = (
        ("verdict", [(each, verdicts[each]) for each in results.VERDICTS if verdicts[each]]),
        ("trend", [(each, trends[each]) for each in results.TRENDS if trends[each]]),
        ("tag", sorted(tags.items())),
    )
    choices: list[tuple[str, Sequence[Choice]]] = []
    for name, counts in groups:
        current = getattr(chosen, name)
        if current and current not in dict(counts):
            counts = [*counts, (current, 0)]
        options = [("", len(rows)), *counts]
        if len(counts) > 1 or current:
            choices.append(
                (
                    name,
                    [
                        Choice(
                            label or "all",
                            count,
                            f"/runs/{id}{msgspec.structs.replace(chosen, **{name: label}).query}",
                            current == label,
                        )
                        for label, count in options
                    ],
                )
            )
    return choices


def _no_run(id: str) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, f"There is no run {id} in this workspace's log.")
