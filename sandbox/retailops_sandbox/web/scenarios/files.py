"""Changes of whole scenario files: new, duplicate, rename, delete, and undo for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Scenario, Step
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.scenarios.pages import ScenarioPages
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import Action, AppContext
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.workspace.scenarios import ScenarioFiles
from retailops_sandbox.workspace.undo import Done

_FIRST = "default"
"""The case that a new scenario begins with, where the contract has it."""


class NewScenarioPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a new scenario, as typed."""

    name: str = ""
    file: str = ""
    contract: str = ""
    """The action and the edition."""
    actions: Sequence[Action]
    problems: Mapping[str, str]


class ScenarioFilePages(RoomPages):
    """`/scenarios/new` and the buttons for a scenario's file."""

    section = "Scenarios"

    def __init__(
        self, context: AppContext, pages: Pages, files: ScenarioFiles, scenarios: ScenarioPages
    ) -> None:
        super().__init__(context, pages)
        self._files = files
        self._scenarios = scenarios

    def routes(self) -> list[Route]:
        return [
            Route("/scenarios/new", self.new),
            Route("/scenarios/new", self.create, methods=["POST"]),
            Route("/scenarios/file", self.change, methods=["POST"]),
        ]

    def new(self, request: Request) -> Response:
        """The form of a new scenario."""
        return self._new(request, NewScenarioPage(actions=self._context.actions(), problems=problems()))

    async def create(self, request: Request) -> Response:
        """Write a new scenario: 303 to its page, or the form again with its problem."""
        return await asyncio.to_thread(self._create, request, await forms.read(request))

    async def change(self, request: Request) -> Response:
        """Change a whole file, or undo a change: 303 to what is open then, or the page with its problem."""
        return await asyncio.to_thread(self._change, request, await forms.read(request))

    def _create(self, request: Request, typed: FormData) -> Response:
        name, file = forms.text(typed, "name").strip(), forms.text(typed, "file").strip()
        agreed = forms.text(typed, "contract")
        action, _, edition = agreed.partition(" ")
        try:
            self._context.contracts.load(action, edition)
            fixtures = [info.name for info in self._context.workspace.fixtures(action, edition)]
            first = _FIRST if _FIRST in fixtures else next(iter(fixtures), _FIRST)
            text = scenario.spelled(
                Scenario(name=name, action=action, edition=edition, steps=[Step(name=first, fixture=first)])
            )
            done = self._files.create(file or _file_name(name), text)
        except SandboxError as error:
            wrong = problems({"file": str(error)})
            actions = self._context.actions()
            page = NewScenarioPage(name=name, file=file, contract=agreed, actions=actions, problems=wrong)
            return self._new(request, page, refused=True)
        return shown(done)

    def _change(self, request: Request, typed: FormData) -> Response:
        id, name, do = (forms.text(typed, field) for field in ("id", "file_name", "do"))
        if do == "undo":
            return shown(self._files.undo(forms.text(typed, "change")))
        try:
            return shown(self._changed(id, name.strip(), do))
        except SandboxError as error:
            self._context.workspace.scenario_file(id)
            return self._scenarios.refused(request, id, wrong={"file_name": str(error)}, name=name)

    def _changed(self, id: str, name: str, do: str) -> Done:
        if do == "rename":
            return self._files.rename(id, name)
        if do == "duplicate":
            own = self._context.workspace.own_scenario(id).name
            is_other = name and self._context.workspace.scenario_path(name).name != own
            return self._files.duplicate(id, name if is_other else "")
        if do == "delete":
            return self._files.delete(id)
        raise UsageError("this page has no such button", mend="reload it")

    def _new(self, request: Request, page: NewScenarioPage, *, refused: bool = False) -> Response:
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "scenarios/new.html", page, target=target, refused=refused)


def shown(done: Done, query: str = "") -> Response:
    """303 to the scenario that is open after a change, or to the list, with a notice about the change."""
    place = f"/scenarios/show?id={quote(done.change.now)}&" if done.change.now else "/scenarios?"
    return RedirectResponse(f"{place}done={done.id}{query}", HTTPStatus.SEE_OTHER)


def scenario_page(id: str, query: str) -> Response:
    """303 to the page of a scenario; `query` is what follows its id in the address."""
    return RedirectResponse(f"/scenarios/show?id={quote(id)}{query}", HTTPStatus.SEE_OTHER)


def _file_name(name: str) -> str:
    """A name for the file of a scenario that is called so."""
    words = "".join(each if each.isalnum() else " " for each in name.casefold()).split()
    return "-".join(words)[:80].strip("-")
