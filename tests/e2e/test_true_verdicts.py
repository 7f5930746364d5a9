"""Verdicts are about what was really answered, and marks are what a record lists and nothing else.

A receiver answers with texts that look like marks and placeholders, and with answers that differ from what is
expected only inside of what is struck out.
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

from retailops_sandbox.runlog.opening import read_run_file
from tests.support import command
from tests.support.accepting import accept
from tests.support.compose_client import ComposeClient
from tests.support.receivers import Peer, Receiver, receiver, response
from tests.support.serving import address, serving

VALUE = "the-real-value-of-a-variable"
ENVIRONMENT = {"AWS_SECRET_ACCESS_KEY": VALUE}
MARK = "«redacted:AWS_SECRET_ACCESS_KEY»"
REFERENCE = "${env:AWS_SECRET_ACCESS_KEY}"
TOKEN = "123456789"
PYTEST = (sys.executable, "-m", "pytest", "-p", "retailops_sandbox.pytest_plugin", "--rootdir", ".")

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...], dict[str, str], str]] = {
    # what is expected, what comes, headers of the answer, headers of the step, the verdict
    "a cookie in the text": (
        {"body": {"events": [], "note": "Order 12345678 was cancelled"}},
        {"events": [], "note": "Order 12345678 was shipped"},
        ("Set-Cookie: last=12345678",),
        {},
        "failed",
    ),
    "the same text with a cookie in it": (
        {"body": {"events": [], "note": "Order 12345678 was cancelled"}},
        {"events": [], "note": "Order 12345678 was cancelled"},
        ("Set-Cookie: last=12345678",),
        {},
        "passed",
    ),
    "a word that is a token": (
        {"body": {"events": [], "status": "cancelled", "note": "it was cancelled"}},
        {"events": [], "status": "cancelled", "note": "it was not cancelled"},
        (),
        {"Authorization": "Bearer cancelled"},
        "failed",
    ),
    "a number with a token in it": (
        {"body": {"events": [], "amount": 99123456789}},
        {"events": [], "amount": 11123456789},
        (),
        {"Authorization": f"Bearer {TOKEN}"},
        "failed",
    ),
    "a type": (
        {"body": {"events": [], "amount": 1}, "rules": {"/amount": {"type": "number"}}},
        {"events": [], "amount": 99123456789},
        (),
        {"Authorization": f"Bearer {TOKEN}"},
        "passed",
    ),
    "another type": (
        {"body": {"events": [], "amount": 1}, "rules": {"/amount": {"type": "string"}}},
        {"events": [], "amount": 99123456789},
        (),
        {"Authorization": f"Bearer {TOKEN}"},
        "failed",
    ),
    "a regex": (
        {"body": {"events": [], "note": ""}, "rules": {"/note": {"regex": "^id [0-9]{9}$"}}},
        {"events": [], "note": f"id {TOKEN}"},
        (),
        {"Authorization": f"Bearer {TOKEN}"},
        "passed",
    ),
    "a header": (
        {"headers": {"X-Echo": f"echo {TOKEN} of it"}},
        {"events": []},
        (f"X-Echo: echo {TOKEN} of another",),
        {"Authorization": f"Bearer {TOKEN}"},
        "failed",
    ),
    "a text like a mark": (
        {"body": {"events": [], "note": MARK}},
        {"events": [], "note": f"{MARK} "},
        (),
        {},
        "failed",
    ),
    "an item in an array without order": (
        {"body": {"events": [{"status": "done", "note": f"a {TOKEN}"}, {"status": "done", "note": "b"}]}},
        {"events": [{"status": "done", "note": "b"}, {"status": "done", "note": f"c {TOKEN}"}]},
        (),
        {"Authorization": f"Bearer {TOKEN}"},
        "failed",
    ),
}


class Shop:
    """Answers by the `case` that a payload names, else with texts that look like ours; keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def act(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            self.requests.append(request)
            case = CASES.get(json.loads(request.partition(b"\r\n\r\n")[2]).get("case", ""))
            answer, headers = NASTY, (f"X-Mark: {REFERENCE}",)
            if case is not None:
                answer, headers = case[1], case[2]
            peer.send(response(json.dumps(answer).encode(), "Content-Type: application/json", *headers))


NASTY: dict[str, Any] = {
    "events": [],
    "mark": MARK,
    "in text": f"x {MARK} y",
    "reference": REFERENCE,
    "escaped": f"$${REFERENCE} $${{ {MARK}",
    MARK: "in a key",
    REFERENCE: ["/a~1b", f"$${MARK}"],
}


@pytest.fixture
def shop() -> Iterator[tuple[Shop, Receiver]]:
    made = Shop()
    with receiver(made.act) as there:
        yield made, there


def in_terminal(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return command.run(*arguments, cwd=cwd, **ENVIRONMENT)


def scenario_file(folder: Path, name: str, *steps: dict[str, Any]) -> str:
    path = folder / f"{name}.scenario.json"
    path.write_text(json.dumps({"name": name, "steps": steps}))
    return path.name


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run file's text, its output, and the verdict of each case."""
    folder = tmp_path_factory.mktemp("verdicts")
    files = [
        scenario_file(
            folder,
            name.replace(" ", "_"),
            {
                "name": name,
                "fixture": "default",
                "set": {"/case": name},
                "off_contract": True,
                "deliver": {"headers": headers},
                "expect": {"contract": False, **expected},
            },
        )
        for name, (expected, _, _, headers, _) in CASES.items()
    ]
    with receiver(Shop().act) as there:
        done = command.run(
            "run",
            *files,
            "--receiver",
            there.url,
            "--report-json",
            "run.json",
            "--report-html",
            "run.html",
            cwd=folder,
        )
    return {
        "output": done.stdout + (folder / "run.html").read_text() + (folder / "run.json").read_text(),
        "entries": {each.delivery.step: each for each in read_run_file(folder / "run.json")},
    }


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_is_about_what_was_really_answered(judged: dict[str, Any], case: str):
    entry = judged["entries"][case]
    assert entry.judgement.verdict == CASES[case][4], entry.judgement


def test_what_was_judged_as_it_was_is_kept_without_its_secrets(judged: dict[str, Any]):
    for secret in ("12345678", "Bearer cancelled", TOKEN):
        assert secret not in judged["output"]
    for name in ("a cookie in the text", "a regex", "an item in an array without order"):
        entry = judged["entries"][name]
        assert any(place.part == "/response/body" for place in entry.delivery.struck_out)
    assert any(
        place.part == "/expectation/body/note"
        for place in judged["entries"]["a cookie in the text"].judgement.struck_out
    )


def assert_never_read(folder: Path, shop: Shop, *outputs: str) -> None:
    """The variable's value is nowhere, and no request had it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert VALUE.encode() not in path.read_bytes(), path
    for output in outputs:
        assert VALUE not in output
    for request in shop.requests:
        assert VALUE.encode() not in request


def test_an_answer_that_is_recorded_reads_nothing(tmp_path: Path, shop: tuple[Shop, Receiver]):
    made, there = shop
    payload = {**json.loads(PAYLOAD), "note": MARK, "reference": REFERENCE}
    with subprocess.Popen(
        [command.COMMAND, "record", "--forward", there.url, "-o", "recorded.scenario.json", "--port", "0"],
        cwd=tmp_path,
        env=command.environment(**ENVIRONMENT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        httpx.post(f"{address(process)}/order_cancel", json=payload)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    sent = made.requests[0].partition(b"\r\n\r\n")[2]
    done = in_terminal(
        "run", "recorded.scenario.json", "--receiver", there.url, "--report-json", "r.json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert json.loads(made.requests[1].partition(b"\r\n\r\n")[2]) == json.loads(sent)
    assert_never_read(tmp_path, made, printed, done.stdout)


def test_an_answer_that_is_accepted_exported_or_captured_reads_nothing(
    tmp_path: Path, shop: tuple[Shop, Receiver]
):
    made, there = shop
    name = scenario_file(
        tmp_path,
        "nasty",
        {
            "name": "a",
            "fixture": "default",
            "expect": {"body": {}, "contract": False},
            "capture": {"it": "/reference"},
        },
        {"name": "b", "fixture": "default", "set": {"/note": "${it}"}, "off_contract": True},
    )
    outputs = []

    def run(*arguments: object, code: int = 0) -> str:
        done = in_terminal(*arguments, cwd=tmp_path)
        outputs.append(done.stdout + done.stderr)
        assert done.returncode == code, outputs[-1]
        return done.stdout

    where = ("--receiver", there.url)
    run("run", name, *where, "--accept")
    run("run", name, *where, "--report-json", "run.json", "--junit-xml", "j.xml", "--report-html", "h.html")
    assert json.loads(made.requests[1].partition(b"\r\n\r\n")[2])["note"] == REFERENCE
    for what in ("latest", "run.json"):
        run("export", what, "--format", "scenario", "-o", f"{what}.scenario.json")
        run("run", f"{what}.scenario.json", *where)
        script = run("export", what, "--format", "curl")
        env = command.environment(**ENVIRONMENT)
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True)
        outputs.append(done.stdout + done.stderr)
        (tmp_path / "test_exported.py").write_text(run("export", what, "--format", "pytest"))
        pytest_run = command.run(
            "test_exported.py",
            f"--retailops-receiver={there.url}",
            cwd=tmp_path,
            command=PYTEST,
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
            **ENVIRONMENT,
        )
        outputs.append(pytest_run.stdout + pytest_run.stderr)
        assert pytest_run.returncode == 0, outputs[-1]
        har = run("export", what, "--format", "har")
        (tmp_path / "run.har").write_text(har)
        run("import", "run.har", "--edition", "draft", "-o", f"{what}-back.scenario.json")
        run("run", f"{what}-back.scenario.json", *where)
    assert_never_read(tmp_path, made, *outputs)


def test_an_answer_that_is_accepted_in_the_browser_and_sent_again_reads_nothing(
    tmp_path: Path, shop: tuple[Shop, Receiver]
):
    made, there = shop
    pages = []
    with serving(tmp_path, **ENVIRONMENT) as served:
        client = ComposeClient(served)
        client.add("shop", base_url=there.url)
        path = client.sent(receiver="shop")
        client.landed(path)
        pages.append(client.http.get(path).text)
        pages += [client.http.get(f"{path}/accept").text, accept(client.http, path).text]
        pages.append(client.http.get(path).text)
        sent_again = client.again(path)
        second = str(sent_again.headers["location"])
        entry = client.landed(second)
        assert entry.judgement is not None
        assert entry.judgement.verdict == "passed", entry.judgement
        pages += [client.http.get(second).text, client.http.get(f"/?from={second.rpartition('/')[2]}").text]
        client.http.close()
    assert_never_read(tmp_path, made, *pages)


PAYLOAD = json.dumps({"version": 1})
