"""Redaction: what is secret, and what stands for it in everything that is kept or shown."""

from retailops_sandbox.redaction.redact import (
    MARK,
    MIN_LENGTH,
    RedactedExchange,
    Secrets,
    exchange,
    expectation,
    marked,
    struck_out,
    template,
)

__all__ = [
    "MARK",
    "MIN_LENGTH",
    "RedactedExchange",
    "Secrets",
    "exchange",
    "expectation",
    "marked",
    "struck_out",
    "template",
]
