"""The payload's panel of the compose page: its raw text, the form made from it, the request as sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.web.compose import inputs, payload_form, request_preview
from retailops_sandbox.web.compose.findings import Findings
from retailops_sandbox.web.compose.payload_form import Filter, FormView
from retailops_sandbox.web.compose.request_preview import RequestPreview
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.send_form import Refused, SendForm
from retailops_sandbox.web.shell.vocabulary import Word, vocabulary

EDITS = ("add", "remove", "reset")
"""The form's buttons, each with a pointer: `add:/data/order`."""


class PayloadPanel(msgspec.Struct, frozen=True, kw_only=True):
    """The payload in the view that was chosen."""

    form_view: FormView | None
    preview: RequestPreview | None
    vocabulary: Sequence[Word]


def panel(
    context: AppContext,
    receivers: KnownReceivers,
    send_form: SendForm,
    findings: Findings,
    read_fixture: Callable[[], str | None],
) -> PayloadPanel:
    """The panel of what is typed; `read_fixture` gives the stored text of the open fixture, None without."""
    wanted = context.contracts.load(send_form.action, send_form.edition)
    form_view = preview = None
    if send_form.view == "form":
        form_view = payload_form.of(
            send_form.payload,
            wanted,
            findings,
            fixture=send_form.fixture,
            fixture_text=read_fixture(),
            filter=Filter(words=send_form.form_filter, changed_only=send_form.changed_only == "yes"),
            touched=send_form.touched,
        )
    elif send_form.view == "sent":
        preview = request_preview.of(context, receivers, send_form)
    return PayloadPanel(form_view=form_view, preview=preview, vocabulary=vocabulary(wanted.request_schema))


def take_inputs(send_form: SendForm, form: FormData) -> str:
    """Put the form view's inputs into the raw text; one line with those that could not be put there."""
    written = inputs.of(form)
    if send_form.view != "form" or not written:
        return ""
    try:
        send_form.payload, refused = inputs.typed(send_form.payload, written)
    except SourceError:
        # The raw text is no longer JSON: the inputs are disabled, and the text stays as it is.
        return ""
    return inputs.untaken(refused)


def press(context: AppContext, send_form: SendForm, word: str, pointer: str) -> None:
    """Press one of EDITS; Refused where that cannot be done at the pointer."""
    wanted = context.contracts.load(send_form.action, send_form.edition)
    kept = _fixture_text(context, send_form)
    send_form.touched = pointer
    try:
        send_form.payload = payload_form.edited(send_form.payload, wanted, word, pointer, kept)
    except (SandboxError, PointerError) as error:
        raise Refused("payload", f"{pointer or WHOLE} was left as it is: {error}") from error


def _fixture_text(context: AppContext, send_form: SendForm) -> str | None:
    """The stored text of the form's fixture; None without one."""
    if not send_form.fixture:
        return None
    try:
        return context.workspace.read_fixture(send_form.action, send_form.edition, send_form.fixture)
    except SandboxError:
        # The fixture was deleted, or an earlier delivery had a name that no fixture has.
        return None
