"""The page of one delivery, and what can be done from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import redaction
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Expectation, Judgement, record
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.log import delivery_page, preview
from retailops_sandbox.web.log.delivery_page import DeliveryPage, WholeBody
from retailops_sandbox.web.log.preview import Preview
from retailops_sandbox.web.log.resends import resend
from retailops_sandbox.web.log.watch import Watch
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.re_checking import re_check
from retailops_sandbox.web.shell.room import RoomPages, no_delivery
from retailops_sandbox.web.shell.send_form import Refused
from retailops_sandbox.web.shell.sends import permit


class PreviewPart(msgspec.Struct, frozen=True):
    """The preview alone."""

    preview: Preview


class DeliveryPages(RoomPages):
    """`/deliveries/{id}`."""

    section = "Log"

    def __init__(self, context: AppContext, pages: Pages, watch: Watch) -> None:
        super().__init__(context, pages)
        self._watch = watch

    def routes(self) -> list[Route]:
        one = "/deliveries/{id}"
        return [
            Route(one, self.show),
            Route(f"{one}/events", self.events),
            Route(f"{one}/preview", self.preview),
            Route(f"{one}/request", self.body),
            Route(f"{one}/response", self.body),
            Route(f"{one}/{{side}}/shown", self.whole_body),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/again", self.again, methods=["POST"]),
            Route(f"{one}/judge", self.judge, methods=["POST"]),
        ]

    # --- one delivery ---

    def show(self, request: Request) -> Response:
        """The delivery, in flight or ended."""
        id = request.path_params["id"]
        flight = self._context.sending.flight(id)
        if flight is not None:
            receivers = self._context.read_receivers()
            page = delivery_page.of_flight(self._context, receivers, request, flight)
            return self._delivery_page(request, page)
        if self._context.log.delivery(id) is None and (row := self._context.elsewhere(id)) is not None:
            receivers = self._context.read_receivers()
            page = delivery_page.of_elsewhere(self._context, receivers, request, row)
            return self._delivery_page(request, page)
        return self._result_page(request, self._context.read_receivers(), self._entry(id))

    def preview(self, request: Request) -> Response:
        """The delivery in brief: a part of the log's page."""
        id = request.path_params["id"]
        found = preview.of_id(self._context, request, id)
        if found is None:
            raise no_delivery(id)
        return self._part(request, "log/preview.html", PreviewPart(found))

    async def events(self, request: Request) -> Response:
        """One event, `finished`, once the delivery has ended and was judged."""
        id = request.path_params["id"]
        flight = self._context.sending.flight(id)
        if flight is None and await asyncio.to_thread(self._context.elsewhere, id) is None:
            await asyncio.to_thread(self._entry, id)

        async def stream() -> AsyncIterator[ServerSentEvent]:
            if flight is not None:
                await flight.landed.wait()
            else:
                await self._watch.landed(id)
            yield ServerSentEvent(data=id, event="finished", id=id)

        return EventSourceResponse(stream())

    def body(self, request: Request) -> Response:
        """The whole body of a request or response as plain text, whatever its type."""
        return PlainTextResponse(self._message(request, request.url.path.rpartition("/")[2]).body)

    def whole_body(self, request: Request) -> Response:
        """The whole body of a request or response as a part of the page, in place of its beginning."""
        side, id = request.path_params["side"], request.path_params["id"]
        message = self._message(request, side)
        part = WholeBody(message=message, side=side, delivery=id, most=len(message.body))
        return self._part(request, "log/whole_body.html", part)

    def _message(self, request: Request, side: str) -> record.Request | record.Response:
        sent = self._entry(request.path_params["id"]).delivery
        found = {"request": sent.request, "response": sent.response}.get(side)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There was no response.")
        return found

    async def cancel(self, request: Request) -> Response:
        """Cancel a delivery in flight; one that has ended meanwhile stays as it is."""
        id = request.path_params["id"]
        flight = self._context.sending.flight(id)
        if flight is not None:
            flight.cancel()
            await flight.landed.wait()
        else:
            await asyncio.to_thread(self._entry, id)
        return _to(id)

    async def again(self, request: Request) -> Response:
        """Send the same payload to the same receiver, judged by the latest expectation."""
        form = await forms.read(request)
        entry = await asyncio.to_thread(self._own_entry, request.path_params["id"])
        receivers = self._context.read_receivers()
        try:
            again = await asyncio.to_thread(resend, self._context, receivers, entry)
            permit(again.target, shown=text(form, "shown"), confirmed=text(form, "confirmed"))
            id, was_sent = await self._context.sending.once(forms.key(form), again.request)
        except (Refused, SandboxError) as error:
            return await self._refused(request, receivers, entry, str(error))
        return _to(id, "?sent=before" if was_sent else "")

    # --- re-checking ---

    async def judge(self, request: Request) -> Response:
        """Judge the delivery by another expectation, without sending."""
        typed = text(await forms.read(request), "expectation")
        entry = await asyncio.to_thread(self._own_entry, request.path_params["id"])
        receivers = self._context.read_receivers()
        try:
            expectation = await asyncio.to_thread(_typed, typed, entry.judgement) if typed.strip() else None
            await asyncio.to_thread(re_check, self._context, receivers, entry, expectation)
        except SandboxError as error:
            wrong = {"expectation": str(error)}
            return await asyncio.to_thread(self._result_page, request, receivers, entry, wrong, typed)
        return _to(entry.delivery.id)

    # --- showing ---

    def _own_entry(self, id: str) -> Entry:
        """A delivery of the workspace; UsageError for one that was opened from a file. Blocks."""
        entry = self._entry(id)
        self._context.refuse_opened(id)
        return entry

    async def _refused(
        self, request: Request, receivers: KnownReceivers, entry: Entry, message: str
    ) -> Response:
        return await asyncio.to_thread(self._result_page, request, receivers, entry, {"send": message})

    def _result_page(
        self,
        request: Request,
        receivers: KnownReceivers,
        entry: Entry,
        wrong: Mapping[str, str] | None = None,
        typed: str | None = None,
    ) -> Response:
        page = delivery_page.of_entry(self._context, receivers, request, entry, wrong=wrong, typed=typed)
        return self._delivery_page(request, page, refused=bool(wrong))

    def _delivery_page(self, request: Request, page: DeliveryPage, *, refused: bool = False) -> Response:
        return self._page(request, "log/delivery.html", page, target=page.target, refused=refused)


def _typed(text: str, before: Judgement | None) -> Expectation:
    """The expectation that was typed, with marks where it still has those of the one before."""
    typed, known = scenario.expectation(text), redaction.listing.expectation(before)
    return typed if known is None else redaction.listing.kept_marks(typed, known)


def _to(id: str, query: str = "") -> Response:
    return RedirectResponse(f"/deliveries/{id}{query}", HTTPStatus.SEE_OTHER)
