"""`load` as processes: users, judged answers, what the log keeps, workers, and how it ends."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import command
from tests.support.logged import newest_deliveries, open_log
from tests.support.receivers import Receiver, answering, receiver, response

NOTHING = response(b'{"events":[]}', "Content-Type: application/json")
PASSES = {"status": 200, "body": {"events": []}}
FAILS = {"status": 418}


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(NOTHING)) as shop:
        yield shop


def scenario(folder: Path, name: str, expect: object = PASSES, **step: object) -> None:
    first = {"name": "send", "fixture": "default", "expect": expect, **step}
    (folder / f"{name}.scenario.json").write_text(json.dumps({"name": f"{name} it", "steps": [first]}))


def load(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return command.run("load", ".", *arguments, cwd=cwd, **more)


def statistics(prefix: Path) -> dict[str, dict[str, str]]:
    """The rows of Locust's statistics by the names of requests."""
    with open(f"{prefix}_stats.csv", encoding="utf-8", newline="") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def test_wrong_answers_count_as_failures_and_the_log_keeps_some(tmp_path: Path, shop: Receiver):
    scenario(tmp_path, "right")
    scenario(tmp_path, "wrong", FAILS)
    done = load("--receiver", shop.url, "--users", 4, "--time", 1, "--csv", "found", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    rows = statistics(tmp_path / "found")
    right, wrong = rows["right.scenario.json / send"], rows["wrong.scenario.json / send"]
    assert right["Type"] == "order_cancel draft"
    assert right["Failure Count"] == "0"
    assert wrong["Failure Count"] == wrong["Request Count"] != "0"
    sent = int(right["Request Count"]) + int(wrong["Request Count"])
    assert sent == len(shop.requests), "each is counted, and none is cut off at the end"
    assert "failed: status: expected 418, got 200" in done.stdout
    log = open_log(tmp_path / ".sandbox" / "runs")
    (run,) = log.runs()
    assert run.info is not None
    assert (run.info.kind, run.state) == ("load", "finished")
    assert run.deliveries == min(100, int(wrong["Failure Count"]))
    newest = newest_deliveries(log, 1)[0]
    assert newest.judgement is not None
    assert newest.judgement.verdict == "failed"
    assert newest.delivery.scenario == "wrong.scenario.json"
