"""The payload of the compose page: its raw text, the form made of it, and the request it would become."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData

from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.web.compose import payload_form
from retailops_sandbox.web.compose.findings import Findings
from retailops_sandbox.web.compose.request_preview import RequestPreview, rehearse
from retailops_sandbox.web.compose.vocabulary import vocabulary
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.send_form import Refused, SendForm, variables
from retailops_sandbox.web.shell.sends import order

EDITS = ("add", "remove", "reset")
"""What the buttons of the form do, each at a pointer: `add:/data/order`."""


def shown(context: AppContext, draft: SendForm, findings: Findings) -> dict[str, Any]:
    """What the payload's panel needs, in the view that was chosen."""
    wanted = contract.load(draft.action, draft.edition)
    form = sent = None
    if draft.view == "form":
        kept = fixture_text(context, draft)
        form = payload_form.of(draft.payload, wanted, findings, fixture=draft.fixture, fixture_text=kept)
    elif draft.view == "sent":
        sent = _as_sent(context, draft)
    return {"form": form, "sent": sent, "vocabulary": vocabulary(wanted.request_schema)}


def _as_sent(context: AppContext, draft: SendForm) -> RequestPreview:
    try:
        receiver = context.receiver(draft.receiver)
        would_be = order(
            context,
            receiver=receiver,
            action=draft.action,
            edition=draft.edition,
            payload=draft.payload,
            label=draft.fixture,
            expectation=None,
            variables=variables(draft.variables),
            off_contract=draft.off_contract,
            # Nothing is sent, so there is nothing to say yes to.
            confirmed=True,
            parent=draft.parent,
        )
    except SandboxError as error:
        return RequestPreview(problem=str(error))
    return rehearse(would_be)


def take_inputs(draft: SendForm, form: FormData) -> str:
    """Put what was typed into the form view's inputs into the raw text; what could not be, in one line."""
    inputs = {name: text(form, name) for name in form if name.startswith(("text:", "json:"))}
    if draft.view != "form" or not inputs:
        return ""
    try:
        draft.payload, refused = payload_form.typed(draft.payload, inputs)
    except SourceError:
        # The raw text was broken meanwhile: it is the truth, and the inputs are greyed.
        return ""
    return f"Not taken over: {'; '.join(refused)}" if refused else ""


def press(context: AppContext, draft: SendForm, what: str, pointer: str) -> None:
    """One button of the form view; Refused where there is nothing to do it to."""
    wanted = contract.load(draft.action, draft.edition)
    try:
        draft.payload = payload_form.edited(
            draft.payload, wanted, what, pointer, fixture_text(context, draft)
        )
    except (SandboxError, PointerError) as error:
        raise Refused("payload", f"{pointer or '(root)'} was left as it is: {error}") from error


def fixture_text(context: AppContext, draft: SendForm) -> str | None:
    """The text of the draft's fixture as it is kept; None without one."""
    if not draft.fixture:
        return None
    try:
        return context.workspace.read_fixture(draft.action, draft.edition, draft.fixture)
    except SandboxError:
        # Deleted, or sent once under a name that no fixture has: there is nothing to compare with.
        return None
