"""`check` as a command, and as the hook that pre-commit runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.command import environment, imported, run_forked

ROOT = Path(__file__).parents[2]
RIGHT = {"steps": [{"fixture": "default"}]}
WRONG = {"steps": [{"fixture": "defualt"}]}
FIXTURE = "fixtures/order_cancel/draft/own.json"


def write(folder: Path, name: str, content: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_mistakes_are_lines_and_the_exit_code_says_which(tmp_path: Path):
    write(tmp_path, "scenarios/a.scenario.json", RIGHT)
    done = run_forked("check", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "checked 1 scenario: all right\n", "")
    write(tmp_path, FIXTURE, {"action": 5})
    done = run_forked("check", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "checked 1 scenario, 1 fixture: 3 mistakes"
    write(tmp_path, "scenarios/b.scenario.json", WRONG)
    done = run_forked("check", "scenarios", cwd=tmp_path)
    assert done.returncode == 2
    mistake, counts = done.stdout.splitlines()
    assert mistake.startswith(
        "scenarios/b.scenario.json:1:12 at /steps/0: there is no order_cancel draft fixture"
    )
    assert counts == "checked 2 scenarios: 1 mistake"


def test_nothing_found_and_wrong_usage_are_told_apart(tmp_path: Path):
    done = run_forked("check", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (5, "", f"no files to check in {tmp_path}\n")
    done = run_forked("check", "no.scenario.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no file or folder 'no.scenario.json' (")
    done = run_forked("check", "--whole", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, f"no files to check in {tmp_path}\n")
    write(tmp_path, "hidden/.x/a.scenaro.json", RIGHT)
    done = run_forked("check", "hidden/.x", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "checked no file: 1 mistake"
    done = run_forked("check", "--var", "x", cwd=tmp_path)
    assert done.returncode == 2


def test_a_variable_is_given_and_the_environments_may_be_missing(tmp_path: Path):
    step = {"fixture": "default", "set": {"/data/order/id": "${id}", "/data/x": "${env:NOT_HERE}"}}
    write(tmp_path, "scenarios/a.scenario.json", {"steps": [step]})
    done = run_forked("check", cwd=tmp_path)
    assert "unknown placeholder ${id}" in done.stdout
    assert run_forked("check", "--var", 'id="4897"', cwd=tmp_path).returncode == 0


def test_on_github_each_mistake_is_an_annotation(tmp_path: Path):
    write(tmp_path, "scenarios/100%,\nb.scenario.json", WRONG)
    done = run_forked("check", cwd=tmp_path, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path))
    (mark,) = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert mark.startswith("::error title=mistake::")  # a file whose name GitHub could not show
    write(tmp_path, "scenarios/100%,b.scenario.json", WRONG)
    done = run_forked("check", cwd=tmp_path, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path))
    assert "\n::error file=scenarios/100%25%2Cb.scenario.json,line=1,title=mistake::scenarios/" in done.stdout
    write(tmp_path, "scenarios/c.scenario.json", {"steps": WRONG["steps"] * 20})
    done = run_forked("check", cwd=tmp_path, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path))
    assert done.stdout.count("\n::error ") == 22


def test_it_imports_nothing_that_sends_shows_or_keeps(tmp_path: Path):
    write(tmp_path, "scenarios/a.scenario.json", RIGHT)
    heavy = {"pycurl", "tinydb", "jinja2", "starlette", "sqlalchemy", "difflib"}
    heavy |= {
        "retailops_sandbox.session.run",
        "retailops_sandbox.transport",
        "retailops_sandbox.runlog.files",
    }
    modules = imported(tmp_path, "check")
    assert "retailops_sandbox.session.file_check" in modules
    assert heavy & modules == set()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose pre-commit has the hook, without the environment that it would install."""
    hooks, repository = tmp_path / "hooks", tmp_path / "receiver"
    for folder in (hooks, repository):
        folder.mkdir()
        git("init", "--quiet", cwd=folder)
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    git("add", ".", cwd=hooks)
    git("commit", "--quiet", "--message", "the hook", cwd=hooks)
    hook = {"id": "retailops-check", "language": "system"}
    config = {"repos": [{"repo": str(hooks), "rev": git("rev-parse", "HEAD", cwd=hooks), "hooks": [hook]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git("add", ".", cwd=repository)
    pre_commit("install", cwd=repository)
    return repository


def git(*arguments: str, cwd: Path) -> str:
    done = _git(*arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _git(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    somebody = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", *somebody, *arguments],
        cwd=cwd,
        env=_surroundings(cwd),
        capture_output=True,
        text=True,
        check=False,
    )


def pre_commit(*arguments: str, cwd: Path) -> None:
    program = Path(sys.executable).with_name("pre-commit")
    subprocess.run([program, *arguments], cwd=cwd, env=_surroundings(cwd), capture_output=True, check=True)


def _surroundings(cwd: Path) -> dict[str, str]:
    """The environment, with the installed programs on PATH, and nothing of the user's git and pre-commit."""
    path = f"{Path(sys.executable).parent}:{environment()['PATH']}"
    nowhere = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return environment(PATH=path, PRE_COMMIT_HOME=str(cwd.parent / "pre-commit"), **nowhere)


def test_pre_commit_refuses_a_commit_with_a_mistake(repository: Path):
    write(repository, "notes.json", {"a": 1})
    git("add", ".", cwd=repository)
    done = _git("commit", "--message", "no scenario", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert "RetailOPS scenarios, fixtures and expectations" in done.stderr

    write(repository, "tests/a b.scenario.json", RIGHT)
    write(repository, "scenarios/a.scenario.json", RIGHT)
    git("add", ".", cwd=repository)
    done = _git("commit", "--message", "right", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert "RetailOPS scenarios, fixtures and expectations" in done.stderr

    # A scenario that is not in the commit uses the fixture that is.
    write(repository, "scenarios/a.scenario.json", {"steps": [{"fixture": "own"}]})
    write(repository, FIXTURE, {"action": "a", "version": "1", "data": {}})
    git("add", ".", cwd=repository)
    git("commit", "--no-verify", "--quiet", "--message", "both", cwd=repository)
    write(repository, FIXTURE, {"action": "${no}", "version": "1", "data": {}})
    git("add", ".", cwd=repository)
    done = _git("commit", "--message", "wrong", cwd=repository)
    assert done.returncode == 1
    assert "- exit code: 2" in done.stderr
    assert (
        "scenarios/a.scenario.json:1:12 at /steps/0: in the fixture 'own' at /action: unknown" in done.stderr
    )

    # pre-commit names no file that is deleted.
    git("rm", "--quiet", "--force", FIXTURE, cwd=repository)
    write(repository, "tests/a b.scenario.json", {**RIGHT, "name": "changed"})
    git("add", ".", cwd=repository)
    done = _git("commit", "--message", "deleted", cwd=repository)
    assert done.returncode == 1
    assert "scenarios/a.scenario.json:1:12 at /steps/0: there is no order_cancel draft fixture" in done.stderr


@pytest.mark.parametrize(
    ("path", "is_meant"),
    [
        ("a.scenario.json", True),
        ("deep/er/a.scenario.json", True),
        ("fixtures/order_cancel/draft/a.json", True),
        ("fixtures/order_cancel/draft/a.expect.json", True),
        ("contracts/order_hold.v1.json", True),
        ("receivers.json", True),
        ("tests/fixtures/order_cancel/draft/a.json", False),
        ("package.json", False),
        ("fixtures/users.json", False),
        ("a.scenario.json.bak", False),
    ],
)
def test_the_hook_means_the_files_of_a_workspace(path: str, is_meant: bool):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert bool(re.search(hook["files"], path)) == is_meant
