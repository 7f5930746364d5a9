"""`record` as a process: what is posted to it, and what it says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support.serving import MAIN, PACKAGE_ROOT


class Recording:
    """A `record` process that listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        # All that it says before anything passes: what is read ahead would be lost to `communicate`.
        self.begun = ""
        while "records to:" not in self.begun and (line := process.stdout.readline()):
            self.begun += line
        found = re.search(r"http://\S+", self.begun)
        if found is None:
            raise AssertionError(f"record did not start: {self.begun}{process.communicate()}")
        self.url = found[0].rstrip("/")

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": content_type})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def end(self, number: int = signal.SIGINT) -> str:
        """End it by a signal; what it said."""
        self.process.send_signal(number)
        said, errors = self.process.communicate(timeout=60)
        assert errors == ""
        assert self.process.returncode == 0
        return self.begun + said


@contextlib.contextmanager
def recording(
    folder: Path, forward: str, *options: str, output: str = "out.scenario.json"
) -> Iterator[Recording]:
    command = [*MAIN, "record", "--forward", forward, "-o", output, "--port", "0", *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
        cwd=folder,
    )
    with process:
        try:
            yield Recording(process)
        finally:
            if process.poll() is None:
                process.kill()
