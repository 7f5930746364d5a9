"""The same scenarios through the pages, `run` and pytest: the same steps come out alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import httpx2 as httpx
import msgspec
import pytest

from retailops_sandbox.model import Result
from retailops_sandbox.runlog import opening
from retailops_sandbox.workspace.workspace import Workspace
from tests.faces.table import FLOWS, Flow
from tests.support.command import COMMAND, environment
from tests.support.logged import shipped
from tests.support.pages import hidden, main_words
from tests.support.postgres import fresh_database
from tests.support.serving import Served, serving

FOLDER = "scenarios"


class Runs:
    """The results of all flows by each face, by the name of the flow."""

    def __init__(self, served: Served, database: str) -> None:
        self._workspace = served.workspace
        self._log = opening.open_log(Workspace(served.workspace, database).log_place, shipped)
        self._environment = environment(
            RETAILOPS_SANDBOX_WORKSPACE=str(served.workspace), RETAILOPS_SANDBOX_LOG=database
        )
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
        return self._results(path.removeprefix("/runs/"))

    def _by_run(self) -> dict[str, Result]:
        report = self._workspace / "run.json"
        self._call(COMMAND, "run", FOLDER, "--stand-in", "--report-json", report)
        return _results(report.read_bytes())

    def _by_pytest(self) -> dict[str, Result]:
        options = ("-p", "no:randomly", "-p", "no:cacheprovider", "--retailops-stand-in")
        self._call(sys.executable, "-m", "pytest", *options, FOLDER)
        (id,) = (run.id for run in self._log.runs() if run.info is not None and run.info.kind == "pytest")
        return self._results(id)

    def _results(self, run: str) -> dict[str, Result]:
        return {each.name: each for each in self._log.results(run)}

    def _call(self, *command: object) -> None:
        done = subprocess.run(
            [*map(str, command)],
            cwd=self._workspace,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1, done.stdout + done.stderr  # some of the flows must fail


def _results(document: bytes) -> dict[str, Result]:
    rows = json.loads(document)["results"].values()
    return {each.name: each for each in (msgspec.convert(row, Result) for row in rows)}


@pytest.fixture(scope="module", params=["files", "postgres"])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    opened = fresh_database() if request.param == "postgres" else nullcontext("")
    with opened as url, serving(tmp_path_factory.mktemp("flows"), RETAILOPS_SANDBOX_LOG=url) as served:
        yield Runs(served, url)


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
