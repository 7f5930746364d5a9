"""The policy: what is secret in a workspace, whichever receiver is sent to."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import msgspec
import pytest

from retailops_sandbox import composing, engine, redaction
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Basic, Bearer, Receiver
from retailops_sandbox.redaction import SecretPolicy, Secrets
from retailops_sandbox.redaction.marks import LOOKS_LIKE
from retailops_sandbox.relay.relay import Relay
from retailops_sandbox.reporting.exporters import exporting
from retailops_sandbox.reporting.exporters.exporter import Sources

ENVIRONMENT = {
    name: f"value-of-{name.lower()}"
    for name in (
        "TOKEN",
        "PASS",
        "BEARER",
        "HEADER",
        "USERINFO",
        "PROXY",
        "QUERY",
        "PATH_KEY",
        "NAMED",
        "PLAIN",
    )
}
EVERYTHING = Receiver(
    name="everything",
    base_url="https://me:${env:USERINFO}@host-of-it/path?key=${env:QUERY}",
    paths={"order_cancel": "/cancel?key=${env:PATH_KEY}"},
    headers={"X-Shop": "${env:HEADER}", "Accept": "text/plain"},
    auth=Bearer("${env:BEARER}"),
    token="${env:TOKEN}",
    variables={"id": "${env:PLAIN}"},
    secret_env=("NAMED",),
    proxy="http://me:${env:PROXY}@proxy-of-it:3128",
)
SECRET = ENVIRONMENT.keys() - {"PASS", "PLAIN"}
SHOP = Receiver(name="shop", base_url="http://127.0.0.1")


def policy(*receivers: Receiver, named: tuple[str, ...] = (), **environment: str) -> SecretPolicy:
    return SecretPolicy({**ENVIRONMENT, **environment}, receivers=receivers, named=named)


def struck(secrets: Secrets, environment: dict[str, str] = ENVIRONMENT) -> dict[str, str]:
    """The variables whose values are struck out, and the names by which they are."""
    marks = {name: LOOKS_LIKE.search(secrets.plain(f"a {value} b")) for name, value in environment.items()}
    return {name: mark[1] for name, mark in marks.items() if mark}


def resolved(receiver: Receiver, **environment: str) -> Receiver:
    return composing.resolve(receiver, composing.Names(environment={**ENVIRONMENT, **environment}))


def test_what_one_receiver_calls_secret_is_secret_whoever_is_sent_to():
    known = policy(SHOP, EVERYTHING)
    for secrets in (known.everywhere, known.secrets(SHOP), known.secrets(EVERYTHING, resolved(EVERYTHING))):
        assert struck(secrets) == {name: name for name in SECRET}


def test_a_receiver_that_is_not_of_the_workspace_has_its_own_secrets_too():
    assert struck(policy(SHOP).secrets(EVERYTHING, resolved(EVERYTHING))).keys() == SECRET
    assert struck(policy(SHOP).everywhere) == {}


def test_a_password_for_basic_authentication_is_secret_and_its_user_is_not():
    receiver = Receiver(name="r", base_url="http://h", auth=Basic("${env:PLAIN}", "${env:PASS}"))
    assert struck(policy(receiver).everywhere) == {"PASS": "PASS"}


def test_what_the_settings_name_is_secret():
    assert struck(policy(named=("PLAIN", "NOT_SET")).secrets(SHOP)) == {"PLAIN": "PLAIN"}


def test_a_credential_may_be_a_variable_of_the_receiver():
    variables = {"key": {"of": ["${deeper}"]}, "deeper": "${env:PLAIN}", "loop": "${loop}"}
    receiver = Receiver(name="r", base_url="http://h", token="${key} ${loop}", variables=variables)
    assert struck(policy(receiver).everywhere) == {"PLAIN": "PLAIN"}


@pytest.mark.parametrize(
    ("written", "value", "name"),
    [
        ({"token": "literal-value"}, "literal-value", "token"),
        ({"auth": Basic("me", "literal-value")}, "literal-value", "password"),
        ({"auth": Bearer("literal-value")}, "literal-value", "bearer-token"),
        ({"headers": {"X-Api-Key": "Key literal-value"}}, "literal-value", "X-Api-Key"),
        ({"base_url": "http://u:literal%20value@h"}, "literal value", "base_url-password"),
        ({"proxy": "http://u:literal%20value@h"}, "literal value", "proxy-password"),
        ({"base_url": "http://h/?api_key=literal%20value"}, "literal value", "base_url-api_key"),
        ({"paths": {"order_cancel": "/x?token=literal-value"}}, "literal-value", "path-token"),
    ],
)
def test_a_literal_credential_is_secret_where_it_is_sent(written: dict[str, object], value: str, name: str):
    receiver = Receiver(**{"name": "r", "base_url": "http://h", **written})  # type: ignore[arg-type]
    known = policy(receiver)
    assert struck(known.secrets(receiver), {"it": value}) == {"it": name}
    assert not known.everywhere


def test_what_is_no_credential_is_ordinary_text():
    receiver = Receiver(
        name="r",
        base_url="http://ordinary-host/ordinary-path?page=ordinary-page",
        headers={"X-Shop": "ordinary"},
    )
    assert not policy(receiver).secrets(receiver)


def test_a_value_that_is_not_filled_yet_is_not_taken_for_a_secret():
    receiver = Receiver(name="r", base_url="http://h", token="${made-by-each-send}")
    assert not policy(receiver).secrets(receiver)
    filled = Receiver(name="r", base_url="http://h", token="a-${literal}")
    assert policy(receiver).secrets(receiver, filled).plain("a-${literal}") == redaction.mark("token")


def test_of_two_variables_with_one_value_the_receivers_own_gives_the_name():
    own, other = (Receiver(name=name, base_url="", token=f"${{env:{name}}}") for name in ("OWN", "OTHER"))
    both = {"OWN": "the-same-value", "OTHER": "the-same-value"}
    for order in ((own, other), (other, own)):
        known = policy(*order, **both)
        assert known.secrets(own, resolved(own, **both)).plain("the-same-value") == redaction.mark("OWN")


def test_a_variable_in_a_url_is_secret_as_it_is_read_there():
    receiver = Receiver(name="r", base_url="http://h/?key=${env:KEY}")
    known = policy(receiver, KEY="first%20second")
    assert known.everywhere.plain("first%20second, first second") == ", ".join([redaction.mark("KEY")] * 2)


def test_the_secrets_of_a_receiver_that_is_filled_alike_are_made_once():
    known = policy(EVERYTHING)
    first = known.secrets(EVERYTHING, resolved(EVERYTHING))
    assert known.secrets(EVERYTHING, resolved(EVERYTHING)) is first
    other = resolved(EVERYTHING, TOKEN="another-token")
    assert known.secrets(EVERYTHING, other).plain("another-token") == redaction.mark("token")


def test_the_place_of_a_contracts_token_is_secret_even_if_the_contract_does_not_say_so():
    draft, v1 = (SHIPPED_CONTRACTS.load("order_cancel", edition) for edition in ("draft", "v1"))
    assert redaction.secret_pointers(draft) == ()
    assert redaction.secret_pointers(v1) == ("/integration_auth_token",)
    unsaid = msgspec.structs.replace(v1, secrets=("/client_id",))
    assert redaction.secret_pointers(unsaid) == ("/client_id", "/integration_auth_token")


@pytest.mark.parametrize(
    "kind",
    [engine.Ports, engine.Sources, Relay, Sources, exporting.workspace_sources],
    ids=["ports", "sources of steps", "relay", "sources of exports", "sources of a workspace"],
)
def test_nothing_that_keeps_or_shows_what_was_sent_goes_without_a_policy(kind: Callable[..., object]):
    assert inspect.signature(kind).parameters["policy"].default is inspect.Parameter.empty


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("${env:TOKEN}", True),
        ("Bearer ${env:TOKEN}", True),
        ("literal", False),
        ("${env:TOKEN}-and-more", False),
        ("session=${env:TOKEN}", False),
        ("", False),
    ],
)
def test_a_workspace_keeps_a_secret_as_a_reference_alone(text: str, is_kept: bool):
    assert redaction.is_reference(text) == is_kept


def test_a_workspace_keeps_a_user_beside_the_reference_to_a_password():
    assert redaction.is_userinfo_reference("me:${env:PASS}")
    assert redaction.is_userinfo_reference("${env:USER_AND_PASS}")
    assert not redaction.is_userinfo_reference("me:literal")
