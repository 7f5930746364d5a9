"""The curl command, run by a real shell against a real socket."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from retailops_sandbox import redaction
from retailops_sandbox.model import Headers, Netrc, Receiver, Request
from retailops_sandbox.reporting.exporters.curl import command
from tests.support.receivers import answering, receiver, response
from tests.support.records import some_delivery

JSON = ("Content-Type", "application/json")
ECHO = """#!/bin/sh
for argument in "$@"; do printf '%s\\0' "$argument"; done > "$ARGUMENTS"
case " $* " in *" @- "*) cat > "$INPUT";; esac
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of this machine's settings: no proxy, no .curlrc, no .netrc."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


def run(text: str, environment: dict[str, str]) -> None:
    """From a file, as an argument of this size would be too long; what is typed at a prompt is none."""
    script = Path(environment["HOME"], "command")
    script.write_text(text)
    done = subprocess.run(["sh", "-eu", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def arguments(request: Request, receiver: Receiver | None, folder: Path, **variables: str) -> list[str]:
    """What curl is called with: read by a script of that name."""
    script = folder / "curl"
    script.write_text(ECHO)
    script.chmod(0o755)
    paths = {"ARGUMENTS": str(folder / "arguments"), "INPUT": str(folder / "input")}
    path = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    run(command(request, receiver), {**path, **paths, **variables})
    return (folder / "arguments").read_text().split("\0")[:-1]


@pytest.fixture(scope="session")
def curl() -> None:
    """Where there is no curl, the bytes it would send cannot be seen; its arguments still are, below."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")


BODIES = {
    "json": '{"name":"it\'s \\"here\\" $HOME `id` é\\n","n":35.00}',
    "at sign": "@/etc/hostname",
    "blanks and lines": " a\r\nb\n\n",
    "backslash": "\\",
    "nul": "a\0b",
    "large": "x'" * 100_000,
    "empty": "",
}


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_curl_sends_the_same_request(method, body, environment):
    headers: Headers = (JSON, ("X-Odd", "it's $HOME \"; é"), ("X-Empty", ""), ("X-A", "1"), ("X-A", "2"))
    kept = (("Host", "ignored"), *headers, ("Content-Length", "999"))
    with receiver(answering(response())) as there:
        path = "/a/../b?q=[1]&r={2}"
        run(command(Request(method=method, url=there.url + path, headers=kept, body=body)), environment)
    head, _, sent = there.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert sent == body.encode()
    assert lines[0] == f"{method} {path} HTTP/1.1"
    # A body over a megabyte or so would add Expect; the order of curl's own headers is its own.
    expected = [f"Host: 127.0.0.1:{there.port}", f"Content-Length: {len(sent)}"]
    expected += [f"{name}: {value}".strip() for name, value in headers]
    assert sorted(lines[1:]) == sorted(expected)


@pytest.mark.usefixtures("curl")
def test_curl_sends_the_same_binary_body(environment):
    body = bytes(range(256))
    encoded = base64.b64encode(body).decode()
    with receiver(answering(response())) as there:
        request = Request(method="POST", url=there.url, headers=(JSON,), body=encoded, base64=True)
        run(command(request), environment)
    assert there.requests[0].partition(b"\r\n\r\n")[2] == body


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_curl_sends_the_same_request_without_a_body(method, environment):
    with receiver(answering(response())) as there:
        run(command(Request(method=method, url=f"{there.url}/x", headers=(("A", "b"),))), environment)
    head = f"{method} /x HTTP/1.1\r\nHost: 127.0.0.1:{there.port}\r\nA: b\r\n\r\n"
    assert there.requests == [head.encode()]


@pytest.mark.usefixtures("curl")
def test_what_was_redacted_comes_from_the_environment(environment):
    request = Request(
        method="POST",
        url="{there}/x?key=«redacted:api-key»",
        headers=(("Authorization", "Bearer «redacted:TOKEN»"), ("X-Two", "«redacted:TOKEN»«redacted:1»")),
        body='{"token":"«redacted:TOKEN»","other":"«redacted:…»","plain":"«it\'s»"}',
    )
    secrets = {"TOKEN": "s3 cr'et$HOME", "api_key": "k", "_1": "one", "REDACTED": "r"}
    with receiver(answering(response())) as there:
        struck_out = redaction.listing.of(some_delivery(request=request))
        text = command(request, struck_out=struck_out).replace("{there}", there.url)
        run(text, environment | secrets)
    assert '"$TOKEN"' in text
    head, _, body = there.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /x?key=k HTTP/1.1\r\n")
    assert "\r\nAuthorization: Bearer s3 cr'et$HOME\r\n" in head
    assert "\r\nX-Two: s3 cr'et$HOMEone\r\n" in head
    assert body == '{"token":"s3 cr\'et$HOME","other":"r","plain":"«it\'s»"}'


@pytest.mark.usefixtures("curl")
def test_netrc_stands_for_the_credentials_that_it_gave(environment, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    with receiver(answering(response())) as there:
        request = Request(
            method="POST", url=there.url, headers=(("Authorization", "Basic «redacted:Authorization»"),)
        )
        run(command(request, Receiver(name="r", base_url=there.url, auth=Netrc())), environment)
    assert there.requests[0].count(b"Authorization") == 1
    assert b"Authorization: Basic YW5uOnNlY3JldA==" in there.requests[0]


def test_the_receivers_connection_settings(tmp_path):
    settings = Receiver(
        name="r",
        base_url="https://shop.test",
        verify=False,
        ca_file="/my files/ca.pem",
        client_cert="c.pem",
        client_key="${env:KEY}.key",
        proxy="http://u:${env:PASSWORD}@proxy:3128",
        follow_redirects=True,
    )
    request = Request(method="POST", url="https://shop.test/x", headers=(JSON,), body="{}")
    found = arguments(request, settings, tmp_path, KEY="my key", PASSWORD="p$")
    assert found[:7] == [
        "https://shop.test/x",
        *("-H", "Content-Type: application/json"),
        *("-H", "Accept:", "-H", "User-Agent:"),
    ]
    assert found[7:] == [
        *("--data-binary", "{}"),
        *("--cacert", "/my files/ca.pem"),
        *("--cert", "c.pem"),
        *("--key", "my key.key"),
        *("--proxy", "http://u:p$@proxy:3128"),
        *("--insecure", "--location", "--http1.1"),
    ]


@pytest.mark.parametrize("body", ["plain", "x" * 200_000, "\0"], ids=["plain", "large", "nul"])
def test_a_body_reaches_curl_as_an_argument_or_its_input(body, tmp_path):
    request = Request(method="POST", url="http://127.0.0.1/", headers=(JSON,), body=body)
    data = arguments(request, None, tmp_path)[-1]
    assert (tmp_path / "input").read_text() == body if data == "@-" else data == body


def test_a_plain_request_reads_well():
    request = Request(
        method="POST",
        url="http://127.0.0.1:8000/order_cancel",
        headers=(
            ("Host", "127.0.0.1:8000"),
            JSON,
            ("Accept", "*/*"),
            ("User-Agent", "x"),
            ("Content-Length", "7"),
        ),
        body='{"a":1}',
    )
    assert command(request) == (
        "curl http://127.0.0.1:8000/order_cancel \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        "  -H 'Accept: */*' \\\n"
        "  -H 'User-Agent: x' \\\n"
        "  --data-binary '{\"a\":1}'"
    )
