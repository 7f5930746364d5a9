"""The pages of scenarios: the list with filter, receiver and Run; one scenario with its text and results."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.engine import Options
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.model import Receiver, Result, RunInfo
from retailops_sandbox.reporting.render.lines import VERDICT_ORDER
from retailops_sandbox.runlog.entries import LoggedResult
from retailops_sandbox.runlog.ports import LogReader
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.scenarios import scenario, trend
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.scenarios.trend import Past, Trend
from retailops_sandbox.session.fitting import Fitting, fitting
from retailops_sandbox.session.run import RunSetup
from retailops_sandbox.web.scenarios import editor_panel
from retailops_sandbox.web.scenarios.editor_panel import FILE, EditorPanel
from retailops_sandbox.web.scenarios.file_state import FileNotice, FilePanel, file_notice, file_panel
from retailops_sandbox.web.scenarios.scenario_list import (
    NOT_RUN,
    ScenarioForm,
    ScenarioList,
    accepted,
    last_verdict,
    scenario_list,
)
from retailops_sandbox.web.scenarios.step_summary import StepSummary, step_summaries
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import chosen_name, remember_receiver
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.run_target import for_run, run_target
from retailops_sandbox.web.shell.run_watch import RunWatch
from retailops_sandbox.web.shell.send_form import Refused
from retailops_sandbox.web.shell.sends import permit
from retailops_sandbox.workspace.scenarios import ScenarioFiles

_RECENT = 20
"""The number of latest results on the page of a scenario."""
_LONGEST_ADDRESS = 4000
"""The most characters of an address that carries the selection."""
_ROW = "row:"
"""What the value of a row's Run begins with; the scenario's id follows."""
_PARTS = {"target": "scenarios/rerun.html", "scenario-list": "scenarios/scenario_list.html"}
"""The templates of the page's parts, by the id of the element that a script replaces."""


class EarlierResult(msgspec.Struct, frozen=True):
    """A result of a scenario in an earlier run."""

    run: RunInfo
    result: Result
    trend: Trend | None


class RunBar(msgspec.Struct, frozen=True, kw_only=True):
    """The bar with the receiver of a run and the buttons that start it."""

    target: Target
    receivers: Sequence[Receiver]
    one: str
    """The id of the only scenario that it runs; empty where it runs the selected ones."""
    form_id: str
    problems: Mapping[str, str]
    left_out: str = ""
    """What a run of all listed scenarios leaves out, and why, in one line; empty where it is nothing."""


class Unreadable(msgspec.Struct, frozen=True):
    """A file that is no scenario."""

    text: str
    id: str
    """By which it can be mended; empty for what no page shows."""


class ScenariosPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of all scenarios."""

    run_bar: RunBar
    form: ScenarioForm
    scenarios: ScenarioList
    tags: Sequence[str]
    verdicts: Sequence[str]
    unreadable: Sequence[Unreadable]
    notice: FileNotice | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a row of the list says of a scenario's latest run."""

    scenario: str
    run: str = ""
    """The id of the run under way; empty for none."""
    last: LoggedResult | None = None
    problem: str = ""
    """Why it was not run."""


class ScenarioPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of one scenario."""

    id: str
    run_bar: RunBar | None
    """None where the file is no scenario that can be run."""
    plan: Plan | None
    steps: Sequence[StepSummary]
    """Those of the text that the editor shows."""
    earlier: Sequence[EarlierResult]
    """The newest first."""
    file: FilePanel
    notice: FileNotice | None
    editor: EditorPanel


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a form asks to run, and the receivers as they were read for it."""

    form: ScenarioForm
    one: str
    """The id of the scenario whose page it is; empty for the list."""
    do: str
    is_row: bool
    """Whether it is the scenario of a row of the list."""
    is_watched: bool
    """Whether what is run is watched then."""
    key: str
    receivers: KnownReceivers


