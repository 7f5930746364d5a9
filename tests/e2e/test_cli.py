"""The command line as a process: exit codes, reports, and every mistake as one line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tinydb import TinyDB

from retailops_sandbox import resources
from retailops_sandbox.cli.commands import main
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from tests.support.command import COMMAND, run
from tests.support.receivers import Peer, Receiver, answering, receiver, response, unused_port

NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
EVENT = response(b'{"events":[{"status":"error","error_code":"ERR7"}]}', "Content-Type: application/json")


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(NOTHING)) as shop:
        yield shop


def scenario(folder: Path, name: str = "cancel", *, expect: object = None, **fields: object) -> Path:
    step = {"name": "send", "fixture": "default", **fields, "expect": expect}
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


def test_a_fixture_is_judged_by_its_own_expectation(tmp_path: Path, shop: Receiver):
    passed = run("send", "default", "--receiver", shop.url, cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    file = "shipped:fixtures/order_cancel/draft/default.expect.json"
    assert f"passed: as expected by {file}" in passed.stdout
    with receiver(answering(EVENT)) as refusing:
        failed = run("send", "default", "--set", "/version=1", "--receiver", refusing.url, cwd=tmp_path)
        beside = tmp_path / "expect.json"
        beside.write_text('{"status": 200}')
        given = run("send", "default", "--receiver", refusing.url, "--expect", beside, cwd=tmp_path)
        off = run("send", "default", "--off-contract", "--receiver", refusing.url, cwd=tmp_path)
    assert (failed.returncode, given.returncode, off.returncode) == (1, 0, 5)
    assert f"differs from what was expected by {file}:" in failed.stdout
    assert 'no event with status "error" was expected; event 1 is {"status":"error"' in failed.stdout
    assert "expected by" not in given.stdout


def test_a_member_that_the_contract_does_not_name_is_sent_and_told_of(tmp_path: Path, shop: Receiver):
    done = run("send", "default", "--set", "/data/ordr/id=1", "--receiver", shop.url, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        0,
        "note: --set: order_cancel draft names no /data/ordr (did you mean /data/order?)\n",
    )
    assert b'"ordr":{"id":1}' in shop.requests[0]
    named = run("send", "default", "--set", "/data/order/id=x", "--receiver", shop.url, cwd=tmp_path)
    assert named.stderr == ""


def test_an_expectations_file_is_no_payload(tmp_path: Path, shop: Receiver):
    (tmp_path / "a.expect.json").write_text("{}")
    done = run("send", "a.expect.json", "--receiver", shop.url, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: a.expect.json is an expectation, and no payload (send a.json)\n",
    )


def test_help_has_whole_sentences(tmp_path: Path):
    context = click.Context(main)
    names = [name for name in main.list_commands(context) if "\nCommands:" in _help(tmp_path, name)]
    assert names == ["log", "contract"]
    for shown in (_help(tmp_path), *(_help(tmp_path, name) for name in names)):
        commands = shown.partition("\nCommands:")[2]
        assert commands.count(".") > 1
        assert "..." not in commands


def _help(folder: Path, *command: str) -> str:
    return run(*command, "--help", cwd=folder).stdout


def test_a_broken_expectation_of_a_fixture_is_one_line(tmp_path: Path, shop: Receiver):
    folder = tmp_path / "fixtures" / "order_cancel" / "draft"
    folder.mkdir(parents=True)
    (tmp_path / ".sandbox").mkdir()
    payload = resources.fixtures_dir() / "order_cancel" / "draft" / "default.json"
    (folder / "mine.json").write_text(payload.read_text())
    (folder / "mine.expect.json").write_text('{\n  "staus": 200}')
    done = run("send", "mine", "--receiver", shop.url, cwd=tmp_path)
    assert (done.returncode, shop.requests) == (2, [])
    line = f'{folder / "mine.expect.json"}:2:12 at /staus: unknown field "staus" (did you mean "status"?)'
    assert [each.strip() for each in done.stdout.splitlines()].count(line) == 1
    listed = run("send", "mine.expect", "--receiver", shop.url, cwd=tmp_path)
    assert listed.returncode == 2
    assert "'mine.expect' cannot be a fixture's name: mine.expect.json is what mine expects" in listed.stderr


def test_nothing_listening_is_exit_3(tmp_path: Path):
    url = f"http://127.0.0.1:{unused_port()}"
    files = [scenario(tmp_path, name, expect=PASSES) for name in ("a", "b", "c")]
    done = run("run", *files, "--receiver", url, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout.count("nothing listens on") == 1, "what they have in common is said once"
    assert done.stdout.count("the same cause as above") == 2
    assert "refused" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_broken_file_is_exit_2_and_the_others_still_run(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "good", expect=PASSES)
    (tmp_path / "broken.scenario.json").write_text('{\n  "steps": [{"fixtrue": "default"}]\n}')
    reports = ("--junit-xml", "report.xml", "--report-json", "run.json")
    done = run("run", tmp_path, "--receiver", shop.url, *reports, cwd=tmp_path)
    assert done.returncode == 2
    assert "1 passed" in done.stdout
    assert "broken.scenario.json:2:" in done.stdout
    assert "/steps/0/fixtrue" in done.stdout
    assert "fixture" in done.stdout
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.get("errors") == "1"
    assert suite.get("tests") == "2"
    (kept,) = json.loads((tmp_path / "run.json").read_text())["run"].values()
    assert kept["scenarios"] == 1
    assert "broken.scenario.json:2:" in kept["unreadable"][0]


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
        command += ["--report-json", "run.json"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert hanging.wait(60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 passed" in out
    assert "cancelled" in out
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.get("tests") == "3"
    tables = json.loads((tmp_path / "run.json").read_text())
    assert tables["run"]["1"]["stopped"]
    assert [(each["verdict"], each.get("stopped")) for each in tables["results"].values()] == [
        ("passed", None),
        ("errored", True),
        ("skipped", True),
    ]


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
        (["run", ".", "--stand-in", "--junit-xml", "x", "--report-json", "./x"], "two files"),
        (["run", ".", "--stand-in", "--workspace", "~nosuchuser/x"], "no home folder"),
        (["run", ".", "--stand-in", "--cacert", "absent.pem"], "absent.pem: cannot be read"),
        (["run", ".", "--stand-in", "--cert", "absent.pem"], "--cert"),
        (["run", ".", "--stand-in", "--key", "."], "--key"),
        (["run", ".", "--stand-in", "--proxy", "me:secret@localhost:3128"], "socks5h://"),
        (["run", ".", "--stand-in", "--proxy", "ftp://localhost"], "socks5h://"),
        (["run", ".", "--stand-in", "-H", "X-Shop: 1", "-H", "x-shop: 2"], "twice"),
        (["run", ".", "--receiver", "http://[::1"], "cannot be read"),
        (["run", ".", "--receiver", "me:secret@localhost:8000"], "http://localhost:8000"),
        (["run", ".", "--receiver", "ftp://me:secret@localhost"], "http://"),
        (["run", ".", "--receiver", "http://me:secret@localhost:99999"], "99999"),
        (["run", ".", "--receiver", "http://me:secret@h:1 2"], "h:1 2"),
        (["run", "x" * 300, "--stand-in"], "too long"),
        (["run", os.fsdecode(b"\xff"), "--stand-in"], "not UTF-8"),
        (["send", "default", "--stand-in", "--set", "/a/-=1", "--set", "/a/-=2"], "twice"),
        (["send", "default", "--stand-in", "--set", "a=1"], "/set/a"),
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
    assert "secret" not in message
    assert not (tmp_path / ".sandbox").exists()


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300", "-1"])
@pytest.mark.parametrize("option", ["--timeout", "--wait"])
def test_a_time_is_a_number_of_seconds_that_somebody_may_wait(tmp_path: Path, option: str, seconds: str):
    done = run("run", ".", "--stand-in", f"{option}={seconds}", cwd=tmp_path)
    assert done.returncode == 2
    assert option in done.stderr
    assert "Traceback" not in done.stderr


def test_a_variable_that_is_not_text_is_one_line(tmp_path: Path):
    scenario(tmp_path, expect=PASSES)
    variable = "RETAILOPS_SANDBOX_VAR_id"
    done = run("run", ".", "--stand-in", cwd=tmp_path, **{variable: os.fsdecode(b"\xff")})
    assert done.returncode == 2
    assert done.stderr == f"error: the environment variable {variable} is not UTF-8\n"


def test_a_file_whose_name_is_not_text_is_unreadable_and_the_others_still_run(tmp_path: Path):
    scenario(tmp_path, expect=PASSES)
    (tmp_path / "cancel.scenario.json").rename(tmp_path / os.fsdecode(b"\xff.scenario.json"))
    scenario(tmp_path, expect=PASSES)
    done = run("run", ".", "--stand-in", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ""
    assert "1 passed, 0 failed, 1 unreadable" in done.stdout
    assert "not UTF-8" in done.stdout


def test_what_a_step_needs_and_cannot_be_read_is_exit_2(tmp_path: Path):
    scenario(tmp_path, "good", expect=PASSES)
    scenario(tmp_path, "bad", expect=PASSES, fixture="absent")
    done = run("run", ".", "--stand-in", cwd=tmp_path)
    assert done.returncode == 2
    assert "1 passed" in done.stdout


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path):
    (tmp_path / "gone").mkdir()
    gone = ["sh", "-c", f"cd gone && rmdir ../gone && exec {COMMAND} run . --stand-in"]
    done = subprocess.run(gone, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the current folder is gone")
    assert "Traceback" not in done.stderr


def receivers_file(folder: Path, **fields: object) -> None:
    rows = {"1": {"name": "shop", **fields}}
    (folder / "receivers.json").write_text(json.dumps({"receivers": rows}))


def test_a_protected_receiver_needs_the_option_that_says_yes(tmp_path: Path, shop: Receiver):
    receivers_file(tmp_path, base_url=shop.url, protected=True)
    file = scenario(tmp_path, expect=PASSES)
    refused = run("run", file, "--receiver", "shop", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert not (tmp_path / ".sandbox").exists()
    assert shop.requests == []
    assert run("run", file, "--receiver", "shop", "--yes", cwd=tmp_path).returncode == 0


def test_without_paths_the_workspace_runs_its_own_scenarios_only(tmp_path: Path):
    (tmp_path / "scenarios").mkdir()
    scenario(tmp_path / "scenarios", expect=PASSES)
    done = run("run", "--stand-in", cwd=tmp_path)
    assert done.returncode == 0
    assert "1 passed, 0 failed in" in done.stdout


# --- where the output goes ---


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (">/dev/full", "standard output cannot be written: No space left on device\n"),
        (">&-", ""),
        ("| true", ""),
    ],
)
def test_output_that_nobody_takes_ends_no_run(tmp_path: Path, shop: Receiver, output: str, says: str):
    for number in range(3):
        scenario(tmp_path, f"{number}", expect=FAILS)
    command = f"{{ {COMMAND} run . -v --receiver {shop.url} --junit-xml r.xml; echo $? > code; }} {output}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr == says
    assert (tmp_path / "code").read_text() == "1\n"
    assert ET.parse(tmp_path / "r.xml").getroot().get("tests") == "3"


@pytest.mark.parametrize("command", ["--help >/dev/full", "run --help >/dev/full", "run absent 2>/dev/full"])
def test_output_that_nobody_takes_is_no_traceback(tmp_path: Path, command: str):
    done = subprocess.run(
        ["sh", "-c", f"{COMMAND} {command}"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr in ("", "standard output cannot be written: No space left on device\n")


def test_what_a_terminal_cannot_show_ends_no_run(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, expect=PASSES)
    done = run("run", file, "--receiver", shop.url, cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "? passed" in done.stdout


def test_reports_go_through_links_and_into_devices(tmp_path: Path, shop: Receiver):
    file = scenario(tmp_path, expect=PASSES)
    (tmp_path / "real").mkdir()
    (tmp_path / "run.json").symlink_to(tmp_path / "real" / "run.json")
    where = ["--junit-xml", "/dev/stdout", "--report-json", "run.json"]
    done = run("run", file, "--receiver", shop.url, *where, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "</testsuites>" in done.stdout
    assert (tmp_path / "run.json").is_symlink()
    assert json.loads((tmp_path / "real" / "run.json").read_text())["deliveries"]
    done = run("run", file, "--receiver", shop.url, "--report-json", "/dev/stdout", cwd=tmp_path)
    assert '"deliveries"' in done.stdout


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
    assert case.get("classname") == "cancel.scenario.json"
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
        (result,) = database.table("results").all()
    assert delivery["request"]["url"] == shop.url + "/order_cancel"
    assert judgement["verdict"] == "passed"
    assert judgement["delivery"] == delivery["id"]
    assert (result["scenario"], result["verdict"]) == ("cancel.scenario.json", "passed")


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
    command = [COMMAND, "run", str(file), "--receiver", f"http://127.0.0.1:{port}", "--wait", "60"]
    waiting = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    assert waiting.poll() is None
    command = [COMMAND, "receiver", "--port", str(port)]
    late = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        out, _ = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, out
    finally:
        late.terminate()
        said, _ = late.communicate(timeout=60)
    assert [action for action, _ in SHIPPED_CONTRACTS.names if action not in said] == []


def test_waiting_in_vain_says_so(tmp_path: Path):
    file = scenario(tmp_path, expect=PASSES)
    url = f"http://127.0.0.1:{unused_port()}"
    done = run("run", file, "--receiver", url, "--wait", "0.2", cwd=tmp_path)
    assert done.returncode == 3
    assert "within 0.2 s" in done.stderr


def test_the_receiver_is_shown_without_its_password(tmp_path: Path):
    file = scenario(tmp_path, expect=PASSES)
    address = f"127.0.0.1:{unused_port()}/shop@eu"
    done = run("run", file, "--receiver", f"http://me:secret@{address}", "--wait", "0.01", cwd=tmp_path)
    assert done.returncode == 3
    assert f"nothing listened at http://{address} within" in done.stderr
    assert f"receiver: http://{address}" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_a_url_with_a_placeholder_is_waited_for(tmp_path: Path, shop: Receiver):
    receivers_file(tmp_path, base_url="${env:SHOP}")
    command = ["run", scenario(tmp_path, expect=PASSES), "--receiver", "shop", "--wait", "60"]
    assert run(*command, cwd=tmp_path, SHOP=shop.url).returncode == 0
    unset = run(*command, cwd=tmp_path)
    assert unset.returncode == 2
    assert "SHOP" in unset.stderr
    assert len(unset.stderr.splitlines()) == 1


def test_send_sends_one_with_changes_and_expectation(tmp_path: Path, shop: Receiver):
    (tmp_path / "expected.json").write_text('{"body": {"events": []}}')
    changes = ["--set", '/data/order/id="4898"', "--set", "/data/order/grand_total=35.00"]
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
    assert b'"id":"4898"' in request
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


@pytest.mark.parametrize("command", [("send", "default"), ("run",)])
def test_a_redirect_is_told_and_followed_where_that_is_asked_for(tmp_path: Path, command: tuple[str, ...]):
    moved = response(b"", "Location: /there/order_cancel", status="307 Temporary Redirect")
    answer = response(b'{"events": []}', "Content-Type: application/json")
    file = tmp_path / "scenarios" / "a.scenario.json"
    file.parent.mkdir()
    file.write_text('{"steps": [{"name": "send", "fixture": "default", "expect": {"status": 200}}]}')

    def act(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            peer.send(answer if request.startswith(b"POST /there/") else moved)

    with receiver(act) as there:
        told = run(*command, "--receiver", there.url, "--workspace", tmp_path, cwd=tmp_path)
        assert told.returncode == 1
        lines = [line.strip() for line in told.stdout.splitlines()]
        assert "answered 307; order_cancel must be answered with 200" in lines
        assert f"it redirects to {there.url}/there/order_cancel" in lines
        assert len(there.requests) == 1
        asked = (*command, "--receiver", there.url, "--follow-redirects", "--workspace", tmp_path)
        followed = run(*asked, cwd=tmp_path)
    assert followed.returncode == 0, followed.stdout
    assert [request.split(b" ")[1] for request in there.requests[1:]] == [
        b"/order_cancel",
        b"/there/order_cancel",
    ]
    assert there.requests[-1].partition(b"\r\n\r\n")[2] == there.requests[0].partition(b"\r\n\r\n")[2]
