"""The same scenarios through the pages, `run` and pytest: the same steps come out alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import msgspec
import pytest

from retailops_sandbox.model import Result
from tests.faces.table import FLOWS, Flow
from tests.support.command import COMMAND
from tests.support.logged import open_log
from tests.support.pages import hidden, main_words
from tests.support.serving import Served, serving

FOLDER = "scenarios"


class Runs:
    """The results of all flows by each face, by the name of the flow."""

    def __init__(self, served: Served) -> None:
        self._workspace = served.workspace
        self._logged = served.workspace / ".sandbox" / "runs"
        self._url = served.url
        folder = served.workspace / FOLDER
        folder.mkdir()
        for number, flow in enumerate(FLOWS):
            document = {"name": flow.name, "variables": flow.variables, "steps": flow.steps}
            (folder / f"{number}.scenario.json").write_text(json.dumps(document))
        self.results = {"pages": self._by_pages(), "run": self._by_run(), "pytest": self._by_pytest()}

    def _by_pages(self) -> dict[str, Result]:
        with httpx.Client(base_url=self._url, timeout=60) as http:
            ids = [f"{FOLDER}/{number}.scenario.json" for number in range(len(FLOWS))]
            form: dict[str, Any] = {**hidden(http.get("/scenarios").text), "pick": ids, "do": "selected"}
            form["receiver"] = "stand-in"
            answer = http.post("/scenarios/run", data=form)
            assert answer.status_code == 303, main_words(answer.text)
            path = answer.headers["location"]
            with http.stream("GET", f"{path}/events") as stream:
                assert "event: finished" in list(stream.iter_lines())
        found = open_log(self._logged).results(path.removeprefix("/runs/"))
        return {each.name: each for each in found}

    def _by_run(self) -> dict[str, Result]:
        report = self._workspace / "run.json"
        self._call(COMMAND, "run", FOLDER, "--stand-in", "--report-json", report)
        return _results(report.read_bytes())

    def _by_pytest(self) -> dict[str, Result]:
        before = self._files()
        options = ("-p", "no:randomly", "-p", "no:cacheprovider", "--retailops-stand-in")
        self._call(sys.executable, "-m", "pytest", *options, FOLDER)
        (report,) = self._files() - before
        return _results(report.read_bytes())

    def _files(self) -> set[Path]:
        return {
            file
            for file in self._logged.glob("*.json")
            if json.loads(file.read_bytes())["run"]["1"].get("kind") == "pytest"
        }

    def _call(self, *command: object) -> None:
        done = subprocess.run(
            [*map(str, command)],
            cwd=self._workspace,
            env={**os.environ, "RETAILOPS_SANDBOX_WORKSPACE": str(self._workspace)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1, done.stdout + done.stderr  # some of the flows must fail


def _results(document: bytes) -> dict[str, Result]:
    rows = json.loads(document)["results"].values()
    return {each.name: each for each in (msgspec.convert(row, Result) for row in rows)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with serving(tmp_path_factory.mktemp("flows")) as served:
        yield Runs(served)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_face_runs_a_flow_alike(flow: Flow, runs: Runs):
    for face, results in runs.results.items():
        steps = results[flow.name].steps
        assert [each.verdict for each in steps] == flow.verdicts, (face, steps)
        assert [each.sent for each in steps] == flow.sent, face
        reasons = {each.name: each.reason for each in steps}
        for name, begin in flow.reasons.items():
            assert reasons[name].startswith(begin), face
    of_run, *others = (
        [_timeless(each) for each in found[flow.name].steps] for found in runs.results.values()
    )
    assert [of_run] * len(others) == others


def _timeless(step: Any) -> Any:
    return msgspec.structs.replace(step, seconds=0.0)
