"""`make` on a machine that cannot reach what the set-up needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.receivers import unused_port

ROOT = Path(__file__).parents[2]
FILES = [
    "Makefile",
    "pyproject.toml",
    "constraints.txt",
    "hatch_build.py",
    "hatch_readme.py",
    "README.md",
    "LICENSE",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the first step of the set-up reads, in a folder whose name has a space."""
    folder = tmp_path / "my checkout"
    for name in ("assets/src", "sandbox/retailops_sandbox"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("static", "__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def test_make_run_without_a_network_ends_in_a_line_that_says_what_it_needs(checkout: Path):
    nowhere = f"http://127.0.0.1:{unused_port()}/simple"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    offline = {"PIP_INDEX_URL": nowhere, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    done = subprocess.run(
        ["make", "run"], cwd=checkout, env=inherited | offline, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    *_, ours, makes_own = done.stderr.splitlines()
    assert ours.startswith("The set-up failed: the reason is above. It needs PyPI once")
    assert makes_own.startswith("make: ***")
    assert "Traceback" not in done.stdout + done.stderr
    assert not (checkout / ".venv" / "installed").exists()
