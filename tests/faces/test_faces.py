"""The same step through the browser's form, `run` and pytest: the same verdict, the same differences."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox import composing, jsontext
from retailops_sandbox.composing import Template
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Difference, Judgement, Receiver, Step
from retailops_sandbox.standin import TOKEN
from retailops_sandbox.workspace.workspace import Workspace
from tests.faces.table import CASES, RECEIVERS, Case
from tests.support.command import COMMAND
from tests.support.logged import open_log


class Faces:
    """A served workspace, its stand-in under every path of the table, and the same workspace for the others.

    `folder` is for their files.
    """

    def __init__(self, workspace: Workspace, address: str, folder: Path) -> None:
        self.workspace = workspace
        self.folder = folder
        self._by_pytest: dict[str, dict[str, tuple[Judgement, str]]] = {}
        self.address = urllib.parse.urlsplit(address)
        self.log = open_log(workspace.runs_dir)

    def by_browser(self, case: Case) -> Judgement:
        form = {
            "form_id": case.name,
            "action": "order_cancel",
            "edition": case.edition,
            "payload": jsontext.pretty(_typed(self.workspace, case)),
            "receiver": case.receiver,
            "shown": self._url(case),
            "expectation": self._expected(case),
            "variables": json.dumps(case.variables),
            **({"off_contract": "on"} if case.off_contract else {}),
        }
        status, headers = self._post("/send", form)
        assert status == 303
        return self._judgement(headers["location"].rpartition("/")[2])

    def _expected(self, case: Case) -> str:
        """What the page shows as the expected response."""
        if case.expect is msgspec.UNSET:
            return self.workspace.read_expectation("order_cancel", case.edition, case.fixture) or ""
        return json.dumps(case.expect) if case.expect is not None else ""

    def _url(self, case: Case) -> str:
        """The URL that the page shows for this receiver, and that a send must go to."""
        agreed = SHIPPED_CONTRACTS.load("order_cancel", case.edition)
        return composing.url(self.workspace.receivers().named(case.receiver), agreed, SHIPPED_CONTRACTS)

    def by_run(self, case: Case, folder: Path) -> Judgement:
        file = _write(case, folder)
        report = folder / "run.json"
        command = [COMMAND, "run", file, "--receiver", case.receiver, "--report-json", report]
        done = subprocess.run(
            [*map(str, command), "--workspace", str(self.workspace.root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stderr == ""
        codes = {"passed": 0, "failed": 1, "errored": 3, "recorded": 5}
        assert done.returncode == codes[case.verdict], done.stdout
        (row,) = json.loads(report.read_text())["judgements"].values()
        return msgspec.convert(row, Judgement)

    def by_pytest(self, case: Case) -> tuple[Judgement, str]:
        """The judgement, and what pytest says of the test. All cases of a receiver run in one pytest."""
        if case.receiver not in self._by_pytest:
            self._by_pytest[case.receiver] = self._pytest(case.receiver)
        return self._by_pytest[case.receiver][case.name]

    def _pytest(self, receiver: str) -> dict[str, tuple[Judgement, str]]:
        folder = self.folder / receiver
        folder.mkdir()
        for case in CASES:
            if case.receiver == receiver:
                _write(case, folder)
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "--rootdir"]
        command += [str(folder), "--retailops-receiver", receiver, "--junitxml", "report.xml"]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "RETAILOPS_SANDBOX_WORKSPACE": str(self.workspace.root)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stderr == ""
        said = {
            test.get("name", ""): next((child.tag for child in test if child.tag != "properties"), "passed")
            for test in ET.parse(folder / "report.xml").iter("testcase")
        }
        (run,) = (run for run in self._runs() if run["run"]["1"]["receiver"] == receiver)
        cases = {row["id"]: Path(row["scenario"]).parent.name for row in run["deliveries"].values()}
        return {
            (name := cases[row["delivery"]]): (msgspec.convert(row, Judgement), said[name])
            for row in run["judgements"].values()
        }

    def _runs(self) -> list[dict[str, Any]]:
        """The runs of pytest."""
        files = [json.loads(file.read_text()) for file in self.workspace.runs_dir.glob("*.json")]
        return [file for file in files if file["run"]["1"].get("kind") == "pytest"]

    def _judgement(self, delivery: str) -> Judgement:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            entry = self.log.delivery(delivery)
            if entry is not None and entry.judgement is not None:
                return entry.judgement
            self._get(f"/deliveries/{delivery}")
            time.sleep(0.02)
        raise AssertionError(f"{delivery} was never judged")

    def _get(self, path: str) -> None:
        connection = http.client.HTTPConnection(self.address.netloc, timeout=60)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()

    def _post(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(self.address.netloc, timeout=60)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://{self.address.netloc}",
        }
        connection.request("POST", path, urllib.parse.urlencode(form), headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}


def _write(case: Case, folder: Path) -> Path:
    """The case as a scenario file, in a folder of its name."""
    step = {
        "name": "send",
        "fixture": case.fixture,
        "set": case.change,
        "off_contract": case.off_contract,
        **({} if case.expect is msgspec.UNSET else {"expect": case.expect}),
    }
    scenario = {"name": case.name, "edition": case.edition, "variables": case.variables, "steps": [step]}
    file = folder / case.name / "case.scenario.json"
    file.parent.mkdir()
    file.write_text(json.dumps(scenario))
    return file


def _typed(workspace: Workspace, case: Case) -> object:
    """The payload as a person would have typed it: changed, its placeholders not filled."""
    text = workspace.read_fixture("order_cancel", case.edition, case.fixture)
    names = composing.Names(given=case.variables)
    return composing.compose(Step(fixture=case.fixture, set=case.change), Template.read(text), names).template


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faces]:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    command = [COMMAND, "serve", "--port", "0", "--workspace", str(workspace.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = [re.search(r"http://\S+", process.stdout.readline()) for _ in range(2)]
        address, stand_in = (each[0] for each in found if each)
        for name, path in RECEIVERS.items():
            timeout = 400 if name == "hang" else 15_000
            receiver = Receiver(name=name, base_url=stand_in + path, token=TOKEN, timeout_ms=timeout)
            workspace.save_receiver(receiver)
        yield Faces(workspace, address, tmp_path_factory.mktemp("pytest"))
    finally:
        process.terminate()
        assert process.wait(60) == 0
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_face_judges_alike(case: Case, faces: Faces, tmp_path: Path):
    by_run = faces.by_run(case, tmp_path)
    by_browser = faces.by_browser(case)
    by_pytest, said = faces.by_pytest(case)
    assert by_run.verdict == by_browser.verdict == by_pytest.verdict == case.verdict
    assert {_key(each) for each in by_run.differences} == case.differences
    assert _comparable(by_run) == _comparable(by_browser) == _comparable(by_pytest)
    assert said == {"passed": "passed", "recorded": "skipped"}.get(case.verdict, "failure")
    assert bool(by_run.violations) == case.violated
    parted = {each.source: next((found.pointer for found in each.violations), "") for each in by_run.sources}
    assert parted == case.parted


def _key(found: Difference) -> tuple[str, str, str | None]:
    place = found.expected_pointer if found.expected_pointer is not None else found.actual_pointer
    return found.part, found.kind, place or None


def _comparable(judgement: Judgement) -> tuple[object, ...]:
    """All that must be equal; how long it took is not."""
    differences = [
        msgspec.structs.replace(each, actual=None) if each.part == "latency" else each
        for each in judgement.differences
    ]
    listed = (judgement.violations, judgement.notes, judgement.payload_violations, judgement.sources)
    return judgement.verdict, differences, listed
