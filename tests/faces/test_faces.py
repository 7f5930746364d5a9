"""The same step through the browser's form, `run` and pytest: the same verdict, the same differences.

Once with a log of run files, and once with one in PostgreSQL that all three share.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from retailops_sandbox import composing, jsontext
from retailops_sandbox.composing import Template
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Difference, Judgement, Receiver, Step
from retailops_sandbox.runlog import opening
from retailops_sandbox.standin import TOKEN
from retailops_sandbox.workspace.workspace import Workspace
from tests.faces.table import CASES, RECEIVERS, Case
from tests.support.command import environment, run_forked
from tests.support.logged import shipped
from tests.support.postgres import fresh_database
from tests.support.serving import serving


class Faces:
    """A served workspace, its stand-in under every path of the table, and the same workspace for the others.

    `folder` is for their files.
    """

    def __init__(self, workspace: Workspace, address: str, folder: Path) -> None:
        self.workspace = workspace
        self.folder = folder
        self._by_pytest: dict[str, dict[str, tuple[Judgement, str]]] = {}
        self.address = urllib.parse.urlsplit(address)
        self.log = opening.open_log(workspace.log_place, shipped)
        self.environment = environment(
            RETAILOPS_SANDBOX_WORKSPACE=str(workspace.root), RETAILOPS_SANDBOX_LOG=workspace.database
        )

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
        _write(case, folder)
        done, judgements = self._run(folder, case.receiver)
        codes = {"passed": 0, "failed": 1, "errored": 3, "recorded": 5}
        assert done.returncode == codes[case.verdict], done.stdout
        return judgements[case.name]

    def _run(
        self, folder: Path, receiver: str
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, Judgement]]:
        """Run the scenarios of a folder; their judgements by the name of the case, from the report."""
        report = folder / "run.json"
        done = run_forked(
            "run", folder, "--receiver", receiver, "--report-json", report, cwd=folder, **self.environment
        )
        assert done.stderr == ""
        tables = json.loads(report.read_text())
        cases = {row["id"]: Path(row["scenario"]).parent.name for row in tables["deliveries"].values()}
        found = tables["judgements"].values()
        return done, {cases[row["delivery"]]: msgspec.convert(row, Judgement) for row in found}

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
            env=self.environment,
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
        runs = {run.id: run.info for run in self.log.runs() if run.info is not None}
        (id,) = (id for id, info in runs.items() if info.kind == "pytest" and info.receiver == receiver)
        judged: dict[str, tuple[Judgement, str]] = {}
        for entry in self.log.deliveries(id):
            assert entry.judgement is not None
            name = Path(entry.delivery.scenario).parent.name
            judged[name] = entry.judgement, said[name]
        return judged

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


class SharedFaces(Faces):
    """The same with a log in PostgreSQL. All cases of a receiver are in one run."""

    def __init__(self, workspace: Workspace, address: str, folder: Path) -> None:
        super().__init__(workspace, address, folder)
        self._by_run: dict[str, dict[str, Judgement]] = {}

    def by_run(self, case: Case, folder: Path) -> Judgement:
        if case.receiver not in self._by_run:
            for each in CASES:
                if each.receiver == case.receiver:
                    _write(each, folder)
            _, self._by_run[case.receiver] = self._run(folder, case.receiver)
        return self._by_run[case.receiver][case.name]


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
    with _faces(Faces, tmp_path_factory, "") as made:
        yield made


@pytest.fixture(scope="module")
def shared_faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faces]:
    with fresh_database() as url, _faces(SharedFaces, tmp_path_factory, url) as made:
        yield made
    log = made.log
    assert {run.info.kind for run in log.runs() if run.info is not None} == {"serve", "run", "pytest"}
    assert {run.state for run in log.runs()} == {"finished"}
    assert list(made.workspace.log_place.spool_dir.iterdir()) == []


@contextmanager
def _faces(kind: type[Faces], folders: pytest.TempPathFactory, database: str) -> Iterator[Faces]:
    workspace = Workspace(folders.mktemp("workspace"), database)
    with serving(workspace.root, RETAILOPS_SANDBOX_LOG=database) as served:
        for name, path in RECEIVERS.items():
            timeout = 400 if name == "hang" else 15_000
            receiver = Receiver(name=name, base_url=served.stand_in + path, token=TOKEN, timeout_ms=timeout)
            workspace.save_receiver(receiver)
        yield kind(workspace, served.url, folders.mktemp("pytest"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_face_judges_alike_with_one_log_in_a_database(case: Case, shared_faces: Faces, tmp_path: Path):
    test_every_face_judges_alike(case, shared_faces, tmp_path)


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
