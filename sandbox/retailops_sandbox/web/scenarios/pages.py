"""The scenarios: find some, choose the receiver, run them; and one with its text and what became of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.engine import Options
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Result, RunInfo
from retailops_sandbox.runlog.log import Log, RunSummary
from retailops_sandbox.scenarios import trend
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.scenarios.trend import Past, Trend
from retailops_sandbox.web.scenarios import run_target
from retailops_sandbox.web.scenarios.step_summary import in_words
from retailops_sandbox.web.shell import forms, results
from retailops_sandbox.web.shell.choices import chosen_receiver, remember_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.running import RunOrder
from retailops_sandbox.web.shell.scenario_index import IndexedScenarios
from retailops_sandbox.web.shell.send_form import Refused

_NOT_RUN = "not run"
_RECENT = 20
"""How many of its latest results the page of a scenario shows."""
_LONGEST_QUERY = 4000
"""Characters of an address that carries what is ticked."""


class ScenarioFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the form: what is looked for, what is ticked, where it would go."""

    q: str = ""
    tag: str = ""
    verdict: str = ""
    receiver: str = ""
    confirmed: str = ""
    shown: str = ""
    picks: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: FormData | QueryParams) -> ScenarioFilter:
        fields = {name: str(said.get(name, "")).replace("\r\n", "\n") for name in cls.__struct_fields__[:-1]}
        return cls(**fields, picks=tuple(str(each) for each in said.getlist("pick")))

    def query(self, *, picks: bool = False) -> str:
        """The filter as the address spells it, perhaps with the ticks; empty where it lets all through."""
        said = [(name, value) for name in ("q", "tag", "verdict") if (value := getattr(self, name))]
        said += [("pick", each) for each in self.picks] if picks else []
        return f"?{urlencode(said)}" if said else ""


class Last(msgspec.Struct, frozen=True):
    """The latest result of a scenario, and the run that it is of."""

    run: RunInfo
    result: Result


class ScenarioRow(msgspec.Struct, frozen=True):
    """A scenario in one line."""

    plan: Plan
    last: Last | None
    is_picked: bool

    @property
    def verdict(self) -> str:
        return self.last.result.verdict if self.last is not None else _NOT_RUN

    def is_asked(self, asked: ScenarioFilter) -> bool:
        """Whether the filter lets it through: words anywhere in name, path, tags, action and edition."""
        scenario = self.plan.scenario
        text = " ".join([self.plan.name, self.plan.id, *scenario.tags, scenario.action, scenario.edition])
        return (
            all(word in text.casefold() for word in asked.q.casefold().split())
            and (not asked.tag or asked.tag in scenario.tags)
            and asked.verdict in ("", self.verdict)
        )


class Earlier(msgspec.Struct, frozen=True):
    """A result of a scenario in an earlier run."""

    run: RunInfo
    result: Result
    trend: Trend | None


