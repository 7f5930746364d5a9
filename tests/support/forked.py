"""The program as a process that is forked from one which has imported it: that takes a third of the time.

Such a process has a pid, an environment, a folder and output of its own, and ends as any other does. Only the
variables that an interpreter reads at its start, as PYTHONPATH, are not read again.

As a script: the process that forks.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import NoReturn, Self

import retailops_sandbox
from retailops_sandbox.cli import program

PACKAGE_ROOT = str(Path(retailops_sandbox.__file__).parents[1])

_IMPORTED = (
    *("retailops_sandbox.web.serve", "retailops_sandbox.runlog.log"),
    *("retailops_sandbox.runlog.index.index", "retailops_sandbox.runlog.files.writer"),
    *("retailops_sandbox.runlog.files.storage", "jsonschema_rs", "sqlalchemy.dialects.sqlite"),
    *("anyio._backends._asyncio", "uvicorn.lifespan.on", "uvicorn.loops.auto"),
    *("uvicorn.protocols.http.h11_impl", "uvicorn.protocols.websockets.auto"),
)
"""What `serve` imports until it has shown a page."""


class ForkedProcess:
    """A process of the program, with as much of `subprocess.Popen` as tests use; its output is text."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self.args = arguments
        self.returncode: int | None = None
        errors, path = tempfile.mkstemp()
        os.unlink(path)
        self._errors = os.fdopen(errors, "w+", encoding="utf-8")
        readable, written = os.pipe()
        self.stdout = os.fdopen(readable, encoding="utf-8")
        self._told, told_to = socket.socketpair()
        try:
            socket.send_fds(_forker(), [b"."], [told_to.fileno(), written, self._errors.fileno()])
        finally:
            told_to.close()
            os.close(written)
        job = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
        self._told.sendall(json.dumps(job).encode() + b"\n")
        self.pid = self._number()

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = self._number()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; the exit code."""
        if self.returncode is None and not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What was not read of its output, and all that it wrote on its standard error, once it has ended."""
        self.wait(timeout)
        self._errors.seek(0)
        return self.stdout.read(), self._errors.read()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                self.wait()  # It has ended, and its exit code is on the way.

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for each in (self.stdout, self._errors, self._told):
            each.close()

    def _number(self) -> int:
        """The next number that the forking process says of this one: its pid, then its exit code."""
        said = b""
        while not said.endswith(b"\n"):
            # Byte for byte: of a short process, both numbers may be there already.
            more = self._told.recv(1)
            assert more, "the process that forks has ended"
            said += more
        return int(said)


@cache
def _forker() -> socket.socket:
    """A socket to the process that forks for this one, and ends with it."""
    ours, its = socket.socketpair()
    command = [sys.executable, "-P", __file__, str(its.fileno())]
    env = {**os.environ, "PYTHONPATH": PACKAGE_ROOT}
    process = subprocess.Popen(command, pass_fds=[its.fileno()], env=env)
    its.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


# --- the process that forks ---


def _fork(asked: socket.socket) -> socket.socket:
    """Fork whenever that is asked; returns in each new process, with the socket that says what it does."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C in a terminal is sent to this process, too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    telling: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([asked, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell_ends(telling)
        if asked not in ready:
            continue
        _, files, _, _ = socket.recv_fds(asked, 1, 3)
        if not files:
            sys.exit()
        tell, output, errors = files
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for each in (asked, woken, waker, *telling.values()):
                each.close()
            os.dup2(output, 1)
            os.dup2(errors, 2)
        os.close(output)
        os.close(errors)
        told = socket.socket(fileno=tell)
        if pid == 0:
            return told
        told.sendall(b"%d\n" % pid)
        telling[pid] = told


def _tell_ends(telling: dict[int, socket.socket]) -> None:
    """Say of each process that has ended with which code."""
    while telling:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with telling.pop(pid) as told:
            told.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _run(told: socket.socket) -> NoReturn:
    with told, told.makefile() as lines:
        job = json.loads(lines.readline())
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    os.chdir(job["cwd"])
    sys.stdout = TextIOWrapper(BufferedWriter(FileIO(1, "w")))
    sys.stderr = TextIOWrapper(BufferedWriter(FileIO(2, "w")), errors="backslashreplace", line_buffering=True)
    sys.argv = ["retailops-sandbox", *job["arguments"]]
    program()


if __name__ == "__main__":
    for name in _IMPORTED:
        import_module(name)
    _run(_fork(socket.socket(fileno=int(sys.argv[1]))))
