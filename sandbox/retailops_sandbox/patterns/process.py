"""The process that searches with Python's `re`, which cannot be interrupted and lets nothing else run.

There is one for each process of the sandbox. It starts when it is first needed, and ends with this one.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from retailops_sandbox.patterns.bounds import PatternError

_DEADLINE = 5.0
"""Seconds until an answer is given up whatever the processor did: it may be busy with other things."""
_WORKER = Path(__file__).with_name("worker.py")


class GaveUp(Exception):
    """The search, or compiling the pattern, took longer than it may."""


def search(pattern: str, text: str | None, seconds: float) -> tuple[bool, float]:
    """Whether the pattern is found in a text, and the seconds of processor time that this took.

    Without a text, the pattern is only compiled. Raises PatternError for one that is no regular expression,
    and GaveUp after `seconds` of processor time.
    """
    question = {"pattern": pattern, "text": text, "seconds": seconds}
    answer = _process.answer(json.dumps(question).encode() + b"\n")
    if "error" in answer:
        raise PatternError(answer["error"])
    return answer["found"], answer["seconds"]


class _Process:
    """The process, started and ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._popen: subprocess.Popen[bytes] | None = None

    def answer(self, question: bytes) -> dict[str, Any]:
        """The answer to a question; GaveUp where the process reaches its limit instead."""
        with self._lock:
            for _ in range(2):  # a second time where something else has ended the process
                line = self._line(question)
                if line:
                    answer: dict[str, Any] = json.loads(line)
                    return answer
            raise GaveUp

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _line(self, question: bytes) -> bytes:
        """The answer as it came; empty where the process has ended, GaveUp where that was its limit."""
        running = self._popen = self._popen or _started()
        assert running.stdin is not None
        assert running.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            running.kill()

        deadline = threading.Timer(_DEADLINE, give_up)
        deadline.start()
        try:
            while question:
                question = question[running.stdin.write(question) or 0 :]
            line = running.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            deadline.cancel()
        if line.endswith(b"\n") and not late.is_set():
            return line
        self._end()
        if late.is_set() or running.returncode == -getattr(signal, "SIGVTALRM", 0):
            raise GaveUp
        return b""

    def _end(self) -> None:
        ended, self._popen = self._popen, None
        if ended is not None:
            ended.stdin and ended.stdin.close()
            ended.stdout and ended.stdout.close()
            ended.wait()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_WORKER)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, which ends the other
    )


_process = _Process()


def _forget() -> None:
    """In a fork, leave the process to the parent: both would read the other's answers."""
    global _process
    _process = _Process()


def _close() -> None:
    _process.close()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
