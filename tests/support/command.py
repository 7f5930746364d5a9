"""The installed command, run as a process that knows nothing of this test run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("retailops-sandbox"))
_OWN = ("RETAILOPS", "PYTEST", "COV_", "GITHUB", "CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
"""Prefixes of environment variables that change what the command does."""


def environment(**more: str) -> dict[str, str]:
    """This process's environment with `more`, without the variables that change what the command does."""
    return {name: text for name, text in os.environ.items() if not name.startswith(_OWN)} | more


def run(
    *arguments: object, cwd: Path, command: tuple[str, ...] = (COMMAND,), stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `more` are variables of its environment."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=cwd,
        env=environment(**more),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
