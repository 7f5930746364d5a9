"""The page on which the answer to one delivery is accepted: what would be written, before it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import accepting, redaction
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.review.acceptance import Acceptance, Acceptances
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text, texts
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.re_checking import re_check
from retailops_sandbox.web.shell.room import RoomPages


class AcceptPage(msgspec.Struct, frozen=True, kw_only=True):
    """What accepting the answer to a delivery would write."""

    row: DeliveryRow
    base: str
    """The address of the page."""
    acceptance: Acceptance | None
    """None where the answer cannot be accepted."""
    objections: Sequence[str]
    """Why the answer cannot be accepted, and how to expect it on purpose."""
    refused: Sequence[str]
    """Why nothing was written, line by line."""


class AcceptPages(RoomPages):
    """`/deliveries/{id}/accept`."""

    section = "Log"

    def __init__(self, context: AppContext, pages: Pages) -> None:
        super().__init__(context, pages)
        self._acceptances = Acceptances(context)

    def routes(self) -> list[Route]:
        one = "/deliveries/{id}/accept"
        return [Route(one, self.show), Route(one, self.accept, methods=["POST"])]

    def show(self, request: Request) -> Response:
        """What would be written."""
        return self._answer(request, self._own_entry(request), {})

    async def accept(self, request: Request) -> Response:
        """Write what the page showed, show it with other rules, or take back what was written."""
        form = await forms.read(request)
        return await asyncio.to_thread(self._accept, request, form)

    def _accept(self, request: Request, form: FormData) -> Response:
        entry = self._own_entry(request)
        if text(form, "do") == "undo":
            return self._undo(request, entry, text(form, "change"))
        ticks = {path: path in texts(form, "take") for path in texts(form, "offered")}
        if text(form, "do") == "show" or self._objections(entry):
            return self._answer(request, entry, ticks)
        try:
            found = self._acceptances.of(entry, ticks)
            if text(form, "shown") != found.fingerprint:
                what = (
                    "Nothing was written: it would not be what the page showed. This is what it would be now."
                )
                return self._answer(request, entry, ticks, [what])
            change = self._acceptances.write(entry.delivery, found)
            by = "" if found.change or not found.file else self._acceptances.expected_by(entry.delivery)
            receivers = self._context.read_receivers()
            re_check(self._context, receivers, entry, found.expectation, expected_by=by)
        except SandboxError as error:
            return self._answer(request, entry, ticks, [str(error)])
        return _to(entry, f"?accepted={change}" if change else "")

    def _undo(self, request: Request, entry: Entry, change: str) -> Response:
        """Take back what was written, and judge the delivery as it was judged before."""
        try:
            self._acceptances.undo(change)
        except SandboxError as error:
            return self._answer(request, entry, {}, [str(error)])
        if len(entry.judgements) > 1:
            before = entry.judgements[-2]
            expected = redaction.listing.expectation(before)
            receivers = self._context.read_receivers()
            re_check(self._context, receivers, entry, expected, expected_by=before.expected_by)
        return _to(entry)

    def _answer(
        self, request: Request, entry: Entry, ticks: Mapping[str, bool], refused: Sequence[str] = ()
    ) -> Response:
        objections = self._objections(entry)
        acceptance = None
        if not objections:
            try:
                acceptance = self._acceptances.of(entry, ticks)
            except SandboxError as error:
                refused = [*refused, str(error)]
        page = AcceptPage(
            row=entry.row(self._context.contracts),
            base=f"/deliveries/{entry.delivery.id}/accept",
            acceptance=acceptance,
            objections=objections,
            refused=list(dict.fromkeys(refused)),
        )
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "review/accept_answer.html", page, target=target, refused=bool(refused))

    def _objections(self, entry: Entry) -> Sequence[str]:
        return accepting.objections(entry.delivery, entry.judgement) if entry.judgement else ()

    def _own_entry(self, request: Request) -> Entry:
        """A delivery of the workspace; UsageError for one that was opened from a file. Blocks."""
        entry = self._entry(request.path_params["id"])
        self._context.refuse_opened(entry.delivery.id)
        return entry


def _to(entry: Entry, query: str = "") -> Response:
    return RedirectResponse(f"/deliveries/{entry.delivery.id}{query}", HTTPStatus.SEE_OTHER)
