"""The pages of runs: the list, one run with live results, one scenario in a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus

import anyio
import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.reporting.render import charts
from retailops_sandbox.reporting.render.charts import RunBar
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.web.runs import results, run_page
from retailops_sandbox.web.runs.results import RunRow
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.run_watch import RunWatch

_PAGE = 100
_CHARTED = 30
"""The number of newest runs in the chart of verdicts."""
_LOOK_AGAIN = 0.5
"""Seconds between two checks for progress of a running run."""
_LAST_WORDS = 1.5
"""Seconds in which a stream may still send a run's end when the process ends."""

_Progress = tuple[str, int, int]
"""The state of a run, and the numbers of its results and deliveries."""


class RunsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of all runs."""

    rows: Sequence[RunRow]
    opened: Sequence[RunRow]
    """The runs that were opened from files."""
    bars: Sequence[RunBar]
    """The chart of the newest runs; empty on the pages of older ones."""
    count: int
    """The number of all runs in the log."""
    before: str
    """The id of the run that this page goes on after; empty for the newest page."""
    older: str
    """The id of the run that the next page goes on after; empty where none follows."""
    problems: Mapping[str, str]


class RunPages(RoomPages):
    """`/runs`."""

    section = "Runs"

    def __init__(self, context: AppContext, pages: Pages, watch: RunWatch) -> None:
        super().__init__(context, pages)
        self._watch = watch

    def routes(self) -> list[Route]:
        one = "/runs/{id}"
        return [
            Route("/runs", self.index),
            Route(one, self.show),
            Route(f"{one}/events", self.events),
            Route(f"{one}/scenario", self.scenario),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
        ]

    def index(self, request: Request) -> Response:
        """All runs, the newest first; `?before=` goes on after that run."""
        return self.all(request)

    def all(self, request: Request, problem: str = "") -> Response:
        """All runs; `problem` is what is wrong with a file that was to be opened. Blocks."""
        page = self._read_all(request.query_params.get("before", ""), problem)
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "runs/runs.html", page, target=target, refused=bool(problem))

    def show(self, request: Request) -> Response:
        """A run and its results so far."""
        run = self._run(request.path_params["id"])
        self._watch.looked()
        page = run_page.of_run(self._context, request, run, self._watch)
        target = self._chosen_target(request, self._context.read_receivers())
        response = self._page(request, "runs/run.html", page, target=target)
        # The page of a run that is watched follows to the next one in place.
        response.headers["HX-Replace-Url"] = request.url.path + page.address
        return response

    def scenario(self, request: Request) -> Response:
        """One scenario in a run: its steps, and all their deliveries."""
        run, scenario = self._run(request.path_params["id"]), request.query_params.get("id", "")
        page = run_page.of_scenario(self._context, run, scenario)
        if page is None:
            what = scenario or "a scenario"
            raise HTTPException(HTTPStatus.NOT_FOUND, f"The run {run.id} has no result of {what}.")
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "runs/run_scenario.html", page, target=target)

    async def events(self, request: Request) -> Response:
        """An event `changed` at each progress of a run, and `finished` once it has ended."""
        id = request.path_params["id"]
        await asyncio.to_thread(self._run, id)

        closing = anyio.Event()

        async def stream() -> AsyncIterator[ServerSentEvent]:
            sent = None
            while True:
                progress = await asyncio.to_thread(self._progress, id)
                if progress is None or progress[0] != "running":
                    yield ServerSentEvent(data=id, event="finished", id=id)
                    return
                if progress != sent:
                    yield ServerSentEvent(data=id, event="changed", id=id)
                    sent = progress
                if not closing.is_set():
                    with anyio.move_on_after(_LOOK_AGAIN):
                        await closing.wait()
                elif self._context.running.is_live(id):
                    # The run is being stopped, and its pages have to show its end.
                    await asyncio.sleep(_LOOK_AGAIN / 10)
                else:
                    return

        return EventSourceResponse(stream(), shutdown_event=closing, shutdown_grace_period=_LAST_WORDS)

    async def stop(self, request: Request) -> Response:
        """Stop a run of this process; its results so far are kept, and shown."""
        await forms.read(request)
        id = request.path_params["id"]
        await asyncio.to_thread(self._run, id)
        await self._context.running.stop(id)
        return RedirectResponse(f"/runs/{id}", HTTPStatus.SEE_OTHER)

    # --- reading ---

    def _read_all(self, before: str, problem: str) -> RunsPage:
        log, now = self._context.log, self._context.clock.now()
        runs = [run for run in log.runs() if not run.is_idle]
        ids = [run.id for run in runs]
        following = runs[ids.index(before) + 1 :] if before in ids else runs
        return RunsPage(
            rows=[results.run_row(run, now) for run in following[:_PAGE]],
            opened=[results.run_row(run, now) for run in log.opened()],
            bars=_bars(following) if not before else [],
            count=len(runs),
            before=before,
            older=following[_PAGE - 1].id if len(following) > _PAGE else "",
            problems=problems({"file": problem} if problem else {}),
        )

    def _progress(self, id: str) -> _Progress | None:
        """The progress of a run; None where there is none of this id."""
        run = self._context.log.run(id)
        return None if run is None else (run.state, run.results, run.deliveries)


def _bars(runs: Sequence[RunSummary]) -> list[RunBar]:
    """The newest runs that have results, the oldest of them first."""
    counted = [(run.id, results.counted(run.outcomes)) for run in runs if run.results]
    return charts.verdicts(counted[:_CHARTED][::-1])
