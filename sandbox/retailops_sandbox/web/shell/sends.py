"""A send by hand as the engine runs it, and the checks before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from msgspec import UnsetType

from retailops_sandbox.composing import Template
from retailops_sandbox.engine import CaseSource, Options
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Deliver, Delivery, Expectation, Json, Receiver, Step
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import OwnExpectation
from retailops_sandbox.web.shell import resending
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.send_form import EDITED, Refused, SendForm
from retailops_sandbox.web.shell.sending import SendRequest


def permit(target: Target, *, shown: str, confirmed: str, again: str = "send") -> None:
    """Check that a send to a target may start; raises Refused with the field and the reason.

    `shown` are the URLs that the page showed, one a line. `confirmed` is the protected receiver that the user
    confirmed. `again` is the verb for repeating the action, in the message.
    """
    receiver = target.receiver
    if target.problem:
        raise Refused("receiver", f"Nothing was sent: {target.problem}")
    if receiver.protected and confirmed != receiver.name:
        what = f"{receiver.name} is protected, and nothing was sent: select the box to send to it this once."
        raise Refused("confirmed", what)
    new = [url for url in target.urls if url not in shown.split("\n")]
    if new:
        what = f"Nothing was sent: the URL is {new[0]} now, and the page showed {shown or 'none'}."
        raise Refused("send", f"{what} If this is the right one, {again} once more.")


def send_request(
    context: AppContext,
    form: SendForm,
    receiver: Receiver,
    policy: SecretPolicy,
    *,
    expectation: Expectation | UnsetType | None = None,
    variables: Mapping[str, Json] | None = None,
    resent: Delivery | None = None,
) -> SendRequest:
    """A send by hand: a scenario of one step, whose fixture is the text in the form.

    The answer is judged by `expectation`; None expects nothing, UNSET leaves it to the fixture's own. With
    `resent`, the form is of that delivery, whose bytes and headers are sent again. The caller has called
    `permit` before.
    """
    ports = context.ports(policy)
    own = resent is None or not context.log.opened_from(resent.id)
    deliver, raw = Deliver(), None
    if resent is not None:
        deliver = Deliver(headers=resending.headers(resent, own=own), wire=resending.wire(resent, own=own))
        raw = resending.raw(resent)
    template = None
    if raw is None:
        try:
            template = Template.read(form.payload)
        except SourceError:
            # Text that is not JSON, sent on the user's demand: its bytes are sent unchanged.
            raw = form.payload
    if template is None:
        step = Step(name="send", raw=raw, expect=expectation, off_contract=True, deliver=deliver)
    else:
        step = Step(
            name="send",
            fixture=form.fixture,
            expect=expectation,
            off_contract=form.off_contract or (resent is not None and not form.fixture),
            deliver=deliver,
        )
        ports = msgspec.structs.replace(ports, cases=_Typed(template, ports.cases))
    plan = scenario.single(step, action=form.action, edition=form.edition, variables=dict(variables or {}))
    options = Options(receiver=receiver, confirmed=True, parent=form.parent)
    return SendRequest(plan=plan, options=options, ports=ports, payload=form.payload, label=form.fixture)


class _Typed:
    """A payload as it was typed, and the expectation of the fixture that it was made of."""

    def __init__(self, payload: Template, kept: CaseSource) -> None:
        self._payload = payload
        self._kept = kept

    def payload(self, action: str, edition: str, name: str) -> Template:
        return self._payload

    def expectation(self, action: str, edition: str, name: str) -> OwnExpectation | None:
        return self._kept.expectation(action, edition, name.removesuffix(EDITED))


def lacking(names: Collection[str]) -> str:
    """The message on secrets that the log lacks, by their names; empty where there is none."""
    if not names:
        return ""
    what = f"Nothing was sent: {', '.join(sorted(set(names)))} was struck out of the log."
    return f"{what} Edit the payload, and write it anew."
