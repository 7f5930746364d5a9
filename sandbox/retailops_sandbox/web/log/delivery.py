"""The page of one delivery."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from itertools import islice
from typing import Any

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import redaction
from retailops_sandbox.accepting.answers import expected_again
from retailops_sandbox.comparing import Judge
from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Expectation, Judgement, Receiver
from retailops_sandbox.reporting.exporters import curl
from retailops_sandbox.reporting.render import lines, sidebyside
from retailops_sandbox.runlog.log import Entry
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import SortKey
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.log import filters
from retailops_sandbox.web.shell import forms, resending
from retailops_sandbox.web.shell.choices import chosen_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import Pages, expectation_text, problems
from retailops_sandbox.web.shell.rows import Row, newest_first
from retailops_sandbox.web.shell.send_form import draft_of
from retailops_sandbox.web.shell.sending import Flight
from retailops_sandbox.web.shell.sends import elsewhere, lacking, order, unconfirmed

_ATTEMPTS = 50
"""How many other deliveries of its step, and how many that repeat it, are listed with one."""
_NEIGHBOURS = 20
"""How many deliveries before and after it are listed beside one."""


class DeliveryPages:
    """`/deliveries/{id}`."""

    def __init__(self, context: AppContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    def routes(self) -> list[Route]:
        one = "/deliveries/{id}"
        return [
            Route(one, self.show),
            Route(f"{one}/events", self.events),
            Route(f"{one}/request", self.body),
            Route(f"{one}/response", self.body),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/again", self.again, methods=["POST"]),
            Route(f"{one}/accept", self.accept, methods=["POST"]),
            Route(f"{one}/judge", self.judge, methods=["POST"]),
        ]

    # --- one delivery ---

    async def show(self, request: Request) -> Response:
        """The delivery, in flight or landed."""
        id = request.path_params["id"]
        flight = self._context.sending.flight(id)
        if flight is not None:
            row, context = Row.of_flight(flight), flight_context(flight)
            return await asyncio.to_thread(self._delivery_page, request, row, flight=context)
        return await self._result(request, await self._entry(id))

    async def events(self, request: Request) -> Response:
        """One event, `finished`, once the delivery has landed and was judged."""
        id = request.path_params["id"]
        flight = self._context.sending.flight(id)
        if flight is None:
            await self._entry(id)

        async def stream() -> AsyncIterator[ServerSentEvent]:
            if flight is not None:
                await flight.landed.wait()
            yield ServerSentEvent(data=id, event="finished", id=id)

        return EventSourceResponse(stream())

    async def body(self, request: Request) -> Response:
        """What one side sent, whole and as text: never as a page of its own."""
        sent = (await self._entry(request.path_params["id"])).delivery
        side = sent.request if request.url.path.endswith("/request") else sent.response
        if side is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There was no response.")
        return PlainTextResponse(side.body)

    async def cancel(self, request: Request) -> Response:
        """End a delivery in flight; one that has landed meanwhile stays as it is."""
        id = request.path_params["id"]
        flight = self._context.sending.flight(id)
        if flight is not None:
            flight.cancel()
            await flight.landed.wait()
        else:
            await self._entry(id)
        return _to(id)

    async def again(self, request: Request) -> Response:
        """Send the same payload to the same receiver, judged by the latest expectation."""
        form = await forms.read(request)
        entry = await self._own_entry(request.path_params["id"])
        draft = draft_of(entry)
        try:
            receiver = self._context.receiver(draft.receiver)
            headers = resending.headers(entry.delivery)
            if lack := lacking("\n".join([draft.payload, *headers.values()])):
                return await self._refused(request, entry, lack)
            if receiver.protected and text(form, "confirmed") != receiver.name:
                return await self._refused(request, entry, unconfirmed(receiver))
            target = self._context.target(receiver, draft.action, draft.edition)
            if moved := elsewhere(text(form, "shown"), target):
                return await self._refused(request, entry, moved)
            repeated = order(
                self._context,
                receiver=receiver,
                action=draft.action,
                edition=draft.edition,
                payload=draft.payload,
                label=draft.fixture,
                expectation=scenario.expectation(draft.expectation) if draft.expectation else None,
                variables={},
                # A step's raw bytes are sent whatever they are, and so they are again.
                off_contract=draft.off_contract or not draft.fixture,
                confirmed=receiver.protected,
                parent=entry.delivery.id,
                raw=resending.raw(entry.delivery),
                headers=headers,
            )
            id, was_sent = await self._context.sending.once(forms.key(form), repeated)
        except SandboxError as error:
            return await self._refused(request, entry, str(error))
        return _to(id, "?sent=before" if was_sent else "")

    async def _refused(self, request: Request, entry: Entry, message: str) -> Response:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return await self._result(request, entry, problems({"send": message}), status=status)

    # --- judging again ---

    async def accept(self, request: Request) -> Response:
        """Make the answer that came the expected one; rules and headers of the expectation stay."""
        entry = await self._own_entry(request.path_params["id"])
        accepted = accepted_expectation(entry)
        if accepted is None:
            return await self._refused(request, entry, "There is no answer that could be expected.")
        try:
            await self._judge(entry, accepted)
        except SandboxError as error:
            return await self._refused(request, entry, str(error))
        return _to(entry.delivery.id)

    async def judge(self, request: Request) -> Response:
        """Judge against another expectation, without sending."""
        typed = text(await forms.read(request), "expectation")
        entry = await self._own_entry(request.path_params["id"])
        try:
            expectation = scenario.expectation(typed) if typed.strip() else None
            await self._judge(entry, expectation)
        except SandboxError as error:
            wrong = problems({"expectation": str(error)})
            return await self._result(request, entry, wrong, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
        return _to(entry.delivery.id)

    async def _judge(self, entry: Entry, expectation: Expectation | None) -> None:
        sent = entry.delivery
        judge = Judge(contract.load(sent.action, sent.edition))
        before = entry.judgement.payload_violations if entry.judgement else ()
        at = self._context.clock.now()
        judgement = await asyncio.to_thread(judge, sent, expectation, at=at, payload_violations=before)
        self._context.writer.append(judgement)

    # --- showing ---

    async def _entry(self, id: str) -> Entry:
        entry = await asyncio.to_thread(self._context.log.get, id)
        if entry is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no delivery {id} in this workspace's log.")
        return entry

    async def _own_entry(self, id: str) -> Entry:
        """A delivery of the workspace; UsageError for one that was opened from a file."""
        entry = await self._entry(id)
        await asyncio.to_thread(self._context.refuse_foreign, id)
        return entry

    async def _result(
        self,
        request: Request,
        entry: Entry,
        wrong: dict[str, str] | None = None,
        typed: str | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        # In a thread: what stands before and after it, and what repeats it, is looked for in all runs.
        return await asyncio.to_thread(self._result_page, request, entry, wrong, typed, status)

    def _result_page(
        self,
        request: Request,
        entry: Entry,
        wrong: dict[str, str] | None,
        typed: str | None,
        status: HTTPStatus,
    ) -> Response:
        sent = entry.delivery
        latest = entry.judgement
        latest_expectation = expectation_text(latest.expectation if latest else None)
        return self._delivery_page(
            request,
            Row.of_entry(entry),
            status,
            delivery=sent,
            latest=latest,
            judgements=list(reversed(entry.judgements)),
            attempts=self._attempts(sent),
            repeats=self._rows(Query(parent=sent.id)),
            comparison=compared(sent, latest),
            curl=curl.command(sent.request, self._receiver(sent)),
            struck_out=redaction.struck_out(sent.request, sent.response),
            typed_expectation=latest_expectation if typed is None else typed,
            form_id=secrets.token_hex(16),
            is_known=self._receiver(sent) is not None,
            scenario_is_known=bool(sent.scenario) and self._context.scenario_index.has(sent.scenario),
            can_accept=accepted_expectation(entry) is not None,
            can_review=_differs_from_its_scenario(entry),
            problems=wrong or problems(),
        )

    def _receiver(self, sent: Delivery) -> Receiver | None:
        return next((each for each in self._context.receivers() if each.name == sent.receiver), None)

    def _delivery_page(
        self, request: Request, row: Row, status: HTTPStatus = HTTPStatus.OK, **context: Any
    ) -> Response:
        query = filters.query_of(request)
        foreign = self._context.log.opened_from(row.id)
        if foreign:
            query = Query(run=row.run)
        newer, older = self._neighbours(query, (row.sent_at, row.id))
        flying = self._flying(row, {each.id for each in newer}) if len(newer) < _NEIGHBOURS else []
        defaults: dict[str, Any] = {"flight": None, "problems": problems()}
        # What was sent elsewhere says nothing of where a send from here would go.
        named = chosen_receiver(request, self._context).name if foreign else row.receiver
        target = self._context.target_named(named, row.action, row.edition)
        sent_before = request.query_params.get("sent") == "before"
        return self._page(
            request,
            "log/delivery.html",
            status,
            row=row,
            recent=newest_first([*flying, *newer, row, *older]),
            newer=newer[-1] if newer else None,
            older=older[0] if older else None,
            asked=[] if foreign else filters.asked(query),
            address="" if foreign else filters.address(query),
            foreign=foreign,
            already_sent=sent_before,
            target=target,
            **{**defaults, **context},
        )

    def _attempts(self, sent: Delivery) -> list[Row]:
        """All deliveries of a step, the oldest first; none of what was sent by hand, or only once."""
        run = self._context.log.find(sent.run)
        if run is None or run.info is None or run.info.kind == "serve" or not sent.step:
            return []
        rows = self._rows(Query(run=sent.run, scenario=sent.scenario), step=sent.step)
        return rows if len(rows) > 1 else []

    def _rows(self, query: Query, step: str = "") -> list[Row]:
        """What a query finds, the oldest first; of this step alone, and no more than a page bears."""
        found = self._context.log.summaries(query, newest_first=False)
        return [
            Row.of_summary(each) for each in islice((e for e in found if step in ("", e.step)), _ATTEMPTS)
        ]

    def _neighbours(self, query: Query, place: SortKey) -> tuple[list[Row], list[Row]]:
        """What was sent after and before a delivery, as far as the filter lets it through; newest first."""
        log = self._context.log
        newer = list(islice(log.summaries(query, after=place, newest_first=False), _NEIGHBOURS))
        older = islice(log.summaries(query, after=place), _NEIGHBOURS)
        return [Row.of_summary(each) for each in reversed(newer)], [Row.of_summary(each) for each in older]

    def _flying(self, shown: Row, landed: set[str]) -> list[Row]:
        """Those in flight. One that landed a moment ago, and is being judged, is in the log already."""
        flights = (each for each in self._context.sending.flights if each.id not in landed | {shown.id})
        return [Row.of_flight(flight) for flight in flights]

    def _page(
        self, request: Request, name: str, status: HTTPStatus = HTTPStatus.OK, **context: Any
    ) -> Response:
        return self._pages.render(request, name, status=status, section="Log", **context)


def flight_context(flight: Flight) -> dict[str, object]:
    """What the page shows of a delivery in flight."""
    return {"elapsed_ms": flight.elapsed_ms, "payload": flight.order.payload}


def _differs_from_its_scenario(entry: Entry) -> bool:
    """Whether it was sent for a scenario that expected something else."""
    return bool(entry.delivery.scenario and entry.judgements and entry.judgements[0].differences)


def accepted_expectation(entry: Entry) -> Expectation | None:
    """The expectation that takes what came for right; None where nothing came that could be expected."""
    answer = expected_again(entry.delivery)
    if answer is None or answer.fault is not None:
        return answer
    before = entry.judgement.expectation if entry.judgement else None
    return msgspec.structs.replace(
        before or Expectation(), status=answer.status, body=answer.body, fault=None
    )


class Compared(msgspec.Struct, frozen=True):
    """A judgement's comparison as the page shows it."""

    count: int
    others: list[str]
    """The differences that are not in the side-by-side view."""
    view: sidebyside.View | None
    notes: tuple[str, ...]


def compared(sent: Delivery, judgement: Judgement | None) -> Compared | None:
    """How a delivery compares with its latest expectation; None where nothing was expected."""
    if judgement is None or judgement.expectation is None:
        return None
    notes = judgement.notes
    try:
        agreed = contract.load(sent.action, sent.edition)
        view = sidebyside.of(sent, judgement.expectation, agreed.arrays)
    except SandboxError as error:
        # A log may outlive a contract, and what comes from elsewhere may know others.
        view, notes = None, (*notes, f"not shown beside each other: {error}")
    others = [lines.difference(each) for each in judgement.differences if view is None or each.part != "body"]
    return Compared(len(judgement.differences), others, view, notes)


def _to(id: str, query: str = "") -> Response:
    return RedirectResponse(f"/deliveries/{id}{query}", HTTPStatus.SEE_OTHER)
