"""`run --accept` as a process: what it writes, what it leaves alone, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import pytest

from retailops_sandbox import resources
from tests.support import command
from tests.support.receivers import Peer, answering, receiver, response, unused_port

JSON = "Content-Type: application/json"

SCENARIO = """\
{
    "name": "Cancel",     "tags": ["smoke"],
    "variables": {"order": "4897"},
    "steps": [
        {"name": "cancel", "fixture": "default",
         "expect": {
            "status": 200,
            "body": {"events": [
                {"error_code": "ERR1", "order": "${order}", "total": 35.00, "at": "then"}
            ]},
            "rules": {"/events/*/at": "ignore"}
         }}
    ]
}
"""


def event(**changes: object) -> bytes:
    found = {"error_code": "ERR1", "order": "4897", "total": 35, "at": "now", **changes}
    return response(json.dumps({"events": [found]}).encode(), JSON)


def run(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return command.run("run", *arguments, cwd=folder, **environment)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "cancel.scenario.json"
    file.write_text(SCENARIO)
    return file


def test_one_line_changes_and_the_next_run_passes(file: Path):
    with receiver(answering(event(error_code="ERR2"))) as shop:
        done = run(file.parent, file, "--receiver", shop.url, "--accept")
        assert (done.returncode, done.stderr) == (0, "")
        old = '                {"error_code": "ERR1", "order": "${order}", "total": 35.00, "at": "then"}'
        new = old.replace("ERR1", "ERR2")
        assert file.read_text() == SCENARIO.replace(old, new)
        assert f"-{old}\n+{new}\n" in done.stdout
        assert "1 failed" in done.stdout
        assert "accepted into" in done.stdout
        again = run(file.parent, file, "--receiver", shop.url, "--accept")
    assert again.returncode == 0
    assert "1 passed" in again.stdout
    assert "nothing to accept" in again.stdout


@pytest.mark.parametrize("value", ["true", "1", "yes"])
def test_it_is_refused_in_ci_before_anything_is_sent(file: Path, value: str):
    with receiver(answering(event(error_code="ERR2"))) as shop:
        done = run(file.parent, file, "--receiver", shop.url, "--accept", CI=value)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --accept is refused where CI is set")
    assert done.stderr.count("\n") == 1
    assert shop.requests == []
    assert file.read_text() == SCENARIO


@pytest.mark.parametrize("value", ["", "0", "false", "False"])
def test_a_ci_that_says_no_is_none(file: Path, value: str):
    with receiver(answering(event(error_code="ERR2"))) as shop:
        assert run(file.parent, file, "--receiver", shop.url, "--accept", CI=value).returncode == 0
    assert "ERR2" in file.read_text()


def test_it_does_not_go_with_a_dry_run(file: Path):
    done = run(file.parent, file, "--stand-in", "--accept", "--dry-run")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--dry-run" in done.stderr


@pytest.mark.parametrize(
    ("answer", "says", "on_purpose"),
    [
        (
            response(b'{"events": [{"error_code": 7}]}', JSON),
            "the answer breaks the contract (/events/0/error_code",
            {"contract": False},
        ),
        (response(b'{"events": []}', JSON, status="500 Oops"), "the status 500", {"status": 500}),
        (response(b"<html>Oops</html>", "Content-Type: text/html"), "the answer breaks the contract", None),
        (
            response(b"<html>Oops</html>", "Content-Type: text/html", status="500 Oops"),
            'to expect it on purpose, say "status": 500 in expect',
            None,
        ),
    ],
)
def test_what_breaks_the_contract_is_not_accepted_unless_it_is_meant(
    file: Path, answer: bytes, says: str, on_purpose: dict[str, object] | None
):
    with receiver(answering(answer)) as shop:
        done = run(file.parent, file, "--receiver", shop.url, "--accept")
        assert done.returncode == 1
        assert "not accepted: cancel.scenario.json: step 'cancel': " in done.stdout
        assert says in done.stdout
        assert file.read_text() == SCENARIO
        if on_purpose is not None:
            document = json.loads(SCENARIO)
            document["steps"][0]["expect"].update(on_purpose)
            file.write_text(json.dumps(document))
            meant = run(file.parent, file, "--receiver", shop.url, "--accept")
            assert meant.returncode == 0, meant.stdout


def test_a_fault_is_not_accepted(file: Path):
    done = run(file.parent, file, "--receiver", f"http://127.0.0.1:{unused_port()}", "--accept")
    assert done.returncode == 3
    assert "the fault refused is no answer" in done.stdout
    assert file.read_text() == SCENARIO


def test_a_limit_is_not_accepted(tmp_path: Path):
    file = tmp_path / "a.scenario.json"
    text = '{"steps": [{"fixture": "default", "expect": {"max_ms": 0.001, "status": 201}}]}'
    file.write_text(text)
    with receiver(answering(response(b'{"events": []}', JSON))) as shop:
        done = run(tmp_path, file, "--receiver", shop.url, "--accept")
    assert done.returncode == 1
    assert "max_ms, which is a demand and not an answer" in done.stdout
    assert file.read_text() == text.replace("201", "200")


def test_deliveries_that_disagree_are_not_accepted(tmp_path: Path):
    file = tmp_path / "a.scenario.json"
    text = '{"steps": [{"fixture": "default", "deliver": {"times": 3}, "expect": {"status": 201}}]}'
    file.write_text(text)
    answers = [response(b'{"events": []}', JSON, status=status) for status in ("200 OK", "409 Conflict")]
    with receiver(answering(*answers)) as shop:
        done = run(tmp_path, file, "--receiver", shop.url, "--accept")
    assert done.returncode == 1
    assert "2 of its 3 deliveries were answered in another way" in done.stdout
    assert file.read_text() == text


def test_the_times_of_a_repeated_step_that_disagree_want_a_rule(tmp_path: Path):
    file = tmp_path / "a.scenario.json"
    step = {
        "fixture": "default",
        "capture": {"codes": "/events/*/error_code"},
        "repeat_while": {"captured": "codes", "at_most": 3},
        "expect": {"body": {"events": [{"error_code": "ERR1"}]}},
    }
    file.write_text(json.dumps({"steps": [step]}))
    answers = [
        response(f'{{"events": [{events}]}}'.encode(), JSON)
        for events in ('{"error_code": "ERR2"}', '{"error_code": "ERR3"}', "")
    ]
    with receiver(answering(*answers)) as shop:
        done = run(tmp_path, file, "--receiver", shop.url, "--accept")
    assert "2 of its 3 deliveries were answered in another way: a rule can stand for what" in done.stdout


def test_each_of_a_list_of_expectations_is_accepted(tmp_path: Path):
    file = tmp_path / "a.scenario.json"
    expect = '[{"status": 200}, {"status": 202}]'
    text = '{"steps": [{"fixture": "default", "deliver": {"times": 2}, "expect": EXPECT}]}'.replace(
        "EXPECT", expect
    )
    file.write_text(text)
    with receiver(answering(response(b'{"events": []}', JSON))) as shop:
        done = run(tmp_path, file, "--receiver", shop.url, "--accept")
    assert done.returncode == 0
    assert file.read_text() == text.replace('{"status": 202}]', '{"status": 200}]')


def test_a_shipped_scenario_is_copied_into_the_workspace(tmp_path: Path):
    known = resources.fixtures_dir() / "scenarios" / "v1-token.scenario.json"
    before = known.read_text()
    with receiver(answering(response(b'{"status":"success","events":[]}'))) as shop:
        done = run(tmp_path, "-k", "v1-token", "--receiver", shop.url, "--accept")
        assert done.returncode == 0, done.stdout + done.stderr
        copy = tmp_path / "scenarios" / known.name
        assert known.read_text() == before
        assert '"status": 401' not in copy.read_text()
        assert "the workspace's copy of a shipped scenario" in done.stdout
        again = run(tmp_path, "--receiver", shop.url)
    assert again.returncode == 0
    assert "1 passed" in again.stdout


def test_a_file_that_was_changed_meanwhile_is_left_alone(file: Path):
    arrived, go_on = threading.Event(), threading.Event()

    def act(peer: Peer) -> None:
        if peer.read_request() is not None:
            arrived.set()
            go_on.wait(60)
            peer.send(event(error_code="ERR2"))

    def edit() -> None:
        arrived.wait(60)
        file.write_text(SCENARIO.replace("Cancel", "Edited"))
        go_on.set()

    editing = threading.Thread(target=edit)
    editing.start()
    with receiver(act) as shop:
        done = run(file.parent, file, "--receiver", shop.url, "--accept")
    editing.join()
    assert done.returncode == 2
    assert "cancel.scenario.json: was changed on disk since it was read" in done.stderr
    assert file.read_text() == SCENARIO.replace("Cancel", "Edited")


def test_a_secret_in_an_answer_is_not_written(file: Path):
    secret = "s3cret-of-some-length"
    with receiver(answering(event(error_code=secret, note=f"Bearer {secret}"))) as shop:
        done = run(
            file.parent,
            file,
            "--receiver",
            shop.url,
            "-H",
            "X-Api-Key: ${env:SHOP_KEY}",
            "--accept",
            SHOP_KEY=secret,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert secret not in done.stdout + file.read_text()
        assert "redacted" not in file.read_text()
        again = run(
            file.parent, file, "--receiver", shop.url, "-H", "X-Api-Key: x", SHOP_KEY="another-secret"
        )
    assert again.returncode == 0, again.stdout


def test_a_capture_that_failed_is_not_accepted_away(tmp_path: Path):
    file = tmp_path / "a.scenario.json"
    step = {"fixture": "default", "expect": {"status": 201}, "capture": {"code": "/events/0/error_code"}}
    file.write_text(json.dumps({"steps": [step]}))
    with receiver(answering(response(b'{"events": []}', JSON))) as shop:
        done = run(tmp_path, file, "--receiver", shop.url, "--accept")
    assert done.returncode == 1
    assert json.loads(file.read_text())["steps"][0]["expect"] == {"status": 200}


def test_a_link_stays_a_link(tmp_path: Path, file: Path):
    folder = tmp_path / "linked"
    folder.mkdir()
    link = folder / "link.scenario.json"
    link.symlink_to(file)
    with receiver(answering(event(error_code="ERR2"))) as shop:
        assert run(tmp_path, link, "--receiver", shop.url, "--accept").returncode == 0
    assert link.is_symlink()
    assert "ERR2" in file.read_text()
