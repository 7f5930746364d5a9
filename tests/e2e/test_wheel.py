"""What a user installs: the sdist, the wheel made from it, and the program working far from the checkout."""

from __future__ import annotations

import email
import email.policy
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import trove_classifiers

from hatch_readme import package_page
from retailops_sandbox import __version__
from tests.support.built import run
from tests.support.documents import DOCUMENTS, README

ROOT = Path(__file__).parents[2]
SCENARIO = {
    "format": 1,
    "name": "The stand-in cancels the documented order",
    "steps": [{"fixture": "default", "expect": {"status": 200, "body": {"events": []}}}],
}


def test_the_wheel_holds_every_file_that_the_program_reads(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        inside = set(wheel.namelist())
        assets = json.loads(wheel.read("retailops_sandbox/web/static/manifest.json"))
    shipped = {
        f"{target}/{path.relative_to(ROOT / source).as_posix()}"
        for source, target in [
            ("templates", "retailops_sandbox/_data/templates"),
            ("fixtures", "retailops_sandbox/_data/fixtures"),
            ("sandbox/retailops_sandbox/contracts/data", "retailops_sandbox/contracts/data"),
        ]
        for path in (ROOT / source).rglob("*.*")
        if path.suffix != ".pyc"
    }
    assert len(shipped) > 20
    assert shipped - inside == set()
    assert assets.keys() >= {"app.js", "app.css"}
    bundle = {*assets.values(), "third-party-licenses.txt"}
    assert {f"retailops_sandbox/web/static/{name}" for name in bundle} - inside == set()
    assert not any(name.startswith(("tests/", "bench/")) or "node_modules" in name for name in inside)


def test_the_sdist_holds_every_document_and_what_pipelines_use(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    documents = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}
    assert len(documents) > 15
    others = {"action.yml", "Containerfile", ".containerignore", ".pre-commit-hooks.yaml", "constraints.txt"}
    assert (documents | others) - inside == set()


def test_the_metadata_names_the_licence_and_holds_the_page_of_the_package(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(wheel.read(name), policy=email.policy.default)
        licence = wheel.read(name.replace("METADATA", "licenses/LICENSE")).decode()
    assert metadata["License-Expression"] == "MIT"
    assert licence.startswith("MIT License\n\nCopyright (c) ")
    assert metadata["Author"] in licence
    assert metadata["Project-URL"] is None  # the project has no page of its own
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().rstrip() == package_page(README.read_text(encoding="utf-8")).rstrip()
    classifiers = metadata.get_all("Classifier")
    assert [each for each in classifiers if each not in trove_classifiers.classifiers] == []
    assert f"Programming Language :: Python :: {sys.version_info[0]}.{sys.version_info[1]}" in classifiers


def test_the_installed_program_runs_a_scenario_far_from_the_checkout(installed, tmp_path):
    scenario = tmp_path / "first.scenario.json"
    scenario.write_text(json.dumps(SCENARIO))
    report = tmp_path / "report.xml"

    done = run(
        installed / "retailops-sandbox", "run", scenario, "--stand-in", "--junit-xml", report, cwd=tmp_path
    )

    assert "passed" in done.stdout
    assert 'tests="1"' in report.read_text()


def test_the_installed_program_finds_its_own_files_and_not_the_checkouts(installed, tmp_path):
    done = run(
        installed / "python",
        "-c",
        "import retailops_sandbox.resources as s; print(s.fixtures_dir())",
        cwd=tmp_path,
    )
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


@pytest.fixture(scope="module")
def pytest_site(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pytest, beside the environment, which stays one with what the wheel depends on."""
    site = tmp_path_factory.mktemp("site")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        installed / "python",
        "--disable-pip-version-check",
        "--quiet",
    )
    constraints = ("--constraint", ROOT / "constraints.txt")
    run(*pip, "install", "--no-compile", *constraints, "--target", site, "pytest", cwd=site)
    return site


def test_pytest_finds_the_plugin_of_the_installed_wheel(installed, pytest_site, tmp_path):
    (tmp_path / "first.scenario.json").write_text(json.dumps(SCENARIO))

    done = run(
        *(installed / "python", "-m", "pytest", "--retailops-stand-in"),
        *("--junitxml", tmp_path / "report.xml"),
        cwd=tmp_path,
        PYTHONPATH=str(pytest_site),
    )

    assert "1 passed" in done.stdout
    assert 'value="stand-in"' in (tmp_path / "report.xml").read_text()


def test_a_project_with_a_package_named_sandbox_keeps_it_and_its_tests(installed, pytest_site, tmp_path):
    package = tmp_path / "sandbox"
    package.mkdir()
    (package / "__init__.py").write_text("def toys():\n    return ['bucket', 'spade']\n")
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_toys.py").write_text(
        "from sandbox import toys\n\n\ndef test_toys():\n    assert toys() == ['bucket', 'spade']\n"
    )
    (tests / "first.scenario.json").write_text(json.dumps(SCENARIO))

    done = run(
        *(installed / "python", "-m", "pytest", "-v", "--retailops-stand-in"),
        cwd=tmp_path,
        PYTHONPATH=str(pytest_site),
    )

    assert "tests/test_toys.py::test_toys PASSED" in done.stdout
    assert re.search("tests/first.scenario.json::.* PASSED", done.stdout)
    assert "2 passed" in done.stdout


def test_the_installed_package_is_a_command_too(installed, tmp_path):
    done = run(installed / "python", "-m", "retailops_sandbox", "--version", cwd=tmp_path)
    assert done.stdout == f"retailops-sandbox, version {__version__}\n"


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("postgres", ("run", "--stand-in", "--log", "postgresql://me:a-password@127.0.0.1:1/x")),
        ("postgres", ("log", "init", "--log", "postgresql://me:a-password@127.0.0.1:1/x")),
        ("load", ("load", "--stand-in")),
    ],
)
def test_without_an_extra_one_line_says_how_to_install_it(
    extra: str, command: tuple[str, ...], installed: Path, tmp_path: Path
):
    program = [str(installed / "retailops-sandbox"), *command]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert f"pip install 'retailops-sandbox[{extra}]'" in line
    assert "a-password" not in line
