"""The receivers' pages: list, add, edit, duplicate, check, delete, undo, and the stand-in's reset."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.receivers import env_requirements
from retailops_sandbox.web.receivers.connection_check import ConnectionCheck, ConnectionChecks
from retailops_sandbox.web.receivers.deleted import DeletedReceivers
from retailops_sandbox.web.receivers.env_requirements import EnvRequirement
from retailops_sandbox.web.receivers.form import (
    TypedReceiver,
    auth_kind,
    differing,
    editions,
    from_receiver,
    read,
)
from retailops_sandbox.web.receivers.pasted import receiver_at
from retailops_sandbox.web.receivers.proofs import TokenField, token_field
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import remember_receiver
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.workspace.names import free_name

_LONGEST_COPIED = 90
"""The most characters of a receiver's name that the name of a copy takes over."""


class ReceiverRow(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver in the list."""

    target: Target
    speaks: str
    """The editions that it speaks, in words; empty where they are not known."""
    auth: str
    """The kinds of authentication, in words; empty where there is none."""
    is_default: bool
    env_requirements: Sequence[EnvRequirement]
    check: ConnectionCheck | None
    """None before it is checked."""
    check_id: str
    """The id of the element that shows the check."""


class Notice(msgspec.Struct, frozen=True):
    """The notice about the action that was just done."""

    text: str
    undo: str = ""
    """The receiver that can be restored; empty for none."""


class ReceiversPage(msgspec.Struct, frozen=True, kw_only=True):
    """The list."""

    rows: Sequence[ReceiverRow]
    problem: str
    """Why the workspace's receivers are not among them; empty where they are."""
    notice: Notice | None


class ActionPath(msgspec.Struct, frozen=True):
    """An action, and the path of its contract."""

    name: str
    path: str


class ReceiverPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of one receiver."""

    values: Mapping[str, str]
    """By field."""
    problems: Mapping[str, str]
    """By field."""
    replaces: str
    """The name of the receiver that is edited; empty for a new one."""
    copy_of: str
    actions: Sequence[ActionPath]
    differing: Collection[str]
    """The names of the actions whose path is another than that of the contract, or was typed wrongly."""
    editions: Sequence[str]
    token_field: TokenField
    env_requirements: Sequence[EnvRequirement]
    check: ConnectionCheck | None
    check_id: str = "connection-check"


class CheckPart(msgspec.Struct, frozen=True):
    """The result of a check alone."""

    check: ConnectionCheck
    check_id: str


class UrlCheck(msgspec.Struct, frozen=True):
    """Where a pasted URL would send, or what is wrong with it; both empty for none."""

    url: str = ""
    problem: str = ""


class EnvRequirementsPart(msgspec.Struct, frozen=True):
    """The environment variables alone."""

    env_requirements: Sequence[EnvRequirement]


class ReceiverPages(RoomPages):
    """`/receivers`."""

    def __init__(
        self, context: AppContext, pages: Pages, checks: ConnectionChecks, deleted: DeletedReceivers
    ) -> None:
        super().__init__(context, pages)
        self._checks = checks
        self._deleted = deleted

    def routes(self) -> list[Route]:
        return [
            Route("/receivers", self.list),
            Route("/receivers/new", self.new),
            Route("/receivers/edit", self.edit),
            Route("/receivers/save", self.save, methods=["POST"]),
            Route("/receivers/use", self.use, methods=["POST"]),
            Route("/receivers/url", self.check_url, methods=["POST"]),
            Route("/receivers/keep", self.keep, methods=["POST"]),
            Route("/receivers/choose", self.choose, methods=["POST"]),
            Route("/receivers/check", self.check, methods=["POST"]),
            Route("/receivers/try", self.check_typed, methods=["POST"]),
            Route("/receivers/needs", self.env_requirements, methods=["POST"]),
            Route("/receivers/delete", self.delete, methods=["POST"]),
            Route("/receivers/undo", self.undo, methods=["POST"]),
            Route("/stand-in/reset", self.reset, methods=["POST"]),
        ]

    def list(self, request: Request) -> Response:
        return self._list(request, self._context.read_receivers())

    def new(self, request: Request) -> Response:
        """An empty form, or with `?from=` a copy of another receiver."""
        original = request.query_params.get("from")
        actions, receivers = self._context.actions(), self._context.read_receivers()
        if original is None:
            empty = from_receiver(Receiver("", ""), actions, is_default=False)
            return self._form(request, receivers, empty)
        receiver, is_taken = receivers.own().named(original), receivers.names.__contains__
        copy = msgspec.structs.replace(
            receiver, name=free_name(f"{original[:_LONGEST_COPIED]} copy", is_taken, separator=" ")
        )
        typed = from_receiver(copy, actions, is_default=False)
        return self._form(request, receivers, typed, copy_of=original)

    def edit(self, request: Request) -> Response:
        receivers = self._context.read_receivers()
        receiver = receivers.own().named(request.query_params.get("name", ""))
        is_default = receivers.default == receiver.name
        typed = from_receiver(receiver, self._context.actions(), is_default=is_default)
        return self._form(request, receivers, typed, receiver.name)

    async def save(self, request: Request) -> Response:
        form = await forms.read(request)
        replaces = text(form, "replaces")
        typed, receivers = read(form, self._context.actions()), self._context.read_receivers()
        if typed.is_wrong:
            return self._form(request, receivers, typed, replaces, typed.problems)
        receiver = typed.receiver
        try:
            self._context.workspace.save_receiver(receiver, replaces=replaces, is_default=typed.is_default)
        except SandboxError as error:
            return self._form(request, receivers, typed, replaces, problems({"": str(error)}))
        self._context.secrets.update(typed.secrets)
        response = RedirectResponse(f"/receivers?saved={quote(receiver.name)}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, receiver)
        return response

    async def choose(self, request: Request) -> Response:
        """Make a receiver the target of this browser's next sends."""
        receiver = self._context.read_receivers().named(text(await forms.read(request), "name"))
        response = RedirectResponse(forms.came_from(request), HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, receiver)
        return response

    async def use(self, request: Request) -> Response:
        """Make the receiver at a pasted URL the target of this browser's next sends; it is in no file yet."""
        url = text(await forms.read(request), "url")
        is_scripted = "hx-request" in request.headers
        try:
            receiver = self._pasted(url)
        except UsageError as error:
            if not is_scripted:
                raise
            return self._part(request, "receivers/url_check.html", UrlCheck(problem=str(error)))
        self._context.add_receiver(receiver)
        if is_scripted:
            response = Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Refresh": "true"})
        else:
            response = RedirectResponse(forms.came_from(request), HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, receiver)
        return response

    async def check_url(self, request: Request) -> Response:
        """What is wrong with a URL as it is typed, or where it would send."""
        url = text(await forms.read(request), "url")
        try:
            found = (
                UrlCheck(self._context.default_target(self._pasted(url)).url) if url.strip() else UrlCheck()
            )
        except UsageError as error:
            found = UrlCheck(problem=str(error))
        return self._part(request, "receivers/url_check.html", found)

    async def keep(self, request: Request) -> Response:
        """Save a receiver that was pasted."""
        receiver = self._context.read_receivers().named(text(await forms.read(request), "name"))
        self._context.workspace.save_receiver(receiver)
        return RedirectResponse(f"/receivers?saved={quote(receiver.name)}", HTTPStatus.SEE_OTHER)

    def _pasted(self, url: str) -> Receiver:
        """The receiver at a URL, one that is known already where there is one."""
        known = self._context.read_receivers()
        receiver = receiver_at(url, known.names.__contains__)
        return next((each for each in known.unsaved if each.base_url == receiver.base_url), receiver)

    async def check(self, request: Request) -> Response:
        """Check the connection to one of the listed receivers."""
        name = text(await forms.read(request), "name")
        receivers = self._context.read_receivers()
        receiver = receivers.named(name)
        found = await self._checks.check(receiver)
        if request.headers.get("hx-target") == _check_id(receiver):
            return self._check_part(request, found, _check_id(receiver))
        return self._list(request, receivers, {name: found})

    async def check_typed(self, request: Request) -> Response:
        """Check the connection to the receiver in the form, before it is saved."""
        form = await forms.read(request)
        typed = read(form, self._context.actions())
        if typed.unreachable:
            found = ConnectionCheck(problem=typed.unreachable)
        else:
            env_requirements.allow(typed.receiver, self._context)
            found = await self._checks.check(typed.receiver)
        if request.headers.get("hx-target") == "connection-check":
            return self._check_part(request, found, "connection-check")
        receivers = self._context.read_receivers()
        return self._form(request, receivers, typed, text(form, "replaces"), check=found)

    def _check_part(self, request: Request, check: ConnectionCheck, id: str) -> Response:
        return self._part(request, "receivers/connection_check.html", CheckPart(check, id))

    async def env_requirements(self, request: Request) -> Response:
        """The environment variables that the receiver in the form needs."""
        typed = read(await forms.read(request), self._context.actions())
        found = env_requirements.of(typed.receiver, self._context, typed.secrets)
        return self._part(request, "receivers/env_requirements.html", EnvRequirementsPart(found))

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

    def _notice(self, request: Request, receivers: KnownReceivers) -> Notice | None:
        """The notice about the action that the address names; None where that was not done."""
        asked = request.query_params
        if (deleted := asked.get("deleted", "")) in self._deleted:
            return Notice(f"{deleted} is deleted.", undo=deleted)
        for key, words in (("saved", "is saved."), ("restored", "is back.")):
            if asked.get(key) in receivers.names:
                return Notice(f"{asked[key]} {words}")
        if "reset" in asked:
            return Notice("The stand-in has forgotten what it was sent.")
        return None

    def _list(
        self,
        request: Request,
        receivers: KnownReceivers,
        checks: Mapping[str, ConnectionCheck] | None = None,
    ) -> Response:
        rows = [
            ReceiverRow(
                target=self._context.default_target(receiver),
                speaks=self._context.speaks(receiver).words,
                auth=auth_kind(receiver),
                is_default=receiver.name == receivers.default,
                env_requirements=env_requirements.of(receiver, self._context),
                check=(checks or {}).get(receiver.name),
                check_id=_check_id(receiver),
            )
            for receiver in receivers.all
        ]
        notice = self._notice(request, receivers)
        page = ReceiversPage(rows=rows, problem=receivers.problem, notice=notice)
        target = self._chosen_target(request, receivers)
        return self._page(request, "receivers/receivers.html", page, target=target)

    def _form(
        self,
        request: Request,
        receivers: KnownReceivers,
        typed: TypedReceiver,
        replaces: str = "",
        wrong: Mapping[str, str] | None = None,
        *,
        copy_of: str = "",
        check: ConnectionCheck | None = None,
    ) -> Response:
        """The form; with `wrong`, the answer to a form that could not be saved."""
        actions = self._context.actions()
        page = ReceiverPage(
            values=typed.values,
            problems=wrong or problems(),
            replaces=replaces,
            copy_of=copy_of,
            actions=[
                ActionPath(action.name, self._context.contracts.load(action.name, action.editions[0]).path)
                for action in actions
            ],
            differing=differing(typed, actions),
            editions=editions(actions),
            token_field=token_field(self._context.contracts.of()),
            env_requirements=env_requirements.of(typed.receiver, self._context, typed.secrets),
            check=check,
        )
        target = self._chosen_target(request, receivers)
        return self._page(request, "receivers/receiver.html", page, target=target, refused=bool(wrong))


def _check_id(receiver: Receiver) -> str:
    """The id of the element that shows the check of a receiver."""
    return f"connection-check-{receiver.name.encode().hex()}"
