"""What one append to the delivery log costs, and whether it stays the same as the log grows.

python bench/append.py        exit 1 if 100,000 records make an append dearer or cheaper than 1.2 times, or if
                              TinyDB makes it dearer than 1.3 times
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Delivery, Request, Response, RunInfo, Timings, encoder
from retailops_sandbox.runlog.files.journal import Line
from retailops_sandbox.runlog.opening import open_run
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import RunWriter

SIZES = (0, 10_000, 100_000)
LIMIT, TINYDB_LIMIT = 1.2, 1.3
ROUNDS, BATCH = 100, 50
ALONE = -1
CHECK_HOLDS = 0.002


def delivery(id: str) -> Delivery:
    """A delivery as the sandbox logs it, about 4 KB."""
    account = dict.fromkeys(("available", "charged", "settled", "captured", "credited", "voided"), 35)
    items = [{"sku": f"S{number:05}", "quantity": number} for number in range(33)]
    order = {"id": "4897", "payment": account, "unshipped_items_ref": items, "ship_service_name": "Will Call"}
    payload = json.dumps({"version": 1, "action": "order_cancel", "data": {"order": order}})
    event = {"status": "error", "error_code": "ERR1234", "error_message": "Already shipped"}
    return Delivery(
        id=id,
        run=id.rpartition(".")[0],
        sent_at="2024-05-01T12:00:00.000Z",
        action="order_cancel",
        edition="draft",
        receiver="local",
        scenario="scenarios/second-cancel.scenario.json",
        step="cancel",
        fixture="default",
        composed=payload,
        request=Request(
            method="POST",
            url="http://127.0.0.1:8080/order_cancel",
            headers=(("Content-Type", "application/json"), ("Content-Length", str(len(payload)))),
            body=payload,
        ),
        response=Response(
            status=200,
            headers=(("Content-Type", "application/json"), ("Server", "receiver/1.0")),
            body=json.dumps({"events": [event]}),
        ),
        timings=Timings(connect=0.212, first_byte=1.734, total=2.051),
    )


def filled_run(folder: Path, size: int) -> RunWriter:
    """A run that already holds this many records."""
    run = open_run(
        LogPlace(folder),
        RunInfo(id=f"20240501T120000Z-{size:06}", started_at="2024-05-01T12:00:00Z"),
        lambda: SHIPPED_CONTRACTS,
    )
    record = delivery(run.next_id())
    for _ in range(size):
        run.append(record)
    return run


def cost(run: RunWriter | JournalAlone) -> float:
    """Microseconds for one append, now."""
    records = [delivery(f"20240501T120000Z-000000.{number:06}") for number in range(BATCH)]
    start = time.perf_counter()
    for record in records:
        run.append(record)
    return (time.perf_counter() - start) / BATCH * 1e6


class JournalAlone:
    """A journal that is written without TinyDB, as it was before there was a table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._checked = 0.0

    def append(self, record: Delivery) -> None:
        now = time.monotonic()
        if now - self._checked > CHECK_HOLDS:
            assert os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
            self._checked = now
        line = encoder.encode(Line(delivery=record)) + b"\n"
        written = 0
        while written < len(line):
            written += os.write(self._descriptor, line[written:])


def main() -> int:
    print(f"one record: {len(encoder.encode(delivery('20240501T120000Z-000000.000001'))):,} bytes")
    with tempfile.TemporaryDirectory() as folder:
        runs = {size: filled_run(Path(folder), size) for size in SIZES}
        alone = JournalAlone(Path(folder, "alone"))
        # In turns, so that whatever else the machine does meets every size alike.
        rounds = [{size: cost(run) for size, run in {**runs, ALONE: alone}.items()} for _ in range(ROUNDS)]
        costs = {size: statistics.median(taken[size] for taken in rounds) for size in (ALONE, *SIZES)}
        without = costs.pop(ALONE)
        print(f"without TinyDB:     {without:5.1f} microseconds per append")
        for size in SIZES:
            print(f"at {size:7,} records: {costs[size]:5.1f}")
        start = time.perf_counter()
        runs[SIZES[-1]].finish()
        print(f"finishing the last, once: {time.perf_counter() - start:.2f} s")
    ratio, by_tinydb = max(costs.values()) / min(costs.values()), costs[0] / without
    print(f"dearest to cheapest: {ratio:.2f}, at most {LIMIT}")
    print(f"with TinyDB to without: {by_tinydb:.2f}, at most {TINYDB_LIMIT}")
    return 0 if ratio <= LIMIT and by_tinydb <= TINYDB_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
