"""The compose page's form as it is opened, before anything is typed."""

from __future__ import annotations

from retailops_sandbox import jsontext
from retailops_sandbox.errors import UsageError
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.send_form import MOST_TYPED, SendForm, resend_form
from retailops_sandbox.workspace.undo import stamp


def form_named(context: AppContext, action: str, edition: str, name: str) -> tuple[SendForm, str]:
    """The form of a fixture as it is saved, or of a new one without a name; and a notice.

    UsageError where there is no fixture of that name.
    """
    wanted = context.contracts.load(action, edition)
    kept = jsontext.pretty(wanted.examples.request) + "\n"
    notice = ""
    if name:
        read = context.workspace.read_fixture(action, edition, name)
        if len(read) <= MOST_TYPED:
            kept = read
        else:
            notice, name = _too_large(name, len(read)), ""
    expected = context.workspace.read_expectation(action, edition, name) if name else None
    send_form = SendForm(
        action=action,
        edition=edition,
        fixture=name,
        payload=kept,
        loaded=stamp(kept) if name else "",
        save_as=name,
        fixture_name=name,
        expectation=expected or "",
        expectation_loaded=stamp_of(expected),
    )
    return send_form, notice


def stamp_of(text: str | None) -> str:
    """The `stamp` of a file's text; empty where there is no file."""
    return "" if text is None else stamp(text)


def as_saved(context: AppContext, send_form: SendForm) -> SendForm:
    """A form of the same fixture or delivery, without what was typed.

    UsageError where there is no such fixture or delivery any more.
    """
    if not send_form.parent:
        return form_named(context, send_form.action, send_form.edition, send_form.fixture)[0]
    entry = context.log.delivery(send_form.parent)
    if entry is None:
        raise UsageError(f"delivery {send_form.parent} is not in the log any more", mend="open a fixture")
    return resend_form(entry, own=not context.log.opened_from(send_form.parent))


def _too_large(name: str, size: int) -> str:
    return (
        f"{name} has {size:,} characters, and this page takes up to {MOST_TYPED:,}: send it with "
        f"`retailops-sandbox send {name}`."
    )
