"""Unsaved edits on the compose page: shown with their fixture, reverted, compared with other pages'."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.web.compose import opening
from retailops_sandbox.web.shell.choices import remember_browser
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.send_form import Refused, SendForm
from retailops_sandbox.workspace.edits import KeptEdits, Subject, UnsavedEdit
from retailops_sandbox.workspace.undo import stamp

_CARRIED = ("save", "overwrite", "rename", "delete")
"""The buttons after which what was typed belongs to the fixture that is open then."""
_SEQUENCE = re.compile(r"[0-9]{1,15}")
_FIELDS = ("payload", "expectation", "variables")


class OtherVersion(msgspec.Struct, frozen=True):
    """What was typed about the same fixture in another page, compared with what is typed here."""

    revision: str
    diffs: Sequence[tuple[str, Sequence[changes.Line]]]
    """The fields that differ, each with its difference."""


class UnsavedNotice(msgspec.Struct, frozen=True):
    """What was done to unsaved edits, and the texts that it replaced, as JSON, by which it is undone."""

    text: str
    was: str = ""


class UnsavedPanel(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something is typed and not saved, and what else was typed about the same fixture."""

    is_edited: bool
    others: Sequence[OtherVersion] = ()
    problem: str = ""
    """Why the edits cannot be kept, or could not be read."""
    expected_meanwhile: Sequence[changes.Line] = ()
    """How an edited expectation differs from the saved one, where that was changed since."""


class UnsavedEdits:
    """Keeps what is typed in the compose page, for each browser."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._edits = context.edits

    def has(self, browser: str, subject: Subject) -> bool:
        """Whether there are unsaved edits of a subject."""
        return bool(browser) and bool(self._edits.read(browser, subject).versions)

    def fixtures(self, browser: str, action: str, edition: str) -> set[str]:
        """The names of an action's fixtures with unsaved edits; empty for those of a new one."""
        kept = self._edits.subjects(browser) if browser else []
        return {
            each.fixture for each in kept if (each.action, each.edition, each.parent) == (action, edition, "")
        }

    def actions(self, browser: str) -> set[str]:
        """The names of the actions of whose fixtures there are unsaved edits."""
        return (
            {each.action for each in self._edits.subjects(browser) if not each.parent} if browser else set()
        )

    def begin(self, browser: str, send_form: SendForm) -> UnsavedPanel:
        """Put the unsaved edits of a form that is opened in place of the texts it begins with."""
        send_form.opened = send_form.loaded or stamp(send_form.payload)
        send_form.expected = stamp(send_form.expectation)
        send_form.tab = secrets.token_hex(8)
        kept = self._edits.read(browser, subject_of(send_form)) if browser else KeptEdits()
        if not kept.versions:
            return _panel(send_form, kept)
        newest, saved = kept.versions[0], msgspec.structs.replace(send_form)
        _show(newest, send_form)
        send_form.revision = newest.revision
        # A text that was not edited is shown as it is saved now.
        if _is_text_of(newest.payload, newest.opened):
            send_form.payload, send_form.loaded, send_form.opened = saved.payload, saved.loaded, saved.opened
        is_expectation_edited = not _is_text_of(newest.expectation, newest.expected)
        if not is_expectation_edited:
            send_form.expectation, send_form.expected = saved.expectation, saved.expected
        panel = _panel(send_form, kept)
        if is_expectation_edited and saved.expected != newest.expected:
            lines = _diff(saved.expectation, send_form.expectation, "as saved", "as typed")
            return msgspec.structs.replace(panel, expected_meanwhile=lines)
        return panel

    def remembered(self, request: Request, response: Response) -> Response:
        """The response with a page that begins, by which its browser is known again."""
        remember_browser(request, response)
        # Back asks for the page again: what was typed in it is here, and not in the browser's cache.
        response.headers["Cache-Control"] = "no-store"
        return response

    def keep(self, browser: str, do: str, before: SendForm, send_form: SendForm) -> UnsavedPanel:
        """Keep what a form has after the button `do` was pressed; forget it where nothing is edited.

        `before` is the form as it was posted.
        """
        if send_form.loaded != before.loaded:
            send_form.opened = send_form.loaded or send_form.opened
        if send_form.expectation_loaded != before.expectation_loaded:
            send_form.expected = stamp(send_form.expectation)
        if not browser or not send_form.tab:
            return _panel(send_form, KeptEdits())
        word, _, argument = do.partition(":")
        subject = subject_of(send_form)
        replaces = {send_form.revision}
        if subject != subject_of(before) and word in _CARRIED:
            self._edits.remove(browser, subject_of(before), send_form.tab, replaces=replaces)
        if word == "edits-keep":
            replaces |= {*send_form.others.split()}
        elif word == "edits-take":
            replaces.add(argument)
        if not is_edited(send_form):
            kept = self._edits.remove(browser, subject, send_form.tab, replaces=replaces)
            send_form.revision = ""
            return _panel(send_form, kept)
        kept = self._edits.put(browser, subject, _edit_of(send_form), replaces=replaces)
        send_form.revision = kept.versions[0].revision
        return _panel(send_form, kept)

    def press(
        self,
        browser: str,
        word: str,
        argument: str,
        send_form: SendForm,
        form: FormData,
    ) -> UnsavedNotice | None:
        """Press a button of unsaved edits; None for a button of something else. Refused names the field."""
        was = msgspec.json.encode(_edit_of(send_form)).decode()
        if word == "revert":
            fresh = self._as_saved(send_form)
            for field in (*_FIELDS, "loaded", "expectation_loaded"):
                setattr(send_form, field, getattr(fresh, field))
            send_form.opened = fresh.loaded or stamp(fresh.payload)
            send_form.expected = stamp(fresh.expectation)
            return UnsavedNotice("Reverted: this is as it was saved.", was)
        if word == "edits-undo":
            _show(_edit(text(form, "edits_was")), send_form)
            return UnsavedNotice("What was typed is back.", was)
        if word == "edits-keep":
            dropped = self._version(browser, send_form, send_form.others.split()[-1:])
            kept = msgspec.json.encode(dropped).decode() if dropped is not None else ""
            return UnsavedNotice("What is typed here is kept.", kept)
        if word == "edits-take":
            other = self._version(browser, send_form, [argument])
            if other is None:
                raise Refused("payload", "That text is not kept any more: it was saved, reverted or taken.")
            _show(other, send_form)
            return UnsavedNotice("This is what was typed in the other page.", was)
        return None

    def _as_saved(self, send_form: SendForm) -> SendForm:
        try:
            return opening.as_saved(self._context, send_form)
        except SandboxError as error:
            raise Refused("payload", str(error)) from error

    def _version(self, browser: str, send_form: SendForm, revisions: Sequence[str]) -> UnsavedEdit | None:
        kept = self._edits.read(browser, subject_of(send_form)) if browser else KeptEdits()
        return next((each for each in kept.versions if each.revision in revisions), None)


