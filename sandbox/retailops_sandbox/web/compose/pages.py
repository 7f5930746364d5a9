"""The page where a payload is composed and sent."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import jsontext
from retailops_sandbox.composing import Names
from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Expectation, Json, Receiver
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.compose import expectation, fixtures, payload
from retailops_sandbox.web.compose.expectation import Pick
from retailops_sandbox.web.compose.findings import Findings, examine
from retailops_sandbox.web.compose.fixtures import FixtureButtons
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import (
    chosen_expectation_view,
    chosen_receiver,
    chosen_view,
    remember_advice,
    remember_expectation_view,
    remember_receiver,
    remember_view,
    wants_advice,
)
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import Pages, expectation_text, problems
from retailops_sandbox.web.shell.send_form import EDITED, VIEWS, Refused, SendForm, draft_of, variables
from retailops_sandbox.web.shell.sending import SendRequest
from retailops_sandbox.web.shell.sends import elsewhere, lacking, order, unconfirmed
from retailops_sandbox.workspace.fixtures import stamp
from retailops_sandbox.workspace.workspace import FixtureInfo, safe_name

_PARTS = {
    "target": "compose/retarget.html",
    "findings": "compose/findings.html",
    "expectation-field": "compose/expectation.html",
    "payload-view": "compose/payload_view.html",
    "fixture-list": "compose/fixture_list.html",
    "fixture-state": "compose/fixture_state.html",
}
"""What of the page a script may ask for alone, by the id of the element."""


class ComposeNotices(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says about what was just done."""

    problems: dict[str, str] = {}
    notice: str = ""
    fixture: fixtures.FixtureNotice | None = None
    """About a fixture that was changed."""
    expectation: expectation.ExpectationNotice | None = None
    """About the expectation, where all of it or a part was replaced."""
    reset: bool = False
    advice: bool | None = None
    """Advice was just turned on or off."""


