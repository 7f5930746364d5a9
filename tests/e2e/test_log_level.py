"""`--log-level` of run, record and serve: what is done is said on standard error, and no secret with it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Receiver as ReceiverModel
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import command
from tests.support.command import COMMAND, environment
from tests.support.compose_client import ComposeClient
from tests.support.receivers import answering, receiver, response, unused_port
from tests.support.serving import address, serving

LEVELS = ("debug", "info", "warning", "error")
SECRETS = {
    "TOKEN": "token-in-the-environment",
    "KEY": "key-in-a-header-of-the-receiver",
    "PASSWORD": "password-in-the-base-url",
}
TYPED = "secret-typed-as-a-variable"
"""What only filling a placeholder makes the receiver's credential."""


def said(text: str) -> list[tuple[str, str, str]]:
    """Level, part and message of each line of diagnostics."""
    lines = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (\w+) ([\w-]+): (.*)$", text, re.MULTILINE)
    assert len(lines) == len(text.splitlines()), text
    return [(level, part, message) for level, part, message in lines]


def workspace(folder: Path, url: str) -> Path:
    """A workspace whose receiver has secrets in every place, with a scenario that sends them around."""
    root = folder / "workspace"
    Workspace(root).initialise()
    Workspace(root).save_receiver(
        ReceiverModel(
            name="shop",
            base_url=url.replace("http://", "http://me:${env:PASSWORD}@"),
            token="${env:TOKEN}",
            headers={"X-Key": "${env:KEY}", "Authorization": "Bearer ${typed}"},
        )
    )
    step = {
        "name": "send",
        "payload": {"note": "${env:TOKEN}"},
        "off_contract": True,
        "deliver": {"headers": {"X-Own": "${env:KEY}"}},
        "expect": {"status": 200, "body": {"events": []}},
        "capture": {"gone": "/not/there"},
    }
    # A name is no place for a secret; what is logged of it is struck out all the same.
    file = {"name": f"Sends {SECRETS['TOKEN']} and {TYPED}", "edition": "v1", "steps": [step]}
    (root / "scenarios" / "a.scenario.json").write_text(json.dumps(file))
    return root


def echoing(secret: str) -> bytes:
    return response(json.dumps({"events": [{"code": secret}]}).encode(), f"Set-Cookie: session={secret}")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("answers", [True, False], ids=["answered", "refused"])
def test_no_level_of_a_run_tells_a_secret(tmp_path: Path, level: str, answers: bool):
    with receiver(answering(echoing(SECRETS["TOKEN"]))) as shop:
        root = workspace(tmp_path, shop.url if answers else f"http://127.0.0.1:{unused_port()}")
        done = command.run(
            *("run", "--workspace", root, "--receiver", "shop", "--log-level", level, "--retries", "1"),
            *("--var", f"typed={TYPED}"),
            cwd=tmp_path,
            **SECRETS,
        )
    lines = said(done.stderr)
    wanted = LEVELS[LEVELS.index(level) :]
    assert {found for found, _, _ in lines} <= set(wanted)
    assert bool(lines) == (level in ("debug", "info") or (level == "warning" and not answers))
    for secret in (*SECRETS.values(), TYPED):
        assert secret not in done.stderr


def test_a_run_says_what_it_does(tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text("[tool.retailops-sandbox]\njobs = 1\n")
    done = command.run(
        *("run", "--stand-in", "--log-level", "debug", "--workspace", tmp_path, "-k", "shipped"),
        cwd=tmp_path,
        RETAILOPS_SANDBOX_RETRIES="1",
    )
    assert done.returncode == 0
    lines = said(done.stderr)
    for level, part, message in (
        ("info", "cli", f"workspace: {re.escape(str(tmp_path))}"),
        ("info", "cli", f"settings: {re.escape(str(tmp_path))}/pyproject.toml"),
        ("info", "cli", "settings: the environment variable RETAILOPS_SANDBOX_RETRIES"),
        ("info", "standin", r"started at http://127\.0\.0\.1:\d+"),
        ("info", "runlog", r"run \S+: opened in .*"),
        ("debug", "engine", r"\S+\.000001: prepared, sending to http://127\.0\.0\.1:\d+/\S+ \(step '.*'\)"),
        ("info", "engine", r"\S+\.000001: answered 200 in \d+ ms: passed"),
        ("debug", "engine", "step '.*': passed"),
        ("info", "engine", r"scenario .*: passed in \d+ ms"),
        ("info", "runlog", r"run \S+: finished"),
    ):
        assert any(each[:2] == (level, part) and re.fullmatch(message, each[2]) for each in lines), message


def test_a_fault_and_its_retries_are_warnings(tmp_path: Path):
    url = f"http://127.0.0.1:{unused_port()}"
    done = command.run(
        *("run", "--receiver", url, "--retries", "1", "--log-level", "warning", "-k", "open"), cwd=tmp_path
    )
    lines = said(done.stderr)
    assert len(lines) >= 2
    assert all(re.fullmatch(r"\S+: fault refused in \d+ ms: .*", message) for _, _, message in lines)
    assert sum("; attempt 2 follows" in message for _, _, message in lines) == len(lines) / 2


def test_nothing_is_said_unless_asked(tmp_path: Path):
    done = command.run("run", "--stand-in", cwd=tmp_path)
    assert done.stderr == ""


def test_record_says_what_passes_through_it(tmp_path: Path):
    with receiver(answering(echoing("ERR1"))) as shop:
        command_line = (COMMAND, "record", "--forward", shop.url, "-o", "a.json", "--port", "0")
        with subprocess.Popen(
            [*command_line, "--log-level", "debug"],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            url = address(process)
            httpx.post(f"{url}/order_cancel", content=b"{}")
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
    lines = said(errors)
    for level, part, message in (
        ("info", "relay", r"listening at http://127\.0\.0\.1:\d+"),
        ("debug", "httpserver", r"connection from 127\.0\.0\.1:\d+"),
        ("info", "relay", rf"\S+\.000001: POST {shop.url}/order_cancel: answered 200 in \d+ ms"),
        ("info", "runlog", r"run \S+: finished"),
    ):
        assert any(each[:2] == (level, part) and re.fullmatch(message, each[2]) for each in lines), message


def test_serve_says_what_is_sent_from_its_pages_and_goes_on_where_it_cannot_know_what_is_secret(
    tmp_path: Path,
):
    workspace(tmp_path, "http://127.0.0.1:1")
    with serving(tmp_path / "workspace", ("--log-level", "info"), **SECRETS) as served:
        client = ComposeClient(served)
        client.landed(client.sent(payload='{"a": 1}', off_contract="on"))
        client.http.close()
        (tmp_path / "workspace" / "receivers.json").write_text("{")
        code, errors = served.interrupt()
    assert code == 0
    lines = said(errors)
    assert any(part == "engine" and "000001: answered " in message for _, part, message in lines)
    assert lines[-1][2].startswith("not shown: ")
    assert "receivers.json" in lines[-1][2]
    assert not any(secret in errors for secret in SECRETS.values())
