"""The answer to a delivery as the expectation of the next delivery. Pure."""

from __future__ import annotations

from retailops_sandbox import redaction
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Expectation


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
