"""Wrong proofs of the sender that resemble the right one: what is sent, and that nothing of it is kept."""

from __future__ import annotations

import hmac
import json
from typing import Any

import msgspec
import pytest

from retailops_sandbox.contracts.auth import made_wrong
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.model import WrongProof, encoder
from tests.support.playing import Played, plan, play
from tests.support.proving import BEARER, SECRET, SIGNED, proving
from tests.support.receivers import answering, receiver, response

WRONG: dict[WrongProof, str] = {
    "shortened": SECRET[:-1],
    "shortened-in-front": SECRET[1:],
    "lengthened": f"{SECRET}0",
    "lengthened-in-front": f"0{SECRET}",
    "altered": f"{SECRET[:-1]}0",
    "other-case": SECRET.upper(),
    "spaced": f" {SECRET} ",
}
AT = {"pointer": "/integration_auth_token"}


def played_with(
    agreed: Contract, wire: dict[str, Any], *, echo: str = "", token: str = SECRET, **step: Any
) -> tuple[list[bytes], Played]:
    """One step to a receiver that answers with a text: the requests that it saw, and the run."""
    answer = json.dumps({"events": [{"code": "AUTH", "message": f"wrong: {echo}"}]}).encode()
    sends = {} if "raw" in step else {"payload": {"a": 1}}
    step = {**sends, "off_contract": True, "expect": {"status": 401}, **step}
    with receiver(answering(response(answer, status="401 Unauthorized"))) as there:
        shop = ReceiverModel(name="shop", base_url=there.url, timeout_ms=5000, token=token)
        played = play([plan({**step, "deliver": {"wire": wire}})], there.url, receiver=shop, agreed=agreed)
        return there.requests, played


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_in_the_payload_is_made_wrong(wrong: WrongProof):
    (request,), played = played_with(proving(AT), {"proof": wrong}, echo=WRONG[wrong])
    body = request.partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"a": 1, "integration_auth_token": WRONG[wrong]}
    assert played.verdicts == ["passed"]
    check_nothing_is_kept(played, SECRET, WRONG[wrong])


@pytest.mark.parametrize("token", ["eight-8x", "nine-9-xy"])
@pytest.mark.parametrize("wrong", ["shortened", "shortened-in-front"])
def test_the_rest_of_a_short_token_is_not_kept_either(token: str, wrong: WrongProof):
    made = made_wrong(token, wrong)
    _, played = played_with(proving(AT), {"proof": wrong}, echo=f"it was {made}!", token=token)
    check_nothing_is_kept(played, token, made)


def test_a_token_in_an_array_is_no_token():
    (request,), played = played_with(proving(AT), {"proof": "in-array"}, echo=SECRET)
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"a": 1, "integration_auth_token": [SECRET]}
    check_nothing_is_kept(played, SECRET)


@pytest.mark.parametrize("wrong", [each for each in WRONG if each != "spaced"])
def test_a_token_in_a_header_is_made_wrong_behind_its_scheme(wrong: WrongProof):
    (request,), played = played_with(proving(BEARER), {"proof": wrong}, echo=WRONG[wrong])
    assert f"\r\nAuthorization: Bearer {WRONG[wrong]}\r\n".encode() in request + b"\r\n"
    check_nothing_is_kept(played, SECRET, WRONG[wrong])


@pytest.mark.parametrize("wrong", ["shortened", "lengthened", "altered"])
def test_a_signature_is_made_wrong_and_not_the_secret(wrong: WrongProof):
    right = hmac.digest(SECRET.encode(), b'{"a":1}', "sha256").hex()
    made = made_wrong(right, wrong)
    assert made != right
    (request,), played = played_with(proving(SIGNED), {"proof": wrong}, echo=made)
    assert f"\r\nX-Shop-Proof: v0:{made}\r\n".encode() in request + b"\r\n"
    check_nothing_is_kept(played, SECRET, right, made)


def check_nothing_is_kept(played: Played, *secrets: str) -> None:
    kept = encoder.encode(played.log.records).decode()
    for secret in secrets:
        assert secret.strip() not in kept


def test_a_proof_without_letters_is_wrong_in_the_other_case_too():
    assert made_wrong("123450", "other-case") == "123451"
    assert made_wrong("12345", "other-case") == "12340"
    assert made_wrong("aB1", "other-case") == "Ab1"


def test_raw_bytes_are_signed_wrongly():
    (request,), _ = played_with(proving(SIGNED), {"proof": "shortened"}, raw="no JSON")
    right = hmac.digest(SECRET.encode(), b"no JSON", "sha256").hex()
    assert f"X-Shop-Proof: v0:{right[:-1]}\r\n".encode() in request


NO_PROOF = msgspec.structs.replace(proving(AT), auth=None)


@pytest.mark.parametrize(
    ("agreed", "token", "words"),
    [
        (proving(AT), "", "the receiver has no token that could be made wrong"),
        (NO_PROOF, SECRET, "has no proof of the sender that could be wrong"),
    ],
    ids=["no token", "no proof"],
)
def test_without_a_proof_nothing_is_sent(agreed: Contract, token: str, words: str):
    requests, played = played_with(agreed, {"proof": "altered"}, token=token)
    assert requests == []
    assert played.verdicts == ["errored"]
    assert words in played.steps[0].reason
    assert "/deliver/wire/proof" in played.steps[0].reason
