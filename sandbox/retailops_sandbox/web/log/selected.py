"""What is done with several deliveries of the log at once: sent again, or exported."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import DeliveryRow, Sort, sort_of
from retailops_sandbox.web.log.resends import Batch, Batches, Resend, by_receiver, resend
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.send_form import Refused
from retailops_sandbox.web.shell.sends import permit

MOST = 500
"""The most deliveries that are taken at once."""
_NONE_SELECTED = "/deliveries?selected=none"


class ToReceiver(msgspec.Struct, frozen=True):
    """The deliveries that would be sent again to one receiver."""

    target: Target
    urls: Sequence[str]
    count: int


class AgainPage(msgspec.Struct, frozen=True, kw_only=True):
    """The question before deliveries are sent again."""

    count: int
    groups: Sequence[ToReceiver]
    ids: Sequence[str]
    """Of the deliveries that would be sent, the oldest first."""
    refused: Mapping[str, str]
    """Why a delivery cannot be sent again, by its id."""
    shown: str
    """The URLs, one a line."""
    form_id: str
    problem: str


class Sent(msgspec.Struct, frozen=True):
    """A delivery of a batch, and what became of it."""

    before: DeliveryRow
    id: str
    """The id of the new delivery; empty before it is sent."""
    row: DeliveryRow | None
    """The row of the new delivery; None while it is in flight."""
    problem: str


class BatchPage(msgspec.Struct, frozen=True, kw_only=True):
    """How far a batch is."""

    key: str
    deliveries: Sequence[Sent]
    count: int
    """The number of deliveries that were sent."""
    is_stopped: bool
    is_done: bool


class SelectedPages(RoomPages):
    """`/deliveries/again` and its batches."""

    section = "Log"

    def __init__(self, context: AppContext, pages: Pages) -> None:
        super().__init__(context, pages)
        self._batches = Batches(context.sending.once, context.sending.flight)

    def routes(self) -> list[Route]:
        return [
            Route("/deliveries/again", self.ask),
            Route("/deliveries/again", self.send, methods=["POST"]),
            Route("/deliveries/again/{key}", self.batch),
            Route("/deliveries/again/{key}/stop", self.stop_batch, methods=["POST"]),
        ]

    async def stop(self) -> None:
        """Begin no further send."""
        await self._batches.stop()

    def ask(self, request: Request) -> Response:
        """How many deliveries would be sent again, and to whom."""
        ids = request.query_params.getlist("delivery")
        if not ids:
            return RedirectResponse(_NONE_SELECTED, HTTPStatus.SEE_OTHER)
        return self._ask(request, ids)

    async def send(self, request: Request) -> Response:
        """Send the deliveries again, one after another, the oldest first."""
        form = await forms.read(request)
        ids = forms.texts(form, "delivery")
        confirmed, shown = forms.texts(form, "confirmed"), forms.text(form, "shown")
        key = forms.key(form).replace(":", "-")
        if not key:
            raise UsageError("the form has no id", mend="reload the page")
        try:
            resends, _ = await asyncio.to_thread(self._resends, ids)
            for name, group in by_receiver(resends).items():
                for each in group:
                    permit(each.target, shown=shown, confirmed=name if name in confirmed else "")
        except Refused as error:
            return await asyncio.to_thread(self._ask, request, ids, str(error))
        if not resends:
            return await asyncio.to_thread(self._ask, request, ids, "None of them can be sent again.")
        self._batches.start(key, resends)
        return RedirectResponse(f"/deliveries/again/{key}", HTTPStatus.SEE_OTHER)

    def batch(self, request: Request) -> Response:
        """How far a batch is."""
        key = request.path_params["key"]
        batch = self._known(key)
        page = BatchPage(
            key=key,
            deliveries=[self._sent(batch, row) for row in batch.rows],
            count=len(batch.sent),
            is_stopped=batch.is_stopped,
            is_done=batch.is_done,
        )
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "log/batch.html", page, target=target)

    async def stop_batch(self, request: Request) -> Response:
        """Send no further delivery of a batch."""
        await forms.read(request)
        key = request.path_params["key"]
        self._known(key).is_stopped = True
        return RedirectResponse(f"/deliveries/again/{key}", HTTPStatus.SEE_OTHER)

    def _known(self, key: str) -> Batch:
        batch = self._batches.find(key)
        if batch is None:
            what = "What became of these sends is in the log; this page was forgotten."
            raise HTTPException(HTTPStatus.NOT_FOUND, what)
        return batch

    def _sent(self, batch: Batch, before: DeliveryRow) -> Sent:
        id = batch.sent.get(before.id, "")
        entry = self._context.log.delivery(id) if id else None
        return Sent(
            before,
            id,
            entry.row(self._context.contracts) if entry else None,
            batch.problems.get(before.id, ""),
        )

    def _resends(self, ids: Sequence[str]) -> tuple[list[Resend], dict[str, str]]:
        """The deliveries as they would be sent again, the oldest first, and why others cannot be."""
        receivers = self._context.read_receivers()
        resends: list[Resend] = []
        refused: dict[str, str] = {}
        for id, entry in entries(self._context, ids).items():
            try:
                if entry is None:
                    raise Refused("send", "It is not in the log.")
                self._context.refuse_opened(id)
                resends.append(resend(self._context, receivers, entry))
            except (Refused, SandboxError) as error:
                refused[id] = str(error)
        return resends, refused

    def _ask(self, request: Request, ids: Sequence[str], problem: str = "") -> Response:
        resends, refused = self._resends(ids)
        groups = [
            ToReceiver(
                group[0].target,
                list(dict.fromkeys(url for each in group for url in each.target.urls)),
                len(group),
            )
            for group in by_receiver(resends).values()
        ]
        page = AgainPage(
            count=len(resends),
            groups=groups,
            ids=[each.row.id for each in resends],
            refused=refused,
            shown="\n".join(dict.fromkeys(url for each in groups for url in each.urls)),
            form_id=secrets.token_hex(16),
            problem=problem,
        )
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "log/again.html", page, target=target, refused=bool(problem))


def entries(context: AppContext, ids: Sequence[str]) -> dict[str, Entry | None]:
    """The deliveries of the ids, the oldest first, None for those that are not in the log. Blocks.

    HTTPException 400 where there are too many.
    """
    distinct = list(dict.fromkeys(ids))
    if len(distinct) > MOST:
        what = f"{len(distinct):,} deliveries are ticked, and at most {MOST} are taken at once."
        raise HTTPException(HTTPStatus.BAD_REQUEST, what)
    found = {id: context.log.delivery(id) for id in distinct}
    return dict(sorted(found.items(), key=lambda each: _sort(*each)))


def _sort(id: str, entry: Entry | None) -> Sort:
    return (0 if entry is None else sort_of(entry.delivery.sent_at)), id