class ScenarioPages(RoomPages):
    """`/scenarios`."""

    section = "Scenarios"

    def __init__(self, context: AppContext, pages: Pages, files: ScenarioFiles, watch: RunWatch) -> None:
        super().__init__(context, pages)
        self._watch = watch
        self._files = files

    def routes(self) -> list[Route]:
        return [
            Route("/scenarios", self.index),
            Route("/scenarios", self.change, methods=["POST"]),
            Route("/scenarios/show", self.show),
            Route("/scenarios/run", self.run, methods=["POST"]),
            Route("/scenarios/row", self.row),
        ]

    def index(self, request: Request) -> Response:
        """All scenarios that the filter accepts; `?of=` selects those of a run, or the failed ones of it."""
        form = ScenarioForm.of(request.query_params)
        earlier = request.query_params.get("of")
        if earlier is not None:
            run, results = self._run(earlier), self._context.log.results(earlier)
            form = _of_run(form, run, results, only_failed="failed" in request.query_params)
        receivers = self._context.read_receivers()
        if form.receiver not in receivers.names:
            form = msgspec.structs.replace(form, receiver=chosen_name(request, receivers))
        return self._list(request, receivers, form)

    async def change(self, request: Request) -> Response:
        """Show the list again with another filter, page or receiver, and the same selection."""
        return await asyncio.to_thread(self._changed, request, await forms.read(request))

    def _changed(self, request: Request, typed: FormData) -> Response:
        form = ScenarioForm.of(typed)
        receivers = self._context.read_receivers()
        part = _PARTS.get(request.headers.get("hx-target", ""), "")
        place = f"/scenarios{form.address if part else form.address_with_selection}"
        if not part and len(place) <= _LONGEST_ADDRESS:
            response: Response = RedirectResponse(place, HTTPStatus.SEE_OTHER)
        else:
            response = self._list(request, receivers, form, part=part)
            if len(place) <= _LONGEST_ADDRESS:
                response.headers["HX-Replace-Url"] = place
        remember_receiver(request, response, receivers.find(form.receiver))
        return response

    def show(self, request: Request) -> Response:
        """One scenario: what it does, its results, and its text."""
        receivers = self._context.read_receivers()
        asked = request.query_params.get("receiver") or chosen_name(request, receivers)
        return self._one(request, receivers, request.query_params.get("id", ""), ScenarioForm(receiver=asked))

    def refused(
        self,
        request: Request,
        id: str,
        *,
        wrong: Mapping[str, str] | None = None,
        name: str | None = None,
        editor: EditorPanel | None = None,
        text: str | None = None,
    ) -> Response:
        """The page of a scenario again, with what was typed and what is wrong with it.

        `text` is that of the file for an editor of one that was typed; None where it is gone.
        """
        receivers = self._context.read_receivers()
        form = ScenarioForm(receiver=chosen_name(request, receivers))
        return self._one(request, receivers, id, form, wrong, name=name, editor=editor, text=text)

    async def run(self, request: Request) -> Response:
        """Run the chosen scenarios: 303 to the run's page, or the page again with its problems."""
        asked = await asyncio.to_thread(self._asked, await forms.read(request))
        if asked.is_row and "hx-request" in request.headers:
            return await self._run_row(request, asked)
        try:
            wanted = await asyncio.to_thread(self._request, asked)
            if asked.is_watched:
                self._watch.check(asked.receivers.find(asked.form.receiver))
            id, was_started = await self._context.running.once(asked.key, wanted)
            if asked.is_watched and not was_started:
                await self._watch.start(id, [plan.id for plan in wanted.plans], asked.form.receiver)
        except Refused as refused:
            return await asyncio.to_thread(self._refused, request, asked, refused.problems)
        except SandboxError as error:
            return await asyncio.to_thread(self._refused, request, asked, {"send": str(error)})
        query = "?started=before" if was_started else ""
        response = RedirectResponse(f"/runs/{id}{query}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, asked.receivers.find(asked.form.receiver))
        return response

    async def _run_row(self, request: Request, asked: _Asked) -> Response:
        """Run the scenario of a row: the row's outcome, which asks for the next until the run has ended."""
        id = asked.form.pick[0]
        try:
            wanted = await asyncio.to_thread(self._request, asked)
            # The button waits for the answer, and each press of it is a run.
            run, _ = await self._context.running.once(secrets.token_hex(16), wanted)
        except Refused as refused:
            outcome = Outcome(scenario=id, problem=" ".join(refused.problems.values()))
        except SandboxError as error:
            outcome = Outcome(scenario=id, problem=str(error))
        else:
            outcome = Outcome(scenario=id, run=run)
        return await asyncio.to_thread(self._part, request, "scenarios/outcome.html", outcome)

    def row(self, request: Request) -> Response:
        """The outcome in a row of the list, while its run goes on and after it."""
        id, run = request.query_params.get("id", ""), request.query_params.get("run", "")
        if self._context.running.is_live(run):
            outcome = Outcome(scenario=id, run=run)
        else:
            problem = self._context.running.problem(run)
            outcome = Outcome(scenario=id, last=self._context.log.latest_results().get(id), problem=problem)
        return self._part(request, "scenarios/outcome.html", outcome)

    # --- what is to be run ---

    def _asked(self, typed: FormData) -> _Asked:
        form, do = ScenarioForm.of(typed), forms.text(typed, "do")
        is_row = do.startswith(_ROW)
        if is_row:
            form, do = msgspec.structs.replace(form, pick=(do.removeprefix(_ROW),)), "selected"
        is_watched = do == "watch"
        if is_watched:
            do = "selected" if form.pick else "listed"
        return _Asked(
            form=form,
            is_row=is_row,
            is_watched=is_watched,
            one=forms.text(typed, "one"),
            do=do,
            key=forms.key(typed),
            receivers=self._context.read_receivers(),
        )

    def _request(self, asked: _Asked) -> RunSetup:
        receivers, form, one, do = asked.receivers, asked.form, asked.one, asked.do
        plans, unreadable = self._wanted(form, one, do)
        if not plans:
            nothing = "there is nothing to run" if do == "listed" else "select a scenario first"
            raise Refused("send", f"Nothing was sent: {nothing}.")
        target = run_target(self._context, receivers, form.receiver, plans)
        if do == "listed" and not target.is_gone:
            plans = self._fitting(target.receiver, plans).plans
            if not plans:
                raise Refused(
                    "send", "Nothing was sent: the receiver speaks the edition of none that is listed."
                )
            target = run_target(self._context, receivers, form.receiver, plans)
        permit(target, shown=form.shown, confirmed=form.confirmed, again="run")
        options = Options(
            receiver=for_run(target.receiver),
            confirmed=target.receiver.protected,
        )
        return RunSetup(
            workspace=self._context.workspace,
            plans=plans,
            unreadable=unreadable,
            options=options,
            environment=self._context.environment,
            policy=self._context.policy(receivers),
        )

    def _fitting(self, receiver: Receiver, plans: Sequence[Plan]) -> Fitting:
        """The plans that a receiver can answer."""
        return fitting(plans, self._context.speaks(receiver))

    def _left_out(self, receiver: Receiver, plans: Sequence[Plan]) -> str:
        fits = self._fitting(receiver, plans)
        if not fits.others:
            return ""
        return (
            f"Run all listed leaves out what is of {' and '.join(fits.others)}, because the receiver "
            f"{fits.speaks.words}. Selected scenarios are sent all the same."
        )

    def _wanted(self, form: ScenarioForm, one: str, do: str) -> tuple[Sequence[Plan], Sequence[SandboxError]]:
        """The scenarios to run, and the errors of those that cannot be read."""
        if one:
            return [self._context.scenario_index.plan(one)], ()
        indexed = self._context.scenario_index.read()
        if do == "listed":
            found = accepted(indexed, self._context.log.latest_results(), form)
            # A run of all scenarios also reports those that cannot be read.
            return [each.plan for each in found], indexed.unreadable if form.is_filter_empty else ()
        picked = set(form.pick)
        selected = [plan for plan in indexed.plans if plan.id in picked]
        if len(selected) < len(picked):
            gone = sorted(picked.difference(plan.id for plan in selected))
            raise Refused("send", f"Nothing was sent: {gone[0]} is gone, or cannot be read any more.")
        return selected, ()

    # --- showing ---

    def _refused(self, request: Request, asked: _Asked, wrong: Mapping[str, str]) -> Response:
        if asked.one:
            return self._one(request, asked.receivers, asked.one, asked.form, wrong)
        return self._list(request, asked.receivers, asked.form, wrong)

    def _list(
        self,
        request: Request,
        receivers: KnownReceivers,
        form: ScenarioForm,
        wrong: Mapping[str, str] | None = None,
        *,
        part: str = "",
    ) -> Response:
        page = self._read_list(request, receivers, form, wrong)
        name = part or "scenarios/scenarios.html"
        target = self._header_target(page.run_bar)
        return self._page(request, name, page, target=target, refused=bool(wrong))

    def _one(
        self,
        request: Request,
        receivers: KnownReceivers,
        id: str,
        form: ScenarioForm,
        wrong: Mapping[str, str] | None = None,
        *,
        name: str | None = None,
        editor: EditorPanel | None = None,
        text: str | None = None,
    ) -> Response:
        if editor is None:
            text = self._context.workspace.read_scenario(id)
        plan = _plan(id, text)
        asked = request.query_params
        if editor is not None:
            shown = editor
        elif plan is None or asked.get("view") == FILE:
            shown = editor_panel.file_panel(self._context.workspace, id, text or "")
        else:
            shown = editor_panel.steps_panel(self._context, plan, asked.get("open", ""))
        page = ScenarioPage(
            id=id,
            run_bar=None if plan is None else self._run_bar(receivers, form, [plan], wrong, one=id),
            plan=plan,
            steps=[] if shown.view == FILE else step_summaries(shown.base),
            earlier=_earlier(id, self._context.log),
            file=file_panel(self._files, id, name, wrong),
            notice=file_notice(self._files, request),
            editor=shown,
        )
        target = (
            self._chosen_target(request, receivers)
            if page.run_bar is None
            else self._header_target(page.run_bar)
        )
        is_refused = bool(wrong) or editor is not None
        return self._page(request, "scenarios/scenario.html", page, target=target, refused=is_refused)

    def _read_list(
        self,
        request: Request,
        receivers: KnownReceivers,
        form: ScenarioForm,
        wrong: Mapping[str, str] | None,
    ) -> ScenariosPage:
        indexed = self._context.scenario_index.read()
        latest = self._context.log.latest_results()
        verdicts = {last_verdict(each, latest) for each in indexed.scenarios} | {form.verdict}
        has_tag = not form.tag or form.tag in indexed.tags
        return ScenariosPage(
            run_bar=self._run_bar(receivers, form, indexed.plans, wrong),
            form=form,
            scenarios=scenario_list(indexed, latest, form),
            tags=indexed.tags if has_tag else sorted((*indexed.tags, form.tag)),
            verdicts=[each for each in (*VERDICT_ORDER, NOT_RUN) if each in verdicts],
            unreadable=[self._unreadable(error) for error in indexed.unreadable],
            notice=file_notice(self._files, request),
        )

    def _unreadable(self, error: SandboxError) -> Unreadable:
        id = self._context.workspace.scenario_id(error.file) if isinstance(error, SourceError) else ""
        return Unreadable(str(error), id if id and self._context.scenario_index.has(id) else "")

    def _run_bar(
        self,
        receivers: KnownReceivers,
        form: ScenarioForm,
        plans: Sequence[Plan],
        wrong: Mapping[str, str] | None,
        *,
        one: str = "",
    ) -> RunBar:
        target = run_target(self._context, receivers, form.receiver, plans)
        found = problems(wrong)
        if target.problem:
            found.setdefault("receiver", target.problem)
        return RunBar(
            target=target,
            receivers=receivers.all,
            one=one,
            form_id=secrets.token_hex(16),
            problems=found,
            left_out="" if one or target.is_gone else self._left_out(target.receiver, plans),
        )

    def _header_target(self, run_bar: RunBar) -> Target:
        """Where a send to the receiver of a run would go."""
        receiver = run_bar.target.receiver
        if run_bar.target.is_gone:
            return run_bar.target
        return self._context.default_target(receiver)


def _plan(id: str, text: str | None) -> Plan | None:
    """The plan of a scenario; None where its file is gone, or is no scenario, which its editor says."""
    if text is None:
        return None
    try:
        return scenario.read(text, id=id, file=id)
    except SourceError:
        return None


def _of_run(
    form: ScenarioForm, run: RunSummary, results: Sequence[Result], *, only_failed: bool
) -> ScenarioForm:
    """A form with the scenarios of an earlier run selected, and with that run's receiver."""
    pick = [
        result.scenario for result in results if not only_failed or result.verdict in ("failed", "errored")
    ]
    receiver = run.info.receiver if run.info is not None else ""
    return msgspec.structs.replace(form, pick=tuple(pick), receiver=receiver)


def _earlier(id: str, log: LogReader) -> list[EarlierResult]:
    """The latest results of a scenario, the newest first, each with its trend."""
    results = log.results_of(id)
    shown = list(islice(results, _RECENT))
    past = [Past(each.run, [each.result]) for each in shown]

    def older(than: int) -> Iterator[Past]:
        yield from islice(past, than + 1, None)
        # Older ones are read only where a trend needs them.
        for each in results:
            past.append(Past(each.run, [each.result]))
            yield past[-1]

    earlier = []
    for number, each in enumerate(shown):
        before = trend.before(each.run, older(number), [id]).get(id)
        earlier.append(EarlierResult(each.run, each.result, trend.of(each.result, before)))
    return earlier
