"""The receivers' pages: list, add, edit, duplicate, check, delete, undo, and the stand-in's reset."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.receivers import env_requirements
from retailops_sandbox.web.receivers.connection_check import ConnectionCheck, ConnectionChecks
from retailops_sandbox.web.receivers.deleted import DeletedReceivers
from retailops_sandbox.web.receivers.form import ReceiverInput, Twice, auth_kind, read, shown, twice
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import chosen_receiver, remember_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import Pages, problems


class ReceiverPages:
    """`/receivers`."""

    def __init__(
        self, context: AppContext, pages: Pages, checks: ConnectionChecks, deleted: DeletedReceivers
    ) -> None:
        self._context = context
        self._pages = pages
        self._checks = checks
        self._deleted = deleted

    def routes(self) -> list[Route]:
        return [
            Route("/receivers", self.list),
            Route("/receivers/new", self.new),
            Route("/receivers/edit", self.edit),
            Route("/receivers/save", self.save, methods=["POST"]),
            Route("/receivers/check", self.check, methods=["POST"]),
            Route("/receivers/try", self.check_typed, methods=["POST"]),
            Route("/receivers/needs", self.needs, methods=["POST"]),
            Route("/receivers/delete", self.delete, methods=["POST"]),
            Route("/receivers/undo", self.undo, methods=["POST"]),
            Route("/stand-in/reset", self.reset, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        return self._list(request)

    async def new(self, request: Request) -> Response:
        """An empty form, or with `?from=` a copy of another receiver."""
        original = request.query_params.get("from")
        if original is None:
            return self._form(request, shown(Receiver("", ""), False, self._context.actions()))
        receiver = self._context.workspace.receiver(original)
        copy = msgspec.structs.replace(receiver, name=self._free_name(original))
        return self._form(request, shown(copy, False, self._context.actions()), copy_of=original)

    async def edit(self, request: Request) -> Response:
        receiver = self._context.workspace.receiver(request.query_params.get("name", ""))
        is_default = self._context.workspace.receivers().default == receiver.name
        return self._form(request, shown(receiver, is_default, self._context.actions()), receiver.name)

    async def save(self, request: Request) -> Response:
        form = await forms.read(request)
        replaces = text(form, "replaces")
        typed = read(form, self._context.actions())
        if typed.is_wrong:
            return self._form(request, typed, replaces, typed.problems)
        receiver = typed.receiver
        do = text(form, "do")
        if doubled := self._twice(receiver, replaces):
            if do == "mend":
                receiver = msgspec.structs.replace(receiver, base_url=doubled.mended)
            elif do != "keep":
                said = f"ends in {doubled.path}, which is added to it: it would be called at {doubled.called}"
                wrong = problems({"base_url": said})
                return self._form(request, typed, replaces, wrong, doubled=doubled)
        try:
            self._save(receiver, replaces, typed.is_default)
        except SandboxError as error:
            return self._form(request, typed, replaces, problems({"": str(error)}))
        self._context.secrets.update(typed.secrets)
        response = RedirectResponse(f"/receivers?saved={quote(receiver.name)}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, receiver.name, self._context)
        return response

    def _save(self, receiver: Receiver, replaces: str, is_default: bool) -> None:
        workspace = self._context.workspace
        workspace.save_receiver(receiver, replaces=replaces)
        if is_default:
            workspace.set_default_receiver(receiver.name)
        elif workspace.receivers().default == receiver.name:
            workspace.set_default_receiver("")

    def _twice(self, receiver: Receiver, replaces: str) -> Twice | None:
        """What the receiver's URL gets twice, unless it was saved so before."""
        known = {each.name: each for each in self._context.workspace.receivers().receivers}
        if replaces in known and known[replaces].base_url == receiver.base_url:
            return None
        return twice(receiver, self._context.actions())

    async def check(self, request: Request) -> Response:
        """Check the way to one of the listed receivers."""
        name = text(await forms.read(request), "name")
        receiver = self._context.receiver(name)
        found = await self._checks.check(receiver)
        if request.headers.get("hx-target") == way_id(receiver):
            return self._pages.render(
                request, "receivers/connection_check.html", way=found, way_id=way_id(receiver)
            )
        return self._list(request, {name: found})

    async def check_typed(self, request: Request) -> Response:
        """Check the way to what stands in the form, before it is saved."""
        form = await forms.read(request)
        typed = read(form, self._context.actions())
        if typed.unreachable:
            found = ConnectionCheck(problem=typed.unreachable)
        else:
            found = await self._checks.check(typed.receiver)
        if request.headers.get("hx-target") == "way":
            return self._pages.render(request, "receivers/connection_check.html", way=found, way_id="way")
        return self._form(request, typed, text(form, "replaces"), found=found)

    async def needs(self, request: Request) -> Response:
        """Which environment variables what stands in the form needs."""
        typed = read(await forms.read(request), self._context.actions())
        found = env_requirements.of(typed.receiver, self._context, typed.secrets)
        return self._pages.render(request, "receivers/env_requirements.html", needs=found)

    async def delete(self, request: Request) -> Response:
        name = text(await forms.read(request), "name")
        self._deleted.delete(name)
        return RedirectResponse(f"/receivers?deleted={quote(name)}", HTTPStatus.SEE_OTHER)

    async def undo(self, request: Request) -> Response:
        name = text(await forms.read(request), "name")
        self._deleted.restore(name)
        return RedirectResponse(f"/receivers?restored={quote(name)}", HTTPStatus.SEE_OTHER)

    async def reset(self, request: Request) -> Response:
        self._context.stand_in.reset()
        return RedirectResponse("/receivers?reset=1", HTTPStatus.SEE_OTHER)

    def _free_name(self, original: str) -> str:
        """A name for a copy that no other receiver has."""
        taken = {each.name for each in self._context.receivers()}
        name, number = f"{original[:90]} copy", 1
        while name in taken:
            number += 1
            name = f"{original[:90]} copy {number}"
        return name

    def _notice(self, request: Request) -> dict[str, str] | None:
        """What was just done; nothing for what an address says and is not so."""
        said = request.query_params
        if (deleted := said.get("deleted", "")) in self._deleted:
            return {"text": f"{deleted} is deleted.", "undo": deleted}
        known = {each.name for each in self._context.receivers()}
        for key, words in (("saved", "is saved."), ("restored", "is back.")):
            if said.get(key) in known:
                return {"text": f"{said[key]} {words}", "undo": ""}
        if "reset" in said:
            return {"text": "The stand-in has forgotten what it was sent.", "undo": ""}
        return None

    def _list(self, request: Request, ways: Mapping[str, ConnectionCheck] | None = None) -> Response:
        problem = self._context.receivers_problem
        default = "" if problem else self._context.workspace.receivers().default
        action = self._context.actions()[0]
        rows = []
        for receiver in self._context.receivers():
            target = self._context.target(receiver, action.name, action.editions[0])
            rows.append(
                {
                    "receiver": receiver,
                    "url": target.url,
                    "problem": target.problem,
                    "auth": auth_kind(receiver),
                    "is_default": receiver.name == default,
                    "needs": env_requirements.of(receiver, self._context),
                    "way": (ways or {}).get(receiver.name),
                    "way_id": way_id(receiver),
                }
            )
        return self._page(
            request, "receivers/receivers.html", rows=rows, problem=problem, notice=self._notice(request)
        )

    def _form(
        self,
        request: Request,
        typed: ReceiverInput,
        replaces: str = "",
        wrong: Mapping[str, str] | None = None,
        *,
        copy_of: str = "",
        doubled: Twice | None = None,
        found: ConnectionCheck | None = None,
    ) -> Response:
        """The form; with what is wrong, the answer to one that could not be saved."""
        return self._page(
            request,
            "receivers/receiver.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            typed=typed.values,
            replaces=replaces,
            copy_of=copy_of,
            problems=wrong or problems(),
            doubled=doubled,
            actions=[
                {"name": action.name, "path": contract.load(action.name, action.editions[0]).path}
                for action in self._context.actions()
            ],
            needs=env_requirements.of(typed.receiver, self._context, typed.secrets),
            way=found,
            way_id="way",
        )

    def _page(
        self, request: Request, name: str, status: HTTPStatus = HTTPStatus.OK, **context: Any
    ) -> Response:
        action = self._context.actions()[0]
        target = self._context.target(
            chosen_receiver(request, self._context), action.name, action.editions[0]
        )
        return self._pages.render(request, name, status=status, section="Receivers", target=target, **context)


def way_id(receiver: Receiver) -> str:
    """The id of the element that tells of the way to a receiver."""
    return f"way-{receiver.name.encode().hex()}"
