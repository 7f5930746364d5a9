"""Redaction: what is secret, and how it is struck out before anything is kept or shown.

marks        how a mark is spelled, and where marks are found
encodings    the forms and readings in which a secret may be written
credentials  which headers and parts of URLs are credentials
secrets      secrets, struck out of texts, JSON, URLs and headers
places       a body, and the values in it that are secret because of their place
exchanges    exchanges, expectations and payloads as they may be kept
"""

from retailops_sandbox.redaction.credentials import credential_header
from retailops_sandbox.redaction.exchanges import RedactedExchange, exchange, expectation, template
from retailops_sandbox.redaction.marks import MARK, holds_mark, is_mark, mark, marked, struck_out
from retailops_sandbox.redaction.secrets import MIN_LENGTH, Secrets

__all__ = [
    "MARK",
    "MIN_LENGTH",
    "RedactedExchange",
    "Secrets",
    "credential_header",
    "exchange",
    "expectation",
    "holds_mark",
    "is_mark",
    "mark",
    "marked",
    "struck_out",
    "template",
]
