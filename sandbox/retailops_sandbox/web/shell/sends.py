"""A send by hand as the engine runs it, and what keeps one from being sent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from retailops_sandbox.composing import Template
from retailops_sandbox.engine import Options
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Deliver, Expectation, Json, Receiver, Step
from retailops_sandbox.redaction import MARK
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.sending import SendRequest


def order(
    context: AppContext,
    *,
    receiver: Receiver,
    action: str,
    edition: str,
    payload: str,
    label: str,
    expectation: Expectation | None,
    variables: dict[str, Json],
    off_contract: bool,
    confirmed: bool,
    parent: str,
    raw: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> SendRequest:
    """A send by hand: a scenario of one step. Its fixture is the text as typed, or it sends `raw` bytes."""
    ports = context.ports
    deliver = Deliver(headers=dict(headers or {}))
    template = None
    if raw is None:
        try:
            template = Template.read(payload)
        except SourceError:
            # Not JSON, and to be sent all the same: it goes out as it stands.
            raw = payload
    if template is None:
        step = Step(name="send", raw=raw, expect=expectation, off_contract=True, deliver=deliver)
    else:
        step = Step(
            name="send", fixture=label, expect=expectation, off_contract=off_contract, deliver=deliver
        )
        known = template
        ports = msgspec.structs.replace(ports, fixture=lambda *_: known)
    plan = scenario.single(step, action=action, edition=edition, variables=variables)
    options = Options(receiver=receiver, confirmed=confirmed, parent=parent, secret_env=context.secret_env())
    return SendRequest(plan=plan, options=options, ports=ports, payload=payload, label=label)


def lacking(payload: str) -> str:
    """Which secrets a logged payload has lost to redaction, and what to do; empty where it has all."""
    names = sorted(set(MARK.findall(payload)))
    if not names:
        return ""
    what = f"Nothing was sent: {', '.join(names)} was struck out of the log."
    return f"{what} Edit the payload, and write it anew."


def elsewhere(shown: str, target: Target) -> str:
    """Why nothing was sent, where the page showed another URL than a send goes to now; else empty."""
    if target.problem:
        return f"Nothing was sent: {target.problem}"
    if shown == target.url:
        return ""
    what = f"Nothing was sent: the URL is {target.url} now, and the page showed {shown or 'none'}."
    return f"{what} If this is the right one, send once more."


def unconfirmed(receiver: Receiver) -> str:
    """Why nothing was sent to a protected receiver."""
    return f"{receiver.name} is protected, and nothing was sent: tick the box to send to it this once."
