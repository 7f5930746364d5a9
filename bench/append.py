"""What one append to the delivery log costs, and whether it stays the same as the log grows.

python bench/append.py        exit 1 if 50,000 records make an append dearer or cheaper than 1.5 times
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from retailops_sandbox.model import Delivery, Request, Response, RunInfo, Timings, encoder
from retailops_sandbox.runlog.opening import open_run
from retailops_sandbox.runlog.ports import RunWriter

SIZES = (0, 10_000, 50_000)
LIMIT = 1.5
ROUNDS, BATCH = 40, 50


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
    run = open_run(folder, RunInfo(id=f"20240501T120000Z-{size:06}", started_at="2024-05-01T12:00:00Z"))
    record = delivery(run.next_id())
    for _ in range(size):
        run.append(record)
    return run


def cost(run: RunWriter) -> float:
    """Microseconds for one append, now."""
    records = [delivery(run.next_id()) for _ in range(BATCH)]
    start = time.perf_counter()
    for record in records:
        run.append(record)
    return (time.perf_counter() - start) / BATCH * 1e6


def main() -> int:
    print(f"one record: {len(encoder.encode(delivery('20240501T120000Z-000000.000001'))):,} bytes")
    with tempfile.TemporaryDirectory() as folder:
        runs = {size: filled_run(Path(folder), size) for size in SIZES}
        # In turns, so that whatever else the machine does meets every size alike.
        rounds = [{size: cost(run) for size, run in runs.items()} for _ in range(ROUNDS)]
        costs = {size: statistics.median(taken[size] for taken in rounds) for size in SIZES}
        for size in SIZES:
            print(f"at {size:6,} records: {costs[size]:6.1f} microseconds per append")
        start = time.perf_counter()
        runs[SIZES[-1]].finish()
        print(f"finishing the last, once: {time.perf_counter() - start:.2f} s")
    ratio = max(costs.values()) / min(costs.values())
    print(f"dearest to cheapest: {ratio:.2f}, at most {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
