"""One payload through the browser's form, `run`, `send`, pytest and `record`: the same bytes in the log.

What is secret is what another receiver of the workspace than the one that is sent to names as its token, and
what the settings name.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from retailops_sandbox import redaction
from retailops_sandbox.model import Delivery, Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import command
from tests.support.compose_client import ComposeClient
from tests.support.logged import open_log
from tests.support.receivers import Peer, receiver, response
from tests.support.serving import address, serving

TOKEN, NAMED = "prod-token-of-another-receiver", "named-by-the-settings"
VARIABLES = {
    "PROD_TOKEN": TOKEN,
    "NAMED": NAMED,
    "PLAIN": "an-ordinary-value",
    "RETAILOPS_SANDBOX_SECRET_ENV": "NAMED, UNSET",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
NOTES = {"/data/token": "${env:PROD_TOKEN}", "/data/named": "x${env:NAMED}x", "/data/plain": "${env:PLAIN}"}
PYTEST = (sys.executable, "-m", "pytest", "-p", "retailops_sandbox.pytest_plugin", "--rootdir", ".")
FACES = ("serve", "run", "send", "pytest", "record")


class Shop:
    """Answers with the body that it was sent, and keeps it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def act(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            body = request.partition(b"\r\n\r\n")[2]
            self.bodies.append(body)
            answer = json.dumps({"events": [], "echo": json.loads(body)["data"]})
            peer.send(response(answer.encode(), "Content-Type: application/json", f"X-Echo: {TOKEN}"))


def in_terminal(*arguments: object, cwd: Path, program: tuple[str, ...] = (command.COMMAND,)) -> str:
    done = command.run(*arguments, cwd=cwd, command=program, **VARIABLES)
    assert done.returncode in (0, 5), done.stdout + done.stderr
    return done.stdout + done.stderr


def by_browser(workspace: Workspace) -> str:
    payload = json.loads(workspace.read_fixture("order_cancel", "draft", "default"))
    for pointer, text in NOTES.items():
        payload["data"][pointer.rpartition("/")[2]] = text
    with serving(workspace.root, **VARIABLES) as served:
        client = ComposeClient(served)
        path = client.sent(receiver="shop", payload=json.dumps(payload))
        client.landed(path)
        page = client.http.get(path).text
        client.http.close()
    return page


def by_record(workspace: Workspace, body: bytes) -> str:
    arguments = ("record", "--forward", "shop", "-o", "recorded.scenario.json", "--port", "0")
    with subprocess.Popen(
        [command.COMMAND, *arguments],
        cwd=workspace.root,
        env=command.environment(**VARIABLES),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        answer = httpx.post(f"{address(process)}/order_cancel", content=body)
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return printed


class Sent:
    """What came of one payload that was sent by every face."""

    def __init__(self, folder: Path, shop: Shop, url: str) -> None:
        self.folder = folder
        self.bodies = shop.bodies
        workspace = Workspace(folder)
        workspace.save_receiver(Receiver("shop", url))
        workspace.save_receiver(Receiver("production", "http://127.0.0.1:9", token="${env:PROD_TOKEN}"))
        scenario: dict[str, Any] = {
            "name": "One payload",
            "steps": [{"name": "send", "fixture": "default", "set": NOTES, "expect": None}],
        }
        file = folder / "scenarios" / "one.scenario.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(scenario))
        changes = [part for pointer, text in NOTES.items() for part in ("--set", f"{pointer}={text}")]
        self.printed = [
            in_terminal("run", file, "--receiver", "shop", "-v", cwd=folder),
            in_terminal("send", "default", *changes, "--receiver", "shop", cwd=folder),
            in_terminal("--retailops-receiver", "shop", "-rA", file, cwd=folder, program=PYTEST),
            by_record(workspace, shop.bodies[0]),
            by_browser(workspace),
        ]
        log = open_log(workspace.runs_dir)
        self.deliveries: dict[str, Delivery] = {}
        for run in log.runs():
            assert run.info is not None
            for entry in log.deliveries(run.id):
                self.deliveries[run.info.kind] = entry.delivery


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    shop = Shop()
    with receiver(shop.act) as listening:
        yield Sent(tmp_path_factory.mktemp("alike"), shop, listening.url)


def test_every_face_sends_the_secrets(sent: Sent):
    assert len(sent.bodies) == len(FACES)
    assert len({json.dumps(json.loads(each), sort_keys=True) for each in sent.bodies}) == 1
    assert json.loads(sent.bodies[0])["data"]["token"] == TOKEN


def test_every_face_logs_the_same_redacted_bytes(sent: Sent):
    assert sent.deliveries.keys() == set(FACES)
    first = sent.deliveries["run"]
    assert first.response is not None
    data = json.loads(first.request.body)["data"]
    assert [data[name] for name in ("token", "named", "plain")] == [
        redaction.mark("PROD_TOKEN"),
        redaction.mark("NAMED"),
        "an-ordinary-value",
    ]
    for face, delivery in sent.deliveries.items():
        assert delivery.request.body == first.request.body, face
        assert delivery.response is not None
        assert delivery.response.body == first.response.body, face
        assert dict(delivery.response.headers)["X-Echo"] == redaction.mark("PROD_TOKEN"), face


@pytest.mark.parametrize("secret", [TOKEN, NAMED])
def test_no_face_writes_or_shows_a_secret(sent: Sent, secret: str):
    files = [path for path in sent.folder.rglob("*") if path.is_file()]
    assert len(files) > len(FACES)
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    assert [text for text in sent.printed if secret in text] == []


# --- where the receivers cannot be read ---


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ((command.COMMAND,), ("run", "--receiver", "{url}")),
        ((command.COMMAND,), ("run", "--dry-run", "--receiver", "{url}")),
        ((command.COMMAND,), ("send", "default", "--stand-in")),
        ((command.COMMAND,), ("record", "--forward", "{url}", "-o", "recorded.scenario.json", "--port", "0")),
        (PYTEST, ("--retailops-receiver", "{url}", "scenarios")),
    ],
    ids=["run", "dry run", "send", "record", "pytest"],
)  # fmt: skip
def test_nothing_is_sent_where_it_is_not_known_what_is_secret(
    program: tuple[str, ...], arguments: tuple[str, ...], tmp_path: Path
):
    (tmp_path / "receivers.json").write_text('{"receivers": ')
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "one.scenario.json").write_text('{"steps": [{"fixture": "default"}]}')
    shop = Shop()
    with receiver(shop.act) as listening:
        given = [each.format(url=listening.url) for each in arguments]
        done = command.run(*given, cwd=tmp_path, command=program, **VARIABLES)
    said = done.stdout + done.stderr
    assert "receivers.json:1:15 " in said
    assert done.returncode == (4 if program == PYTEST else 2), said
    assert shop.bodies == []
    assert not (tmp_path / ".sandbox").exists()
