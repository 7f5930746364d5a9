"""Making a rule of a value in the comparison of a delivery: `/deliveries/{id}/rule`."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.accepting.ruling import EXACTLY
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Delivery, encoder
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import EDITED, DeliveryRow
from retailops_sandbox.web.shell import forms, ruling
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.re_checking import re_check
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.ruling import IGNORE_ITEMS, Compared, RuleForm, RulePane
from retailops_sandbox.web.shell.send_form import Refused
from retailops_sandbox.workspace.fixtures import Clash, Fixtures
from retailops_sandbox.workspace.undo import stamp

_IN_PLACE = {"HX-Retarget": ".rule-pane", "HX-Reselect": ".rule-pane", "HX-Reswap": "outerHTML"}
"""The headers of a refusal, which takes the place of the form and of no more."""


_ALONE = "alone"
"""In place of the id of a change: no file was written."""


class RulePage(msgspec.Struct, frozen=True, kw_only=True):
    """The form on a page of its own, for browsers without scripts."""

    row: DeliveryRow
    pane: RulePane


class _Place(NamedTuple):
    """Where the rule is written: the text that it is added to."""

    file: str
    """The name of the fixture's expectation; empty where no file expects what is compared."""
    text: str
    is_new: bool
    """Whether the file does not exist yet."""

    @property
    def note(self) -> str:
        if not self.file:
            return "It judges this delivery alone: no file expects what is compared here."
        return f"It is written into {self.file}."


class RulePages(RoomPages):
    """`/deliveries/{id}/rule`."""

    section = "Log"

    def __init__(self, context: AppContext, pages: Pages) -> None:
        super().__init__(context, pages)
        self._fixtures = Fixtures(context.workspace)

    def routes(self) -> list[Route]:
        one = "/deliveries/{id}/rule"
        return [Route(one, self.show), Route(one, self.make, methods=["POST"])]

    def show(self, request: Request) -> Response:
        """The form for the value or the item that the address names."""
        return self._answer(request, self._own_entry(request), RuleForm.of(request.query_params))

    async def make(self, request: Request) -> Response:
        """Try the rule, or make it, and judge the delivery by it."""
        form = await forms.read(request)
        do = forms.text(form, "do")
        if do == "undo":
            return await asyncio.to_thread(self._undo, request, forms.text(form, "change"))
        found = RuleForm.of(form)
        if do in (EXACTLY, IGNORE_ITEMS):
            found = msgspec.structs.replace(found, word=do)
        return await asyncio.to_thread(self._make, request, found, do, forms.text(form, "seen"))

    def _make(self, request: Request, form: RuleForm, do: str, seen: str) -> Response:
        entry = self._own_entry(request)
        if do == "preview":
            return self._answer(request, entry, form, part="shell/rule_preview.html")
        try:
            change = self._write(entry, form, seen)
        except (Refused, SandboxError) as error:
            return self._answer(request, entry, form, problem=str(error))
        except Clash:
            what = "It was changed meanwhile, so nothing was written. This is what it would be now."
            return self._answer(request, entry, form, problem=what)
        return _to(entry, f"?ruled={change}")

    def _undo(self, request: Request, change: str) -> Response:
        """Take back what was written, and judge the delivery as it was judged before."""
        entry = self._own_entry(request)
        if change != _ALONE:
            self._fixtures.undo(change)
        before = entry.judgements[-2] if len(entry.judgements) > 1 else None
        expected = redaction.listing.expectation(before)
        receivers = self._context.read_receivers()
        by = before.expected_by if before is not None else ""
        re_check(self._context, receivers, entry, expected, expected_by=by)
        return _to(entry)

    def _write(self, entry: Entry, form: RuleForm, seen: str) -> str:
        """Write the rule and judge the delivery by it; the id by which that can be undone."""
        about = self._compared(entry)
        place = self._place(entry, about)
        expectation = about.with_rule(form)
        done = None
        if place.file:
            sent = entry.delivery
            text = form.written(place.text, about, is_template=True)
            done = self._fixtures.save_expectation(
                sent.action, sent.edition, _fixture(sent), text, seen="" if place.is_new else seen
            )
        receivers = self._context.read_receivers()
        re_check(self._context, receivers, entry, expectation, expected_by=place.file)
        return done.id if done is not None else _ALONE

    def _compared(self, entry: Entry) -> Compared:
        expected = redaction.listing.expectation(entry.judgement)
        return Compared.of(entry.delivery, expected, self._context.contracts)

    def _place(self, entry: Entry, about: Compared) -> _Place:
        """Where a rule for this delivery belongs."""
        sent, judgement = entry.delivery, entry.judgement
        assert judgement is not None
        name = _fixture(sent)
        text = self._fixtures.expectation(sent.action, sent.edition, name) if name else None
        path = self._context.workspace.own_expectation(sent.action, sent.edition, name) if name else None
        file = self._context.workspace.fixture_id(path) if path is not None else ""
        if judgement.expected_by and text is not None:
            return _Place(file, text, is_new=False)
        judged = jsontext.pretty(jsontext.parse(encoder.encode(redaction.without_marks(about.expectation))))
        is_free = text is None and name and self._fixtures.text(sent.action, sent.edition, name) is not None
        if is_free and not sent.scenario and not sent.off_contract:
            return _Place(file, judged, is_new=True)
        return _Place("", judged, is_new=False)

    # --- showing ---

    def _own_entry(self, request: Request) -> Entry:
        """A judged delivery of the workspace; UsageError for one that was opened from a file. Blocks."""
        entry = self._entry(request.path_params["id"])
        self._context.refuse_opened(entry.delivery.id)
        if entry.judgement is None:
            raise UsageError("it was not judged, so there is nothing to make a rule for", mend="re-check it")
        return entry

    def _answer(
        self, request: Request, entry: Entry, form: RuleForm, *, problem: str = "", part: str = ""
    ) -> Response:
        about, base = self._compared(entry), f"/deliveries/{entry.delivery.id}"
        place = self._place(entry, about)
        try:
            pane = ruling.pane(
                self._context,
                about,
                form,
                action=f"{base}/rule",
                back=base,
                target="#delivery",
                note=place.note,
                hidden={"seen": stamp(place.text)},
                problem=problem,
            )
        except PointerError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no such value here: {error}.") from error
        page = RulePage(row=entry.row(self._context.contracts), pane=pane)
        if "hx-request" in request.headers:
            found = self._part(request, part or "shell/rule_part.html", page)
            if problem:
                found.headers.update(_IN_PLACE)
            return found
        target = self._chosen_target(request, self._context.read_receivers())
        return self._page(request, "log/rule.html", page, target=target, refused=bool(problem))


def _to(entry: Entry, query: str = "") -> Response:
    return RedirectResponse(f"/deliveries/{entry.delivery.id}{query}", HTTPStatus.SEE_OTHER)


def _fixture(sent: Delivery) -> str:
    """The name of the fixture that was sent, also where it was edited before."""
    return sent.fixture.removesuffix(EDITED)
