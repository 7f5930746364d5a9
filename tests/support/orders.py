"""Deliveries that can be told from one another wherever they turn up: each sends an order id of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retailops_sandbox import resources
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.ports import Log
from tests.support.serving import MAIN, PACKAGE_ROOT

_PAYLOAD = json.loads((resources.fixtures_dir() / "order_cancel" / "draft" / "default.json").read_bytes())


def payload(order: str) -> bytes:
    """The default fixture, for this order."""
    data = {**_PAYLOAD["data"], "order": {**_PAYLOAD["data"]["order"], "id": order}}
    return json.dumps({**_PAYLOAD, "data": data}).encode()


def write_scenario(folder: Path, order: str, answer: Any) -> None:
    """A scenario file that sends this order once, and is named after it."""
    step = {"fixture": "default", "set": {"/data/order/id": order}, "expect": {"body": answer}}
    (folder / f"{order}.scenario.json").write_text(json.dumps({"name": order, "steps": [step]}))


def order_in(body: str | bytes) -> str:
    """The order that a request's body is about."""
    return str(json.loads(body)["data"]["order"]["id"])


def entries(log: Log) -> list[Entry]:
    """Every delivery of the log."""
    return [entry for run in log.runs() for entry in log.deliveries(run.id)]


def judged_orders(log: Log) -> Counter[str]:
    """The number of judged deliveries in the log, by order."""
    return Counter(order_in(entry.delivery.request.body) for entry in entries(log) if entry.judgement)


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command of the sandbox, whose lines can be read; killed at the end if it still lives."""
    process = subprocess.Popen(
        [*MAIN, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
