"""What stands in the compose page's form, and where it can come from."""

from __future__ import annotations

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Json
from retailops_sandbox.reporting.render import shown
from retailops_sandbox.runlog.log import Entry
from retailops_sandbox.web.shell import resending
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import expectation_text

VIEWS = ("raw", "form", "sent")
"""Of a payload: its text, the form made of it, and the request that it becomes."""
EXPECTATION_VIEWS = ("cards", "json")
EDITED = " (edited)"
"""What the name of a fixture that was sent in another form ends with."""


class SendForm(msgspec.Struct, kw_only=True):
    """What stands in the page's form, as it was typed."""

    action: str = "order_cancel"
    edition: str = "draft"
    fixture: str = ""
    payload: str = ""
    view: str = "raw"
    """How the payload is shown, one of VIEWS."""
    loaded: str = ""
    """What stands for the text of the fixture's file when it was opened."""
    save_as: str = ""
    fixture_name: str = ""
    """The name that the open fixture, or its copy, is to have."""
    q: str = ""
    """What the fixtures are searched for."""
    import_text: str = ""
    import_name: str = ""
    receiver: str = ""
    expectation: str = ""
    expectation_view: str = "json"
    """How it is shown, one of EXPECTATION_VIEWS."""
    rule_at: str = ""
    """The expected value whose rule is being made, as a pointer into the expectation."""
    variables: str = ""
    off_contract: bool = False
    confirmed: str = ""
    """The name of the protected receiver that this send was said yes to."""
    shown: str = ""
    """The URL that the page said a send would go to."""
    parent: str = ""
    form_id: str = ""

    @classmethod
    def of(cls, form: FormData) -> SendForm:
        """What was typed; text areas send their lines with CR LF."""
        typed = {name: text(form, name) for name in cls.__struct_fields__ if name != "off_contract"}
        typed |= {name: typed[name].strip() for name in ("q", "fixture_name", "import_name")}
        draft = cls(**typed, off_contract="off_contract" in form)
        draft.view = draft.view if draft.view in VIEWS else "raw"
        if draft.expectation_view not in EXPECTATION_VIEWS:
            draft.expectation_view = "json"
        return draft


class Refused(Exception):
    """What was typed cannot be used; `problems` says why, by field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.problems = {field: message}


def draft_of(entry: Entry) -> SendForm:
    """What a delivery sent, to be edited and sent again, with its latest expectation."""
    sent = entry.delivery
    judgement = entry.judgement
    return SendForm(
        action=sent.action,
        edition=sent.edition,
        fixture=sent.fixture,
        payload=shown.pretty(resending.payload(sent)),
        save_as=sent.fixture.removesuffix(EDITED),
        fixture_name=sent.fixture.removesuffix(EDITED),
        receiver=sent.receiver,
        expectation=expectation_text(judgement.expectation if judgement else None),
        off_contract=sent.off_contract,
        parent=sent.id,
    )


def variables(typed: str) -> dict[str, Json]:
    """Variables as typed: a JSON object, or nothing. Raises SourceError."""
    if not typed.strip():
        return {}
    value = jsontext.parse(typed)
    if not isinstance(value, dict):
        raise SourceError("is not a JSON object", line=1, column=1, mend='write {"name": value}')
    return value
