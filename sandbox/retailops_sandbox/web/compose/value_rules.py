"""A rule made of a value in the workbench's comparison: it goes into the expectation that is being edited."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import encoder
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.web.shell import ruling
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.re_checking import re_check
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.web.shell.ruling import Compared, RuleForm, RulePane
from retailops_sandbox.web.shell.send_form import Refused, SendForm

ADDRESS = "/answer/rule"
BUTTONS = "expect-value:"
"""What the actions of the form's buttons begin with."""


class ValueRulePart(msgspec.Struct, frozen=True):
    """The form in place, or its preview."""

    pane: RulePane


class ValueRulePages(RoomPages):
    """`/answer/rule`: the form for a value of the answer that the workbench shows."""

    section = "Workbench"

    def routes(self) -> list[Route]:
        return [Route(ADDRESS, self.show)]

    def show(self, request: Request) -> Response:
        """The form in place, or its preview; without a script, the page of the delivery has the form."""
        asked = request.query_params
        entry = self._entry(asked.get("delivery", ""))
        if "hx-request" not in request.headers:
            query = urlencode([each for each in asked.multi_items() if each[0] != "delivery"])
            return RedirectResponse(f"/deliveries/{entry.delivery.id}/rule?{query}", HTTPStatus.SEE_OTHER)
        try:
            pane = ruling.pane(
                self._context,
                _compared(self._context, entry),
                RuleForm.of(asked),
                action="/compose",
                back=f"/?from={entry.delivery.id}",
                target="#answer",
                note="It goes into the expectation that you edit here. Save writes that.",
                hidden={"delivery": entry.delivery.id},
                is_in_form=True,
                prefix=BUTTONS,
                preview_address=ADDRESS,
            )
        except PointerError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no such value here: {error}.") from error
        is_preview = asked.get("do", "").endswith("preview")
        part = "shell/rule_preview.html" if is_preview else "shell/rule_part.html"
        return self._part(request, part, ValueRulePart(pane))


def make(context: AppContext, do: str, send_form: SendForm, form: FormData) -> str:
    """The text of the edited expectation with the rule; the shown delivery is judged by it anew. Blocks.

    Refused where it cannot be written.
    """
    entry = context.log.delivery(send_form.answered)
    if entry is None:
        raise Refused("expectation", "The answer is not in the log any more.")
    chosen = RuleForm.of(form)
    if do != "rule":
        chosen = msgspec.structs.replace(chosen, word=do)
    about = _compared(context, entry)
    try:
        made = chosen.written(send_form.expectation or _judged(about), about, is_template=True)
        re_check(context, context.read_receivers(), entry, about.with_rule(chosen))
    except Refused as refused:
        raise Refused("expectation", " ".join(refused.problems.values())) from refused
    return made


def _compared(context: AppContext, entry: Entry) -> Compared:
    expected = redaction.listing.expectation(entry.judgement)
    return Compared.of(entry.delivery, expected, context.contracts)


def _judged(about: Compared) -> str:
    """The expectation that the delivery was judged by, as a text to edit."""
    return jsontext.pretty(jsontext.parse(encoder.encode(redaction.without_marks(about.expectation))))