def subject_of(send_form: SendForm) -> Subject:
    """What a form is about."""
    return Subject(send_form.action, send_form.edition, send_form.fixture, send_form.parent)


def is_edited(send_form: SendForm) -> bool:
    """Whether a form has another text than it began with."""
    return (
        not _is_text_of(send_form.payload, send_form.opened)
        or not _is_text_of(send_form.expectation, send_form.expected)
        or bool(send_form.variables.strip())
    )


def _is_text_of(text: str, known: str) -> bool:
    """Whether a text as a browser sends it is that of a stamp: the file may end its lines by CRLF."""
    ended = text if text.endswith("\n") else text + "\n"
    return any(
        stamp(each) == known
        for each in (text, ended, text.replace("\n", "\r\n"), ended.replace("\n", "\r\n"))
    )


def _edit_of(send_form: SendForm) -> UnsavedEdit:
    return UnsavedEdit(
        payload=send_form.payload,
        expectation=send_form.expectation,
        variables=send_form.variables,
        loaded=send_form.loaded,
        opened=send_form.opened,
        expected=send_form.expected,
        tab=send_form.tab,
        sequence=int(send_form.sequence) if _SEQUENCE.fullmatch(send_form.sequence) else 0,
    )


def _show(edit: UnsavedEdit, send_form: SendForm) -> None:
    for field in (*_FIELDS, "loaded", "opened", "expected"):
        setattr(send_form, field, getattr(edit, field))


def _edit(kept: str) -> UnsavedEdit:
    try:
        return msgspec.json.decode(kept, type=UnsavedEdit)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the page says nothing of what was typed before: {error}") from error


def _panel(send_form: SendForm, kept: KeptEdits) -> UnsavedPanel:
    others = [
        OtherVersion(each.revision, _diffs(each, send_form))
        for each in kept.versions
        if each.tab != send_form.tab and each.revision != send_form.revision
    ]
    return UnsavedPanel(is_edited=is_edited(send_form), others=others, problem=kept.problem)


def _diffs(other: UnsavedEdit, send_form: SendForm) -> list[tuple[str, list[changes.Line]]]:
    both = [(field, getattr(other, field), getattr(send_form, field)) for field in _FIELDS]
    return [
        (field, _diff(there, here, "the other page", "this page"))
        for field, there, here in both
        if there != here
    ]


def _diff(before: str, after: str, old: str, new: str) -> list[changes.Line]:
    return [line for line in changes.unified(before, after, old=old, new=new) if line.kind != "file"]
