"""Real processes, killed for real: what they reported is in the log, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tinydb import TinyDB

from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.finalize import finalize_abandoned
from retailops_sandbox.runlog.ports import Log
from tests.support.logged import newest_deliveries, open_log

ROOT = Path(__file__).parents[3]

PRELUDE = """
import os, signal, sys
from pathlib import Path
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Request, RunInfo
from tests.support.records import begin_run

def open_run():
    return begin_run(Path(sys.argv[1]), RunInfo(id=sys.argv[2], started_at="2024-05-01T12:00:00Z"))

def log_one(run):
    delivery = Delivery(
        id=run.next_id(), run=run.info.id, sent_at="2024-05-01T12:00:01Z", action="order_cancel",
        edition="draft", receiver="local", composed="x" * 4000,
        request=Request(method="POST", url="http://127.0.0.1:1/", headers=()),
    )
    run.append(delivery)
    run.append(Judgement(delivery=delivery.id, verdict="passed", at="2024-05-01T12:00:02Z"))
    print(delivery.id, flush=True)

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
"""

WRITES_UNTIL_KILLED = """
run = open_run()
while True:
    log_one(run)
"""


@contextmanager
def child(code: str, runs_dir: Path, id: str = "20240501T120000Z-aaaaaa") -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs the code after the prelude; killed at the end if it still lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, runs_dir, id], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_ids(process: subprocess.Popen[str], count: int | None = None) -> list[str]:
    """The ids that the child reports: the next few, or all that are left."""
    assert process.stdout is not None
    if count is None:
        return process.stdout.read().split()
    return [process.stdout.readline().strip() for _ in range(count)]


def judged(log: Log) -> dict[str, int]:
    """How often each delivery of the log was judged."""
    return {entry.delivery.id: len(entry.judgements) for entry in newest_deliveries(log, 1_000_000)}


def test_what_was_reported_survives_a_kill_at_any_moment(tmp_path: Path, soak: bool) -> None:
    log = open_log(tmp_path)
    reported: set[str] = set()
    for number in range(300 if soak else 5):
        with child(WRITES_UNTIL_KILLED, tmp_path, f"run-{number:03}") as process:
            reported.update(read_ids(process, random.randint(1, 150)))
            process.kill()
            reported.update(read_ids(process))
    assert reported <= judged(log).keys()
    assert {run.state for run in log.runs()} == {"interrupted"}
    before = judged(log)
    assert finalize_abandoned(tmp_path) == []
    assert not list(tmp_path.glob("*.journal"))
    assert judged(log) == judged(open_log(tmp_path)) == before
    for path in tmp_path.glob("*.json"):
        with TinyDB(path) as database:
            assert {document["run"] for document in database.table("deliveries")} == {path.stem}


def test_a_kill_frees_the_run_and_only_then_is_it_folded(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    with child(WRITES_UNTIL_KILLED, tmp_path) as process:
        reported = read_ids(process, 5)
        (run,) = log.runs()
        assert run.state == "running"
        journal = tmp_path / f"{run.id}.journal"
        assert lock.is_held(journal)
        assert lock.take(journal) is None
        assert finalize_abandoned(tmp_path) == []
        assert journal.exists()
        process.kill()
        reported += read_ids(process)
        process.wait()
        assert not lock.is_held(journal)
    assert log.runs()[0].state == "interrupted"
    assert finalize_abandoned(tmp_path) == []
    assert not journal.exists()
    assert set(reported) <= judged(log).keys()


CRASHES = {
    "before the new file is on disk": "os.fsync = die",
    "before the new file takes its place": "os.replace = die",
    "when it has taken its place": "take = os.replace; os.replace = lambda *a: (take(*a), die())",
    "before the journal is deleted": "Path.unlink = die",
    "when the journal is deleted": "delete = Path.unlink; Path.unlink = lambda *a, **_: (delete(*a), die())",
}


@pytest.mark.parametrize("crash", CRASHES)
def test_a_kill_between_the_steps_of_folding_loses_and_repeats_nothing(tmp_path: Path, crash: str) -> None:
    code = "run = open_run()\nfor _ in range(3): log_one(run)\n"
    code += f"{CRASHES[crash]}\nrun.finish('2024-05-01T12:01:00Z')"
    with child(code, tmp_path) as process:
        reported = read_ids(process)
        assert process.wait() == -signal.SIGKILL
    once = dict.fromkeys(reported, 1)
    log = open_log(tmp_path)
    assert judged(log) == once
    assert [(run.state, run.deliveries, run.problems) for run in log.runs()] == [("finished", 3, ())]
    assert finalize_abandoned(tmp_path) == []
    assert judged(log) == judged(open_log(tmp_path)) == once
    (path,) = tmp_path.glob("*.json")
    with TinyDB(path) as database:
        assert [document["id"] for document in database.table("deliveries")] == reported
        assert len(database.table("judgements")) == 3
        assert database.table("run").all()[0]["finished_at"] == "2024-05-01T12:01:00Z"


def test_several_processes_on_one_workspace_do_not_mix(tmp_path: Path) -> None:
    code = "with open_run() as run:\n    for _ in range(150): log_one(run)"
    log = open_log(tmp_path)
    with child(code, tmp_path, "run-a") as one, child(code, tmp_path, "run-b") as other:
        reported = {"run-a": read_ids(one, 1), "run-b": read_ids(other, 1)}
        assert [run.problems for run in log.runs()] == [(), ()]
        assert {reported["run-a"][0], reported["run-b"][0]} <= judged(log).keys()
        seen = judged(log).keys()
        while one.poll() is None or other.poll() is None:
            # Someone who clears up meanwhile takes nothing from the living.
            assert finalize_abandoned(tmp_path) == []
            before, seen = seen, judged(log).keys()
            assert before <= seen
            assert [run.problems for run in log.runs()] == [(), ()]
        reported["run-a"] += read_ids(one)
        reported["run-b"] += read_ids(other)
        assert (one.wait(), other.wait()) == (0, 0)
    for id, ids in reported.items():
        with TinyDB(tmp_path / f"{id}.json") as database:
            assert [document["id"] for document in database.table("deliveries")] == ids
            assert [document["delivery"] for document in database.table("judgements")] == ids
    assert judged(log) == dict.fromkeys(reported["run-a"] + reported["run-b"], 1)


FILLS_THE_DISK = """
import resource
run = open_run()
log_one(run)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
try:
    while True:
        log_one(run)
except FileError as error:
    sys.stderr.write(f"{error}\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log_one(run)
run.finish()
"""


def test_a_record_that_did_not_fit_leaves_no_part_of_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with child(FILLS_THE_DISK, tmp_path) as process:
        reported = read_ids(process)
        assert process.wait() == 0
    (line,) = capfd.readouterr().err.splitlines()
    assert line == f"{tmp_path / '20240501T120000Z-aaaaaa.journal'}: cannot be written: file too large"
    log = open_log(tmp_path)
    assert judged(log) == dict.fromkeys(reported, 1)
    assert len(reported) == 3
    assert log.runs()[0].problems == ()


FILLED_FROM_THE_START = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    open_run()
except FileError as error:
    print(error)
"""


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    with child(FILLED_FROM_THE_START, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read().endswith("cannot be written: file too large\n")
    assert list(tmp_path.iterdir()) == []
