"""The pages of probes: the start, a probe while it goes on, its result, and what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice

import anyio
import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.probe.keeping import KEPT_REPORTS, KeptReports, ReportHeading
from retailops_sandbox.probe.probes import AREAS, Area
from retailops_sandbox.probe.probing import ProbeProgress
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.web.probe import result
from retailops_sandbox.web.probe.form import ProbeForm
from retailops_sandbox.web.probe.live import BeingProbed, LiveProbe, LiveProbes
from retailops_sandbox.web.probe.result import Asked, Result, SaveAttempt
from retailops_sandbox.web.probe.start import StartBar, Starts
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import chosen_name, remember_action, remember_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.send_form import Refused

_EARLIER = 20
"""The most earlier probes in the list."""
_PAUSE = 0.4
"""The least seconds between two events of progress: each is a new page."""
_LAST_WORDS = 1.5
"""Seconds in which a stream may still send a probe's end when the process ends."""
_RESUME = "resume:"
"""What the button that goes on with a probe begins with, before the id of its run."""


class LiveState(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that has not ended, for its page."""

    run: str
    receiver: str
    progress: ProbeProgress | None
    is_stopping: bool
    seen: int
    """The number of changes of its progress that the page shows."""


class ProbePage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of probes."""

    start: StartBar | None
    """None while the probe goes on, and where its receiver is not known here."""
    live: LiveState | None
    result: Result | None
    """None where nothing was probed yet."""
    earlier: Sequence[ReportHeading]
    """Other probes of the same receiver, the newest first."""
    address: str
    """The path of the page."""
    can_resume: bool
    problem: str
    """Why the probe ended early, or its report is not kept."""
    is_begun_before: bool
    """Whether another probe was asked for while this one went on."""
    chosen_receiver: str
    """The receiver that the browser has chosen, where another one was probed; else empty."""


class ProbePages(RoomPages):
    """`/probe`."""

    section = "Probe"

    def __init__(self, context: AppContext, pages: Pages, live: LiveProbes, kept: KeptReports) -> None:
        super().__init__(context, pages)
        self._live = live
        self._kept = kept
        self._starts = Starts(context)

    def routes(self) -> list[Route]:
        one = "/probe/{run}"
        return [
            Route("/probe", self.index),
            Route("/probe/start", self.start, methods=["POST"]),
            Route(one, self.show),
            Route(f"{one}/events", self.events),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
        ]

    def index(self, request: Request) -> Response:
        """The probe of the chosen receiver that goes on, else its latest one, else only the start."""
        receivers = self._context.read_receivers()
        form = self._starts.form(request, receivers)
        live = self._live.of_receiver(form.receiver)
        report = self._latest(form) if live is None else None
        return self._show(request, receivers, form, report, live)

    def show(self, request: Request) -> Response:
        """One probe, going on or ended."""
        run = request.path_params["run"]
        receivers = self._context.read_receivers()
        live = self._live.find(run)
        report = self.report(run) if live is None else None
        return self._show(request, receivers, self._starts.form(request, receivers, report), report, live)

    async def start(self, request: Request) -> Response:
        """Start a probe, or go on with one: 303 to its page, or the page again with what is wrong."""
        typed = await forms.read(request)
        form = ProbeForm.of(typed)
        receivers = await asyncio.to_thread(self._context.read_receivers)
        try:
            run = await self._started(receivers, form, typed)
        except Refused as refused:
            return await asyncio.to_thread(self._refused, request, receivers, form, refused.problems)
        except SandboxError as error:
            live = self._live.of_receiver(form.receiver)
            if isinstance(error, BeingProbed) and live is not None:
                return RedirectResponse(f"/probe/{live.run}?begun=before", HTTPStatus.SEE_OTHER)
            wrong = {"send": str(error)}
            return await asyncio.to_thread(self._refused, request, receivers, form, wrong)
        response = RedirectResponse(f"/probe/{run}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, receivers.find(form.receiver))
        remember_action(request, response, *form.agreed)
        return response

    async def events(self, request: Request) -> Response:
        """An event `changed` at each progress of a probe, and `finished` once it has ended."""
        run = request.path_params["run"]
        live = self._live.find(run)
        if live is None:
            await asyncio.to_thread(self.report, run)
        closing = anyio.Event()

        async def stream() -> AsyncIterator[ServerSentEvent]:
            seen = request.query_params.get("seen", "")
            while live is not None and not live.ended.is_set():
                news = live.news
                if str(live.changes) != seen:
                    seen = str(live.changes)
                    yield ServerSentEvent(data=run, event="changed", id=seen)
                    await asyncio.sleep(_PAUSE)
                if not live.ended.is_set():
                    await news.wait()
            yield ServerSentEvent(data=run, event="finished", id=run)

        return EventSourceResponse(stream(), shutdown_event=closing, shutdown_grace_period=_LAST_WORDS)

    async def stop(self, request: Request) -> Response:
        """Stop a probe; what it found is kept, and shown."""
        await forms.read(request)
        run = request.path_params["run"]
        await self._live.stop(run)
        return RedirectResponse(f"/probe/{run}", HTTPStatus.SEE_OTHER)

    # --- for the other pages of the room ---

    def report(self, run: str) -> ProbeReport:
        """The report of a probe, so far where it goes on; HTTPException 404 where there is none. Blocks."""
        live = self._live.find(run)
        found = live.progress.report if live is not None and live.progress is not None else None
        found = found or self._live.unkept(run)
        if found is not None:
            return found
        try:
            return self._kept.load(run)
        except UsageError as error:
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                f"There is no report of a probe {run} in this workspace. The newest {KEPT_REPORTS} are kept,"
                " in the workspace that probed; what was sent is in the run of this name.",
            ) from error

    def refused(self, request: Request, report: ProbeReport, attempt: SaveAttempt) -> Response:
        """The page of a probe again, with why a finding was not saved. Blocks."""
        receivers = self._context.read_receivers()
        live = self._live.find(report.run)
        form = self._starts.form(request, receivers, report if live is None else None)
        return self._show(request, receivers, form, report, live, attempt=attempt)

    # --- starting ---

    async def _started(self, receivers: KnownReceivers, form: ProbeForm, typed: FormData) -> str:
        do = forms.text(typed, "do")
        resumed = None
        if do.startswith(_RESUME):
            resumed = await asyncio.to_thread(self.report, do.removeprefix(_RESUME))
        setup = await asyncio.to_thread(
            lambda: self._starts.setup(receivers, form, short=do == "check", resumed=resumed)
        )
        return await self._live.once(forms.key(typed), setup)

    # --- showing ---

    def _refused(
        self, request: Request, receivers: KnownReceivers, form: ProbeForm, wrong: Mapping[str, str]
    ) -> Response:
        return self._show(request, receivers, form, self._latest(form), None, wrong=wrong)

    def _show(
        self,
        request: Request,
        receivers: KnownReceivers,
        form: ProbeForm,
        report: ProbeReport | None,
        live: LiveProbe | None,
        *,
        wrong: Mapping[str, str] | None = None,
        attempt: SaveAttempt | None = None,
    ) -> Response:
        asked = msgspec.convert(dict(request.query_params), Asked)
        progress = live.progress if live is not None else None
        shown = progress.report if progress is not None else report
        run = live.run if live is not None else report.run if report is not None else ""
        probed = live.receiver if live is not None else report.receiver if report is not None else ""
        chosen = chosen_name(request, receivers)
        can_start = live is None and probed in ("", form.receiver)
        start = self._starts.bar(receivers, form, report, wrong) if can_start else None
        page = ProbePage(
            start=start,
            live=_state(live),
            result=self._result(shown, asked, attempt, is_live=live is not None),
            earlier=self._earlier(probed or form.receiver, run),
            address=f"/probe/{run}" if run else "/probe",
            can_resume=report is not None and bool(report.stopped) and can_start,
            problem=self._live.problem(run),
            is_begun_before=request.query_params.get("begun") == "before",
            chosen_receiver=chosen if probed not in ("", chosen) else "",
        )
        refused = bool(wrong) or attempt is not None
        agreed = form.agreed if chosen == form.receiver else ("", "")
        header = self._chosen_target(request, receivers, *agreed)
        return self._page(request, "probe/probe.html", page, target=header, refused=refused)

    def _result(
        self, report: ProbeReport | None, asked: Asked, attempt: SaveAttempt | None, *, is_live: bool
    ) -> Result | None:
        if report is None:
            return None
        coming: Sequence[Area] = ()
        if is_live or (report.stopped and not report.baseline):
            contract = self._context.contracts.find(report.action, report.edition)
            has_auth = contract is not None and contract.auth is not None
            coming = [each for each in report.areas_wanted or AREAS if each != "auth" or has_auth]
        return result.result_of(report, asked, self._saved, attempt, coming=coming)

    def _latest(self, form: ProbeForm) -> ProbeReport | None:
        """The newest report of the receiver and the action of a form; None where none was kept."""
        for heading in self._kept.headings():
            agreed = (heading.action, heading.edition) == form.agreed
            if heading.receiver == form.receiver and agreed:
                return self._kept.load(heading.run)
        return None

    def _earlier(self, receiver: str, run: str) -> list[ReportHeading]:
        others = (each for each in self._kept.headings() if each.receiver == receiver and each.run != run)
        return list(islice(others, _EARLIER))

    def _saved(self, name: str) -> str | None:
        """The text of the scenario file of this name; None where there is none."""
        path = self._context.workspace.scenario_path(name)
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _state(live: LiveProbe | None) -> LiveState | None:
    if live is None:
        return None
    return LiveState(
        run=live.run,
        receiver=live.receiver,
        progress=live.progress,
        is_stopping=live.is_stopping,
        seen=live.changes,
    )
