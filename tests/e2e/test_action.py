"""action.yml: its steps run as GitHub's runner runs them, and its inputs are those of `run`."""

from __future__ import annotations

import json
import os
import re
import signal
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from retailops_sandbox.cli import run as run_command
from tests.support.action import INPUTS, STEPS, Action
from tests.support.command import COMMAND
from tests.support.receivers import Peer, Receiver, answering, receiver, response

PASSES = {"status": 200, "body": {"events": []}}
SCRIPTS = [step["run"] for step in STEPS if "run" in step]


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(response(b'{"events":[]}', "Content-Type: application/json"))) as shop:
        yield shop


@pytest.fixture
def action(tmp_path: Path) -> Action:
    action = Action(tmp_path)
    action.outputs["install"] = {"program": COMMAND}
    return action


def scenario(action: Action, name: str, expect: object = PASSES, edition: str = "draft") -> str:
    file = action.workspace / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"edition": edition, "steps": [{"fixture": "default", "expect": expect}]}))
    return name


def ran(action: Action) -> set[str]:
    """The scenarios of the run file that was kept."""
    (upload,) = action.uploads
    run = json.loads((action.workspace / upload["path"] / "run.json").read_text())
    return {result["scenario"] for result in run["results"].values()}


def test_the_installed_program_runs_and_its_reports_are_kept(installed: Path, action: Action, shop: Receiver):
    action.outputs["install"] = {"program": str(installed / "retailops-sandbox")}
    scenario(action, "scenarios/a.scenario.json")
    done = action.run_all(receiver=shop.url)
    assert done.returncode == 0, done.stdout + done.stderr
    reports = action.workspace / "retailops-reports"
    kept = {"artifact": "retailops-reports", "reports": str(reports)}
    assert action.outputs["run"] == {**kept, "exit-code": "0"}
    assert action.uploads == [{"name": "retailops-reports", "path": str(reports), "overwrite": "true"}]
    assert ET.parse(reports / "junit.xml").getroot().get("tests") == "1"
    assert "<!doctype html>" in (reports / "report.html").read_text()
    assert ran(action) == {"scenarios/a.scenario.json"}
    assert "1 passed" in action.summary.read_text()


def test_the_sandbox_is_installed_beside_the_python_of_the_job(installed: Path):
    assert installed.parent.name == "retailops-sandbox"
    assert installed.parent.parent.name == "temporary"
    assert STEPS[0]["with"]["update-environment"] is False


def test_a_failure_is_red_annotated_and_kept_all_the_same(action: Action, shop: Receiver):
    scenario(action, "scenarios/a.scenario.json", {"status": 418})
    done = action.run_all(receiver=shop.url)
    assert done.returncode == 1
    assert "\n::error file=scenarios/a.scenario.json,line=1," in done.stdout
    assert action.outputs["run"]["exit-code"] == "1"
    assert ran(action) == {"scenarios/a.scenario.json"}
    assert "1 failed" in action.summary.read_text()
    # A run that never begins keeps none of before.
    action.uploads.clear()
    assert action.run_all(receiver=shop.url, options="--no-such-option").returncode == 2
    (upload,) = action.uploads
    assert not (Path(upload["path"]) / "run.json").exists()


def test_each_shard_keeps_reports_of_its_own_anywhere(action: Action, shop: Receiver, tmp_path: Path):
    names = {scenario(action, f"scenarios/{number}.scenario.json") for number in range(8)}
    found = []
    for shard, reports in (("1/2", "reports 1"), ("2/2", str(tmp_path / "reports 2"))):
        done = action.run_all(receiver=shop.url, shard=shard, reports=reports)
        assert done.returncode == 0, done.stderr
        found.append(ran(action))
        (upload,) = action.uploads
        assert upload["name"] == f"retailops-reports-{shard[0]}-2"
        assert upload["path"] == str(action.workspace / reports)
        action.uploads.clear()
    assert found[0] | found[1] == names
    assert not found[0] & found[1]


def test_the_token_stays_in_the_environment(action: Action, shop: Receiver):
    scenario(action, "scenarios/a.scenario.json", edition="v1")
    done = action.run_all(
        receiver=shop.url, token_env="SHOP_TOKEN", env={"SHOP_TOKEN": "a-secret-token"}, options="-v"
    )
    assert b"a-secret-token" in shop.requests[0]
    reports = [path.read_text() for path in (action.workspace / "retailops-reports").iterdir()]
    assert "a-secret-token" not in "".join([*reports, done.stdout, done.stderr])
    refused = action.run_all(receiver=shop.url, token_env="X} ${env:PATH")
    assert (refused.returncode, refused.stdout) == (2, "::error::token-env is no name of a variable\n")


