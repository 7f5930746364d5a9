"""The field for a receiver's token: it is called after what the contracts use it for."""

from __future__ import annotations

from typing import Any

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.web.receivers.proofs import TokenField, token_field
from tests.support.contracts import contract_document, with_own

POINTER = {"pointer": "/token", "status": 401}
BEARER = {"header": "Authorization", "scheme": "Bearer", "status": 401}
SIGNED = {"header": "X-Signature", "signature": {"algorithm": "sha1", "encoding": "base64"}, "status": 403}
TOKEN_USE = "It goes into token of the payload"
BEARER_USE = "The header Authorization is made of it: Bearer and the receiver's token"
SIGNED_USE = (
    "The header X-Signature is made of it: the HMAC-SHA1 of the body in base64, by the receiver's secret"
)


def of(*auths: dict[str, Any] | None, edition: str = "v2") -> TokenField:
    """The field by contracts of one edition, one for each of these."""
    documents = [
        contract_document(action=f"hold_{number}", edition=edition, auth=auth)
        for number, auth in enumerate(auths)
    ]
    return token_field(with_own(*documents).of(edition=edition))


def test_the_shipped_contracts_have_one_use():
    field = token_field(SHIPPED_CONTRACTS.of())
    assert (field.name, field.label, field.uses) == (
        "integration_auth_token",
        "integration_auth_token (v1)",
        (),
    )


@pytest.mark.parametrize(
    ("auths", "field"),
    [
        ((POINTER, POINTER), TokenField("token", "token (v2)", ())),
        ((BEARER,), TokenField("Authorization", "Token in Authorization (v2)", (BEARER_USE,))),
        ((SIGNED, None), TokenField("X-Signature", "Secret of X-Signature (hold_0 v2)", (SIGNED_USE,))),
        (
            (POINTER, BEARER),
            TokenField("token", "Token", [f"{TOKEN_USE} (hold_0 v2)", f"{BEARER_USE} (hold_1 v2)"]),
        ),
        (
            (SIGNED, BEARER, BEARER, BEARER, BEARER),
            TokenField(
                "token or secret",
                "Token or secret",
                [
                    f"{SIGNED_USE} (hold_0 v2)",
                    f"{BEARER_USE} (hold_1 v2, hold_2 v2, hold_3 v2, 1 more)",
                ],
            ),
        ),
        ((None,), TokenField("token", "Token", ("No contract asks for one",))),
    ],
)
def test_the_field_is_named_by_where_it_goes(auths: tuple[dict[str, Any] | None, ...], field: TokenField):
    assert of(*auths) == field
