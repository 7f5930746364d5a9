"""The installed command, run as a process that knows nothing of this test run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.forked import ForkedProcess

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


def run_forked(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `run` does, as a forked process: for tests that run many commands."""
    words = [str(argument) for argument in arguments]
    with ForkedProcess(words, cwd=cwd, env=environment(**more)) as process:
        output = process.stdout.read()
        _, errors = process.communicate(timeout=120)
    assert process.returncode is not None
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def imported(folder: Path, *arguments: object, code: int = 0) -> set[str]:
    """The modules that a command imports, which ends with this exit code."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr))\n"
        "from retailops_sandbox.cli.commands import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    return set(done.stderr.splitlines())
