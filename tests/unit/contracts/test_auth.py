"""How a request proves its sender: the proof as it is made, told from a wrong one, and said in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from retailops_sandbox.contracts import auth
from retailops_sandbox.contracts.auth import Auth

BODY = "The quick brown fox jumps over the lazy dog"
SHA1 = "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"
SHA256 = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
SHA256_BASE64 = "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="
"""The widely published HMACs of that sentence with the key `key`."""


def read(**fields: Any) -> Auth:
    return msgspec.convert({"status": 401, **fields}, Auth)


def signed(algorithm: str = "sha256", encoding: str = "hex", **fields: Any) -> Auth:
    signature = {"algorithm": algorithm, "encoding": encoding, **fields}
    return read(header="X-Signature", signature=signature)


BEARER = read(header="Authorization", scheme="Bearer")
BARE = read(header="X-Token")
POINTER = read(pointer="/integration_auth_token")


@pytest.mark.parametrize(
    ("agreed", "value"),
    [
        (BEARER, "Bearer key"),
        (BARE, "key"),
        (signed(), SHA256),
        (signed(prefix="sha256="), f"sha256={SHA256}"),
        (signed("sha1"), SHA1),
        (signed(encoding="base64"), SHA256_BASE64),
    ],
)
def test_a_header_proves_the_sender_of_these_bytes_alone(agreed: Auth, value: str):
    body = BODY.encode()
    assert auth.header_value(agreed, "key", body) == value
    assert auth.is_authentic(agreed, ((agreed.header.upper(), value),), body, None, "key")
    for headers in ((), ((agreed.header, f"{value} "),), ((agreed.header, "é\udc80"),)):
        assert not auth.is_authentic(agreed, headers, body, None, "key")
    assert not auth.is_authentic(agreed, ((agreed.header, value),), body, None, "another")
    assert not auth.is_authentic(agreed, ((agreed.header, value),) * 2, body, None, "key")
    is_of_the_bytes = agreed.signature is not None
    assert auth.is_authentic(agreed, ((agreed.header, value),), body + b" ", None, "key") != is_of_the_bytes


def test_a_signature_by_sha512_is_128_digits():
    made = auth.header_value(signed("sha512"), "key", BODY.encode())
    assert len(made) == 128
    assert auth.is_authentic(signed("sha512"), (("x-signature", made),), BODY.encode(), None, "key")


@pytest.mark.parametrize("payload", [{}, {"integration_auth_token": None}, {"integration_auth_token": 1}, []])
def test_a_payload_proves_its_sender_by_the_token_at_the_pointer(payload: Any):
    assert auth.is_authentic(POINTER, (), b"", {"integration_auth_token": "key"}, "key")
    assert not auth.is_authentic(POINTER, (), b"", {"integration_auth_token": "kez"}, "key")
    assert not auth.is_authentic(POINTER, (), b"", payload, "key")


def test_without_auth_any_request_is_authentic_and_without_a_token_none():
    assert auth.is_authentic(None, (), b"", {}, "")
    assert not auth.is_authentic(BARE, (("X-Token", ""),), b"", None, "")
    assert not auth.is_authentic(POINTER, (), b"", {"integration_auth_token": ""}, "")


@pytest.mark.parametrize(
    ("agreed", "place", "recipe"),
    [
        (POINTER, "/integration_auth_token", "the receiver's token"),
        (BEARER, "header Authorization", "Bearer and the receiver's token"),
        (signed(), "header X-Signature", "the HMAC-SHA256 of the body in hex, by the receiver's secret"),
        (
            signed("sha1", "base64", prefix="sha1="),
            "header X-Signature",
            "sha1= and the HMAC-SHA1 of the body in base64, by the receiver's secret",
        ),
    ],
)
def test_a_proof_is_told_by_its_place_and_how_it_is_made(agreed: Auth, place: str, recipe: str):
    assert (agreed.place, agreed.recipe) == (place, recipe)


@pytest.mark.parametrize(
    ("agreed", "at", "what"),
    [
        (read(), "", "a pointer into the payload, or a header"),
        (read(pointer="/a", header="X-A"), "", "a pointer into the payload, or a header"),
        (read(pointer="/a", scheme="Bearer"), "", "goes with a header"),
        (read(header="X A"), "/header", "not a header name"),
        (read(header="Content-Length"), "/header", "of its own"),
        (read(header="X-A", scheme="two words"), "/scheme", "one word"),
        (
            read(header="X-A", scheme="Bearer", signature={"algorithm": "sha1", "encoding": "hex"}),
            "/scheme",
            "not a scheme",
        ),
        (signed(prefix="é"), "/signature/prefix", "printable ASCII"),
    ],
)
def test_a_contradictory_auth_is_told_with_its_place(agreed: Auth, at: str, what: str):
    found = auth.problem(agreed)
    assert found is not None
    assert found[0] == at
    assert what in found[1]


@pytest.mark.parametrize("agreed", [POINTER, BEARER, BARE, signed()])
def test_a_complete_auth_has_no_problem(agreed: Auth):
    assert auth.problem(agreed) is None
