"""The way to a receiver is checked without a request: over real sockets, real TLS and a real proxy."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Connection
from retailops_sandbox.transport.checking import CheckedConnection, check
from tests.support.authority import Authority
from tests.support.receivers import Peer, Receiver, answering, receiver, response, tunnel, unused_port

OK = answering(response(b"ok"))


@pytest.fixture(autouse=True)
def no_proxy_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def checked(url: str, connection: Connection | None = None) -> CheckedConnection:
    return asyncio.run(check(url, connection or Connection()))


def checked_tls(context: ssl.SSLContext, connection: Connection) -> CheckedConnection:
    """The check of a receiver that speaks TLS; it gets one connection and no request."""
    with receiver(OK, tls=context) as there:
        found = checked(there.url, connection)
    assert there.requests == []
    assert there.connections == 1
    return found


def met(there: Receiver) -> None:
    """Wait until the receiver knows of the connection, which the system accepted for it."""
    while not there.connections:
        time.sleep(0.005)


def kind(found: CheckedConnection) -> str | None:
    return found.fault.kind if found.fault else None


def test_a_plain_receiver_gets_a_connection_and_no_request():
    with receiver(OK) as there:
        found = checked(f"{there.url}/order_cancel")
        met(there)
    assert found.fault is None
    assert found.address == f"127.0.0.1:{there.port}"
    assert found.certificate is None
    assert found.timings.connect > 0
    assert (there.requests, there.connections) == ([], 1)


def test_a_name_is_looked_up():
    with receiver(OK) as there:
        found = checked(f"http://localhost:{there.port}")
    assert found.address == f"127.0.0.1:{there.port}"


def test_a_certificate_is_told_and_verified(authority: Authority):
    expires = datetime(2051, 3, 4, 5, 6, 7, tzinfo=UTC)
    found = checked_tls(authority.server(expires=expires), Connection(ca_file=authority.file))
    assert found.fault is None
    assert found.timings.tls > 0
    assert found.certificate is not None
    assert "The shop" in found.certificate.subject
    assert "Our own authority" in found.certificate.issuer
    assert found.certificate.names == "127.0.0.1"
    assert found.certificate.expires == "2051-03-04T05:06:07Z"
    assert found.certificate.starts == "2000-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "known", "year", "words"),
    [
        ("127.0.0.1", False, 2051, "CA file"),
        ("other.test", True, 2051, "127.0.0.1"),
        ("127.0.0.1", True, 2001, "expired"),
    ],
    ids=["unknown authority", "another name", "expired"],
)
def test_a_certificate_that_is_refused_is_told_all_the_same(
    authority: Authority, name: str, known: bool, year: int, words: str
):
    context = authority.server(name, expires=datetime(year, 1, 1, tzinfo=UTC))
    found = checked_tls(context, Connection(ca_file=authority.file if known else ""))
    assert found.fault is not None
    assert found.fault.kind == "tls"
    assert words in found.fault.message
    assert found.certificate is not None
    assert found.certificate.names == name
    assert found.certificate.expires.startswith(str(year))


def test_a_certificate_is_told_where_it_is_not_verified(authority: Authority):
    found = checked_tls(authority.server("other.test"), Connection(verify=False))
    assert found.fault is None
    assert found.certificate is not None
    assert found.certificate.names == "other.test"


def test_a_client_certificate_is_shown(authority: Authority):
    connection = Connection(
        ca_file=authority.file, client_cert=authority.client_file, client_key=authority.key_file
    )
    assert checked_tls(authority.server(wants_client=True), connection).fault is None


def test_a_missing_client_certificate_is_noticed_though_the_handshake_ends(authority: Authority):
    found = checked_tls(authority.server(wants_client=True), Connection(ca_file=authority.file))
    assert found.fault is not None
    assert found.fault.kind == "tls"
    assert "client certificate" in found.fault.message


def test_nothing_listens():
    found = checked(f"http://127.0.0.1:{unused_port()}")
    assert kind(found) == "refused"
    assert found.address == ""


def test_a_name_that_there_is_not():
    assert kind(checked(f"http://{'x' * 64}.invalid")) == "dns"


def test_a_receiver_that_speaks_no_tls():
    with receiver(lambda peer: peer.send(response())) as there:
        found = checked(there.url.replace("http:", "https:"))
    assert found.fault is not None
    assert found.fault.kind == "tls"
    assert "http://" in found.fault.message


def test_the_time_is_bounded_by_the_receivers_own():
    with receiver(Peer.hang) as there:
        url = there.url.replace("http:", "https:")
        assert kind(checked(url, Connection(connect_timeout_ms=200))) == "connect timeout"
        assert kind(checked(url, Connection(timeout_ms=200))) == "deadline"


def test_a_receiver_that_takes_no_connections_is_given_up():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        try:
            found = checked(f"http://127.0.0.1:{address[1]}", Connection(connect_timeout_ms=300))
        finally:
            for each in waiting:
                each.close()
    assert kind(found) == "connect timeout"


def test_a_url_that_cannot_be_called():
    with pytest.raises(UsageError):
        checked("gopher://localhost/")


# --- Proxies -------------------------------------------------------------------------------------------


def test_a_plain_receiver_behind_a_proxy_is_not_asked_for():
    with receiver(OK) as proxy:
        found = checked("http://shop.example/", Connection(proxy=proxy.url))
        met(proxy)
    assert found.fault is None
    assert found.by_proxy
    assert (proxy.requests, proxy.connections) == ([], 1)


def test_a_receiver_behind_a_proxy_shows_its_own_certificate(authority: Authority):
    with receiver(OK, tls=authority.server("localhost")) as there, receiver(tunnel) as proxy:
        url = f"https://localhost:{there.port}"
        found = checked(url, Connection(proxy=proxy.url, ca_file=authority.file))
    assert found.fault is None
    assert found.by_proxy
    assert found.certificate is not None
    assert found.certificate.names == "localhost"
    assert [request.split()[0] for request in proxy.requests] == [b"CONNECT"]
    assert there.requests == []


def test_a_proxy_that_refuses_is_named_as_the_proxy():
    with receiver(answering(response(status="403 No"))) as proxy:
        found = checked("https://shop.example/", Connection(proxy=proxy.url))
    assert found.fault is not None
    assert found.fault.kind == "refused"
    assert found.fault.message.startswith("the proxy does not lead to shop.example:443: ")
    assert "403" in found.fault.message
    down = checked("https://shop.example/", Connection(proxy=f"http://127.0.0.1:{unused_port()}"))
    assert kind(down) == "refused"
