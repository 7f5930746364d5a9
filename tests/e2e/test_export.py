"""`export` as a process: its files are what the other tools take, pytest itself above all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from retailops_sandbox import resources
from tests.published import schemas
from tests.support.command import run
from tests.support.receivers import answering, receiver, response, unused_port

PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-q")
NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
NUMBERED = response(b'{"events":[{"error_code":"ERR7","status":"35.00"}]}', "Content-Type: application/json")
TOKEN = "tok-3141592653"

SCENARIO = {
    "name": "It's cancelled",
    "variables": {"order_id": "4897"},
    "steps": [
        {
            "name": "first",
            "fixture": "mine",
            "set": {"/data/order/id": "${order_id}"},
            "deliver": {"times": 2},
            "expect": {"status": 200, "rules": {"/events": "any"}},
            "capture": {"code": "/events/0/error_code"},
        },
        {"name": "then", "fixture": "default", "set": {"/data/order/ship_service_name": "${code}"}},
    ],
}


def exported(*arguments: object, cwd: Path, **environment: str) -> str:
    done = run("export", *arguments, cwd=cwd, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A workspace in which shipped scenarios ran against the stand-in.

    Without those that pull what waits: their answers are others where other scenarios ran before.
    """
    (tmp_path / ".sandbox").mkdir()
    done = run("run", "--stand-in", "-k", "not (order-pull or paging)", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    return tmp_path


def passes(folder: Path, *options: str) -> str:
    done = run(folder, *options, command=PYTEST, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_run_becomes_a_pytest_file_that_passes_where_it_ran(
    sent: Path, tmp_path_factory: pytest.TempPathFactory
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    said = exported("latest", "--format", "pytest", "-o", elsewhere, cwd=sent)
    assert said.startswith(f"made {elsewhere}/test_")
    ran = len(list((resources.fixtures_dir() / "scenarios").iterdir())) - 2
    assert f"{ran} passed" in passes(elsewhere, "--retailops-stand-in")


def test_a_scenario_file_becomes_a_pytest_file_that_passes_against_any_receiver(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    own = tmp_path / "fixtures/order_cancel/draft/mine.json"
    own.parent.mkdir(parents=True)
    shipped = json.loads((Path(__file__).parents[2] / "fixtures/order_cancel/draft/default.json").read_text())
    own.write_text(json.dumps({**shipped, "own": True}))
    (tmp_path / "a.scenario.json").write_text(json.dumps(SCENARIO))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    exported("a.scenario.json", "--format", "pytest", "-o", elsewhere / "test_it.py", cwd=tmp_path)
    with receiver(answering(NUMBERED)) as shop:
        out = passes(elsewhere, "--retailops-receiver", shop.url)
        bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in shop.requests]
    assert "1 passed" in out
    assert [each.get("own") for each in bodies] == [True, True, None]
    assert bodies[2]["data"]["order"]["ship_service_name"] == "ERR7"
    with receiver(answering(response(status="500 Oops"))) as shop:
        done = run(elsewhere, "--retailops-receiver", shop.url, command=PYTEST, cwd=elsewhere)
    assert done.returncode == 1
    assert "500" in done.stdout


def test_a_scenario_file_becomes_curl_commands_for_a_receiver(tmp_path: Path):
    (tmp_path / "a.scenario.json").write_text(json.dumps(SCENARIO).replace('"mine"', '"default"'))
    where = ("a.scenario.json", "--format", "curl", "--receiver", "http://127.0.0.1:1/base")
    done = run("export", *where, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("# first, 2 times\ncurl http://127.0.0.1:1/base/order_cancel ")
    assert "note: step 'then' is left out, as it shows only when it runs: ${code} " in done.stderr
    assert not (tmp_path / ".sandbox").exists()
    (tmp_path / "a.sh").write_text(done.stdout)
    assert run("import", "a.sh", "-o", "back.scenario.json", cwd=tmp_path).returncode == 0
    (step,) = json.loads((tmp_path / "back.scenario.json").read_text())["steps"]
    assert step["payload"]["data"]["order"]["id"] == "4897"


def test_a_run_becomes_har_that_keeps_the_published_schema(sent: Path):
    exported("latest", "--format", "har", "-o", "run.har", cwd=sent)
    document = json.loads((sent / "run.har").read_text())
    assert [error.message for error in schemas.har().iter_errors(document)] == []
    entries = document["log"]["entries"]
    assert len(entries) > 20
    assert all(each["_retailops"]["stand_in"] for each in entries)
    back = run("import", "run.har", "--edition", "draft", "-o", "back.scenario.json", cwd=sent)
    assert back.returncode == 0, back.stderr
    again = run("run", "back.scenario.json", "--stand-in", cwd=sent)
    assert again.returncode == 0, again.stdout


def test_a_fault_becomes_an_entry_with_its_error(tmp_path: Path):
    run("send", "default", "--receiver", f"http://127.0.0.1:{unused_port()}", cwd=tmp_path)
    document = json.loads(exported("latest", "--format", "har", cwd=tmp_path))
    assert [error.message for error in schemas.har().iter_errors(document)] == []
    (entry,) = document["log"]["entries"]
    assert entry["response"]["status"] == 0
    assert entry["response"]["_error"].startswith("refused: ")


@pytest.mark.parametrize("format", ["curl", "har", "pytest", "scenario"])
def test_a_delivery_is_exported_without_its_secrets(tmp_path: Path, format: str):
    with receiver(answering(NOTHING)) as shop:
        where = (
            "--receiver",
            shop.url,
            "--edition",
            "v1",
            "--receiver-token",
            TOKEN,
            "-H",
            f"X-Api-Key: {TOKEN}",
        )
        run("send", "default", *where, "--report-json", "run.json", cwd=tmp_path)
    (delivery,) = json.loads((tmp_path / "run.json").read_text())["deliveries"].values()
    done = run("export", delivery["id"], "--format", format, cwd=tmp_path)
    assert done.returncode == 0
    assert TOKEN not in done.stdout + done.stderr
    assert "note: struck out: " in done.stderr
    # A file may be somebody else's: the secrets' names in it are not those of variables here.
    ours = done.stdout.replace('"$token"', '"$REDACTED_1"')
    assert exported("run.json", "--format", format, cwd=tmp_path).splitlines()[5:] == ours.splitlines()[5:]


def test_a_scenario_of_a_run_passes_where_it_was_recorded(sent: Path):
    exported("latest", "--format", "scenario", "--edition", "draft", "-o", "r.scenario.json", cwd=sent)
    done = run("run", "r.scenario.json", "--stand-in", cwd=sent)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nothing", "--format", "har"], "there is no delivery, run or file 'nothing'"),
        (["latest", "--format", "har"], "nothing was sent yet"),
        (["a.scenario.json", "--format", "har"], "a.scenario.json has sent nothing"),
        (["a.scenario.json", "--format", "scenario", "-o", "a.scenario.json"], "a file a.scenario.json"),
        (["a.scenario.json", "--format", "scenario", "-o", "absent/x"], "no folder absent"),
        (["a.scenario.json", "--format", "curl"], "give --receiver URL_OR_NAME"),
        (["gone.scenario.json", "--format", "curl", "--receiver", "http://a"], "fixture 'gone'"),
        (["broken.scenario.json", "--format", "pytest"], "broken.scenario.json:1:"),
        (["other.json", "--format", "har"], "other.json"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(tmp_path: Path, arguments: list[str], what: str):
    (tmp_path / "a.scenario.json").write_text('{"steps": [{"fixture": "default"}]}')
    (tmp_path / "broken.scenario.json").write_text("{")
    (tmp_path / "gone.scenario.json").write_text('{"steps": [{"fixture": "gone"}]}')
    (tmp_path / "other.json").write_text("{}")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run("export", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert what in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
