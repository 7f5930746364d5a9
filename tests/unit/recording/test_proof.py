"""A delivery that tests how its sender is proved, as a step: the header is wrong or missing; none is kept."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from retailops_sandbox import redaction
from retailops_sandbox.contracts import auth
from retailops_sandbox.model import Delivery, Exchange, Headers, HttpRequest, HttpResponse, Step, Timings
from retailops_sandbox.recording.steps import recorded_step
from retailops_sandbox.redaction import Secrets
from tests.support.proving import BEARER, SECRET, SIGNED, proving
from tests.support.records import some_delivery

JSON = ("Content-Type", "application/json")


def sent(written: dict[str, Any], *headers: tuple[str, str], status: int = 401) -> Delivery:
    """A delivery as the relay or the engine logs it, whose receiver has the right token."""
    agreed = proving(written)
    secrets = redaction.with_proof(Secrets({"SHOP": SECRET}), agreed, SECRET, b"{}")
    answered = HttpResponse(status, "1.1", (), b"")
    sent: Headers = (JSON, *headers)
    kept = redaction.exchange(
        HttpRequest("POST", "http://h/", sent, b"{}"), Exchange(sent, answered, None, Timings()), secrets
    )
    return some_delivery(
        request=kept.request, response=kept.response, struck_out=kept.struck_out, off_contract=True
    )


def step(written: dict[str, Any], *headers: tuple[str, str], status: int = 401) -> Step:
    made = recorded_step(sent(written, *headers, status=status), None, proving(written), lambda *_: UNSET)
    return made.step


@pytest.mark.parametrize(
    ("written", "wrong", "instead"),
    [
        (BEARER, "Bearer another-token", "Bearer not the token"),
        (SIGNED, "v0:0123456789abcdef", "v0:not the token"),
        (SIGNED, "", ""),
    ],
)
def test_a_refused_proof_is_replaced_by_a_wrong_one(written: dict[str, Any], wrong: str, instead: str):
    name = written["header"]
    assert step(written, (name.lower(), wrong)).deliver.headers == {name: instead}
    assert step(written, (name, wrong), status=200).deliver.headers == {}


@pytest.mark.parametrize("written", [BEARER, SIGNED])
def test_a_refused_request_without_a_proof_is_recorded_without_one(written: dict[str, Any]):
    assert step(written).deliver.headers == {written["header"]: None}
    assert step(written, status=200).deliver.headers == {}


def test_the_receivers_own_proof_is_made_anew_even_where_it_was_refused():
    assert step(BEARER, ("Authorization", f"Bearer {SECRET}")).deliver.headers == {}
    agreed = proving(SIGNED).auth
    assert agreed is not None
    right = auth.header_value(agreed, SECRET, b"{}")
    assert step(SIGNED, ("X-Shop-Proof", right)).deliver.headers == {}