class ComposePages:
    """`/`: pick, edit, check, save, send."""

    def __init__(self, context: AppContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages
        self._fixture_buttons = FixtureButtons(context)

    def routes(self) -> list[Route]:
        return [
            Route("/", self.show),
            Route("/compose", self.change, methods=["POST"]),
            Route("/send", self.send, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """A fixture, or with `?from=` what an earlier delivery sent."""
        parent = request.query_params.get("from")
        said = ComposeNotices()
        if parent is not None:
            entry = await asyncio.to_thread(self._context.log.get, parent)
            if entry is None:
                raise UsageError(
                    f"there is no delivery {parent} in the log of {self._context.workspace.root}"
                )
            draft = draft_of(entry)
            if await asyncio.to_thread(self._context.log.opened_from, parent):
                draft.parent = ""  # What is sent stays in the log for good, and that does not.
            if own := ", ".join(entry.delivery.own_headers):
                said = ComposeNotices(
                    notice=f"Its step sent headers of its own, which are not sent from here: {own}."
                )
        else:
            draft = self._draft_of_fixture(request)
        draft.view = chosen_view(request)
        draft.expectation_view = chosen_expectation_view(request)
        draft.q = request.query_params.get("q", "").strip()
        draft.receiver = draft.receiver or chosen_receiver(request, self._context).name
        return self._page(request, draft, said)

    async def change(self, request: Request) -> Response:
        """Do one thing with what is typed, short of sending it, and show it again."""
        form = await forms.read(request)
        draft = SendForm.of(form)
        # Its names become paths: nothing is read or written for an action and edition that there are not.
        contract.load(draft.action, draft.edition)
        untaken = payload.take_inputs(draft, form)
        unexpected = expectation.take_inputs(draft, form)
        wanted = request.headers.get("hx-target", "")
        do = text(form, "do") or {"expectation-field": "pick"}.get(wanted, "show")
        try:
            said = self._do(do, draft, form)
        except Refused as refused:
            said = ComposeNotices(problems=refused.problems)
        if untaken:
            said = msgspec.structs.replace(said, problems={"payload": untaken, **said.problems})
        if unexpected:
            said = msgspec.structs.replace(said, problems={"expectation": unexpected, **said.problems})
        response = self._page(
            request, draft, said, form=form, part=_PARTS.get(wanted, "compose/compose.html")
        )
        remember_receiver(request, response, draft.receiver, self._context)
        if do.startswith("view:"):
            remember_view(request, response, draft.view)
        if do.startswith("expect-view:"):
            remember_expectation_view(request, response, draft.expectation_view)
        if said.advice is not None:
            remember_advice(request, response, said.advice)
        return response

    def _do(self, do: str, draft: SendForm, form: FormData) -> ComposeNotices:
        """One of the page's buttons; what the page is to say about it."""
        word, _, argument = do.partition(":")
        told = self._fixture_buttons.press(word, argument, draft, form)
        if told is not None:
            return ComposeNotices(fixture=told)
        picks = [pick for _, group in self._picks(draft)[0] for pick in group] if word == "pick" else []
        done = expectation.press(self._context, word, argument, draft, form, picks)
        if done is not None:
            return ComposeNotices(expectation=done)
        if do == "reset":
            self._context.stand_in.reset()
            return ComposeNotices(reset=True)
        if do in ("advise", "be quiet"):
            return ComposeNotices(advice=do == "advise")
        if word == "view" and argument in VIEWS:
            draft.view = argument
        if word in payload.EDITS:
            payload.press(self._context, draft, word, argument)
        return ComposeNotices()

    async def send(self, request: Request) -> Response:
        """Send what is typed: 303 to the delivery's page, or the form again with what is wrong."""
        form = await forms.read(request)
        draft = SendForm.of(form)
        contract.load(draft.action, draft.edition)
        try:
            if untaken := payload.take_inputs(draft, form):
                raise Refused("payload", untaken)
            if unexpected := expectation.take_inputs(draft, form):
                raise Refused("expectation", unexpected)
            order = self._order(draft)
            delivery, was_sent = await self._once(forms.key(form), order)
        except Refused as refused:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return self._page(request, draft, ComposeNotices(problems=refused.problems), status, form=form)
        query = "?sent=before" if was_sent else ""
        response = RedirectResponse(f"/deliveries/{delivery}{query}", HTTPStatus.SEE_OTHER)
        remember_receiver(request, response, draft.receiver, self._context)
        return response

    async def _once(self, key: str, order: SendRequest) -> tuple[str, bool]:
        try:
            return await self._context.sending.once(key, order)
        except SandboxError as error:
            raise Refused("send", str(error)) from error

    def _order(self, draft: SendForm) -> SendRequest:
        receiver = self._receiver(draft)
        if receiver.protected and draft.confirmed != receiver.name:
            raise Refused("confirmed", unconfirmed(receiver))
        expected = self._expectation(draft)
        variables = self._variables(draft)
        target = self._context.target(receiver, draft.action, draft.edition, variables)
        if target.problem:
            raise Refused("receiver", f"Nothing was sent: {target.problem}")
        if moved := elsewhere(draft.shown, target):
            raise Refused("send", moved)
        if lack := lacking(draft.payload):
            raise Refused("send", lack)
        findings = self._findings(draft)
        if findings.rows and not draft.off_contract:
            raise Refused("send", f"Nothing was sent: {findings.summary[0].lower()}{findings.summary[1:]}")
        try:
            return self._ordered(draft, receiver, expected, variables)
        except SandboxError as error:
            raise Refused("send", str(error)) from error

    def _ordered(
        self, draft: SendForm, receiver: Receiver, expected: Expectation | None, given: dict[str, Json]
    ) -> SendRequest:
        return order(
            self._context,
            receiver=receiver,
            action=draft.action,
            edition=draft.edition,
            payload=draft.payload,
            label=self._label(draft),
            expectation=expected,
            variables=given,
            off_contract=draft.off_contract,
            confirmed=receiver.protected,
            parent=draft.parent,
        )

    def _label(self, draft: SendForm) -> str:
        """The fixture's name, and whether what is sent is still it."""
        if not draft.fixture or draft.fixture.endswith(EDITED):
            return draft.fixture
        try:
            kept = self._context.workspace.read_fixture(draft.action, draft.edition, draft.fixture)
            same = jsontext.parse(kept) == jsontext.parse(draft.payload)
        except SandboxError:
            # The fixture is gone, or the text is not JSON: either way this is not the fixture.
            same = False
        return draft.fixture if same else draft.fixture + EDITED

    # --- reading what was typed ---

    def _receiver(self, draft: SendForm) -> Receiver:
        try:
            return self._context.receiver(draft.receiver)
        except SandboxError as error:
            raise Refused("receiver", str(error)) from error

    def _expectation(self, draft: SendForm) -> Expectation | None:
        if not draft.expectation.strip():
            return None
        try:
            return scenario.expectation(draft.expectation)
        except SandboxError as error:
            raise Refused("expectation", str(error)) from error

    def _variables(self, draft: SendForm) -> dict[str, Json]:
        try:
            return variables(draft.variables)
        except SandboxError as error:
            raise Refused("variables", str(error)) from error

    # --- showing ---

    def _draft_of_fixture(self, request: Request) -> SendForm:
        known = {each.name: each.editions for each in self._context.actions()}
        action = request.query_params.get("action") or next(iter(known))
        if action not in known:
            raise UsageError(f"there is no action {action!r}", mend=f"there are {', '.join(known)}")
        edition = request.query_params.get("edition") or known[action][0]
        wanted = contract.load(action, edition)
        names = [info.name for info in self._fixtures(action, edition)]
        name = request.query_params.get("fixture") or (names[0] if names else "")
        if "new" in request.query_params:
            name = ""
        kept = jsontext.pretty(wanted.examples.request) + "\n"
        if name:
            kept = self._context.workspace.read_fixture(action, edition, name)
        # So that the first Send has a verdict: an accepted status, and a response that keeps the contract.
        accepted = Expectation(status=wanted.ok_statuses[0])
        return SendForm(
            action=action,
            edition=edition,
            fixture=name,
            payload=kept,
            loaded=stamp(kept) if name else "",
            save_as=name,
            fixture_name=name,
            expectation=expectation_text(accepted),
        )

    def _page(
        self,
        request: Request,
        draft: SendForm,
        said: ComposeNotices,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        form: FormData | None = None,
        part: str = "compose/compose.html",
    ) -> Response:
        receivers = self._context.receivers()
        target = self._context.target_named(
            draft.receiver, draft.action, draft.edition, self._known_variables(draft)
        )
        wrong = problems(said.problems)
        if problem := target.problem or self._context.receivers_problem:
            wrong.setdefault("receiver", problem)
        draft.form_id = secrets.token_hex(16)
        findings = self._findings(draft)
        infos = self._fixtures(draft.action, draft.edition)
        picks, unreadable = self._picks(draft)
        return self._pages.render(
            request,
            part,
            status=status,
            section="Compose",
            draft=draft,
            target=target,
            receivers=receivers,
            findings=findings,
            **payload.shown(self._context, draft, findings),
            **expectation.shown(draft, form),
            advice=wants_advice(request) if said.advice is None else said.advice,
            has_advice=bool(contract.load(draft.action, draft.edition).advice),
            actions=self._context.actions(),
            fixtures=_found(infos, draft.q),
            fixture_count=len(infos),
            origin=next((info.origin for info in infos if info.name == draft.fixture), ""),
            changed_on_disk=self._fixture_buttons.changed_on_disk(draft),
            picks=picks,
            unreadable=unreadable,
            problems=wrong,
            said=said,
        )

    def _findings(self, draft: SendForm) -> Findings:
        wanted = contract.load(draft.action, draft.edition)
        clock = self._context.ports.clock
        receivers = {each.name: each.variables for each in self._context.receivers()}
        names = Names(
            environment=self._context.environment,
            receiver=receivers.get(draft.receiver, {}),
            scenario=self._known_variables(draft),
            built_in={"uuid": clock.uuid(), "now": clock.now(), "sequence": 1},
        )
        return examine(draft.payload, wanted, names)

    def _known_variables(self, draft: SendForm) -> dict[str, Json]:
        try:
            return variables(draft.variables)
        except SandboxError:
            # A send says so at the variables themselves.
            return {}

    def _fixtures(self, action: str, edition: str) -> list[FixtureInfo]:
        """Those that can be opened: a file may have a name that no fixture can have."""
        return [info for info in self._context.workspace.fixtures(action, edition) if _can_be_opened(info)]

    def _picks(self, draft: SendForm) -> tuple[list[tuple[str, list[Pick]]], list[str]]:
        """What can be expected, in groups, and the scenario files that could not be read for it."""
        wanted = contract.load(draft.action, draft.edition)
        example = Expectation(status=wanted.ok_statuses[0], body=wanted.examples.response)
        contracts = [
            Pick("nothing", "Nothing expected", None),
            Pick("example", "The documented example", example),
        ]
        groups = [("Contract", contracts)]
        shelf = self._context.scenario_index.read()
        for plan in shelf.plans:
            if (plan.scenario.action, plan.scenario.edition) == (draft.action, draft.edition):
                steps = [
                    Pick(f"{plan.id}#{number}", step.name, step.expect)
                    for number, step in enumerate(plan.scenario.steps)
                    if isinstance(step.expect, Expectation)
                ]
                groups += [(plan.name, steps)] if steps else []
        return groups, [str(error) for error in shelf.unreadable]


def _found(infos: list[FixtureInfo], q: str) -> list[FixtureInfo]:
    """Those whose names have each of the words."""
    words = q.casefold().split()
    return [info for info in infos if all(word in info.name.casefold() for word in words)]


def _can_be_opened(info: FixtureInfo) -> bool:
    try:
        safe_name(info.name)
    except UsageError:
        return False
    return True
