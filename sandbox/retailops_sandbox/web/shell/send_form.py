"""The form of a send by hand, as typed or made from a delivery."""

from __future__ import annotations

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.model import DEFAULT_ACTION, DEFAULT_EDITION, Json
from retailops_sandbox.probe.sending import is_of_probe
from retailops_sandbox.reporting.render import shown
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import EDITED as EDITED
from retailops_sandbox.web.shell import resending
from retailops_sandbox.web.shell.choices import EXPECTATION_VIEW, PAYLOAD_VIEW
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import expectation_text

MOST_TYPED = 4_000_000
"""Characters of all that is typed, without what is pasted to be imported."""


class SendForm(msgspec.Struct, kw_only=True):
    """The compose page's form, as it was typed."""

    action: str = DEFAULT_ACTION
    edition: str = DEFAULT_EDITION
    fixture: str = ""
    payload: str = ""
    view: str = "raw"
    """How the payload is shown, one of PAYLOAD_VIEW."""
    form_filter: str = ""
    """The words that the form view shows the members of."""
    changed_only: str = ""
    """`yes` where the form view shows only what differs from the fixture."""
    touched: str = ""
    """The pointer at which a button of the form view was pressed."""
    loaded: str = ""
    """The `stamp` of the fixture's file when it was opened."""
    expectation_loaded: str = ""
    """The `stamp` of the fixture's own expectation when it was opened; empty where it had none."""
    save_as: str = ""
    fixture_name: str = ""
    """The new name of the open fixture, or of its copy."""
    q: str = ""
    """The words that fixtures are searched for."""
    import_text: str = ""
    import_name: str = ""
    import_as: str = ""
    """Action and edition that were chosen for the import, with a blank between them; empty for none."""
    receiver: str = ""
    answered: str = ""
    """The delivery whose answer the page shows; empty for none."""
    expectation: str = ""
    expectation_view: str = "json"
    """How the expectation is shown, one of EXPECTATION_VIEW."""
    rule_at: str = ""
    """The expected value whose rule is being edited, as a pointer into the expectation."""
    variables: str = ""
    off_contract: bool = False
    confirmed: str = ""
    """The protected receiver that this send was confirmed for."""
    shown: str = ""
    """The URL that the page showed."""
    parent: str = ""
    form_id: str = ""
    opened: str = ""
    """The `stamp` of the payload that the page began with."""
    expected: str = ""
    """The `stamp` of the expectation that the page began with."""
    tab: str = ""
    """The page's own id, by which two pages with one fixture are told apart."""
    sequence: str = ""
    """How often something was typed in the page; empty without JavaScript."""
    revision: str = ""
    """The unsaved edit that the page shows; empty where nothing was typed before."""
    others: str = ""
    """The unsaved edits of other pages that the page showed, with blanks between them."""

    @classmethod
    def of(cls, form: FormData) -> SendForm:
        """The form as it was typed."""
        typed = {name: text(form, name) for name in cls.__struct_fields__ if name != "off_contract"}
        typed |= {name: typed[name].strip() for name in ("q", "fixture_name", "import_name")}
        send_form = cls(**typed, off_contract="off_contract" in form)
        if send_form.view not in PAYLOAD_VIEW.words:
            send_form.view = PAYLOAD_VIEW.words[0]
        if send_form.expectation_view not in EXPECTATION_VIEW.words:
            send_form.expectation_view = EXPECTATION_VIEW.words[0]
        return send_form


class Refused(Exception):
    """The error of a form that cannot be used; `problems` has the reasons by field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.problems = {field: message}


def resend_form(entry: Entry, *, own: bool) -> SendForm:
    """The form that sends a delivery again, with its latest expectation.

    `own` says whether this workspace sent it. What a probe sent is no case, and marks none.
    """
    sent = entry.delivery
    fixture = "" if is_of_probe(sent) else sent.fixture
    expected = redaction.listing.expectation(entry.judgement)
    return SendForm(
        action=sent.action,
        edition=sent.edition,
        fixture=fixture,
        payload=shown.pretty(resending.payload(sent, own=own)),
        save_as=fixture.removesuffix(EDITED),
        fixture_name=fixture.removesuffix(EDITED),
        receiver=sent.receiver,
        expectation="" if expected is None else expectation_text(redaction.expected_again(expected)),
        off_contract=sent.off_contract,
        parent=sent.id,
    )


def variables(typed: str) -> dict[str, Json]:
    """Variables from their text, a JSON object or nothing; SourceError for anything else."""
    if not typed.strip():
        return {}
    value = jsontext.parse(typed)
    if not isinstance(value, dict):
        raise SourceError("is not a JSON object", line=1, column=1, mend='write {"name": value}')
    return value


def known_variables(typed: str) -> dict[str, Json]:
    """Variables from their text; none where it is wrong, which a send says at its field."""
    try:
        return variables(typed)
    except SandboxError:
        return {}
