"""The page where a payload is composed and sent."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from functools import cache, partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Expectation, Json
from retailops_sandbox.probe.sending import is_of_probe
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.compose import answer, expectation, findings, opening, payload
from retailops_sandbox.web.compose.answer import AnswerPanel, Case
from retailops_sandbox.web.compose.compose_page import AnswerPart, ComposeNotices, ComposePage
from retailops_sandbox.web.compose.fixtures import (
    FixtureButtons,
    FixtureFiles,
    available,
)
from retailops_sandbox.web.compose.unsaved import UnsavedEdits, UnsavedPanel
from retailops_sandbox.web.shell import forms, resending
from retailops_sandbox.web.shell.choices import (
    ADVICE,
    EXPECTATION_VIEW,
    PAYLOAD_VIEW,
    browser_id,
    chosen_action,
    chosen_name,
    chosen_receiver,
    remember_action,
    remember_receiver,
)
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.send_form import (
    EDITED,
    MOST_TYPED,
    Refused,
    SendForm,
    known_variables,
    resend_form,
    variables,
)
from retailops_sandbox.web.shell.sending import SendRequest
from retailops_sandbox.web.shell.sends import lacking, permit, send_request
from retailops_sandbox.workspace.edits import Subject
from retailops_sandbox.workspace.undo import stamp

_LARGEST = 32 * 1024 * 1024
"""Bytes of the form, as it is encoded: what is pasted to be imported may be large."""
_AT_ONCE = 0.25
"""Seconds for which the answer to Send waits for the receiver: what comes until then is shown at once."""
_PARTS = {
    "target": "compose/retarget.html",
    "findings": "compose/findings.html",
    "expectation-field": "compose/expectation.html",
    "payload-view": "compose/payload_view.html",
    "fixture-list": "compose/fixture_list.html",
    "fixture-state": "compose/fixture_state.html",
}
"""The templates of the parts that a script may ask for, by the id of the element."""
_TYPED_PARTS = frozenset(_PARTS[name] for name in ("findings", "expectation-field", "payload-view"))
"""Those that are asked for while something is typed: what is unsaved comes with them."""


class ComposePages(RoomPages):
    """`/`: pick, edit, check, save, send."""

    section = "Workbench"

    def __init__(self, context: AppContext, pages: Pages) -> None:
        super().__init__(context, pages)
        self._fixture_buttons = FixtureButtons(context)
        self._unsaved = UnsavedEdits(context)
        self._pressing = asyncio.Lock()
        """One button after the other: a press reads files and writes them."""

    def routes(self) -> list[Route]:
        return [
            Route("/", self.show),
            Route("/compose", self.change, methods=["POST"]),
            Route("/send", self.send, methods=["POST"]),
            Route("/answer", self.answer),
        ]

    def show(self, request: Request) -> Response:
        """A fixture, or with `?from=` the payload of an earlier delivery."""
        parent = request.query_params.get("from")
        notices = ComposeNotices()
        receivers = self._context.read_receivers()
        if parent is None:
            send_form, files, notice = self._form_of_fixture(request, receivers)
            notices = ComposeNotices(notice=notice)
        else:
            entry = self._entry(parent)
            own = not self._context.log.opened_from(parent)
            send_form = resend_form(entry, own=own)
            files = self._fixture_buttons.read(send_form)
            said = []
            if not own:
                if lost := resending.lost(entry.delivery, send_form.payload):
                    said.append(f"{', '.join(lost)} was struck out of its file: write it anew.")
                # The log keeps a sent delivery for good, but not the opened file that its parent would be in.
                send_form.parent = ""
            if is_of_probe(entry.delivery):
                said.append(
                    f"A probe sent this payload, as “{entry.delivery.step}”: it is none of the cases."
                )
            said += resending.header_notices(entry.delivery)
            notices = ComposeNotices(notice=" ".join(said))
        send_form.view = PAYLOAD_VIEW.of(request)
        send_form.expectation_view = EXPECTATION_VIEW.of(request)
        send_form.q = request.query_params.get("q", "").strip()
        send_form.answered = request.query_params.get("delivery", "")
        send_form.receiver = send_form.receiver or chosen_name(request, receivers)
        # What an opened file holds is no fixture's: the unsaved edits of one do not take its place.
        is_foreign = parent is not None and not send_form.parent
        unsaved = self._unsaved.begin("" if is_foreign else browser_id(request), send_form)
        if (
            unsaved.is_edited
            and files.opened is not None
            and send_form.loaded not in ("", stamp(files.opened))
        ):
            compared = self._fixture_buttons.press("compare", "", send_form, FormData())
            notices = msgspec.structs.replace(notices, fixture=compared)
        response = self._show(request, receivers, lambda: files, send_form, notices, unsaved=unsaved)
        if "action" in request.query_params:
            remember_action(request, response, send_form.action, send_form.edition)
        return self._unsaved.remembered(request, response)

    async def change(self, request: Request) -> Response:
        """Do the action of a button other than Send with the typed form, and show the page again."""
        form = await forms.read(request, largest=_LARGEST)
        send_form = await asyncio.to_thread(self._typed, request, form)
        wrong = await asyncio.to_thread(_take_inputs, send_form, form)
        before = msgspec.structs.replace(send_form)
        wanted = request.headers.get("hx-target", "")
        do = text(form, "do") or {"expectation-field": "pick"}.get(wanted, "show")
        try:
            notices = await self._do(request, do, send_form, form)
        except Refused as refused:
            notices = ComposeNotices(problems=refused.problems)
        notices = msgspec.structs.replace(notices, problems={**wrong, **notices.problems})
        part = _PARTS.get(wanted, "compose/compose.html")
        receivers = self._context.read_receivers()
        show = partial(
            self._show_again,
            request,
            receivers,
            send_form,
            notices,
            form=form,
            part=part,
            do=do,
            before=before,
        )
        response = await asyncio.to_thread(show)
        remember_receiver(request, response, receivers.find(send_form.receiver))
        if do.startswith("view:"):
            PAYLOAD_VIEW.remember(request, response, send_form.view)
        if do.startswith("expect-view:"):
            EXPECTATION_VIEW.remember(request, response, send_form.expectation_view)
        ADVICE.remember(request, response, notices.advice)
        return response

    def _typed(self, request: Request, form: FormData) -> SendForm:
        """The form as typed; SandboxError for an action and edition without a contract. Blocks."""
        send_form = _read(form)
        try:
            # Action and edition become parts of paths: only those of a contract may be read or written.
            self._context.contracts.load(send_form.action, send_form.edition)
        except SandboxError:
            # The contract's file may be right again soon, and what was typed is not to be lost meanwhile.
            self._unsaved.keep(browser_id(request), "", send_form, send_form)
            raise
        return send_form

    async def _do(self, request: Request, do: str, send_form: SendForm, form: FormData) -> ComposeNotices:
        """Press one of the page's buttons; Refused where that cannot be done."""
        if do == "import":
            return ComposeNotices(fixture=await self._fixture_buttons.take_in(send_form))
        if do.startswith("receiver:"):
            send_form.receiver, send_form.shown = do.removeprefix("receiver:"), ""
            return ComposeNotices()
        if do == "reset":
            self._context.stand_in.reset()
            return ComposeNotices(is_reset=True)
        async with self._pressing:
            return await asyncio.to_thread(self._press, request, do, send_form, form)

    def _press(self, request: Request, do: str, send_form: SendForm, form: FormData) -> ComposeNotices:
        """Press a button that works on texts and files. Blocks."""
        word, _, argument = do.partition(":")
        unsaved = self._unsaved.press(browser_id(request), word, argument, send_form, form)
        if unsaved is not None:
            return ComposeNotices(unsaved=unsaved)
        fixture = self._fixture_buttons.press(word, argument, send_form, form)
        if fixture is not None:
            return ComposeNotices(fixture=fixture)
        expected = expectation.press(self._context, word, argument, send_form, form)
        if expected is not None:
            return ComposeNotices(expectation=expected)
        if do in ("advise", "be quiet"):
            return ComposeNotices(advice="on" if do == "advise" else "off")
        if word == "view" and argument in PAYLOAD_VIEW.words:
            send_form.view = argument
        if word in payload.EDITS:
            payload.press(self._context, send_form, word, argument)
        return ComposeNotices()

    async def send(self, request: Request) -> Response:
        """Send the typed payload: 303 to the delivery's page, or the form again with its problems.

        For the script of the page, the answer's pane instead, and of a refused form what says why.
        """
        form = await forms.read(request, largest=_LARGEST)
        send_form = await asyncio.to_thread(self._typed, request, form)
        receivers = self._context.read_receivers()
        in_place = request.headers.get("hx-target") == "answer"
        try:
            wanted = await asyncio.to_thread(self._request, request, receivers, send_form, form)
            delivery, was_sent = await self._once(forms.key(form), wanted)
        except Refused as refused:
            notices = ComposeNotices(problems=refused.problems)
            show = partial(
                self._show_again,
                request,
                receivers,
                send_form,
                notices,
                form=form,
                part="compose/refused.html" if in_place else "compose/compose.html",
                do="send",
                refused=not in_place,
            )
            response = await asyncio.to_thread(show)
            if in_place:
                response.headers.update({"HX-Retarget": "#target", "HX-Reselect": "#target"})
            return response
        if in_place:
            response = await self._answered(request, receivers, send_form, delivery)
        else:
            query = "?sent=before" if was_sent else ""
            response = RedirectResponse(f"/deliveries/{delivery}{query}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, receivers.find(send_form.receiver))
        return response

    async def _answered(
        self, request: Request, receivers: KnownReceivers, send_form: SendForm, delivery: str
    ) -> Response:
        """The pane with the delivery that was just sent: with its answer, where that comes at once."""
        flight = self._context.sending.flight(delivery)
        if flight is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(flight.landed.wait(), _AT_ONCE)
        send_form.answered, send_form.confirmed = delivery, ""
        part, done = "compose/sent.html", ComposeNotices()
        return await asyncio.to_thread(
            partial(self._show_again, request, receivers, send_form, done, do="send", part=part)
        )

    def answer(self, request: Request) -> Response:
        """The pane with another delivery of the case, or with none."""
        asked = request.query_params
        case = Case(*(asked.get(name, "") for name in Case.__struct_fields__))
        return self._part(
            request, "compose/answer_part.html", AnswerPart(self._answer(case, asked.get("delivery", "")))
        )

    def _answer(self, case: Case, delivery: str) -> AnswerPanel:
        """The pane with a delivery, or with none where the id is empty; 404 for an unknown id."""
        found = answer.of(self._context, case, delivery)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no delivery {delivery} in the log.")
        return found

    async def _once(self, key: str, wanted: SendRequest) -> tuple[str, bool]:
        try:
            return await self._context.sending.once(key, wanted)
        except SandboxError as error:
            raise Refused("send", str(error)) from error

    def _request(
        self, request: Request, receivers: KnownReceivers, send_form: SendForm, form: FormData
    ) -> SendRequest:
        """The send that the form asks for; Refused where it may not or cannot be sent. Blocks."""
        problems = _take_inputs(send_form, form)
        self._unsaved.keep(browser_id(request), "send", send_form, send_form)
        for field, untaken in problems.items():
            raise Refused(field, untaken)
        target = self._target(receivers, send_form)
        permit(target, shown=send_form.shown, confirmed=send_form.confirmed)
        expected = self._expectation(send_form)
        given = self._variables(send_form)
        parent = self._context.log.delivery(send_form.parent) if send_form.parent else None
        lost = () if parent is None else resending.lost(parent.delivery, send_form.payload)
        if lack := lacking(lost):
            raise Refused("send", lack)
        found = findings.of_payload(self._context, receivers, send_form)
        if found.rows and not send_form.off_contract:
            raise Refused("send", f"Nothing was sent: {found.summary[0].lower()}{found.summary[1:]}")
        labelled = msgspec.structs.replace(send_form, fixture=self._label(send_form))
        try:
            policy = self._context.policy(receivers)
            return send_request(
                self._context, labelled, target.receiver, policy, expectation=expected, variables=given
            )
        except SandboxError as error:
            raise Refused("send", str(error)) from error

    def _label(self, send_form: SendForm) -> str:
        """The fixture's name, with EDITED behind it where the payload differs from the fixture."""
        if not send_form.fixture or send_form.fixture.endswith(EDITED):
            return send_form.fixture
        try:
            kept = self._context.workspace.read_fixture(
                send_form.action, send_form.edition, send_form.fixture
            )
            same = jsontext.parse(kept) == jsontext.parse(send_form.payload)
        except SandboxError:
            # The fixture is gone, or the text is not JSON: either way this is not the fixture.
            same = False
        return send_form.fixture if same else send_form.fixture + EDITED

    # --- reading what was typed ---

    def _target(self, receivers: KnownReceivers, send_form: SendForm) -> Target:
        return self._context.target_named(
            receivers,
            send_form.receiver,
            send_form.action,
            send_form.edition,
            known_variables(send_form.variables),
        )

    def _expectation(self, send_form: SendForm) -> Expectation | None:
        if not send_form.expectation.strip():
            return None
        try:
            return scenario.expectation(send_form.expectation)
        except SandboxError as error:
            raise Refused("expectation", str(error)) from error

    def _variables(self, send_form: SendForm) -> dict[str, Json]:
        try:
            return variables(send_form.variables)
        except SandboxError as error:
            raise Refused("variables", str(error)) from error

    # --- showing ---

    def _form_of_fixture(
        self, request: Request, receivers: KnownReceivers
    ) -> tuple[SendForm, FixtureFiles, str]:
        """The form of the fixture that the address names, else of the first one; all fixtures; a notice."""
        action, edition = self._asked_action(request, receivers)
        infos = available(self._context.workspace, action, edition)
        name = request.query_params.get("fixture") or (infos[0].name if infos else "")
        if "new" in request.query_params:
            name = ""
        try:
            send_form, notice = opening.form_named(self._context, action, edition, name)
        except UsageError:
            if not self._unsaved.has(browser_id(request), Subject(action, edition, name)):
                raise
            # The fixture is gone, and what was typed about it is not.
            send_form, notice = SendForm(action=action, edition=edition, fixture=name), ""
            send_form.save_as = send_form.fixture_name = name
            return send_form, FixtureFiles(infos, None), notice
        return send_form, FixtureFiles(infos, send_form.payload if send_form.fixture else None), notice

    def _asked_action(self, request: Request, receivers: KnownReceivers) -> tuple[str, str]:
        """The action and the edition of an address.

        One that names no action means what this browser chose last; one that names nothing at all, an edition
        that the chosen receiver speaks.
        """
        known = {each.name: each for each in self._context.actions()}
        last, last_edition = chosen_action(request)
        asked = request.query_params.get("action")
        action = asked or (last if last in known else next(iter(known)))
        edition = request.query_params.get("edition")
        if action not in known:
            try:
                # One whose file cannot be used says so itself.
                self._context.contracts.load(action, edition or "")
            except UsageError:
                mend = f"there are {', '.join(known)}"
                raise UsageError(f"there is no action {action!r}", mend=mend) from None
        if not edition and request.query_params:
            edition = last_edition if not asked and last_edition in known[action].editions else ""
            return action, edition or known[action].editions[0]
        speaks = self._context.speaks(chosen_receiver(request, receivers))
        return action, edition or known[action].edition_for(speaks, last_edition if action == last else "")

    def _show_again(
        self,
        request: Request,
        receivers: KnownReceivers,
        send_form: SendForm,
        notices: ComposeNotices,
        *,
        do: str,
        before: SendForm | None = None,
        **options: Any,
    ) -> Response:
        """Keep what is typed and show it, with the fixtures as they are now. Blocks: a fixture may be large.

        `before` is the form as it was posted, where the button `do` may have changed it.
        """
        unsaved = self._unsaved.keep(browser_id(request), do, before or send_form, send_form)
        read_files = partial(self._fixture_buttons.read, send_form)
        return self._show(request, receivers, read_files, send_form, notices, unsaved=unsaved, **options)

    def _show(
        self,
        request: Request,
        receivers: KnownReceivers,
        read_files: Callable[[], FixtureFiles],
        send_form: SendForm,
        notices: ComposeNotices,
        *,
        unsaved: UnsavedPanel,
        form: FormData | None = None,
        part: str = "compose/compose.html",
        refused: bool = False,
    ) -> Response:
        target = self._target(receivers, send_form)
        wrong = problems(notices.problems)
        if problem := target.problem or receivers.problem:
            wrong.setdefault("receiver", problem)
        send_form.form_id = secrets.token_hex(16)
        files = cache(read_files)
        page = ComposePage(
            form=send_form,
            target=target,
            receivers=receivers.all,
            broken_contracts=[str(error) for error in self._context.contracts.problems],
            notices=notices,
            problems=wrong,
            gives_advice=(notices.advice or ADVICE.of(request)) == "on",
            can_advise=bool(self._context.contracts.load(send_form.action, send_form.edition).advice),
            speaks=self._context.speaks(target.receiver),
            unsaved=unsaved,
            part=part,
            make_actions=self._context.actions,
            make_edited_actions=lambda: self._unsaved.actions(browser_id(request)),
            make_edited=lambda: self._unsaved.fixtures(
                browser_id(request), send_form.action, send_form.edition
            ),
            make_findings=lambda: findings.of_payload(self._context, receivers, send_form),
            make_fixtures=lambda edited: self._fixture_buttons.panel(send_form, files(), edited),
            make_payload=lambda found: payload.panel(
                self._context, receivers, send_form, found, lambda: files().opened
            ),
            make_expectation=lambda: expectation.panel(self._context, send_form, form),
            make_answer=lambda: self._answer(case_of(send_form), send_form.answered),
        )
        template = "compose/typed_part.html" if part in _TYPED_PARTS else part
        return self._page(request, template, page, target=target, refused=refused)


def case_of(send_form: SendForm) -> Case:
    """The case that a form is about."""
    fixture = send_form.fixture.removesuffix(EDITED)
    return Case(send_form.action, send_form.edition, fixture, send_form.receiver)


def _read(form: FormData) -> SendForm:
    """The form as typed; HTTPException 413 where more was typed than this page can work on."""
    if sum(len(str(value)) for name, value in form.multi_items() if name != "import_text") > MOST_TYPED:
        what = (
            f"This page takes up to {MOST_TYPED:,} characters. Go back: what you typed is still there. "
            "Save a larger payload as a fixture, and send it with `retailops-sandbox send`."
        )
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what)
    return SendForm.of(form)


def _take_inputs(send_form: SendForm, form: FormData) -> dict[str, str]:
    """Put the inputs of form view and cards into the texts; by field, what could not be put there."""
    untaken = {
        "payload": payload.take_inputs(send_form, form),
        "expectation": expectation.take_inputs(send_form, form),
    }
    return {field: what for field, what in untaken.items() if what}
