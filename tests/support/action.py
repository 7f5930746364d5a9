"""Runs the steps of action.yml as GitHub's runner does: bash, files for commands, expressions filled in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.command import environment

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INPUTS: dict[str, Any] = DOCUMENT["inputs"]
STEPS: list[dict[str, Any]] = DOCUMENT["runs"]["steps"]
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


class Action:
    """The action in one job: a workspace of the job's, files for commands, and the outputs of steps."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.temporary = folder / "temporary"
        for each in (self.workspace, self.temporary):
            each.mkdir(exist_ok=True)
        self.outputs: dict[str, dict[str, str]] = {}
        self.summary = folder / "summary.md"
        self.uploads: list[dict[str, str]] = []

    def run_all(
        self, /, *, env: dict[str, str] | None = None, **given: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the steps after the installation; the result of the scenarios' step."""
        done = self.run_step("run", env=env, **given)
        self.keep(**given)
        return done

    def keep(self, /, **given: str) -> None:
        """Run the steps that keep what there is, whatever became of the run."""
        (rest,) = [step for step in STEPS if step.get("id") == "rest"]
        if self._holds(rest["if"], given):
            done = self.run_step("rest", **given)
            assert done.returncode == 0, done.stderr
        (upload,) = [step for step in STEPS if "upload-artifact" in step.get("uses", "")]
        if self._holds(upload["if"], given):
            self.uploads.append(
                {name: str(self._filled(text, given)) for name, text in upload["with"].items()}
            )

    def run_step(
        self, id: str, /, *, env: dict[str, str] | None = None, **given: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a step; `given` are inputs, with _ for -, and `env` is the environment of the job."""
        (step,) = [step for step in STEPS if step.get("id") == id]
        if step.get("uses", "").startswith("actions/setup-python@"):
            self.outputs[id] = {"python-path": sys.executable}
            return subprocess.CompletedProcess([], 0, "", "")
        own = {name: self._filled(text, given) for name, text in step.get("env", {}).items()}
        script, outputs = self.temporary / f"{id}.sh", self.temporary / f"{id}.output"
        script.write_text(step["run"])
        outputs.touch()
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            cwd=self.workspace / self._filled(step.get("working-directory", "."), given),
            env=environment(
                **(env or {}),
                **own,
                CI="true",
                GITHUB_ACTIONS="true",
                GITHUB_ACTION_PATH=str(ROOT),
                GITHUB_OUTPUT=str(outputs),
                GITHUB_STEP_SUMMARY=str(self.summary),
                GITHUB_WORKSPACE=str(self.workspace),
                RUNNER_ARCH="X64",
                RUNNER_OS="Linux",
                RUNNER_TEMP=str(self.temporary),
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        self.outputs[id] = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return done

    def _filled(self, text: object, given: dict[str, str]) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1], given), _spelled(text))

    def _value(self, name: str, given: dict[str, str]) -> str:
        match name.split("."):
            case ["inputs", name]:
                return given.get(name.replace("-", "_"), INPUTS[name]["default"])
            case ["steps", id, "outputs", name]:
                return self.outputs.get(id, {}).get(name, "")
        raise AssertionError(f"an expression that this runner does not know: {name}")

    def _holds(self, condition: str, given: dict[str, str]) -> bool:
        found = _EXPRESSION.fullmatch(condition)
        assert found
        always, compared = found[1].split(" && ")
        name, empty = compared.split(" != ")
        assert (always, empty) == ("always()", "''")
        return self._value(name, given) != ""


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
