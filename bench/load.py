"""How many sends a second one worker reaches against a receiver that costs next to nothing.

`load` with one process is compared with `run -j 16` on the same scenario, and with Locust's own FastHttpUser,
which sends the same bytes and compares nothing. Each is told by the clock and by the processor time that it
took, as other work on the machine changes the first.

    python bench/load.py [USERS] [SECONDS]
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PAYLOAD = HERE.parent / "fixtures/order_cancel/draft/default.json"
PROGRAM = str(Path(sys.executable).with_name("retailops-sandbox"))
SCENARIOS = 4_000
STEP = {"name": "cancel", "fixture": "default", "expect": {"status": 200, "body": {"events": []}}}

LOCUSTFILE = f"""
from locust import FastHttpUser, task

BODY = open({str(PAYLOAD)!r}, "rb").read()


class Plain(FastHttpUser):
    @task
    def send(self):
        self.client.post("/", data=BODY, headers={{"Content-Type": "application/json"}})
"""


def main(users: int = 16, seconds: int = 5) -> None:
    receiver = subprocess.Popen(
        [sys.executable, str(HERE / "receiver.py")], stdout=subprocess.PIPE, text=True
    )
    assert receiver.stdout is not None
    try:
        url = f"http://127.0.0.1:{receiver.stdout.readline().strip()}"
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _scenarios(folder)
            _tell("load", *_sent_by_locust(folder, [PROGRAM, "load", "one", *_load(url, users, seconds)]))
            plain = [sys.executable, "-m", "locust", "-f", "plain.py", "--headless", "--only-summary"]
            plain += ["-H", url, "-u", str(users), "-r", str(users), "-t", str(seconds), "--csv", "found"]
            _tell("Locust's FastHttpUser", *_sent_by_locust(folder, plain))
            took, cpu = _timed(folder, [PROGRAM, "run", "many", "--receiver", url, "-j", str(users)])
            _tell(f"run -j {users}", SCENARIOS, took, cpu)
    finally:
        receiver.kill()
        receiver.wait()


def _load(url: str, users: int, seconds: int) -> list[str]:
    return ["--receiver", url, "--users", str(users), "--time", str(seconds), "--csv", "found"]


def _scenarios(folder: Path) -> None:
    (folder / "plain.py").write_text(LOCUSTFILE)
    for place, count in (("one", 1), ("many", SCENARIOS)):
        (folder / place).mkdir()
        for number in range(count):
            (folder / place / f"{number}.scenario.json").write_text(json.dumps({"steps": [STEP]}))


def _sent_by_locust(folder: Path, command: list[str]) -> tuple[int, float, float]:
    """How many sends Locust counted, in how many seconds, and the seconds of processor time."""
    _, cpu = _timed(folder, command)
    with open(folder / "found_stats.csv", encoding="utf-8", newline="") as file:
        row = next(each for each in csv.DictReader(file) if each["Name"] == "Aggregated")
    assert row["Failure Count"] == "0", row
    count = int(row["Request Count"])
    return count, count / float(row["Requests/s"]), cpu


def _timed(folder: Path, command: list[str]) -> tuple[float, float]:
    before, start = _cpu(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
    return time.perf_counter() - start, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tell(name: str, sent: int, seconds: float, cpu: float) -> None:
    print(
        f"{name:24} {sent:6} sends, {sent / seconds:6.0f} a second, {sent / cpu:6.0f} a second of processor"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
