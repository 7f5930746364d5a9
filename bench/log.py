"""What it costs to look into a log of 100,000 deliveries of 4 KB in 200 runs, as a browser meets it.

python bench/log.py             exit 1 if a limit is passed
python bench/log.py 1000000     with so many deliveries: some minutes, and 4.3 GB where temporary files are
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
from append import delivery

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Judgement, Response, Result, ResultStep, RunInfo, Verdict
from retailops_sandbox.runlog.opening import open_log, open_run
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter

DELIVERIES, LARGE, EACH = 100_000, 10_000, 500
"""How many in all, in one large run, and about as many in each of the others."""
RARE_ORDER, RARE_CODE, RARE_TEXT = "7654321", "ERR-RARE", "an unlikely remark"
ROUNDS = 7
FILTERS = (
    "receiver=local",
    "action=order_cancel",
    "edition=draft",
    "verdict=failed",
    "verdict=passed",
    "status=200",
)
FILTERS += (
    "fixture=default",
    "status=2xx",
    "status=5xx",
    "fault=any",
    "since=2024-05-02",
    "until=2024-05-02",
    "order=4897",
)
FIRST_HIT_MS, RUN_MS, APPEND, FILLED = 200, 1000, 1.2, 15_000


class Limits(NamedTuple):
    """What is the most that a log of some size may take."""

    page_ms: float
    memory_mb: float
    """Of a process that has shown all of this."""


LIMITS = {100_000: Limits(100, 150), 1_000_000: Limits(150, 150)}


def run_info(number: int) -> RunInfo:
    start = datetime(2024, 5, 1, tzinfo=UTC) + timedelta(hours=number)
    return RunInfo(
        id=f"{start:%Y%m%dT%H%M%S}Z-{number:06}",
        started_at=f"{start:%Y-%m-%dT%H:%M:%S}.000Z",
        receiver="local",
    )


def fill(place: LogPlace, deliveries: int) -> RunInfo:
    """A log of so many deliveries, with one that has what no other has; its large run.

    Half of the log is newer than these.
    """
    runs = deliveries // EACH
    small = (deliveries - LARGE) // (runs - 1)
    extra = deliveries - LARGE - small * (runs - 1)
    for number in range(runs):
        count = LARGE if number == runs // 2 else small + (extra if number == 0 else 0)
        info = run_info(number)
        run = open_run(place, info, lambda: SHIPPED_CONTRACTS)
        for each in range(count):
            at = f"{info.started_at[:14]}{each * 60 // count:02}:{each % 60:02}.{each % 1000:03}Z"
            log_one(run, each, at, rare=number == runs // 2 + 1 and each == 7)
            if each % EACH == 0:
                asyncio.run(run.flush())  # A run in a database is to be there before it ends.
        run.finish(info.started_at)
    return run_info(runs // 2)


def log_one(run: RunWriter, number: int, at: str, *, rare: bool) -> None:
    sent = msgspec.structs.replace(delivery(run.next_id()), sent_at=at)
    if rare:
        body = sent.request.body.replace('"id": "4897"', f'"id": "{RARE_ORDER}"')
        event = {"error_code": RARE_CODE, "error_message": RARE_TEXT}
        sent = msgspec.structs.replace(
            sent,
            request=msgspec.structs.replace(sent.request, body=body),
            response=Response(status=200, body=json.dumps({"events": [event]})),
        )
    verdict: Verdict = "errored" if rare else "failed" if number % 50 == 0 else "passed"
    run.append(sent)
    run.append(Judgement(delivery=sent.id, verdict=verdict, at=at))
    name = f"scenarios/case-{number:05}.scenario.json"
    step = ResultStep(number=0, name="cancel", verdict=verdict, sent=1)
    run.append(Result(scenario=name, name=name, verdict=verdict, at=at, steps=(step,)))


@contextmanager
def serving(workspace: Path, *options: str) -> Iterator[tuple[int, int]]:
    """A sandbox on a workspace: its port, and its process."""
    program = str(Path(sys.executable).with_name("retailops-sandbox"))
    command = [program, "serve", "--port", "0", "--workspace", str(workspace), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split("http://127.0.0.1:")[1].split("/")[0])
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def fetched(port: int, path: str, until: bytes = b"") -> float:
    """Milliseconds until a page has come, or so much of it that it holds this; it is read to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    start = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200, f"{path}: {answer.status}"
    page, taken = b"", 0.0
    while part := answer.read1():
        page += part
        if not taken and until and until in page:
            taken = (time.perf_counter() - start) * 1000
    assert until in page, f"{path} does not show {until.decode()}"
    taken = taken or (time.perf_counter() - start) * 1000
    connection.close()
    return taken


