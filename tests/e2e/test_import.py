"""`import` as a process; and curl itself, which must send what is read of its commands."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from retailops_sandbox import importing, jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.scenarios import scenario
from tests.support import command
from tests.support.receivers import answering, receiver, response

V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1").examples.request
PAYLOAD = json.dumps({**V1, "integration_auth_token": "tok-3141592653"})
CURL = f"curl -u ann:sesame-open http://127.0.0.1:1/order_cancel_v1 \\\n  --json '{PAYLOAD}'\n"


def run(*arguments: object, cwd: Path, stdin: str = "", **environment: str) -> tuple[int, str, str]:
    done = command.run(*arguments, cwd=cwd, stdin=stdin, **environment)
    return done.returncode, done.stdout, done.stderr


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_curl_command_becomes_a_fixture_that_can_be_sent(tmp_path: Path):
    (tmp_path / "command.sh").write_text(CURL)
    code, out, err = run("import", "command.sh", "--fixture", "mine", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "line 1: order_cancel v1",
        "  left out: the user and password of -u; credentials belong to the receiver",
        "  left out: /integration_auth_token; the receiver's token takes its place",
        "made fixtures/order_cancel/v1/mine.json",
        "next: retailops-sandbox send mine --edition v1 --receiver URL --receiver-token TOKEN",
    ]
    assert json.loads((tmp_path / "fixtures/order_cancel/v1/mine.json").read_text()) == V1
    code, out, _ = run("send", "mine", "--edition", "v1", "--stand-in", cwd=tmp_path)
    assert (code, "recorded" in out) == (5, True)


def test_commands_of_several_actions_become_one_scenario_in_their_order(tmp_path: Path):
    commands = []
    for name in (("order_cancel", "draft"), ("order_acknowledge", "v1"), ("order_cancel", "v1")):
        agreed = SHIPPED_CONTRACTS.load(*name)
        payload = jsontext.compact(agreed.examples.request).decode().replace("'", "")
        commands.append(f"curl http://127.0.0.1:1{agreed.path} --json '{payload}'\n")
    (tmp_path / "calls.sh").write_text("".join(commands))
    file = "calls.scenario.json"
    code, out, err = run("import", "calls.sh", "-o", file, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.endswith("--receiver URL --receiver-token TOKEN\n")  # only the later ones have a token
    whole = scenario.read((tmp_path / file).read_text(), id=file, file=file).scenario
    assert [(step.name, whole.contract_of(step)) for step in whole.steps] == [
        ("order_cancel 1", ("order_cancel", "draft")),
        ("order_acknowledge", ("order_acknowledge", "v1")),
        ("order_cancel 2", ("order_cancel", "v1")),
    ]
    code, out, _ = run("run", file, "--stand-in", cwd=tmp_path)
    assert (code, "1 recorded" in out) == (5, True)


def test_standard_input_becomes_a_scenario_that_can_be_run(tmp_path: Path):
    name = "cancel-it.scenario.json"
    code, out, err = run("import", "-", "-o", name, cwd=tmp_path, stdin=CURL)
    assert (code, err) == (0, "")
    assert out.endswith(
        f"made {name}\nnext: retailops-sandbox run {name} --receiver URL --receiver-token TOKEN\n"
    )
    text = (tmp_path / name).read_text()
    assert "sesame" not in text
    assert "tok-" not in text
    plan = scenario.read(text, id=name, file=name)
    assert plan.name == "cancel it"
    assert plan.scenario.steps[0].payload == V1
    code, out, _ = run("run", name, "--stand-in", cwd=tmp_path)
    assert (code, "recorded" in out) == (5, True)


def test_both_at_once_make_a_step_that_names_the_fixture(tmp_path: Path):
    name = "a.scenario.json"
    code, _, err = run("import", "-", "--fixture", "mine", "-o", name, cwd=tmp_path, stdin=CURL)
    assert (code, err) == (0, "")
    assert json.loads((tmp_path / name).read_text())["steps"] == [{"name": "order_cancel", "fixture": "mine"}]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["-"], "it is not said what to make"),
        (["-", "-o", "a.json"], "end it in .scenario.json"),
        (["-", "-o", ".scenario.json"], "is no name of a scenario file"),
        (["-", "-o", "there.scenario.json"], "there is a file there.scenario.json already"),
        (["-", "-o", "absent/a.scenario.json"], "there is no folder absent"),
        (["-", "--fixture", "default"], "exists already"),
        (["-", "--fixture", "../x"], "cannot be a fixture's name"),
        (["-", "--fixture", "x", "--edition", "v7"], "there is no contract v7"),
        (["absent", "--fixture", "x"], "absent: cannot be read"),
        (["raw", "--fixture", "x"], "is not a JSON object, as a fixture is"),
        (["two", "--fixture", "x"], "there are 2 requests (line 1, line 2)"),
        (["latin", "--fixture", "x"], "latin: is not UTF-8 at byte 0 (save it as UTF-8)"),
        (["packed.har.gz", "--fixture", "x"], "packed.har.gz: is compressed (gzip) (unpack it"),
        (["packed.har.zip", "--fixture", "x"], "packed.har.zip: is compressed (zip) (unpack it"),
        (["folder", "--fixture", "x"], "folder: cannot be read: is a directory"),
        (["print_r", "--fixture", "x"], "print_r: this is no JSON but what PHP's print_r prints"),
        (["broken", "--fixture", "x", "-o", "a.scenario.json"], "broken:1:20: -Q is an option of curl's"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_nothing_is_written(tmp_path: Path, arguments: list[str], what: str):
    (tmp_path / "there.scenario.json").write_text("mine")
    (tmp_path / "raw").write_text("curl http://a/order_cancel -d '{'")
    (tmp_path / "two").write_text(f"{json.dumps(V1)}\n{json.dumps(V1)}")
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "broken").write_text("curl http://a/b -s -Q x")
    (tmp_path / "packed.har.gz").write_bytes(gzip.compress(b"{}"))
    (tmp_path / "packed.har.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "print_r").write_text("Array\n(\n    [version] => 1\n)\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "folder").mkdir()
    code, _, err = run("import", *arguments, cwd=tmp_path, stdin=CURL)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert what in err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_what_a_text_says_writes_over_no_line_of_the_terminal(tmp_path: Path):
    name = "X-\x1b[2J\nmade: "
    header = {"name": name, "value": "1"}
    entry = {
        "request": {
            "method": "POST",
            "url": "http://a/order_cancel_v1",
            "headers": [header],
            "postData": {"text": json.dumps(V1)},
        },
        "response": {"status": 0, "_error": "\x1b[2J\nfaked"},
    }
    archive = json.dumps({"log": {"entries": [entry]}}).encode()
    code, out, err = run("import", "-", "--fixture", "mine", cwd=tmp_path, stdin=archive.decode())
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 5


def test_replace_replaces(tmp_path: Path):
    (tmp_path / "a.scenario.json").write_text("mine")
    arguments = ("--fixture", "default", "-o", "a.scenario.json", "--replace")
    code, _, err = run("import", "-", *arguments, cwd=tmp_path, stdin=CURL)
    assert (code, err) == (0, "")
    assert set(files(tmp_path)) >= {"a.scenario.json", "fixtures/order_cancel/v1/default.json"}
    assert "mine" not in (tmp_path / "a.scenario.json").read_text()


def test_a_file_of_windows_is_read_as_it_is_encoded(tmp_path: Path):
    (tmp_path / "command.txt").write_bytes(CURL.replace("sesame", "sésame").encode("utf-16"))
    code, out, err = run("import", "command.txt", "--fixture", "mine", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.startswith("line 1: order_cancel v1\n")
    (tmp_path / "half").write_bytes(b"\xff\xfe{")
    code, _, err = run("import", "half", "--fixture", "other", cwd=tmp_path)
    assert (code, err) == (2, "error: half: is not UTF-16 at byte 2 (save it as UTF-8)\n")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path):
    with (tmp_path / "large.har").open("wb") as large:
        large.truncate(importing.MOST_BYTES + 1)
    code, _, err = run("import", "large.har", "--fixture", "mine", cwd=tmp_path)
    assert (code, err) == (2, "error: large.har: it is larger than 100 MB (import a part of it)\n")


def test_what_is_left_out_of_an_archive_is_listed(tmp_path: Path):
    posted = {"method": "POST", "url": "http://a/order_cancel_v1"}
    entries = [
        {"request": {**posted, "postData": {"text": json.dumps(V1)}}},
        {"request": {**posted, "bodySize": 1_200}},
        {"request": {"method": "POST", "url": "http://a/graphql", "postData": {"text": "{}"}}},
    ]
    (tmp_path / "a.har").write_text(json.dumps({"log": {"entries": entries}}))
    code, out, err = run("import", "a.har", "--fixture", "mine", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines()[1:3] == [
        "left out: entry 2: the archive says that it sent 1,200 bytes, and does not have them",
        "left out: 1 other request that no contract knows",
    ]


def test_an_answer_becomes_what_the_fixture_expects(tmp_path: Path):
    posted = {"method": "POST", "url": "http://a/order_cancel_v1", "postData": {"text": json.dumps(V1)}}
    text = json.dumps({"status": "success", "events": [], "at": "2024-05-01T12:00:00Z"})
    answered = {"status": 200, "headers": [], "content": {"text": text}}
    (tmp_path / "a.har").write_text(
        json.dumps({"log": {"entries": [{"request": posted, "response": answered}]}})
    )
    code, out, err = run("import", "a.har", "--fixture", "mine", "-o", "a.scenario.json", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "made fixtures/order_cancel/v1/mine.expect.json" in out
    expected = json.loads((tmp_path / "fixtures/order_cancel/v1/mine.expect.json").read_text())
    assert (expected["status"], expected["rules"]) == (200, {"/at": "datetime"})
    (step,) = json.loads((tmp_path / "a.scenario.json").read_text())["steps"]
    assert "expect" not in step
    later = response(text.replace("2024", "2025").encode())
    with receiver(answering(later)) as shop:
        code, out, _ = run("run", "a.scenario.json", "--receiver", shop.url, cwd=tmp_path)
    assert code == 0, out
    answered |= {"status": 500}
    (tmp_path / "b.har").write_text(
        json.dumps({"log": {"entries": [{"request": posted, "response": answered}]}})
    )
    code, out, _ = run("import", "b.har", "--fixture", "mine", "--replace", cwd=tmp_path)
    assert (code, "expect.json" in out) == (0, False)
    assert json.loads((tmp_path / "fixtures/order_cancel/v1/mine.expect.json").read_text()) == expected


COMMANDS = [
    """curl -s "$URL/order_cancel" --json '{"a":"it'\\''s","b":"é"}'""",
    """curl -s "$URL/x" -H 'Content-Type: a/b' -H 'X-E;' -H "X-Q: \\"q\\"" --data-raw $'it\\'s \\u0021\\n'""",
    """curl -s "$URL/x" -XPOST -da -d 'b c' --data-binary '@-' <<'E'\n{\n $a `b`\n}\nE\n""",
    """curl -s "$URL/x" -d @- <<E\n a\\$b\n c\\\\\nE\n""",
    """printf %s 'YQBi/w==' | base64 -d | curl -s "$URL/x" --data-binary @-""",
    """echo -n '@x' | curl -s "$URL/x" --data-binary @- -H Accept:""",
    """curl -s "$URL/x" \\\n  --data-raw "a\\
b\\\\c \\d" # what curl does not see\n""",
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_curl_sends_what_is_read_of_its_command(command: str, tmp_path: Path):
    with receiver(answering(response())) as there:
        text = command.replace('"$URL', f'"{there.url}')
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        subprocess.run(["bash", "-ec", text], env=environment, check=True, timeout=60)
    (found,) = importing.read(text, SHIPPED_CONTRACTS, file="f")
    head, _, body = there.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert found.body == body
    assert lines[0] == f"POST {found.url.removeprefix(there.url)} HTTP/1.1"
    said = {name: value for name, value in found.headers if not found.notes or name != "Content-Type"}
    assert {f"{name}: {value}".strip() for name, value in said.items()} <= set(lines)
