"""Judging a delivery of the log again, without sending."""

from __future__ import annotations

import asyncio

from retailops_sandbox import redaction
from retailops_sandbox.comparing import Judge
from retailops_sandbox.model import Expectation
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.known_receivers import KnownReceivers


def re_check(
    context: AppContext,
    receivers: KnownReceivers,
    entry: Entry,
    expectation: Expectation | None,
    *,
    expected_by: str = "",
) -> None:
    """Append a judgement of a delivery by this expectation, until every reader has it. Blocks.

    `expected_by` is the file of the fixture whose own expectation it is.
    """
    sent = entry.delivery
    agreed = context.contracts.load(sent.action, sent.edition)
    found = Judge(agreed)(
        redaction.listing.answer(sent),
        expectation,
        at=context.clock.now(),
        payload_violations=entry.judgement.payload_violations if entry.judgement else (),
        expected_by=expected_by,
    )
    policy, receiver = context.policy(receivers), receivers.find(sent.receiver)
    secrets = policy.everywhere if receiver is None else policy.secrets(receiver)
    context.writer.append(redaction.judgement(found, sent, secrets, redaction.secret_pointers(agreed)))
    asyncio.run(context.writer.flush())
