"""The browser application as its users have it: a process of its own, a real port, a real folder."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.forked import PACKAGE_ROOT, ForkedProcess

MAIN = (sys.executable, "-c", "from retailops_sandbox.cli import program; program()")
"""The command line of the package under test, wherever it is started."""
Process = subprocess.Popen[str] | ForkedProcess


class Served:
    """A `serve` process that answers."""

    def __init__(self, process: Process, url: str, stand_in: str, workspace: Path) -> None:
        self.process = process
        self.url = url
        self.stand_in = stand_in
        self.workspace = workspace

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; the exit code, and what it said on its standard error."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@contextlib.contextmanager
def serving(
    workspace: Path, options: Sequence[str] = (), *, main: Sequence[str] = (), **environment: str
) -> Iterator[Served]:
    """Serve a workspace on a free port of loopback until the block ends.

    The process is forked (`tests.support.forked`), unless `main` is the program's command, or the environment
    has a variable of Python itself.
    """
    arguments = ["serve", "--port", "0", "--workspace", str(workspace), *options]
    env = {**os.environ, "PYTHONPATH": PACKAGE_ROOT, **environment}
    process: Process
    if main or any(name.startswith("PYTHON") for name in environment):
        command = [*(main or MAIN), *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env, cwd=workspace)
    else:
        process = ForkedProcess(arguments, cwd=workspace, env=env)
    try:
        yield Served(process, address(process), address(process), workspace)
    finally:
        if process.poll() is None:
            process.terminate()
        with process:
            _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors, errors


def address(process: Process) -> str:
    """The address on the next line that the process prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://[^\s]+", line)
    if found is None:
        process.kill()
        raise AssertionError(f"serve did not start: {line}{process.communicate()[1]}")
    return found[0].rstrip("/")
