"""Redaction: what is secret, and how it is struck out before anything is kept or shown.

marks        how a mark is spelled
encodings    the forms and readings in which a secret may be written
credentials  which headers, query parameters and parts of URLs are credentials
search       the search for secrets in a text, however they are written there
secrets      secrets, struck out of texts, JSON, URLs and headers
places       a body, and the values in it that are secret because of their place
listing      what was struck out of a record, and the record's values with marks
literals     what came from an answer or the log, spelled for a step
exchanges    exchanges and payloads as they may be kept
judgements   judgements as they may be kept
policy       what is secret in a workspace
"""

from retailops_sandbox.redaction import listing
from retailops_sandbox.redaction.credentials import credential_header, is_credential, secret_header
from retailops_sandbox.redaction.exchanges import (
    RedactedExchange,
    delivery,
    exchange,
    own_headers,
    template,
    wire,
)
from retailops_sandbox.redaction.judgements import expectation, judgement, violations
from retailops_sandbox.redaction.listing import secrets_at
from retailops_sandbox.redaction.literals import as_literal, expected_again, without_marks
from retailops_sandbox.redaction.marks import mark
from retailops_sandbox.redaction.policy import (
    SIGNATURE,
    SecretPolicy,
    is_reference,
    is_userinfo_reference,
    proofs,
    secret_pointers,
    with_proof,
)
from retailops_sandbox.redaction.secrets import MIN_LENGTH, Secrets

__all__ = [
    "MIN_LENGTH",
    "SIGNATURE",
    "RedactedExchange",
    "SecretPolicy",
    "Secrets",
    "as_literal",
    "credential_header",
    "delivery",
    "exchange",
    "expectation",
    "expected_again",
    "is_credential",
    "is_reference",
    "is_userinfo_reference",
    "judgement",
    "listing",
    "mark",
    "own_headers",
    "proofs",
    "secret_header",
    "secret_pointers",
    "secrets_at",
    "template",
    "violations",
    "wire",
    "with_proof",
    "without_marks",
]
