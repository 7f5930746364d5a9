"""The command line as a process: exit codes, reports, and every mistake as one line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.receivers import Peer, Receiver, answering, receiver, response, unused_port

COMMAND = str(Path(sys.executable).with_name("retailops-sandbox"))
NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
EVENT = response(b'{"events":[{"status":"error","error_code":"ERR7"}]}', "Content-Type: application/json")


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(NOTHING)) as shop:
        yield shop


def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("RETAILOPS")}
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def scenario(folder: Path, name: str = "cancel", *, expect: object = None, **fields: object) -> Path:
    step = {"name": "send", "fixture": "default", **fields}
    if expect is not None:
        step["expect"] = expect
    file = folder / f"{name}.scenario.json"
    file.write_text(json.dumps({"name": f"{name} it", "steps": [step]}, indent=2))
    return file


PASSES = {"status": 200, "body": {"events": []}}
FAILS = {"body": {"events": [{"error_code": "ERR1"}]}}


# --- exit codes ---


@pytest.mark.parametrize(("expect", "code"), [(PASSES, 0), (FAILS, 1), (None, 5)])
def test_the_exit_code_of_a_judged_run(tmp_path: Path, shop: Receiver, expect: object, code: int):
    done = run("run", scenario(tmp_path, expect=expect), "--receiver", shop.url, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    assert shop.url in done.stdout


def test_nothing_listening_is_exit_3(tmp_path: Path):
    url = f"http://127.0.0.1:{unused_port()}"
    done = run("run", scenario(tmp_path, expect=PASSES), "--receiver", url, cwd=tmp_path)
    assert done.returncode == 3
    assert "refused" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_broken_file_is_exit_2_and_the_others_still_run(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "good", expect=PASSES)
    (tmp_path / "broken.scenario.json").write_text('{\n  "steps": [{"fixtrue": "default"}]\n}')
    done = run("run", tmp_path, "--receiver", shop.url, "--junit-xml", "report.xml", cwd=tmp_path)
    assert done.returncode == 2
    assert "1 passed" in done.stdout
    assert "broken.scenario.json:2:" in done.stdout
    assert "/steps/0/fixtrue" in done.stdout
    assert "fixture" in done.stdout
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.get("errors") == "1"
    assert suite.get("tests") == "2"


def test_an_empty_folder_is_exit_5(tmp_path: Path, shop: Receiver):
    (tmp_path / "empty").mkdir()
    done = run("run", "empty", "--receiver", shop.url, cwd=tmp_path)
    assert done.returncode == 5
    assert "nothing was judged" in done.stderr


def test_an_interrupted_run_reports_what_was_done(tmp_path: Path):
    def act(peer: Peer) -> None:
        while peer.read_request() is not None:
            if len(peer.receiver.requests) > 1:
                hanging.set()
                peer.hang()
                return
            peer.send(NOTHING)

    hanging = threading.Event()
    with receiver(act) as shop:
        for name in "abc":
            scenario(tmp_path, name, expect=PASSES)
        command = [COMMAND, "run", ".", "--receiver", shop.url, "-j", "1", "--junit-xml", "report.xml"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert hanging.wait(20)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "1 passed" in out
    assert "cancelled" in out
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.get("tests") == "3"


# --- usage ---


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "."], "--stand-in"),
        (["run", ".", "--receiver", "localhost:8000"], "http://localhost:8000"),
        (["run", ".", "--receiver", "http://"], "host"),
        (["run", ".", "--receiver", "nobody"], "nobody"),
        (["run", ".", "--receiver", "http://127.0.0.1:1", "--stand-in"], "exclude"),
        (["run", "absent", "--stand-in"], "absent"),
        (["run", ".", "--stand-in", "--var", "novalue"], "NAME=VALUE"),
        (["run", ".", "--stand-in", "-H", "novalue"], "NAME:VALUE"),
        (["run", ".", "--stand-in", "--junit-xml", "absent/report.xml"], "no folder"),
        (["run", ".", "--stand-in", "--junit-xml", "."], "is a folder"),
        (["send", "absent", "--stand-in"], "absent"),
        (["send", "absent.json", "--stand-in"], "absent.json"),
        (["send", "default", "--edition", "v9", "--stand-in"], "v9"),
        (["send", "default", "--stand-in", "--expect", "absent.json"], "absent.json"),
        (["send", "default", "--stand-in", "--set", "/a"], "NAME=VALUE"),
        (["serve", "--host", "0.0.0.0", "--port", "0"], "token"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], says: str):
    scenario(tmp_path, expect=PASSES)
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    message = (done.stderr or done.stdout).strip()
    assert says in message
    assert "Traceback" not in message
    assert len(done.stderr.strip().splitlines()) <= 1


def test_a_port_in_use_is_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in ("serve", "receiver"):
            done = run(command, "--port", port, cwd=tmp_path)
            assert done.returncode == 2
            assert str(port) in done.stderr
            assert len(done.stderr.strip().splitlines()) == 1


def test_a_workspace_that_cannot_be_written_is_one_line(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, expect=PASSES)
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / ".sandbox").write_text("in the way")
    done = run("run", file, "--receiver", shop.url, "--workspace", "space", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert shop.requests == []


# --- receivers, reports, waiting ---


def test_failures_are_readable_and_in_junit(tmp_path: Path):
    with receiver(answering(EVENT)) as shop:
        file = scenario(tmp_path, expect={"body": {"events": []}})
        done = run("run", file, "--receiver", shop.url, "--junit-xml", "report.xml", cwd=tmp_path)
    assert done.returncode == 1
    assert "/events/0" in done.stdout
    assert "ERR7" in done.stdout
    assert "cancel.scenario.json:" in done.stdout
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    (case,) = suite.findall("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert "/events/0" in failure.get("message", "")
    assert "'send'" in failure.get("message", "")
    assert case.get("file") == "cancel.scenario.json"
    assert {each.get("name"): each.get("value") for each in suite.iter("property")}["receiver"] == shop.url


def test_faults_are_errors_in_junit(tmp_path: Path):
    url = f"http://127.0.0.1:{unused_port()}"
    file = scenario(tmp_path, expect=PASSES)
    run("run", file, "--receiver", url, "--junit-xml", "report.xml", cwd=tmp_path)
    error = ET.parse(tmp_path / "report.xml").getroot().find(".//error")
    assert error is not None
    assert error.get("type") == "fault"
    assert "refused" in error.get("message", "")


def test_the_run_file_is_a_tinydb_database(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, expect=PASSES)
    run("run", file, "--receiver", shop.url, "--report-json", "run.json", cwd=tmp_path)
    with TinyDB(tmp_path / "run.json") as database:
        (delivery,) = database.table("deliveries").all()
        (judgement,) = database.table("judgements").all()
    assert delivery["request"]["url"] == shop.url + "/order_cancel"
    assert judgement["verdict"] == "passed"
    assert judgement["delivery"] == delivery["id"]


def test_the_stand_in_must_be_asked_for_and_starts_fresh_each_time(tmp_path: Path):
    for _ in range(2):
        done = run("run", "--stand-in", cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        assert "the stand-in" in done.stdout


def test_the_default_receiver_comes_from_the_environment(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, expect=PASSES)
    done = run("run", file, cwd=tmp_path, RETAILOPS_SANDBOX_RECEIVER=shop.url)
    assert done.returncode == 0
    assert len(shop.requests) == 1


def test_wait_waits_until_the_port_answers(tmp_path: Path):
    port = unused_port()
    file = scenario(tmp_path, expect=PASSES)
    command = [COMMAND, "run", str(file), "--receiver", f"http://127.0.0.1:{port}", "--wait", "20"]
    waiting = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    assert waiting.poll() is None
    late = subprocess.Popen(
        [COMMAND, "receiver", "--port", str(port)], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        out, _ = waiting.communicate(timeout=30)
        assert waiting.returncode == 0, out
    finally:
        late.terminate()
        late.wait(20)


def test_waiting_in_vain_says_so(tmp_path: Path):
    file = scenario(tmp_path, expect=PASSES)
    url = f"http://127.0.0.1:{unused_port()}"
    done = run("run", file, "--receiver", url, "--wait", "0.2", cwd=tmp_path)
    assert done.returncode == 3
    assert "within 0.2 s" in done.stderr


def test_send_sends_one_with_changes_and_expectation(tmp_path: Path, shop: Receiver):
    (tmp_path / "expected.json").write_text('{"body": {"events": []}}')
    changes = ["--set", "/data/order/id=4898", "--set", "/data/order/grand_total=35.00"]
    done = run(
        "send",
        "default",
        *changes,
        "--off-contract",
        "--expect",
        "expected.json",
        "--receiver",
        shop.url,
        "-H",
        "X-Shop: 12",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (request,) = shop.requests
    assert b'"id":4898' in request
    assert b'"grand_total":35.00' in request
    assert b"X-Shop: 12" in request


def test_colour_only_where_it_is_wanted(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, expect=PASSES)
    assert "\x1b[" not in run("run", file, "--receiver", shop.url, cwd=tmp_path).stdout
    coloured = run("run", file, "--receiver", shop.url, cwd=tmp_path, FORCE_COLOR="1").stdout
    assert "\x1b[32m" in coloured


def test_init_makes_a_workspace(tmp_path: Path):
    assert run("init", "space", cwd=tmp_path).returncode == 0
    assert (tmp_path / "space" / "scenarios").is_dir()
    again = run("init", "space", cwd=tmp_path)
    assert "already" in again.stdout
