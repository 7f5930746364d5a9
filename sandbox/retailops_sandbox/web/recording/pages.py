"""The record switch, the page of the relay, and a review of deliveries from the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError, system_reason
from retailops_sandbox.model import Delivery, Receiver
from retailops_sandbox.reporting.render.lines import outcome
from retailops_sandbox.web.recording.state import Recording, RecordingReview, RunningRelay
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import chosen_receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages

_PORT = "8090"
_SHOWN = 50
"""How many of the newest requests that passed through a relay the page shows."""


class RelayInput(msgspec.Struct, frozen=True, kw_only=True):
    """The form that starts a relay, as typed."""

    receiver: str
    bind: str = "127.0.0.1"
    port: str = _PORT


class Passed(msgspec.Struct, frozen=True):
    """A request that passed through the relay, in one line."""

    delivery: Delivery
    what: str
    answer: str


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """The relay, and the open reviews."""

    typed: RelayInput
    problems: Mapping[str, str]
    """By field."""
    receivers: Sequence[Receiver]
    running: RunningRelay | None
    passed: Sequence[Passed]
    """The requests that passed through the relay, the newest first."""
    count: int
    """The number of all requests that passed."""
    unlogged: Mapping[str, int]
    """How many of them could not be logged, by the reason."""
    reviews: Sequence[RecordingReview]


class RecordPages(RoomPages):
    """`/record`."""

    section = "Record"

    def __init__(self, context: AppContext, pages: Pages, recording: Recording) -> None:
        super().__init__(context, pages)
        self._recording = recording

    def routes(self) -> list[Route]:
        return [
            Route("/record", self.show),
            Route("/record/switch", self.switch, methods=["POST"]),
            Route("/record/start", self.start, methods=["POST"]),
            Route("/record/stop", self.stop, methods=["POST"]),
            Route("/record/from-log", self.from_log, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """The relay, and the open reviews; 204 for a script whose page is up to date."""
        running = self._recording.relay
        known = request.query_params.get("passed")
        if running is not None and known == str(running.relay.passed):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        receivers = self._context.read_receivers()
        typed = RelayInput(receiver=chosen_receiver(request, receivers).name)
        return self._show(request, receivers, typed)

    async def switch(self, request: Request) -> Response:
        """Switch on and stay on the page, or off and go to the review of what was recorded."""
        form = await forms.read(request)
        recording = self._recording
        if text(form, "do") == "on":
            recording.switch_on()
            if "hx-request" in request.headers:
                return self._part(request, "shell/record_switch.html")
            return RedirectResponse(forms.came_from(request), HTTPStatus.SEE_OTHER)
        return _to_review(await recording.switch_off(), forms.came_from(request))

    async def start(self, request: Request) -> Response:
        form = await forms.read(request)
        typed = RelayInput(
            receiver=text(form, "receiver"), bind=text(form, "bind").strip(), port=text(form, "port").strip()
        )
        receivers = self._context.read_receivers()
        wrong = await self._started(receivers, typed, form)
        if wrong:
            return self._show(request, receivers, typed, wrong)
        return RedirectResponse("/record", HTTPStatus.SEE_OTHER)

    async def _started(self, receivers: KnownReceivers, typed: RelayInput, form: FormData) -> dict[str, str]:
        """Start the relay as typed; the problems that kept it from starting, by field."""
        try:
            receiver = receivers.named(typed.receiver)
        except SandboxError as error:
            return {"receiver": str(error)}
        if receiver.protected and text(form, "confirmed") != receiver.name:
            return {
                "confirmed": f"{receiver.name} is protected, and the relay was not started: select the box."
            }
        if not (typed.port.isascii() and typed.port.isdecimal() and int(typed.port) <= 65_535):
            return {"port": "The port is a number from 0 to 65535; 0 takes a free one."}
        if not typed.bind:
            return {"bind": "Name an address of this machine, for example 127.0.0.1."}
        try:
            policy = self._context.policy(receivers)
            await self._recording.start_relay(receiver, policy, typed.bind, int(typed.port))
        except SandboxError as error:
            return {"receiver": str(error)}
        except (OSError, UnicodeError) as error:
            return {"port": f"Cannot listen at {typed.bind}:{typed.port}: {system_reason(error)}."}
        return {}

    async def stop(self, request: Request) -> Response:
        await forms.read(request)
        return _to_review(await self._recording.stop_relay(), "/record")

    async def from_log(self, request: Request) -> Response:
        """A review of the deliveries that were selected."""
        form = await forms.read(request)
        selected = [str(each) for each in form.getlist("delivery")]
        made = await asyncio.to_thread(self._review, selected)
        return _to_review(made, "/deliveries?selected=none")

    def _review(self, selected: Sequence[str]) -> RecordingReview | None:
        for each in selected:
            self._context.refuse_opened(each)
        # Newest first on the page, oldest first in a scenario: the review sorts them.
        return self._recording.review(selected, "from the log")

    def _show(
        self,
        request: Request,
        receivers: KnownReceivers,
        typed: RelayInput,
        wrong: Mapping[str, str] | None = None,
    ) -> Response:
        running = self._recording.relay
        records = running.relay.records if running else []
        page = RecordPage(
            typed=typed,
            problems=problems(wrong),
            receivers=receivers.all,
            running=running,
            passed=[
                Passed(
                    each.delivery,
                    f"{each.delivery.request.method} {each.delivery.request.url}",
                    outcome(each.delivery),
                )
                for each in reversed(records[-_SHOWN:])
            ],
            count=len(records),
            unlogged=dict(running.relay.problems) if running else {},
            reviews=self._recording.reviews,
        )
        target = self._chosen_target(request, receivers)
        return self._page(request, "recording/record.html", page, target=target, refused=bool(wrong))


def _to_review(made: RecordingReview | None, otherwise: str) -> Response:
    """A redirect to the review; back where there is nothing to review."""
    place = f"/record/reviews/{made.id}" if made is not None else otherwise
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)
