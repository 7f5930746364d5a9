"""The public face for Python programs: its documented example, its types, and what it costs to import."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import retailops_sandbox
from retailops_sandbox import SandboxError, load_scenario, run_scenario
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Delivery, Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import command
from tests.support.logged import open_log
from tests.support.receivers import Peer, answering, receiver, response

ROOT = Path(__file__).parents[2]
PYTHON = (sys.executable,)
NOTHING = b'{"events":[]}'
EVENT = b'{"events":[{"error_code":"ERR1"}]}'


def example() -> str:
    """The code in the package's docstring, as it stands."""
    (code,) = re.findall(r"(?ms)^(    import os$.*?)(?=^\S)", retailops_sandbox.__doc__ or "")
    return textwrap.dedent(code)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a scenario file in it."""
    for name in [each for each in command.environment() if each.startswith("RETAILOPS")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    write("cancel", {"fixture": "default", "expect": {"status": 200, "body": {"events": []}}})
    return tmp_path


def write(name: str, *steps: dict[str, Any], **fields: Any) -> str:
    """Write a scenario file into the current folder."""
    file = f"{name}.scenario.json"
    Path(file).write_text(json.dumps({"format": 1, "name": name, "steps": steps, **fields}))
    return file


def logged(folder: Path) -> list[Delivery]:
    """The deliveries of all runs in the log of a workspace."""
    log = open_log(Workspace(folder).runs_dir)
    return [entry.delivery for run in log.runs() for entry in log.deliveries(run.id)]


# --- the example -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "printed"),
    [
        (NOTHING, "passed\nstep 1 passed \n"),
        (EVENT, "failed\nstep 1 failed 1 difference from what was expected\nunexpected /events/0 "),
    ],
)
def test_the_documented_example_runs_as_it_stands(folder: Path, answer: bytes, printed: str):
    (folder / "example.py").write_text(example())
    with receiver(answering(response(answer))) as there:
        done = command.run("example.py", cwd=folder, command=PYTHON, RECEIVER_URL=there.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(printed)
        assert len(there.requests) == 1
    assert [each.scenario for each in logged(folder)] == ["cancel.scenario.json"]


def test_the_documented_example_is_typed(folder: Path):
    wrong = "\nrun_scenario(1, 2)\nresult.no_such_name\nfrom retailops_sandbox import no_such_name\n"
    (folder / "example.py").write_text(example())
    (folder / "wrong.py").write_text(example() + wrong)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder / "cache")
    right = subprocess.run([*mypy, "example.py"], capture_output=True, text=True, check=False)
    assert (right.returncode, right.stderr) == (0, ""), right.stdout
    found = subprocess.run([*mypy, "wrong.py"], capture_output=True, text=True, check=False)
    assert re.findall(r"error: .*\[(.*)\]", found.stdout) == [
        *("arg-type", "arg-type"),
        "attr-defined",
        "attr-defined",
    ]


# --- what it costs and holds -------------------------------------------------------------------------------


def test_importing_the_package_imports_nothing_else(folder: Path):
    code = "import sys; before = set(sys.modules); import retailops_sandbox; print(set(sys.modules) - before)"
    done = command.run("-c", code, cwd=folder, command=PYTHON)
    assert done.stdout == "{'retailops_sandbox'}\n"


def test_every_public_name_is_there_and_documented():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert textwrap.indent(example(), "    ").strip() in page
    for name in retailops_sandbox.__all__:
        assert getattr(retailops_sandbox, name).__module__.partition(".")[0] == "retailops_sandbox"
        assert name in dir(retailops_sandbox)
        assert f"`{name}" in page, name
    assert retailops_sandbox.load_scenario is load_scenario
    missing = "no_such_name"
    with pytest.raises(AttributeError, match="module 'retailops_sandbox' has no attribute 'no_such_name'"):
        getattr(retailops_sandbox, missing)


# --- loading and running -----------------------------------------------------------------------------------


def test_a_file_that_is_no_scenario_is_told_with_its_place(folder: Path):
    Path("broken.scenario.json").write_text('{"format": 1,\n "steps": [{"fixtur": "default"}]}')
    with pytest.raises(SandboxError, match=r"^broken\.scenario\.json:2:23 at /steps/0/fixtur"):
        load_scenario(folder / "broken.scenario.json")
    with pytest.raises(SandboxError, match=r"absent: cannot be read"):
        load_scenario("absent")


def test_variables_and_the_token_are_sent():
    file = write(
        "vars",
        {
            "payload": {**SHIPPED_CONTRACTS.load("order_cancel", "v1").examples.request, "total": "${total}"},
            "expect": {"status": 200},
        },
        edition="v1",
    )
    with receiver(answering(response(b'{"status":"success"}'))) as there:
        result = run_scenario(
            load_scenario(file), there.url, token="a-token-of-the-shop", variables={"total": 1.5}
        )
    assert result.verdict == "passed"
    body = json.loads(there.requests[0].partition(b"\r\n\r\n")[2])
    assert (body["total"], body["integration_auth_token"]) == (1.5, "a-token-of-the-shop")
    assert "a-token-of-the-shop" not in str(logged(Path.cwd()))
    with pytest.raises(SandboxError, match=r"^at /total: .* is not JSON"):
        run_scenario(load_scenario(file), there.url, variables={"total": object()})


def test_a_receiver_of_the_workspace_is_named_and_a_protected_one_confirmed(folder: Path):
    with receiver(answering(response(NOTHING))) as there:
        Workspace(folder).save_receiver(Receiver(name="shop", base_url=there.url, protected=True))
        with pytest.raises(SandboxError, match="give confirmed=True if you mean it"):
            run_scenario(load_scenario("cancel.scenario.json"), "shop")
        assert there.requests == []
        assert run_scenario(load_scenario("cancel.scenario.json"), "shop", confirmed=True).verdict == "passed"
        with pytest.raises(SandboxError, match="has no scheme"):
            run_scenario(load_scenario("cancel.scenario.json"), "127.0.0.1:1")


def test_a_receiver_that_is_not_there_is_a_verdict_and_no_error():
    with receiver(answering(response(NOTHING))) as there:
        url = there.url
    result = run_scenario(load_scenario("cancel.scenario.json"), url)
    assert (result.verdict, result.steps[0].reason.partition(":")[0]) == ("errored", "refused")


def test_in_a_running_event_loop_it_says_what_to_do_and_that_works():
    plan = load_scenario("cancel.scenario.json")

    async def main(url: str) -> str:
        with pytest.raises(
            SandboxError, match=r"await asyncio.to_thread\(run_scenario, scenario, receiver\)"
        ):
            run_scenario(plan, url)
        return (await asyncio.to_thread(run_scenario, plan, url)).verdict

    with receiver(answering(response(NOTHING))) as there:
        assert asyncio.run(main(there.url)) == "passed"
        assert len(there.requests) == 1


def test_ctrl_c_ends_the_run_and_raises():
    def act(peer: Peer) -> None:
        peer.read_request()
        os.kill(os.getpid(), signal.SIGINT)
        peer.send(response(NOTHING))

    before = signal.getsignal(signal.SIGINT)
    plan = load_scenario(write("two", {"fixture": "default"}, {"fixture": "default"}))
    with receiver(act) as there:
        with pytest.raises(KeyboardInterrupt):
            run_scenario(plan, there.url)
        assert len(there.requests) == 1
    assert signal.getsignal(signal.SIGINT) is before