class ScenarioPages:
    """`/scenarios`."""

    def __init__(self, context: AppContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/scenarios", self.index),
            Route("/scenarios", self.change, methods=["POST"]),
            Route("/scenarios/show", self.show),
            Route("/scenarios/run", self.run, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """All scenarios that the filter lets through; `?of=` ticks those of a run, or what failed in it."""
        asked = ScenarioFilter.of(request.query_params)
        earlier = request.query_params.get("of")
        if earlier is not None:
            run = await asyncio.to_thread(self._context.log.find, earlier)
            if run is None:
                raise UsageError(f"there is no run {earlier} in this workspace's log")
            came_out = await asyncio.to_thread(self._context.log.results, earlier)
            asked = _of_run(asked, run, came_out, only_failed="failed" in request.query_params)
        known = {each.name for each in self._context.receivers()}
        receiver = asked.receiver if asked.receiver in known else self._chosen(request)
        return await self._list(request, msgspec.structs.replace(asked, receiver=receiver))

    async def change(self, request: Request) -> Response:
        """Show the list again with another filter or receiver; what is ticked stays ticked."""
        asked = ScenarioFilter.of(await forms.read(request))
        part = {"target": "scenarios/rerun.html", "scenario-list": "scenarios/scenario_list.html"}.get(
            request.headers.get("hx-target", ""), ""
        )
        where = f"/scenarios{asked.query(picks=not part)}"
        if not part and len(where) <= _LONGEST_QUERY:
            response: Response = RedirectResponse(where, HTTPStatus.SEE_OTHER)
        else:
            response = await self._list(request, asked, part=part or "scenarios/scenarios.html")
            response.headers["HX-Replace-Url"] = where
        remember_receiver(request, response, asked.receiver, self._context)
        return response

    async def show(self, request: Request) -> Response:
        """One scenario: what it does, what became of it, and its text."""
        asked = ScenarioFilter(receiver=request.query_params.get("receiver") or self._chosen(request))
        return await self._one(request, request.query_params.get("id", ""), asked)

    async def run(self, request: Request) -> Response:
        """Run what was chosen: 303 to the run's page, or the page again with what is wrong."""
        form = await forms.read(request)
        asked = ScenarioFilter.of(form)
        one = forms.text(form, "one")
        try:
            order = await asyncio.to_thread(self._order, asked, one, forms.text(form, "do"))
            id, was_started = await self._context.running.once(forms.key(form), order)
        except Refused as refused:
            return await self._again(request, asked, one, refused.problems)
        except SandboxError as error:
            return await self._again(request, asked, one, {"send": str(error)})
        query = "?started=before" if was_started else ""
        response = RedirectResponse(f"/runs/{id}{query}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, asked.receiver, self._context)
        return response

    async def _again(
        self, request: Request, asked: ScenarioFilter, one: str, wrong: dict[str, str]
    ) -> Response:
        if one:
            return await self._one(request, one, asked, wrong)
        return await self._list(request, asked, wrong)

    # --- what is to be run ---

    def _order(self, asked: ScenarioFilter, one: str, do: str) -> RunOrder:
        plans, unreadable = self._wanted(asked, one, do)
        if not plans:
            nothing = "there is nothing to run" if do == "listed" else "tick a scenario first"
            raise Refused("send", f"Nothing was sent: {nothing}.")
        aimed = run_target.at(self._context, asked.receiver, plans)
        field, why = run_target.refusal(aimed, shown=asked.shown, confirmed=asked.confirmed)
        if why:
            raise Refused(field, why)
        options = Options(
            receiver=run_target.for_run(aimed.receiver),
            confirmed=aimed.receiver.protected,
        )
        policy = self._context.policy()
        return RunOrder(plans=plans, unreadable=unreadable, options=options, policy=policy)

    def _wanted(
        self, asked: ScenarioFilter, one: str, do: str
    ) -> tuple[Sequence[Plan], Sequence[SandboxError]]:
        if one:
            return [self._context.scenario_index.plan(one)], ()
        shelf = self._context.scenario_index.read()
        rows = self._rows(shelf, asked)
        if do == "listed":
            # Who runs all there are is told of those that could not be.
            unreadable = () if asked.query() else shelf.unreadable
            return [row.plan for row in rows if row.is_asked(asked)], unreadable
        picked = [row.plan for row in rows if row.is_picked]
        if len(picked) < len(set(asked.picks)):
            gone = sorted(set(asked.picks).difference(plan.id for plan in picked))
            raise Refused("send", f"Nothing was sent: {gone[0]} is gone, or cannot be read any more.")
        return picked, ()

    # --- showing ---

    async def _list(
        self,
        request: Request,
        asked: ScenarioFilter,
        wrong: dict[str, str] | None = None,
        *,
        part: str = "scenarios/scenarios.html",
    ) -> Response:
        shelf = await asyncio.to_thread(self._context.scenario_index.read)
        rows = await asyncio.to_thread(self._rows, shelf, asked)
        listed = [row for row in rows if row.is_asked(asked)]
        tags = {tag for row in rows for tag in row.plan.scenario.tags}
        verdicts = {row.verdict for row in rows}
        return self._page(
            request,
            part,
            wrong,
            aimed=run_target.at(self._context, asked.receiver, shelf.plans),
            asked=asked,
            rows=listed,
            total=len(rows),
            unlisted=[row for row in rows if row.is_picked and not row.is_asked(asked)],
            tags=sorted(tags | ({asked.tag} - {""})),
            verdicts=[each for each in (*results.VERDICTS, _NOT_RUN) if each in verdicts | {asked.verdict}],
            unreadable=[str(error) for error in shelf.unreadable],
            one="",
        )

    async def _one(
        self, request: Request, id: str, asked: ScenarioFilter, wrong: dict[str, str] | None = None
    ) -> Response:
        plan = await asyncio.to_thread(self._context.scenario_index.plan, id)
        return self._page(
            request,
            "scenarios/scenario.html",
            wrong,
            aimed=run_target.at(self._context, asked.receiver, [plan]),
            asked=asked,
            plan=plan,
            steps=[in_words(plan, number) for number in range(len(plan.scenario.steps))],
            earlier=await asyncio.to_thread(_earlier, id, self._context.log),
            one=id,
        )

    def _rows(self, shelf: IndexedScenarios, asked: ScenarioFilter) -> list[ScenarioRow]:
        wanted = {plan.id for plan in shelf.plans}
        last: dict[str, Last] = {}
        for run in self._context.log.runs():
            if run.info is not None and run.results:
                for result in reversed(self._context.log.results(run.id)):
                    if result.scenario in wanted:
                        last.setdefault(result.scenario, Last(run.info, result))
            if len(last) == len(wanted):
                break
        picks = set(asked.picks)
        return [ScenarioRow(plan, last.get(plan.id), plan.id in picks) for plan in shelf.plans]

    def _chosen(self, request: Request) -> str:
        return chosen_receiver(request, self._context).name

    def _page(self, request: Request, name: str, wrong: dict[str, str] | None, **context: Any) -> Response:
        """A page; with what is wrong, the answer to a form that started nothing."""
        status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
        aimed = context["aimed"]
        assert isinstance(aimed, run_target.RunTarget)
        said = problems(wrong)
        if aimed.problem:
            said.setdefault("receiver", aimed.problem)
        action = self._context.actions()[0]
        target = self._context.target_named(aimed.receiver.name, action.name, action.editions[0])
        return self._pages.render(
            request,
            name,
            status=status,
            section="Scenarios",
            target=target,
            receivers=self._context.receivers(),
            form_id=secrets.token_hex(16),
            problems=said,
            **context,
        )


def _of_run(
    asked: ScenarioFilter, run: RunSummary, results: Sequence[Result], *, only_failed: bool
) -> ScenarioFilter:
    """What an earlier run ran, to be run again where it ran."""
    picks = [
        result.scenario for result in results if not only_failed or result.verdict in ("failed", "errored")
    ]
    receiver = run.info.receiver if run.info is not None else ""
    return msgspec.structs.replace(asked, picks=tuple(picks), receiver=receiver)


def _earlier(id: str, log: Log) -> list[Earlier]:
    """The latest results of a scenario, the newest first, each with its trend."""
    past = []
    for run in log.runs():
        found = [each for each in log.results(run.id) if each.scenario == id] if run.results else []
        if run.info is not None and found:
            past.append(Past(run.info, found))
    earlier = []
    for number, each in enumerate(past[:_RECENT]):
        result = each.results[0]
        before = trend.before(each.info, past[number + 1 :], [id]).get(id)
        earlier.append(Earlier(each.info, result, trend.of(result, before)))
    return earlier
