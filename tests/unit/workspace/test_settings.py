"""settings.py: environment over pyproject.toml, and what is wrong in either."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.errors import SandboxError, SourceError, UsageError
from retailops_sandbox.workspace import settings


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_the_environment_wins_over_the_nearest_pyproject(tmp_path: Path):
    write(tmp_path, '[tool.retailops-sandbox]\nreceiver = "shop"\njobs = 3\ntimeout-ms = 1500\n')
    below = tmp_path / "below"
    below.mkdir()
    read = settings.read({"RETAILOPS_SANDBOX_JOBS": "4"}, below)
    assert (read.receiver, read.jobs, read.timeout_ms) == ("shop", 4, 1500)


@pytest.mark.parametrize("text", ["A B", "A,B", " A,  B "])
def test_the_names_of_secret_variables_are_a_list_or_one_text(tmp_path: Path, text: str):
    write(tmp_path, '[tool.retailops-sandbox]\nsecret-env = ["C"]\n')
    assert settings.read({}, tmp_path).secret_env == ("C",)
    assert settings.read({"RETAILOPS_SANDBOX_SECRET_ENV": text}, tmp_path).secret_env == ("A", "B")


def test_a_pyproject_of_others_says_nothing(tmp_path: Path):
    assert settings.read({}, write(tmp_path, "not even = [toml")) == settings.Settings()


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("[tool.retailops-sandbox]\njob = 3\n", UsageError, "did you mean jobs"),
        ("[tool.retailops-sandbox]\njobs = 'many'\n", UsageError, "jobs"),
        ("[tool.retailops-sandbox\n", SourceError, "not TOML"),
        ("[tool]\nretailops-sandbox = 3\n", SandboxError, "not a table"),
        ("tool = 3  # retailops-sandbox\n", SandboxError, "not a table"),
        ("[tool.retailops-sandbox]\njobs = 0\n", UsageError, "pyproject.toml: .*>= 1 .*jobs"),
        ("[tool.retailops-sandbox]\nretries = -1\n", UsageError, ">= 0 .*retries"),
        ("[tool.retailops-sandbox]\ntimeout-ms = 0\n", UsageError, ">= 1 .*timeout-ms"),
        ("[tool.retailops-sandbox]\ntimeout-ms = 1e300\n", UsageError, "timeout-ms"),
        ("[tool.retailops-sandbox]\nport = 70000\n", UsageError, "65535 .*port"),
        ("[tool.retailops-sandbox]\nsecret-env = [1]\n", UsageError, "secret-env"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, error: type[Exception], says: str):
    with pytest.raises(error, match=says):
        settings.read({}, write(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("JOBS", "many"),
        ("JOBS", "0"),
        ("SECRET_ENV", "A \udcff"),
        ("TIMEOUT_MS", "nan"),
        ("RECEIVER", "shop\udcff"),
    ],
)
def test_a_wrong_variable_of_the_environment_is_named_and_not_the_file(tmp_path: Path, name: str, text: str):
    write(tmp_path, "[tool.retailops-sandbox]\njobs = 3\n")
    with pytest.raises(UsageError) as caught:
        settings.read({f"RETAILOPS_SANDBOX_{name}": text}, tmp_path)
    assert f"RETAILOPS_SANDBOX_{name}" in str(caught.value)
    assert "pyproject" not in str(caught.value)
