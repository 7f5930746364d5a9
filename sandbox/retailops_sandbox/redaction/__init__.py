"""Redaction: what is secret, and how it is struck out before anything is kept or shown.

marks        how a mark is spelled, and where marks are found
encodings    the forms and readings in which a secret may be written
credentials  which headers, query parameters and parts of URLs are credentials
search       the search for secrets in a text, however they are written there
secrets      secrets, struck out of texts, JSON, URLs and headers
places       a body, and the values in it that are secret because of their place
exchanges    exchanges, expectations and payloads as they may be kept
policy       what is secret in a workspace
"""

from retailops_sandbox.redaction.credentials import credential_header, is_credential
from retailops_sandbox.redaction.exchanges import RedactedExchange, delivery, exchange, expectation, template
from retailops_sandbox.redaction.marks import MARK, holds_mark, is_mark, mark, marked, struck_out
from retailops_sandbox.redaction.policy import (
    SecretPolicy,
    is_reference,
    is_userinfo_reference,
    secret_pointers,
)
from retailops_sandbox.redaction.secrets import MIN_LENGTH, Secrets

__all__ = [
    "MARK",
    "MIN_LENGTH",
    "RedactedExchange",
    "SecretPolicy",
    "Secrets",
    "credential_header",
    "delivery",
    "exchange",
    "expectation",
    "holds_mark",
    "is_credential",
    "is_mark",
    "is_reference",
    "is_userinfo_reference",
    "mark",
    "marked",
    "secret_pointers",
    "struck_out",
    "template",
]
