"""What a receiver's form says is what a send does: netrc, client certificate, CA file and proxy."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from retailops_sandbox.model import Delivery
from tests.support.compose_client import ComposeClient
from tests.support.receivers import answering, receiver, response
from tests.support.serving import serving

ANSWER = response(b'{"events": []}', "Content-Type: application/json")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ComposeClient]:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine 127.0.0.1 login shop password from-the-netrc-file\n")
    (home / ".netrc").chmod(0o600)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with serving(workspace, HOME=str(home)) as served:
        client = ComposeClient(served)
        with client.http:
            yield client


def sent(client: ComposeClient, base_url: str, **fields: str) -> Delivery:
    """Add a receiver by its form, send the default fixture there, and take the delivery from the log."""
    form = {
        "name": "mine",
        "base_url": base_url,
        "verify": "yes",
        "timeout_ms": "15000",
        "connect_timeout_ms": "5000",
        **fields,
    }
    saved = client.http.post("/receivers/save", data=form)
    assert saved.status_code == 303, saved.text
    return client.landed(client.sent(receiver="mine")).delivery


def test_user_and_password_of_the_netrc_file(client: ComposeClient):
    with receiver(answering(ANSWER)) as there:
        delivery = sent(client, there.url, auth="netrc")
    assert b"\r\nAuthorization: Basic c2hvcDpmcm9tLXRoZS1uZXRyYy1maWxl\r\n" in there.requests[0]
    assert ("Authorization", "Basic «redacted:Authorization»") in delivery.request.headers


def test_a_proxy(client: ComposeClient):
    with receiver(answering(ANSWER)) as proxy:
        delivery = sent(client, "http://127.0.0.1:9", proxy=proxy.url)
    assert delivery.fault is None
    assert proxy.requests[0].startswith(b"POST http://127.0.0.1:9/order_cancel HTTP/1.1\r\n")


def test_a_client_certificate_and_an_authority_of_ones_own(client: ComposeClient, tmp_path: Path):
    authority = trustme.CA()
    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca_file", "client_cert", "client_key")}
    identity = authority.issue_cert("client@example.org")
    authority.cert_pem.write_to_path(files["ca_file"])
    identity.cert_chain_pems[0].write_to_path(files["client_cert"])
    identity.private_key_pem.write_to_path(files["client_key"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with receiver(answering(ANSWER), tls=context) as there:
        delivery = sent(client, there.url, **files)
        assert delivery.fault is None
        assert delivery.timings.tls > 0
        without = sent(
            client, there.url, **{**files, "client_cert": "", "client_key": "", "replaces": "mine"}
        )
    assert without.fault is not None
    assert without.fault.kind == "tls"
    assert len(there.requests) == 1
