"""The lowest versions that pyproject.toml declares, installed and used once."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support import command
from tests.support.compose_client import ComposeClient
from tests.support.serving import serving

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = DECLARED["project"]["optional-dependencies"]
BUILD = DECLARED["build-system"]["requires"]
USED = [*DECLARED["project"]["dependencies"], *itertools.chain(*EXTRAS.values())]
LOWEST = {
    requirement.name: specifier.version
    for requirement in map(Requirement, [*BUILD, *USED])
    for specifier in requirement.specifier
    if specifier.operator == ">="
}
SCENARIO = {
    "name": "A second cancel changes nothing",
    "steps": [
        {"fixture": "default", "deliver": {"times": 2}, "expect": {"status": 200, "body": {"events": []}}}
    ],
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the lowest versions. What these depend on is at its newest."""
    folder = tmp_path_factory.mktemp("lowest")
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    constraints = folder / "lowest.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in LOWEST.items()))
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet")
    # Most of what is installed is never imported.
    lowest = (*pip, "install", "--no-compile", "--constraint", constraints)
    for step in (
        (sys.executable, "-m", "venv", "--without-pip", folder / "venv"),
        (*lowest, *(Requirement(each).name for each in BUILD)),
        (*lowest, "--no-build-isolation", f"{ROOT}[{','.join(EXTRAS)}]"),
    ):
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
    return python


def run(python: Path, *arguments: object, cwd: Path) -> str:
    """What this Python prints; it must end well, in a folder with one scenario."""
    (cwd / "twice.scenario.json").write_text(json.dumps(SCENARIO))
    done = command.run(*arguments, cwd=cwd, command=(str(python), "-W", "error"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_dependency_declares_a_lower_bound_and_nothing_else():
    operators = {each: [it.operator for it in Requirement(each).specifier] for each in [*BUILD, *USED]}
    assert {each for each, found in operators.items() if found != [">="]} == set()


def test_the_lowest_versions_are_installed(python: Path, tmp_path: Path):
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    found = run(python, "-c", code, *LOWEST, cwd=tmp_path).split()
    assert list(map(Version, found)) == list(map(Version, LOWEST.values()))


def test_a_scenario_passes_on_them(python: Path, tmp_path: Path):
    said = run(python, "-m", "retailops_sandbox", "run", "twice.scenario.json", "--stand-in", cwd=tmp_path)
    assert "1 passed, 0 failed" in said
    assert "passed" in run(python, "-m", "retailops_sandbox", "log", "list", cwd=tmp_path)


def test_a_log_in_postgresql_works_on_them(python: Path, tmp_path: Path, database_without_tables: str):
    log = ("--log", database_without_tables)
    program = ("-m", "retailops_sandbox")
    assert "made" in run(python, *program, "log", "init", *log, cwd=tmp_path)
    said = run(python, *program, "run", "twice.scenario.json", "--stand-in", *log, cwd=tmp_path)
    assert "1 passed, 0 failed" in said
    listed = run(python, *program, "log", "list", *log, cwd=tmp_path)
    assert listed.count("✓ passed") == 2
    assert not (tmp_path / ".sandbox" / "runs").exists()


def test_a_load_test_works_on_them(python: Path, tmp_path: Path):
    options = ("--stand-in", "--users", "2", "--time", "0.5", "--json", "load.json", "--html", "load.html")
    said = run(python, "-m", "retailops_sandbox", "load", "twice.scenario.json", *options, cwd=tmp_path)
    assert "0(0.00%)" in said
    assert json.loads((tmp_path / "load.json").read_text())
    assert "<html" in (tmp_path / "load.html").read_text().lower()


def test_the_pytest_plugin_works_on_them(python: Path, tmp_path: Path):
    (tmp_path / "test_sends.py").write_text(
        "def test_it(retailops):\n    retailops.send('default', expect={'status': 200}).check()\n"
    )
    said = run(python, "-m", "pytest", "--retailops-stand-in", "--junitxml", "r.xml", cwd=tmp_path)
    assert "2 passed" in said
    assert "retailops_receiver" in (tmp_path / "r.xml").read_text()


def test_the_browser_application_works_on_them(python: Path, tmp_path: Path):
    with serving(tmp_path, main=(str(python), "-m", "retailops_sandbox")) as served:
        browser = ComposeClient(served)
        with browser.http as http:
            path = browser.sent()
            assert browser.landed(path).judgements[-1].verdict == "passed"
            for page in ("/", path, "/deliveries", "/runs", "/scenarios", "/receivers", "/record"):
                answer = http.get(page, follow_redirects=True)
                assert answer.status_code == 200, page
            changes = http.get("/deliveries/events?once=1&after=0")
        assert changes.status_code == 200
        assert "event: reload" in changes.text