def test_lists_are_lines_and_their_spaces_stay(action: Action, shop: Receiver):
    files = [scenario(action, f"my {name}/a b.scenario.json") for name in ("own", "other")]
    scenario(action, "scenarios/not-meant.scenario.json")
    done = action.run_all(
        receiver=shop.url, scenarios="\n".join([*files, ""]), options="-k\na and b\n\n--jobs=1"
    )
    assert done.returncode == 0, done.stderr
    assert ran(action) == set(files)


def test_another_folder_and_no_artifact(action: Action):
    scenario(action, "shop/scenarios/a.scenario.json")
    done = action.run_all(stand_in="true", working_directory="shop", artifact="", reports="out/reports")
    assert done.returncode == 0, done.stderr
    assert (action.workspace / "shop/out/reports/run.json").exists()
    assert action.uploads == []
    forgotten = action.run_all(working_directory="shop")
    assert forgotten.returncode == 2
    assert "no receiver is named" in forgotten.stderr


def test_what_a_killed_run_had_is_kept(action: Action):
    names = [scenario(action, f"scenarios/{name}.scenario.json") for name in ("a", "b")]
    requests = 0

    def answer(peer: Peer) -> None:
        nonlocal requests
        while peer.read_request() is not None:
            requests += 1
            if requests > 1:
                # The process whose request this is.
                os.kill(int((action.workspace / "pid").read_text()), signal.SIGKILL)
                return
            peer.sock.sendall(response(b'{"events":[]}', "Content-Type: application/json"))

    program = action.temporary / "retailops-sandbox"
    program.write_text(f'#!/bin/sh\necho $$ > pid\nexec "{COMMAND}" "$@"\n')
    program.chmod(0o755)
    action.outputs["install"] = {"program": str(program)}
    with receiver(answer) as shop:
        done = action.run_step("run", receiver=shop.url, options="--jobs=1", shard="1/1")
    assert done.returncode == 137
    assert action.outputs["run"]["exit-code"] == "137"
    action.keep()
    assert ran(action) == {names[0]}
    # Where the job ran out of time, the step of the run has no exit code.
    del action.outputs["run"]["exit-code"]
    (action.workspace / "retailops-reports/run.json").unlink()
    action.uploads.clear()
    action.keep()
    assert ran(action) == {names[0]}


HOSTILE = """$(touch pwned)`touch pwned`"; touch pwned; "'; touch pwned; '${PATH}; touch pwned
touch pwned
exit-code=0
program=touch
artifact=../pwned
--accept"""
(RUN,) = [step for step in STEPS if step.get("id") == "run"]
OF_RUN = [name for name in INPUTS if f"inputs.{name} " in json.dumps(RUN["env"])]


@pytest.mark.parametrize("name", OF_RUN)
def test_no_input_is_run(name: str, action: Action):
    scenario(action, "scenarios/a.scenario.json")
    given = {"receiver": "http://127.0.0.1:1", "wait": "0", name.replace("-", "_"): HOSTILE}
    done = action.run_step("run", **given)
    assert done.returncode != 0
    assert [path.name for path in action.workspace.rglob("pwned")] == []
    outputs = action.outputs["run"]
    assert outputs.keys() <= {"artifact", "reports", "exit-code"}
    assert outputs.get("reports", str(action.workspace)).startswith(str(action.workspace))
    assert outputs.get("exit-code") != "0"
    assert "/" not in outputs["artifact"]


def test_no_script_has_an_input_in_its_text():
    assert len(SCRIPTS) == 4
    for script in SCRIPTS:
        assert "${{" not in script


def test_every_action_that_is_used_is_pinned_to_a_commit():
    text = (Path(__file__).parents[2] / "action.yml").read_text()
    used = re.findall(r"uses: (.*)", text)
    assert len(used) == 3
    for each in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_the_inputs_are_what_run_knows():
    options = {
        option
        for each in run_command.command.params
        if isinstance(each, click.Option)
        for option in each.opts
    }
    given = set(re.findall(r"--[a-z][a-z-]+(?==|\))", RUN["run"]))
    assert given <= options
    of_run = {f"--{name}" for name in INPUTS} & options
    assert of_run == {"--receiver", "--stand-in", "--workspace", "--shard", "--shard-times", "--wait"}
    assert of_run <= given


def test_every_input_is_used_and_described():
    used = {name for step in STEPS for name in re.findall(r"inputs\.([a-z-]+)", _values(step))}
    assert used == INPUTS.keys()
    assert all(each["description"] and isinstance(each["default"], str) for each in INPUTS.values())


def _values(step: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in step.items() if name != "run"})
