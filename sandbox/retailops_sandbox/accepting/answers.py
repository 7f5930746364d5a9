"""The answer to a delivery as the expectation of the next delivery. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from retailops_sandbox import redaction
from retailops_sandbox.accepting import proposing
from retailops_sandbox.accepting.proposing import ProposedRule
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Expectation, Rule
from retailops_sandbox.recording.steps import sent_again


def expected_again(sent: Delivery) -> Expectation | None:
    """The expectation of the answer or fault that a delivery had; None where none can express it.

    Struck-out values are marks in its body.
    """
    if sent.fault is not None:
        return None if sent.fault.kind == "cancelled" else Expectation(fault=sent.fault.kind)
    if sent.response is None or sent.response.base64:
        return None
    try:
        body = redaction.listing.answered(sent)
    except SandboxError:
        # A body that is not JSON has no place in an expectation: the status alone is expected.
        return Expectation(status=sent.response.status)
    return Expectation(status=sent.response.status, body=body)


def proposed_rules(
    sent: Delivery,
    expected: Expectation,
    contracts: Contracts,
    kept: Mapping[str, Rule] | None = None,
) -> list[ProposedRule]:
    """The rules that are proposed for an expected answer, where none of its own and of `kept` decides."""
    if expected.body is UNSET:
        return []
    rules = {**(kept or {}), **expected.rules}
    return proposing.for_whole(
        redaction.listing.answered(sent),
        rules,
        sent=sent_again(sent),
        arrays=contracts.load(sent.action, sent.edition).arrays,
    )


def with_rules(expected: Expectation, rules: list[ProposedRule]) -> Expectation:
    """An expectation with those of the proposed rules that are taken by default."""
    taken = {each.path: each.rule for each in rules if each.taken}
    return msgspec.structs.replace(expected, rules={**expected.rules, **taken})
