"""`run --watch` as a process: what makes it run again, and what it then runs."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import command
from tests.support.command import COMMAND, environment
from tests.support.receivers import unused_port

WAITS = "watching; Ctrl-C ends it\n"
RECEIVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = open("answer.json", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
REFUSED = {"events": [{"status": "error", "error_code": "ERR1409"}]}


class Watching:
    """A `run --watch` that goes on, and its lines as they come."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "run", *arguments],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, *words: str) -> str:
        """All that it prints until it said all this and waits for the next change.

        A change of a file may come in pieces, and so make it run more than once.
        """
        printed = ""
        while not all(each in printed for each in words) or not printed.endswith(WAITS):
            printed += self._lines.get(timeout=60)
        return printed

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watching]:
    run = Watching(folder, *arguments)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.communicate()


@contextmanager
def started(folder: Path, port: int) -> Iterator[None]:
    """The receiver as a process of its own, which answers what answer.json holds."""
    with subprocess.Popen([sys.executable, "receiver.py", str(port)], cwd=folder) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "receiver.py").write_text(RECEIVER)
    answer(tmp_path, {"events": []})
    write(tmp_path, "cancel", [])
    write(tmp_path, "refuse", [{"status": "error", "error_code": "ERR1409"}])
    return tmp_path


def answer(folder: Path, document: object) -> None:
    (folder / "answer.json").write_text(json.dumps(document))


def write(folder: Path, name: str, events: object) -> None:
    scenarios = folder / "scenarios"
    scenarios.mkdir(exist_ok=True)
    step = {"name": "send", "fixture": "default", "expect": {"body": {"events": events}}}
    (scenarios / f"{name}.scenario.json").write_text(json.dumps({"name": name, "steps": [step]}))


def test_the_failed_ones_run_again_when_the_receiver_is_back_or_a_file_changes(folder: Path):
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    with watching(folder, "--receiver", url, "--watch") as run:
        run.until("2 errored")
        with started(folder, port):
            run.until("the receiver is back", "1 passed, 1 failed")
            # The scenario's own file: now it expects what comes. The other one passed, and is left out.
            write(folder, "refuse", [])
            run.until("scenarios/refuse.scenario.json changed", "1 passed, 0 failed, 1 left out")
            # Nothing failed: a change elsewhere runs all.
            (folder / "fixtures/order_cancel/draft").mkdir(parents=True)
            (folder / "fixtures/order_cancel/draft/mine.json").write_text("{}")
            run.until("2 passed, 0 failed in")
            # A file that cannot be read is said, and mended.
            good = (folder / "scenarios/refuse.scenario.json").read_text()
            (folder / "scenarios/refuse.scenario.json").write_text("{")
            run.until("scenarios/refuse.scenario.json:1:2")
            (folder / "scenarios/refuse.scenario.json").write_text(good)
            run.until("passed, 0 failed")
        assert run.end() == 130


def test_the_receivers_source_is_watched_where_it_is_named(folder: Path):
    port = unused_port()
    with started(folder, port):
        also = ["--watch-also", "answer.json"]
        with watching(folder, "--receiver", f"http://127.0.0.1:{port}", "--wait", "60", *also) as run:
            run.until("1 passed, 1 failed")
            answer(folder, REFUSED)
            run.until("answer.json changed", "1 passed, 0 failed, 1 left out")
            assert run.end() == 130


@pytest.mark.parametrize("option", [["--dry-run"], ["--accept"], ["--junit-xml", "report.xml"]])
def test_what_needs_an_end_is_refused(folder: Path, option: list[str]):
    done = command.run("run", "--stand-in", "--watch", *option, cwd=folder)
    assert done.returncode == 2
    assert "--watch goes on and on" in done.stderr
    assert not (folder / "report.xml").exists()