def memory(pid: int) -> float:
    """What a process has in memory, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measured(port: int, path: str, until: bytes = b"") -> float:
    return statistics.median(fetched(port, path, until) for _ in range(ROUNDS))


def appending(runs_dir: Path) -> Callable[[], float]:
    """Microseconds of an append to a new run in this folder, whenever it is called."""
    info = msgspec.structs.replace(run_info(0), id="20240601T000000Z-aaaaaa")
    run = open_run(LogPlace(runs_dir), info, lambda: SHIPPED_CONTRACTS)

    def once() -> float:
        records = [delivery(run.next_id()) for _ in range(50)]
        start = time.perf_counter()
        for record in records:
            run.append(record)
        return (time.perf_counter() - start) / len(records) * 1e6

    return once


class Told:
    """Prints what was measured against its limit, and collects what passes it."""

    def __init__(self) -> None:
        self._failures: list[str] = []

    def __call__(self, what: str, value: float, limit: float, unit: str, *, least: bool = False) -> None:
        print(f"{what:<58} {value:8.1f} {unit}, at {'least' if least else 'most'} {limit:,}")
        if value < limit if least else value > limit:
            self._failures.append(what)

    def exit_code(self) -> int:
        if self._failures:
            print(f"missed: {', '.join(self._failures)}")
        return 1 if self._failures else 0


def pages(told: Told, port: int, large: RunInfo, page_ms: float) -> None:
    """The pages of a log, each with its first rows."""
    print(f"first page of a new process: {fetched(port, '/deliveries'):.0f} ms")
    told("first page of the log", measured(port, "/deliveries"), page_ms, "ms")
    rare = (f"order={RARE_ORDER}", f"code={RARE_CODE}", "verdict=errored", "order=none")
    for asked in (*rare, *FILTERS, f"run={large.id}"):
        told(f"filter {asked}", measured(port, f"/deliveries?{asked}"), page_ms, "ms")
    told("opening a run of 10,000", measured(port, f"/runs/{large.id}"), RUN_MS, "ms")


def main(deliveries: int = DELIVERIES) -> int:
    told = Told()
    limits = LIMITS[deliveries]
    with tempfile.TemporaryDirectory() as name:
        empty, full = Path(name) / "empty", Path(name) / "full"
        runs_dir = full / ".sandbox" / "runs"
        large = fill(LogPlace(runs_dir), deliveries)
        size = sum(file.stat().st_size for file in runs_dir.glob("*.json"))
        start = time.perf_counter()
        runs = len(open_log(LogPlace(runs_dir), lambda: SHIPPED_CONTRACTS).runs())
        took = time.perf_counter() - start
        index = sum(file.stat().st_size for file in runs_dir.parent.glob("index.db*"))
        print(f"{deliveries:,} deliveries in {runs:,} runs: {size / 1e6:.0f} MB, index {index / 1e6:.0f} MB")
        told("bringing the index up to date, deliveries a second", deliveries / took, FILLED, "", least=True)

        (empty / ".sandbox" / "runs").mkdir(parents=True)
        with serving(empty) as (port, pid):
            fetched(port, "/deliveries")
            print(f"memory with an empty log: {memory(pid):.0f} MB")
        with serving(full) as (port, pid):
            pages(told, port, large, limits.page_ms)
            if deliveries == DELIVERIES:
                for text in (RARE_ORDER, RARE_CODE, RARE_TEXT):
                    path = f"/deliveries?text={text.replace(' ', '+')}"
                    first = measured(port, path, b'<tr id="row-')
                    told(f"first hit of the text {text!r}", first, FIRST_HIT_MS, "ms")
                    print(f"  looking through all of it: {measured(port, path):.0f} ms")
            told("memory after all of this", memory(pid), limits.memory_mb, "MB")

        appends = [appending(empty / ".sandbox" / "runs"), appending(runs_dir)]
        # In turns, so that whatever else the machine does meets both alike.
        taken = [[append() for append in appends] for _ in range(40)]
        alone, beside = (statistics.median(each[number] for each in taken) for number in range(2))
        print(f"an append in an empty log {alone:.1f} microseconds, beside {deliveries:,} {beside:.1f}")
        told("appending, as a ratio", beside / alone, APPEND, "")
    return told.exit_code()


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main(*map(int, sys.argv[1:])))
